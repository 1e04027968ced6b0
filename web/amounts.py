"""Amounts as people type them, in the major unit of a currency."""

from decimal import Decimal, InvalidOperation
from typing import Final

from babel.numbers import get_currency_precision
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from sales.models import Store

LARGEST: Final = 10**12


def only_currency(session: Session) -> str | None:
    """Return the currency of all stores; None when they have several, or there is no store."""
    found = session.scalars(select(Store.currency).distinct().limit(2)).all()
    return found[0] if len(found) == 1 else None


class NoAmount(Refused):
    """What was typed is no amount of the currency."""


def read_amount(text: str, currency: str) -> int | None:
    """
    Return an amount in minor units, None where nothing was typed; a comma is as good as a point.

    Raises `NoAmount` for what is no number, is negative or too large, or has a fraction that the currency has not.
    """
    plain = "".join(text.split()).replace(",", ".")
    if not plain:
        return None
    try:
        minor = Decimal(plain).scaleb(get_currency_precision(currency))
    except InvalidOperation as error:
        raise NoAmount("it is no number") from error
    if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor <= LARGEST:
        raise NoAmount("it is no amount of the currency")
    return int(minor)
