"""
What the live offers give for a basket: `apply_offers`, pure and deterministic.

Offers are tried stage by stage, from the highest priority down, then by code. The units that an offer claims of an
exclusive group are spent for that group; see docs/offers.md for all rules.
"""

from collections.abc import Mapping, Sequence
from operator import sub
from typing import NamedTuple, TypeVar

from rewards.book import OfferBook
from rewards.carts import Cart, Left, Occasion
from rewards.explanations import Explainer, NotApplied
from rewards.offers import Gift, NextVoucher, batches_asked
from rewards.outcomes import NOTHING_COUNTED, Outcome, Parts, outcome_of
from rewards.standing_basket import Given
from rewards.units import Lines
from rewards.vouchers.values import Redeemed

T = TypeVar("T")


class Discount(NamedTuple):
    """What an offer took off a line; `offer_version` is None for the value of a voucher, whose code is its batch."""

    offer_code: str
    offer_version: int | None
    amount: int
    reason: str


class EvaluatedLine(NamedTuple):
    """A line with its discounts in order of application; amounts in minor units, net is gross less discount."""

    line_number: int
    gross: int
    discount: int
    net: int
    discounts: tuple[Discount, ...]


class Application(NamedTuple):
    """All applications of one offer; `times` is how many, `per_line` its discount by line number."""

    offer_code: str
    offer_version: int | None
    times: int
    amount: int
    points: int
    gifts: tuple[tuple[str, int], ...]
    vouchers: tuple[tuple[str, int], ...]
    per_line: Mapping[int, int]
    codes: tuple[str, ...] = ()


class GiftGiven(NamedTuple):
    """Pieces of a reward that go with the basket."""

    offer_code: str
    reward_code: str
    quantity: int


class VoucherGiven(NamedTuple):
    """Vouchers of a batch for next time."""

    offer_code: str
    batch: str
    times: int


