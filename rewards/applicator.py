"""
What the live offers give for a basket: `apply_offers`, pure and deterministic.

Offers are tried stage by stage, from the highest priority down, then by code. The units that an offer claims of an
exclusive group are spent for that group; see docs/offers.md for all rules.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from rewards.applying import apply_one
from rewards.book import OfferBook
from rewards.carts import Cart, Left, Occasion
from rewards.choosing import BETTER, choose
from rewards.doorkeeper import Doorkeeper
from rewards.explanations import Explainer, NotApplied
from rewards.offers import BEST, VOUCHER, Gift, NextVoucher, batches_asked
from rewards.ready_offers import LiveOffer
from rewards.standing_basket import Basket, Given
from rewards.units import Line
from rewards.voucher_values import Redeemed, take_values

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
        "_basket",
        "_book",
        "_cart",
        "_left",
        "_order",
        "_redeemed",
        "applications",
        "lines",
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
        found: dict[int, list[Discount]] = {}
        applications = [self._application(given, found) for given in basket.given]
        applications += [self._value(each, found) for each in redeemed]
        self.applications = tuple(applications)
        lines = [
            EvaluatedLine(line.line_number, line.gross, line.gross - net, net, tuple(found.get(place, ())))
            for place, (line, net) in enumerate(zip(basket.lines, basket.net, strict=True))
        ]
        if not isinstance(order, range):
            places = dict(zip(order, lines, strict=True))
            lines = [places[index] for index in range(len(lines))]
        self.lines = tuple(lines)

    def _application(self, given: Given, found: dict[int, list[Discount]]) -> Application:
        offer = given.live.offer
        if given.per_line:
            reason = offer.name(self.occasion.language)
            for place, amount in given.per_line.items():
                found.setdefault(place, []).append(Discount(offer.code, offer.version, amount, reason))
        benefit = offer.benefit
        gifts = ((benefit.reward, benefit.quantity * given.times),) if isinstance(benefit, Gift) else ()
        vouchers = ((benefit.batch, given.times),) if isinstance(benefit, NextVoucher) else ()
        lines = self._basket.lines
        per_line = {lines[place].line_number: amount for place, amount in given.per_line.items()}
        return Application(
            offer.code, offer.version, given.times, given.amount, given.points, gifts, vouchers, per_line
        )

    def _value(self, redeemed: Redeemed, found: dict[int, list[Discount]]) -> Application:
        reason = redeemed.name(self.occasion.language)
        for place, amount in redeemed.per_line.items():
            found.setdefault(place, []).append(Discount(redeemed.batch, None, amount, reason))
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
        return sum(line.discount for line in self.lines)

    @property
    def net(self) -> int:
        """What is left to be paid, deposits included."""
        return sum(line.net for line in self.lines)

    @property
    def points(self) -> int:
        """Bonus points, beside those that the lines earn."""
        return sum(application.points for application in self.applications)

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
        lines: list[tuple[tuple[int, Decimal], ...]] = [()] * len(self._order)
        for place, index in enumerate(self._order):
            lines[index] = tuple(self._parts(place))
        return tuple(lines)

    def _parts(self, place: int) -> Iterator[tuple[int, Decimal]]:
        runs = self._basket.runs[place]
        if runs is None:
            yield self._basket.net[place], ONCE
            return
        parts: dict[Decimal, int] = defaultdict(int)
        for count, left, _flags, times in runs:
            parts[ONCE if times is None else times] += count * left
        for times in sorted(parts):
            yield parts[times], times

    @property
    def not_applied(self) -> tuple[NotApplied, ...]:
        """What is in the basket's reach but gave nothing: why, and what is missing; at most twenty, by priority."""
        return tuple(self._explainer().not_applied({each.batch for each in self._redeemed}))

    def why_not(self, offer_code: str) -> NotApplied | None:
        """Return why an offer of the book gave nothing, None when it gave something, or is not in the book."""
        explainer, live = self._explainer(), self._book.by_code.get(offer_code)
        return None if live is None or live.rank in explainer.applied else explainer.why_not(live)

    def _explainer(self) -> Explainer:
        book, occasion, left = self._book, self.occasion, self._left

        def applied_to(cart: Cart) -> set[str]:
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
    order = _by_line_number(cart)
    lines, matching, ranks = [], defaultdict(list), set(book.on_every_basket(occasion.store_code))
    store = occasion.store_code
    known = book.known_in(store)
    for place, index in enumerate(order):
        line = cart[index]
        lines.append(Line(line))
        if line.unit_price > 0:
            selections, triggered = known.get(line[4:]) or book.seen(line[4:], store)
            for number in selections:
                matching[number].append(place)
            ranks.update(triggered)
    if occasion.presented:
        ranks.update(book.opened_by(occasion.presented, store))
    basket = Basket(lines, matching, occasion.presented)
    doorkeeper = Doorkeeper(occasion)
    live = [offer for rank in sorted(ranks) if doorkeeper.lets_in(offer := book.live[rank])]
    redeemed = _go_through(basket, book, live, left, occasion)
    return Evaluation(cart, book, occasion, left, basket=basket, order=order, redeemed=redeemed)


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
        apply_one(basket, offer, left.get(offer.code))
