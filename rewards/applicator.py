"""
What the live offers give for a basket: `apply_offers`, pure and deterministic.

Offers are tried stage by stage, from the highest priority down, then by code. The units that an offer claims of an
exclusive group are spent for that group; see docs/offers.md for all rules.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from rewards.applying import apply_one
from rewards.book import OfferBook
from rewards.carts import Cart, Left, Occasion
from rewards.choosing import BETTER, choose
from rewards.doorkeeper import Doorkeeper
from rewards.explanations import Explainer, NotApplied
from rewards.offers import BEST, VOUCHER, Gift, NextVoucher, batches_asked
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Given
from rewards.units import Line, Run
from rewards.voucher_values import Redeemed, take_values

T = TypeVar("T")
ONCE = Decimal(1)
NOTHING_COUNTED: Mapping[str, Left] = {}


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
        "_book",
        "_cart",
        "_left",
        "_lines",
        "_order",
        "_redeemed",
        "occasion",
    )

    def __init__(
        self,
        cart: Cart,
        book: OfferBook,
        occasion: Occasion,
        left: Mapping[str, Left],
        *,
        basket: Basket,
        order: Sequence[int],
        redeemed: list[Redeemed],
    ) -> None:
        self.occasion = occasion
        self._cart, self._book, self._left, self._basket = cart, book, left, basket
        self._order, self._redeemed = order, redeemed
        self._lines: tuple[EvaluatedLine, ...] | None = None
        self._applications: tuple[Application, ...] | None = None

    @property
    def lines(self) -> tuple[EvaluatedLine, ...]:
        """The lines with their discounts, as they stand in the cart."""
        if self._lines is None:
            basket = self._basket
            found = self._discounts()
            lines = [
                # Calling the class itself takes three times as long.
                tuple.__new__(
                    EvaluatedLine,
                    (line.line_number, line.gross, line.gross - net, net, found.get(place, ())),
                )
                for place, (line, net) in enumerate(zip(basket.lines, basket.net, strict=True))
            ]
            self._lines = tuple(self._as_in_cart(lines))
        return self._lines

    def _as_in_cart(self, values: list[T]) -> list[T]:
        """Return what there is of every line, by line number, in the order of the cart."""
        order = self._order
        if isinstance(order, range):
            return values
        places = dict(zip(order, values, strict=True))
        return [places[index] for index in range(len(values))]

    def _discounts(self) -> dict[int, tuple[Discount, ...]]:
        found: dict[int, tuple[Discount, ...]] = {}
        language = self.occasion.language
        for given in self._basket.given:
            if given.per_line:
                offer = given.live.offer
                code, version, reason = offer.code, offer.version, offer.name(language)
                for place, amount in given.per_line.items():
                    found[place] = (*found.get(place, ()), Discount(code, version, amount, reason))
        for redeemed in self._redeemed:
            reason = redeemed.name(language)
            for place, amount in redeemed.per_line.items():
                found[place] = (*found.get(place, ()), Discount(redeemed.batch, None, amount, reason))
        return found

    @property
    def nets(self) -> list[int]:
        """What is left to be paid of each line of the cart."""
        return self._as_in_cart(self._basket.net)

    @property
    def given(self) -> Sequence[Given]:
        """What offers gave in order of application, as the basket keeps it: `per_line` by place, not by line number."""
        return self._basket.given

    def reduced_by(self, codes: Container[str]) -> set[int]:
        """Return the places in the cart of the lines that one of these offers took something off."""
        return {
            self._order[place]
            for given in self._basket.given
            if given.live.code in codes
            for place in given.per_line
        }

    @property
    def applications(self) -> tuple[Application, ...]:
        """What was given, offer by offer in order of application, then the values of vouchers."""
        if self._applications is None:
            self._applications = (
                *map(self._application, self._basket.given),
                *map(self._value, self._redeemed),
            )
        return self._applications

    def _application(self, given: Given) -> Application:
        offer = given.live.offer
        benefit = offer.benefit
        gifts = ((benefit.reward, benefit.quantity * given.times),) if isinstance(benefit, Gift) else ()
        vouchers = ((benefit.batch, given.times),) if isinstance(benefit, NextVoucher) else ()
        lines = self._basket.lines
        per_line = {lines[place].line_number: amount for place, amount in given.per_line.items()}
        return Application(
            offer.code, offer.version, given.times, given.amount, given.points, gifts, vouchers, per_line
        )

    def _value(self, redeemed: Redeemed) -> Application:
        lines = self._basket.lines
        per_line = {lines[place].line_number: amount for place, amount in redeemed.per_line.items()}
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
        return sum([line.gross for line in self._basket.lines]) - sum(self._basket.net)

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
        return tuple(
            GiftGiven(each.offer_code, reward, quantity)
            for each in self.applications
            for reward, quantity in each.gifts
        )

    @property
    def vouchers(self) -> tuple[VoucherGiven, ...]:
        """Vouchers for next time in order of application."""
        return tuple(
            VoucherGiven(each.offer_code, batch, times)
            for each in self.applications
            for batch, times in each.vouchers
        )

    @property
    def earning(self) -> tuple[tuple[tuple[int, Decimal], ...], ...]:
        """For every line of the cart what earns how many times points: (net in minor units, times)."""
        basket = self._basket
        return tuple(
            self._as_in_cart(
                [
                    ((net, ONCE),) if runs is None else _parts(net, runs)
                    for net, runs in zip(basket.net, basket.runs, strict=True)
                ]
            )
        )

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """What is in the basket's reach but gave nothing: why, and what is missing; at most twenty, by priority."""
        return tuple(self._explainer().not_applied({each.batch for each in self._redeemed}))

    def why_not(self, offer_code: str, left: Left | None = None) -> NotApplied | None:
        """
        Return why an offer of the book gave nothing, None when it gave something, or is not in the book.

        `left` is what is known of its limits by now, where they were not asked for since nothing triggered it.
        """
        explainer, live = self._explainer(), self._book.by_code.get(offer_code)
        if left is not None:
            explainer.left = {**explainer.left, offer_code: left}
        return None if live is None or live.rank in explainer.applied else explainer.why_not(live)

    def _explainer(self) -> Explainer:
        book, occasion, left = self._book, self.occasion, self._left

        def applied_to(cart: Cart, left: Mapping[str, Left]) -> set[str]:
            return {each.offer_code for each in apply_offers(cart, book, occasion, left).applications}

        return Explainer(self._cart, book, occasion, left, basket=self._basket, applied_to=applied_to)

    @property
    def exhausted(self) -> tuple[str, ...]:
        """The offers that stopped because what was counted before left them no further use or amount."""
        live = self._book.live
        return tuple(live[rank].code for rank, why in sorted(self._basket.refused.items()) if why != BETTER)

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
    order, store = _by_line_number(cart), occasion.store_code
    lines, ranks = [], set(book.on_every_basket(store))
    matching: dict[int, list[int]] = {}
    known = book.known_in(store)
    for place, index in enumerate(order):
        line = cart[index]
        lines.append(Line(line))
        if line.unit_price > 0:
            article = line[4:]
            selections, triggered = known.get(article) or book.seen(article, store)
            for number in selections:
                if number in matching:
                    matching[number].append(place)
                else:
                    matching[number] = [place]
            if triggered:
                ranks.update(triggered)
    if occasion.presented:
        ranks.update(book.opened_by(occasion.presented, store))
    basket = Basket(lines, matching, occasion.presented)
    live = Doorkeeper(occasion).among([book.live[rank] for rank in sorted(ranks)])
    redeemed = _go_through(basket, book, live, left, occasion)
    return Evaluation(cart, book, occasion, left, basket=basket, order=order, redeemed=redeemed)


