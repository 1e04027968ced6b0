"""Members with their cards from files: what is new is added, what differs is brought up to date."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.audit import record_event
from core.ids import uuid7
from core.progress import Report
from core.row_import import Fate, import_rows
from core.tabular import Summary
from customers.member_rows import MEMBERS, MemberRow, parse_member
from customers.models import Account, Card, Consent, Member

SOURCE = "import"
TEXT_VERSION = "import"
"""A file says that somebody agreed, not to which words."""

PLAIN = (
    "given_name",
    "family_name",
    "email",
    "phone",
    "language",
    "birth_date",
    "home_store_code",
    "company_name",
    "company_id",
    "vat_id",
    "joined_on",
)
"""Columns that are the member's own, and are brought up to date where the file states something."""


def import_members(session: Session, path: Path, *, now: datetime, actor: str, report: Report) -> Summary:
    """
    Add the members of a file with their cards, accounts and consents, and bring known ones up to date.

    An empty cell leaves what is known. A consent is added when nothing was ever recorded
    about its purpose and channel: a withdrawal is newer than any file.
    """
    summary = import_rows(
        path,
        MEMBERS,
        parse=lambda cells: parse_member(cells, today=now.date()),
        key=lambda row: row.member_code,
        store=lambda rows: _Enrolment.reading(session, rows, now).store(rows),
        report=report,
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="members.import",
        subject_kind="file",
        subject_id=path.name,
        detail={"written": summary.written, "unchanged": summary.unchanged, "refused": summary.refused},
    )
    return summary


