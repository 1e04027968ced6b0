"""Whom a few words at the desk mean: by a key that is somebody's own, and only then by a name that begins so."""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal_column, or_, select
from sqlalchemy.orm import Session

from core.keyset import alphabetical
from customers.models import Card, Member

FEWEST_DIGITS: Final = 6
"""With fewer the end of a phone number means too many people."""
MOST_WORDS: Final = 5
"""A name may have several words; the other one begins within so many."""


def meant(session: Session, words: str, *, names: bool) -> ColumnElement[bool]:
    """
    Return which members `words` mean.

    That is the member with this card or member code; if there is none, those with this e-mail or phone, or
    whose phone ends so; else those whose given or family name begins so, or both. Without `names` nobody
    is found by more than a card or a member code. Each question has an index of its own.
    """
    digits = _digits(words)
    found = _known_by(session, words, digits)
    if not found and names:
        if "@" in words:
            found = session.scalars(
                select(Member.member_id).where(func.lower(Member.email) == words.casefold())
            ).all()
        elif re.fullmatch(r"\+?\d+", digits):
            found = _called(session, digits)
        else:
            return _named(words)
    return Member.member_id.in_(found)


def holder_of(session: Session, words: str) -> UUID | None:
    """Return the member who has, or had, the card of this number."""
    return session.scalar(select(Card.member_id).where(Card.card_number == _digits(words)))


def by_name() -> ColumnElement[str]:
    """Return what members are sorted by when they are sorted by name."""
    # As in the index of the same words.
    return alphabetical(Member.family_name + literal_column("' '", Text) + Member.given_name)


def _digits(words: str) -> str:
    return re.sub(r"[\s()/.-]", "", words)


def _known_by(session: Session, words: str, digits: str) -> Sequence[UUID]:
    codes = select(Member.member_id).where(Member.member_code == words)
    cards = select(Card.member_id).where(Card.card_number == digits, Card.member_id.is_not(None))
    return [member_id for member_id in session.scalars(codes.union(cards)) if member_id is not None]


def _called(session: Session, digits: str) -> Sequence[UUID]:
    number = "+" + digits[2:] if digits.startswith("00") else digits
    if number.startswith("+"):
        fits = Member.phone == number
    elif len(number) >= FEWEST_DIGITS:
        fits = func.reverse(Member.phone).startswith(number[::-1], autoescape=True)
    else:
        return []
    return session.scalars(select(Member.member_id).where(fits)).all()


def _named(words: str) -> ColumnElement[bool]:
    parts = words.casefold().split()
    given, family = func.lower(Member.given_name), func.lower(Member.family_name)
    begins = or_(
        _begins(family, parts),
        _begins(given, parts),
        *(
            _begins(first, parts[:cut]) & _begins(second, parts[cut:])
            for cut in range(1, min(len(parts), MOST_WORDS))
            for first, second in ((family, given), (given, family))
        ),
    )
    # Found first and sorted then: else the database reads everybody in the order of their names,
    # since it takes those who are meant to be spread evenly among them.
    named = select(Member.member_id).where(begins).cte("named").prefix_with("MATERIALIZED")
    return Member.member_id.in_(select(named.c.member_id))


def _begins(name: ColumnElement[str], parts: Sequence[str]) -> ColumnElement[bool]:
    return name.startswith(" ".join(parts), autoescape=True)