def _parts(net: int, runs: Sequence[Run]) -> tuple[tuple[int, Decimal], ...]:
    """Return what is left of a line's units by how many times points they earn."""
    first = runs[0][3]
    if len(runs) == 1 or all(run[3] is first for run in runs):
        return ((net, ONCE if first is None else first),)
    parts: dict[Decimal, int] = defaultdict(int)
    for count, left, _flags, times in runs:
        parts[ONCE if times is None else times] += count * left
    return tuple((parts[times], times) for times in sorted(parts))


def _by_line_number(cart: Cart) -> Sequence[int]:
    """Return the places of the lines in the order of their numbers."""
    numbers = [line.line_number for line in cart]
    if numbers == sorted(numbers):
        return range(len(numbers))
    return sorted(range(len(numbers)), key=numbers.__getitem__)


def _go_through(
    basket: Basket, book: OfferBook, live: list[LiveOffer], left: Mapping[str, Left], occasion: Occasion
) -> list[Redeemed]:
    """Try all offers in their order, and take the values of vouchers where they come."""
    if not occasion.presented:
        _try_all(basket, book, live, left)
        return []
    last = [offer for offer in live if offer.offer.stage == VOUCHER]
    _try_all(basket, book, [offer for offer in live if offer.offer.stage != VOUCHER], left)
    basket.net_before_vouchers = sum(basket.net[place] for place in basket.priced)
    _try_all(basket, book, last, left)
    return take_values(basket, occasion, basket.net_before_vouchers)


def _try_all(basket: Basket, book: OfferBook, live: list[LiveOffer], left: Mapping[str, Left]) -> None:
    if book.choice == BEST:
        choose(basket, live, left)
        return
    for offer in live:
        apply_one(basket, offer, left)
