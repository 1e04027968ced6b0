"""Cards from files: those in stock, those in hands, those out of use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.audit import record_event
from core.ids import uuid7
from core.progress import Report
from core.row_import import Fate, import_rows
from core.tabular import Summary
from customers.member_rows import CARDS, CardRow, parse_card
from customers.models import Account, Card, Member

REASON = "import"
"""Why a card is blocked whose file says no more than that it is."""

FOLLOWING = {
    "stock": {"issued", "active", "blocked", "expired"},
    "issued": {"blocked", "expired"},
    "active": {"blocked", "expired"},
}
"""What a file may make of a card in each state; the rest is the desk's."""


def import_cards(session: Session, path: Path, *, now: datetime, actor: str, report: Report) -> Summary:
    """
    Add the cards of a file and bring the states of known ones up to date.

    A state that is not given is "active" with a member, otherwise "stock" for a new
    card and no change for a known one.
    """
    summary = import_rows(
        path,
        CARDS,
        parse=parse_card,
        key=lambda row: row.card_number,
        store=lambda rows: _store(session, rows, now),
        report=report,
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="cards.import",
        subject_kind="file",
        subject_id=path.name,
        detail={"written": summary.written, "unchanged": summary.unchanged, "refused": summary.refused},
    )
    return summary


def _store(session: Session, rows: Sequence[CardRow], now: datetime) -> list[Fate]:
    numbers = [row.card_number for row in rows]
    codes = {row.member_code for row in rows if row.member_code}
    cards = {
        card.card_number: card
        for card in session.scalars(select(Card).where(Card.card_number.in_(numbers)).with_for_update())
    }
    members = {
        row.member_code: (row.member_id, row.account_id)
        for row in session.execute(
            select(Member.member_code, Member.member_id, Member.account_id).where(
                Member.member_code.in_(codes)
            )
        )
    }
    new: dict[type[Any], list[dict[str, Any]]] = {Account: [], Card: []}
    fates: list[Fate] = []
    for row in rows:
        if row.member_code and row.member_code not in members:
            fates.append(f"there is no member {row.member_code}")
            continue
        holder = members.get(row.member_code or "", (None, None))
        wish = _Wish(row, cards.get(row.card_number), holder, now)
        fates.append(wish.refusal() or wish.carry_out(new))
    # What is new comes first: known cards may already point to it.
    with session.no_autoflush:
        for table, values in new.items():
            if values:
                session.execute(insert(table), values)
    session.flush()
    return fates


@dataclass(frozen=True)
class _Wish:
    """What a row asks for, in the light of the card as it is."""

    row: CardRow
    card: Card | None
    holder: tuple[UUID | None, UUID | None]
    """The member named and the member's account."""
    now: datetime

    @property
    def state(self) -> str:
        if self.row.state:
            return self.row.state
        if self.row.member_code:
            return "active"
        return self.card.state if self.card else "stock"

    def refusal(self) -> str | None:
        """Return why the card cannot become what the row says, None when it can or is so already."""
        card, (member_id, _) = self.card, self.holder
        if card is None:
            return None
        if member_id is not None and card.member_id not in {None, member_id}:
            return "the card belongs to another member"
        if card.state == "issued" and self.state == "active":
            return "the card has an account of its own: accounts are joined at the desk, not here"
        if card.state != self.state and self.state not in FOLLOWING.get(card.state, set()):
            return f"the card is {card.state} already"
        if card.state == self.state == "active" and member_id not in {None, card.member_id}:
            return "the card belongs to another member"
        return None

    def carry_out(self, new: dict[type[Any], list[dict[str, Any]]]) -> bool:
        """Make it so; returns whether that changed anything."""
        card = self.card
        if card is not None and card.state == self.state:
            return False
        values = self._values(new)
        if card is None:
            new[Card].append({"card_number": self.row.card_number, "created_at": self.now, **values})
        else:
            for name, content in values.items():
                setattr(card, name, content)
        return True

    def _values(self, new: dict[type[Any], list[dict[str, Any]]]) -> dict[str, Any]:
        card, (member_id, account_id) = self.card, self.holder
        account_id = account_id or (card.account_id if card else None)
        if account_id is None and self.state in {"issued", "blocked"}:
            account_id = uuid7()
            new[Account].append({"account_id": account_id, "opened_at": self.now})
        in_hands = self.state != "stock"
        blocked = self.state == "blocked"
        return {
            "state": self.state,
            "account_id": account_id,
            "member_id": member_id or (card.member_id if card else None),
            "issued_at": (card.issued_at if card else None) or (self.now if in_hands else None),
            "blocked_reason": REASON if blocked else None,
            "blocked_at": self.now if blocked else None,
        }