@dataclass
class _Enrolment:
    """One batch on its way: what is known of its members, and the rows to write."""

    session: Session
    now: datetime
    members: dict[str, Any]
    households: dict[str, UUID]
    inhabited: set[UUID]
    """Accounts that have an owner."""
    cards: dict[str, Any]
    consents: set[tuple[UUID, str, str | None]]
    new: dict[type[Any], list[dict[str, Any]]] = field(
        default_factory=lambda: {Account: [], Member: [], Card: [], Consent: []}
    )

    @classmethod
    def reading(cls, session: Session, rows: Sequence[MemberRow], now: datetime) -> "_Enrolment":
        """Return what is known of the members, households, cards and consents that `rows` name."""
        codes = [row.member_code for row in rows]
        households = {row.household_code for row in rows if row.household_code}
        numbers = {row.card_number for row in rows if row.card_number}
        members = {
            member.member_code: member
            for member in session.scalars(
                select(Member).where(Member.member_code.in_(codes)).with_for_update()
            )
        }
        named = select(Account.household_code, Account.account_id).where(
            Account.household_code.in_(households)
        )
        accounts = {row.household_code: row.account_id for row in session.execute(named)}
        cards = {
            card.card_number: card
            for card in session.scalars(select(Card).where(Card.card_number.in_(numbers)).with_for_update())
        }
        held = {*accounts.values(), *(card.account_id for card in cards.values())}
        ids = [member.member_id for member in members.values()]
        stated = select(Consent.member_id, Consent.purpose, Consent.channel).where(Consent.member_id.in_(ids))
        return cls(
            session=session,
            now=now,
            members=members,
            households=accounts,
            inhabited=set(session.scalars(select(Member.account_id).where(Member.account_id.in_(held)))),
            cards=cards,
            consents={(row.member_id, row.purpose, row.channel) for row in session.execute(stated)},
        )

    def store(self, rows: Sequence[MemberRow]) -> list[Fate]:
        """Write the rows and return what became of each."""
        with self.session.no_autoflush:
            fates = [self._take(row) for row in rows]
        # What is new comes first: known cards may already point to it.
        with self.session.no_autoflush:
            for table, values in self.new.items():
                if values:
                    self.session.execute(insert(table), values)
        self.session.flush()
        return fates

    def _take(self, row: MemberRow) -> Fate:
        member = self.members.get(row.member_code)
        refusal = self._refusal(row, member)
        if refusal:
            return refusal
        changed = False
        if member is None:
            changed, member_id, account_id = True, uuid7(), self._account_for(row)
            self._add_member(row, member_id, account_id)
        else:
            member_id, account_id = member.member_id, member.account_id
            changed = self._bring_up_to_date(member, row)
        changed |= self._give_card(row, member_id, account_id)
        return changed | self._agree(row, member_id)

    def _refusal(self, row: MemberRow, member: Member | None) -> str | None:
        """Return why a row cannot be taken, None when it can."""
        card = self.cards.get(row.card_number or "")
        household = self.households.get(row.household_code or "")
        if card is not None:
            owner = member.member_id if member else None
            if card.state in {"blocked", "replaced", "expired"}:
                return f"card {card.card_number} is {card.state}"
            if card.member_id is not None and card.member_id != owner:
                return f"card {card.card_number} belongs to another member"
            target = member.account_id if member else household
            if card.state == "issued" and target is not None and card.account_id != target:
                return f"card {card.card_number} has an account of its own: accounts are joined at the desk, not here"
        if member is not None and household is not None and household != member.account_id:
            return (
                f"the member has another account than household {row.household_code}: join them at the desk"
            )
        return None

    def _account_for(self, row: MemberRow) -> UUID:
        """Return the account of a new member: the household's, that of an issued card, or a new one."""
        known = self.households.get(row.household_code or "")
        card = self.cards.get(row.card_number or "")
        account_id = known or (card.account_id if card is not None and card.account_id else None)
        if account_id is None:
            account_id = uuid7()
            household = {"household_code": row.household_code}
            self.new[Account].append({"account_id": account_id, "opened_at": self.now, **household})
        elif known is None and row.household_code:
            self._name_household(account_id, row.household_code)
        if row.household_code:
            self.households[row.household_code] = account_id
        return account_id

    def _name_household(self, account_id: UUID, household_code: str) -> None:
        self.session.execute(
            update(Account).where(Account.account_id == account_id).values(household_code=household_code)
        )

    def _add_member(self, row: MemberRow, member_id: UUID, account_id: UUID) -> None:
        role = "spender" if account_id in self.inhabited else "owner"
        self.inhabited.add(account_id)
        stated = {name: getattr(row, name) for name in PLAIN}
        self.new[Member].append(
            {
                **stated,
                "member_id": member_id,
                "member_code": row.member_code,
                "account_id": account_id,
                "role": role,
                "language": row.language or "en",
                "joined_on": row.joined_on or self.now.date(),
            }
        )

    def _bring_up_to_date(self, member: Member, row: MemberRow) -> bool:
        """Set what the row states and the member has otherwise; returns whether there was anything."""
        stated = {name: getattr(row, name) for name in PLAIN if getattr(row, name) not in {None, ""}}
        differing = {name: content for name, content in stated.items() if getattr(member, name) != content}
        for name, content in differing.items():
            setattr(member, name, content)
        new_household = row.household_code is not None and row.household_code not in self.households
        if new_household and row.household_code:
            self._name_household(member.account_id, row.household_code)
            self.households[row.household_code] = member.account_id
        return bool(differing) or new_household

    def _give_card(self, row: MemberRow, member_id: UUID, account_id: UUID) -> bool:
        if row.card_number is None:
            return False
        card = self.cards.get(row.card_number)
        handed = {
            "state": "active",
            "account_id": account_id,
            "member_id": member_id,
            "issued_at": self.now,
        }
        if card is None:
            self.new[Card].append({"card_number": row.card_number, "created_at": self.now, **handed})
            self.cards[row.card_number] = Card(card_number=row.card_number, **handed)
            return True
        if card.member_id == member_id and card.state == "active":
            return False
        for name, content in handed.items():
            setattr(card, name, content)
        return True

    def _agree(self, row: MemberRow, member_id: UUID) -> bool:
        """Record the consents about which nothing was recorded before."""
        new = [one for one in row.consents if (member_id, *one) not in self.consents]
        recorded_at = (
            self.now if row.joined_on is None else datetime.combine(row.joined_on, time(12), tzinfo=UTC)
        )
        for purpose, channel in new:
            self.consents.add((member_id, purpose, channel))
            self.new[Consent].append(
                {
                    "member_id": member_id,
                    "purpose": purpose,
                    "channel": channel,
                    "granted": True,
                    "text_version": TEXT_VERSION,
                    "source": SOURCE,
                    "recorded_at": min(recorded_at, self.now),
                }
            )
        return bool(new)
