"""What the kept units of a sale cost under the offers of that sale, when something of it comes back. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.money import half_up
from rewards.applicator import apply_offers
from rewards.book import OfferBook
from rewards.carts import CartLine, Occasion, Presented
from rewards.offers import (
    EVERYONE,
    FIRST,
    AllOf,
    AnyOf,
    Audience,
    Condition,
    Limits,
    Offer,
    Validity,
    VoucherPresented,
)

EVERYBODY = Audience(who=EVERYONE, staff=True, companies=True)
"""Who bought then passed for whom the offers were; that is not asked again."""


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of a sale as it was paid, before points, and what of that each offer took off."""

    line: CartLine
    total_amount: int
    discounts: Mapping[str, int] = field(default_factory=dict)
    """By the code of an offer, or of a voucher's batch; of those that are known still."""

    @property
    def otherwise(self) -> int:
        """What was taken off by no offer that is known: by hand, or by an offer of another house."""
        gross = half_up(self.line.quantity * self.line.unit_price)
        return gross - sum(self.discounts.values()) - self.total_amount


@dataclass(frozen=True, slots=True)
class GivenThen:
    """The offers of a sale in the versions that its receipt stated, and what was presented."""

    offers: tuple[Offer, ...]
    occasion: Occasion
    times: Mapping[str, int] = field(default_factory=dict)
    """How often an offer was applied then, where that is known; where not, it takes no more off than it did in all."""
    choice: str = FIRST


@dataclass(frozen=True, slots=True)
class Kept:
    """What kept units cost in all, and what each offer still takes off them."""

    cost: int = 0
    discounts: Mapping[str, int] = field(default_factory=dict)


def cost_of_kept(sold: Sequence[SoldLine], quantities: Mapping[int, Decimal], given: GivenThen) -> Kept:
    """
    Return what is to be paid for `quantities` of the lines `sold`, by line number, under the offers `given` then.

    All conditions but the basket's count as fulfilled: time, store, audience and budgets are not asked
    again. No offer applies more often than it did, nor takes more off in all where that is not known.
    What was taken off otherwise stays off in proportion.
    """
    kept = {
        line.line.line_number: (line, quantities[line.line.line_number])
        for line in sold
        if quantities.get(line.line.line_number, 0) > 0
    }
    if not kept:
        return Kept()
    cart = tuple(line.line._replace(quantity=quantity) for line, quantity in kept.values())
    evaluation = apply_offers(cart, OfferBook(tuple(_as_then(given)), given.choice), given.occasion)
    cost = 0
    discounts: dict[str, int] = {}
    for evaluated in evaluation.lines:
        line, quantity = kept[evaluated.line_number]
        cost += less_otherwise(
            evaluated.net,
            otherwise=line.otherwise,
            kept=quantity,
            sold=line.line.quantity,
            unit_price=line.line.unit_price,
        )
        for discount in evaluated.discounts:
            discounts[discount.offer_code] = discounts.get(discount.offer_code, 0) + discount.amount
    for code in discounts.keys() - given.times.keys():
        stated = sum(line.discounts.get(code, 0) for line in sold)
        cost += max(0, discounts[code] - stated)
        discounts[code] = min(discounts[code], stated)
    return Kept(cost, discounts)


def less_otherwise(net: int, *, otherwise: int, kept: Decimal, sold: Decimal, unit_price: int) -> int:
    """
    Return what `kept` of the quantity `sold` costs, in minor units: `net` less its part of what was taken off `otherwise`.

    That part is in proportion, half up; goods never cost less than nothing.
    """
    left = net - half_up(otherwise * kept / sold)
    return max(0, left) if unit_price > 0 else left


def _as_then(given: GivenThen) -> Iterator[Offer]:
    """Yield the offers with nothing left to ask but what lies in the basket."""
    for offer in given.offers:
        known = [
            number for number in (offer.limits.per_receipt, given.times.get(offer.code)) if number is not None
        ]
        yield replace(
            offer,
            valid=Validity(),
            stores=(),
            audience=EVERYBODY,
            limits=Limits(per_receipt=min(known) if known else None),
        )


def presented_then(offers: Sequence[Offer], presented: Mapping[str, Presented]) -> dict[str, Presented]:
    """
    Return the batches of which a voucher was there: those `presented`, and those that an offer cannot have been without.

    A till may leave the codes out of its receipt; that the offer was given says that there was one.
    """
    found = dict(presented)
    for offer in offers:
        asked = list(_asked(offer.condition))
        if not any(batch in found for batch in asked):
            found |= {batch: Presented(()) for batch in asked}
    return found


def _asked(condition: Condition) -> Iterator[str]:
    """Yield the batches of which a voucher helps `condition` to hold."""
    if isinstance(condition, VoucherPresented):
        yield condition.batch
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.of:
            yield from _asked(part)
