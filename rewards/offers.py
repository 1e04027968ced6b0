"""Offers as data: whom, when and where, under which condition, for which benefit. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal

from core.i18n import called

ARTICLE, BASKET, POINTS, VOUCHER = "article", "basket", "points", "voucher"
STAGES = (ARTICLE, BASKET, POINTS, VOUCHER)
"""The stages of an evaluation, in the order in which they are gone through."""

EVERYONE, MEMBERS, COMPANIES = "everyone", "members", "companies"
WHO = (EVERYONE, MEMBERS, COMPANIES)
GROSS, NET = "gross", "net"
UNIT, APPLICATION = "unit", "application"
CHEAPEST, DEAREST = "cheapest", "dearest"
FIRST, BEST = "first", "best"


@dataclass(frozen=True, slots=True)
class Select:
    """
    Which articles: a line matches when it matches one of the values of every key that has some.

    Without values it matches every line; what `excluded` matches is taken out.
    """

    skus: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    excluded: "Select | None" = None


EVERYTHING = Select()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bundle: so many units, or kilograms, of what is selected."""

    select: Select
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Always:
    """Holds, and claims nothing."""


@dataclass(frozen=True, slots=True)
class Items:
    """At least so many units or kilograms, in any mixture of what is selected."""

    select: Select
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Each:
    """A bundle: every part, in the order listed; a unit serves one part."""

    of: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """The selected units that may be claimed are worth at least `amount`, before or after earlier discounts."""

    select: Select
    amount: int
    measure: str = GROSS


@dataclass(frozen=True, slots=True)
class VoucherPresented:
    """A valid code of a voucher batch is presented."""

    batch: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; they look at the basket independently, and their claims are united."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The first part that holds."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part holds on all lines of the basket, whatever was claimed before."""

    of: "tuple[Condition, ...]"


Condition = Always | Items | Each | Value | VoucherPresented | AllOf | AnyOf | NoneOf


@dataclass(frozen=True, slots=True)
class Percent:
    """`off` percent of what is left of the units, at most `max_amount` per application."""

    off: Decimal
    max_amount: int | None = None
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class AmountOff:
    """`off` minor units less, per unit or per application."""

    off: int
    per: str
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """The units cost `price`, each or all together; never more than before."""

    price: int
    per: str
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class Nth:
    """`off` percent of the `count` cheapest, or dearest, of the units."""

    off: Decimal
    which: str
    count: int = 1
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class PointsMultiplier:
    """The units earn `times` as many points."""

    times: Decimal
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class BonusPoints:
    """So many points more per application."""

    points: int
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class Gift:
    """Pieces of a reward, from the store's stock."""

    reward: str
    quantity: int = 1
    select: Select | None = None


@dataclass(frozen=True, slots=True)
class NextVoucher:
    """A voucher of a batch, for next time."""

    batch: str
    select: Select | None = None