class Evaluation:
    """
    What offers give for one basket.

    `lines` stand as in the cart; `notes` say where the engine had to stop short: ("greedy", group) or
    ("stopped", offer code). Explanations of what was not applied are worked out when they are asked for.
    """

    __slots__ = (
        "_applications",
        "_basket",
        "_cart",
        "_discounts",
        "_explaining",
        "_left",
        "_order",
        "_outcome",
        "occasion",
    )

    def __init__(
        self,
        cart: Cart,
        order: Sequence[int] | None,
        occasion: Occasion,
        left: Mapping[str, Left],
        outcome: Outcome,
    ) -> None:
        self.occasion = occasion
        self._cart, self._order, self._left = cart, order, left
        self._outcome, self._basket = outcome, outcome.basket
        self._discounts: Sequence[tuple[Discount, ...]] | None = None
        self._applications: tuple[Application, ...] | None = None
        self._explaining: Explainer | None = None

    @property
    def lines(self) -> tuple[EvaluatedLine, ...]:
        """The lines with their discounts, as they stand in the cart."""
        columns = self._basket.lines
        numbers, gross = self._as_in_cart(columns.numbers), self._as_in_cart(columns.grosses)
        discounts = map(sub, gross, self.nets)
        return tuple(map(EvaluatedLine, numbers, gross, discounts, self.nets, self.discounts))

    @property
    def nets(self) -> Sequence[int]:
        """What is left to be paid of each line of the cart, in minor units."""
        return self._as_in_cart(self._basket.net)

    @property
    def discounts(self) -> Sequence[tuple[Discount, ...]]:
        """The discounts of each line of the cart, in order of application."""
        if self._discounts is None:
            self._discounts = self._as_in_cart(self._discounts_by_place())
        return self._discounts

    def _as_in_cart(self, values: Sequence[T]) -> Sequence[T]:
        """Return what there is of every line, by line number, in the order of the cart."""
        order = self._order
        if order is None:
            return values
        places = dict(zip(order, values, strict=True))
        return [places[index] for index in range(len(values))]

    def _discounts_by_place(self) -> list[tuple[Discount, ...]]:
        """Return by place the discounts of every line."""
        found: list[tuple[Discount, ...]] = [()] * len(self._basket.net)
        language = self.occasion.language
        for given in self._basket.given:
            if given.per_line:
                offer = given.live.offer
                reason = offer.names.get(language) or offer.name(language)
                code, version = offer.code, offer.version
                for place, amount in given.per_line.items():
                    discount = tuple.__new__(Discount, (code, version, amount, reason))
                    found[place] = (*found[place], discount) if found[place] else (discount,)
        for redeemed in self._outcome.redeemed:
            reason = redeemed.name(language)
            for place, amount in redeemed.per_line.items():
                found[place] = (*found[place], Discount(redeemed.batch, None, amount, reason))
        return found

    @property
    def applications(self) -> tuple[Application, ...]:
        """What was given, offer by offer in order of application, then the values of vouchers."""
        if self._applications is None:
            found = [self._application(given) for given in self._basket.given]
            found += [self._value(redeemed) for redeemed in self._outcome.redeemed]
            self._applications = tuple(found)
        return self._applications

    def _application(self, given: Given) -> Application:
        offer, numbers = given.live.offer, self._basket.lines.numbers
        benefit = offer.benefit
        gifts: tuple[tuple[str, int], ...] = ()
        vouchers: tuple[tuple[str, int], ...] = ()
        if given.live.add_up:
            if isinstance(benefit, Gift):
                gifts = ((benefit.reward, benefit.quantity * given.times),)
            elif isinstance(benefit, NextVoucher):
                vouchers = ((benefit.batch, given.times),)
        per_line = {numbers[place]: amount for place, amount in given.per_line.items()}
        told = (
            offer.code,
            offer.version,
            given.times,
            given.amount,
            given.points,
            gifts,
            vouchers,
            per_line,
            (),
        )
        return tuple.__new__(Application, told)

    def _value(self, redeemed: Redeemed) -> Application:
        numbers = self._basket.lines.numbers
        per_line = {numbers[place]: amount for place, amount in redeemed.per_line.items()}
        return Application(
            redeemed.batch,
            None,
            len(redeemed.codes),
            sum(redeemed.per_line.values()),
            0,
            (),
            (),
            per_line,
            redeemed.codes,
        )

    @property
    def opened(self) -> Mapping[str, tuple[str, ...]]:
        """The offers that applied and ask for a voucher of a batch that is presented, by that batch."""
        found: dict[str, tuple[str, ...]] = {}
        if self.occasion.presented:
            for given in self._basket.given:
                for batch in batches_asked(given.live.offer) & self.occasion.presented.keys():
                    found[batch] = (*found.get(batch, ()), given.live.code)
        return found

    @property
    def amount(self) -> int:
        """All discounts together."""
        amount = sum([given.amount for given in self._basket.given])
        return amount + sum([sum(redeemed.per_line.values()) for redeemed in self._outcome.redeemed])

    @property
    def net(self) -> int:
        """What is left to be paid, deposits included."""
        return sum(self._basket.net)

    @property
    def points(self) -> int:
        """Bonus points, beside those that the lines earn."""
        return sum([given.points for given in self._basket.given])

    @property
    def gifts(self) -> tuple[GiftGiven, ...]:
        """Gifts in order of application."""
        return tuple([
            GiftGiven(each.offer_code, reward, quantity)
            for each in self.applications if each.gifts
            for reward, quantity in each.gifts
        ])  # fmt: skip

    @property
    def vouchers(self) -> tuple[VoucherGiven, ...]:
        """Vouchers for next time in order of application."""
        return tuple([
            VoucherGiven(each.offer_code, batch, times)
            for each in self.applications if each.vouchers
            for batch, times in each.vouchers
        ])  # fmt: skip

    @property
    def multiplied(self) -> Mapping[int, Parts]:
        """What earns how many times points, by line number, on the lines of which something earns otherwise than once."""
        numbers = self._basket.lines.numbers
        return {numbers[place]: parts for place, parts in self._outcome.multiplied.items()}

    @property
    def earning(self) -> tuple[Parts, ...]:
        """For every line of the cart what earns how many times points: (net in minor units, times)."""
        return tuple(self._as_in_cart(self._outcome.earning))

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """What is in the basket's reach but gave nothing: why, and what is missing; at most twenty, by priority."""
        explainer = self._explainer()
        explainer.left = self._left
        return tuple(explainer.not_applied({each.batch for each in self._outcome.redeemed}))

    def why_not(self, offer_code: str, left: Left | None = None) -> NotApplied | None:
        """
        Return why an offer of the book gave nothing, None when it gave something, or is not in the book.

        `left` is what is known of its limits by now, where they were not asked for since nothing triggered it.
        """
        explainer, live = self._explainer(), self._outcome.book.by_code.get(offer_code)
        explainer.left = self._left if left is None else {**self._left, offer_code: left}
        return None if live is None or live.rank in explainer.applied else explainer.why_not(live)

    def _explainer(self) -> Explainer:
        if self._explaining is None:
            book, occasion, left = self._outcome.book, self.occasion, self._left

            def applied_to(cart: Cart, left: Mapping[str, Left]) -> set[str]:
                return {each.offer_code for each in apply_offers(cart, book, occasion, left).applications}

            self._explaining = Explainer(
                self._cart, book, occasion, left, basket=self._basket, applied_to=applied_to
            )
        return self._explaining

    @property
    def exhausted(self) -> tuple[str, ...]:
        """The offers that stopped because what was counted before left them no further use or amount."""
        return self._outcome.exhausted

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """Where the engine had to stop short."""
        return tuple(dict.fromkeys(self._basket.notes))


def apply_offers(
    cart: Cart, book: OfferBook, occasion: Occasion, left: Mapping[str, Left] = NOTHING_COUNTED
) -> Evaluation:
    """
    Return what the offers of `book` give for `cart`, without changing either.

    `left` says per offer code what its limits still allow; what it does not name has given nothing yet. The same
    arguments give the same result, whatever the order of the book's offers was.
    """
    ordered, order = cart, None
    lines = Lines.of(cart)
    numbers = lines.numbers
    if tuple(sorted(numbers)) != numbers:
        order = sorted(range(len(cart)), key=numbers.__getitem__)
        ordered = tuple([cart[index] for index in order])
        lines = Lines.of(ordered)
    seen = book.all_seen(ordered, occasion.store_code)
    return Evaluation(cart, order, occasion, left, outcome_of(lines, seen, book, occasion, left))
