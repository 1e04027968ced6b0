"""What offers look at: the lines on the counter, who buys, when and where. Pure."""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from core.records import record

PIECES = "pcs"


class CartLine(NamedTuple):
    """
    One line; the unit price is in minor units, tax included. A tuple, because tills make nine per question.

    `category` and what follows are the article's, None for articles that are not `known`.
    """

    line_number: int
    quantity: Decimal
    unit: str | None
    unit_price: int
    sku: str | None = None
    gtin: str | None = None
    category: str | None = None
    type: str | None = None
    department: str | None = None
    brand: str | None = None
    known: bool = True


Cart = tuple[CartLine, ...]


@record
class Shopper:
    """
    Who buys, as far as offers ask.

    `groups` are the codes of the shopper's groups. A card that belongs to nobody yet is no shopper.
    """

    member_code: str
    tier: str | None = None
    groups: tuple[str, ...] = ()
    phase: str | None = None
    value: str | None = None
    birth_date: date | None = None
    first_purchase: bool = False
    staff: bool = False
    company: bool = False


@record
class Presented:
    """The valid codes of one batch that are presented; without `value_amount` they only open offers."""

    codes: tuple[str, ...]
    value_amount: int | None = None
    minimum_amount: int | None = None
    currency: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@record
class Occasion:
    """When, where, for whom, and with which vouchers a basket is looked at; `at` is aware."""

    at: datetime
    timezone: str
    store_code: str
    currency: str
    shopper: Shopper | None = None
    presented: Mapping[str, Presented] = field(default_factory=dict)
    language: str = "en"
    has_card: bool = False
    """Whether a card was shown by which uses can be counted; a shopper always has one."""


class Left(NamedTuple):
    """
    What the limits of one offer still allow; None where nothing was counted, so the limit itself is left.

    Uses are applications; amounts are minor units. `member_day` and `member` are the shopper's. `times` bounds the
    applications of one basket for another reason than a limit: pieces of a gift that are there.
    """

    uses: int | None = None
    amount: int | None = None
    member_day: int | None = None
    member: int | None = None
    store_day_uses: int | None = None
    store_day_amount: int | None = None
    store_week_uses: int | None = None
    store_week_amount: int | None = None
    times: int | None = None