Benefit = Percent | AmountOff | FixedPrice | Nth | PointsMultiplier | BonusPoints | Gift | NextVoucher
DISCOUNTS = (Percent, AmountOff, FixedPrice, Nth)
"""The benefits that lower what is paid."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in store time, from inclusive, to exclusive; over midnight when `end` is not later."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Validity:
    """When an offer runs: from inclusive, to exclusive; weekdays 1 = Monday … 7 and hours in store time."""

    start: datetime | None = None
    end: datetime | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets an offer; empty means no restriction. Staff and companies get it too only when it says so."""

    who: str = MEMBERS
    tiers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    member_codes: tuple[str, ...] = ()
    birthday_within_days: int | None = None
    first_purchase: bool = False
    staff: bool = False
    companies: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How often and how much an offer may give; None where there is no limit. Amounts in minor units."""

    per_receipt: int | None = None
    per_member_day: int | None = None
    per_member: int | None = None
    uses: int | None = None
    amount: int | None = None
    per_store_day_uses: int | None = None
    per_store_day_amount: int | None = None
    per_store_week_uses: int | None = None
    per_store_week_amount: int | None = None

    @property
    def per_person(self) -> bool:
        """Whether it needs to know who buys."""
        return self.per_member_day is not None or self.per_member is not None

    @property
    def held(self) -> bool:
        """Whether a quote must hold what it promises: the budgets that all shoppers share."""
        return (
            self.uses is not None
            or self.amount is not None
            or self.per_store_day_uses is not None
            or self.per_store_day_amount is not None
            or self.per_store_week_uses is not None
            or self.per_store_week_amount is not None
        )

    @property
    def counted(self) -> bool:
        """Whether what was given before has a say: any limit but the one per receipt."""
        return self.per_person or self.held


@dataclass(frozen=True, slots=True)
class Names:
    """What that is called which offers speak of: articles by sku, batches of vouchers and rewards by code and language."""

    articles: Mapping[str, str] = field(default_factory=dict)
    batches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rewards: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of a rule of what may be given; its version is 0 until the database gives it one."""

    code: str
    condition: Condition
    benefit: Benefit
    version: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    valid: Validity = Validity()
    stores: tuple[str, ...] = ()
    audience: Audience = Audience()
    stage: str = ARTICLE
    priority: int = 100
    exclusive_group: str | None = None
    stackable: bool = True
    limits: Limits = Limits()

    def name(self, language: str) -> str:
        """Return what it is called in `language`, else in English, else its code."""
        return called(self.names, language, self.code)

    @property
    def order(self) -> tuple[int, int, str]:
        """Where it comes in an evaluation: by stage, then priority from the highest, then code."""
        return STAGES.index(self.stage), -self.priority, self.code


@dataclass(frozen=True, slots=True)
class VoucherBatch:
    """A kind of voucher: what a code of it is worth, from which amount on, and for how many days."""

    batch: str
    value_amount: int | None = None
    currency: str | None = None
    minimum_amount: int | None = None
    valid_days: int | None = None
    codes: tuple[str, ...] = ()

    @property
    def has_amounts(self) -> bool:
        """Whether a currency makes a difference."""
        return self.value_amount is not None or bool(self.minimum_amount)


@dataclass(frozen=True, slots=True)
class OfferedReward:
    """A reward that a document brings along, with the stock it starts with per store."""

    code: str
    points: int
    names: Mapping[str, str] = field(default_factory=dict)
    stock: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfferDocument:
    """A whole file of offers; `choice` is None where it leaves the programme's choice alone."""

    offers: tuple[Offer, ...] = ()
    vouchers: tuple[VoucherBatch, ...] = ()
    rewards: tuple[OfferedReward, ...] = ()
    choice: str | None = None


def conditions_in(condition: Condition) -> Iterator[Condition]:
    """Yield `condition` and all that it is made of."""
    yield condition
    if isinstance(condition, AllOf | AnyOf | NoneOf):
        for part in condition.of:
            yield from conditions_in(part)


def batches_in(offer: Offer) -> set[str]:
    """Return the voucher batches that `offer` asks for or gives."""
    return batches_asked(offer) | ({offer.benefit.batch} if isinstance(offer.benefit, NextVoucher) else set())


def batches_asked(offer: Offer) -> set[str]:
    """Return the voucher batches that the condition of `offer` names."""
    return {part.batch for part in conditions_in(offer.condition) if isinstance(part, VoucherPresented)}


def has_amounts(offer: Offer) -> bool:
    """Return whether `offer` names amounts of money, so that its stores must share a currency."""
    benefit, limits = offer.benefit, offer.limits
    return (
        isinstance(benefit, AmountOff | FixedPrice)
        or (isinstance(benefit, Percent) and benefit.max_amount is not None)
        or any(isinstance(part, Value) for part in conditions_in(offer.condition))
        or any(
            limit is not None
            for limit in (limits.amount, limits.per_store_day_amount, limits.per_store_week_amount)
        )
    )
