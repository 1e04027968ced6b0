"""Cards that a chain has had printed: ranges of numbers, into stock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from stdnum import ean, luhn

from core.audit import record_event
from core.driver import driver_of
from core.errors import Refused
from core.payment_cards import is_payment_card_number
from customers.cardnumbers import LooksLikePaymentCard, normalise_card_number

MOST = 100_000
"""Cards of one range."""


class BadRange(Refused):
    """The range ends before it begins, mixes kinds of numbers, or is too long."""


@dataclass(frozen=True, slots=True)
class Stocked:
    """What became of a range: cards that are in stock now, and numbers that were known already."""

    added: int
    known: int


def numbers_from(first: str, last: str) -> Iterator[str]:
    """
    Return an iterator over the card numbers from `first` to `last`, both included, each with its check digit.

    Raises `BadCardNumber` or `BadRange`, before the first number.
    """
    lowest, highest = normalise_card_number(first), normalise_card_number(last)
    if len(lowest) != len(highest) or _is_in_house(lowest) != _is_in_house(highest):
        raise BadRange("The first and the last number are of different kinds")
    start, end = int(lowest[:-1]), int(highest[:-1])
    if not 0 <= end - start < MOST:
        raise BadRange(f"A range goes from its lowest number up, and has at most {MOST} cards")
    digits, check = len(lowest) - 1, ean.calc_check_digit if _is_in_house(lowest) else luhn.calc_check_digit
    payloads = (str(number).zfill(digits) for number in range(start, end + 1))
    return (payload + check(payload) for payload in payloads)


def stock_cards(session: Session, *, first: str, last: str, now: datetime, actor: str) -> Stocked:
    """
    Put the cards of a range into stock; numbers known already stay as they are.

    Raises `BadCardNumber`, `BadRange`, or `LooksLikePaymentCard` for a single number: nobody has one card printed.
    """
    numbers = list(numbers_from(first, last))
    if len(numbers) == 1 and is_payment_card_number(numbers[0]):
        raise LooksLikePaymentCard
    added = (
        driver_of(session)
        .execute(
            "insert into card (card_number, state, created_at) select number, 'stock', %s "
            "from unnest(%s::text[]) as number on conflict do nothing",
            (now, numbers),
        )
        .rowcount
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="cards.stock",
        subject_kind="card",
        subject_id=numbers[0],
        detail={"last": numbers[-1], "added": added, "known": len(numbers) - added},
    )
    return Stocked(added, len(numbers) - added)


def _is_in_house(number: str) -> bool:
    return len(number) == 13 and number.startswith("2")
