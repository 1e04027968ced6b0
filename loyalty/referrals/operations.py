"""
Referral: members bring members, and both are rewarded once the first purchase that counts has stood its return window.

Who is brought must be new by card, phone, e-mail and household; where they are not, it is refused
and kept with the reason. A referrer is rewarded so many times a year; who is brought, in any case.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.driver import driver_of
from core.errors import NotFound, Refused
from core.ids import uuid7
from customers.enrolment import LETTERS
from customers.models import Member
from loyalty.referrals.models import Referral, ReferralCode, ReferralRules

WAITING: Final = "waiting"
REWARDED: Final = "rewarded"
REFUSED: Final = "refused"
LAPSED: Final = "lapsed"
STATES: Final = (WAITING, REWARDED, REFUSED, LAPSED)
REASONS: Final = ("off", "card", "phone", "email", "household")
"""Why a referral is refused: there is none, or who was brought is not new by this."""
CODE_LENGTH: Final = 8
MOST_POINTS: Final = 1_000_000
MOST_A_YEAR: Final = 10_000


class UnknownReferralCode(NotFound):
    """No member brings others by this code."""


class BadReferralRules(Refused):
    """The rules are not as they must be; `field` names which."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Rules:
    """What bringing somebody is rewarded with, for which purchase, and how often."""

    referrer_points: int = 500
    referred_points: int = 250
    minimum_points: int = 1
    """What the first purchase that counts has earned at least, after returns."""
    most_per_year: int = 10
    within_days: int = 90
    """How long after joining that purchase may be."""


def referral_rules(session: Session) -> Rules | None:
    """Return the rules; None when there is no referral."""
    row = session.execute(
        select(
            ReferralRules.referrer_points,
            ReferralRules.referred_points,
            ReferralRules.minimum_points,
            ReferralRules.most_per_year,
            ReferralRules.within_days,
        )
    ).one_or_none()
    return None if row is None else Rules(*row)


def set_referral_rules(session: Session, *, rules: Rules, actor: str, now: datetime) -> None:
    """Let these rules hold for what is decided from now on; raises `BadReferralRules`."""
    for name, most in (
        ("referrer_points", MOST_POINTS),
        ("referred_points", MOST_POINTS),
        ("minimum_points", MOST_POINTS),
        ("most_per_year", MOST_A_YEAR),
    ):
        if not 0 <= getattr(rules, name) <= most:
            raise BadReferralRules(name, f"{name} lies between 0 and {most}")
    if not 1 <= rules.within_days <= 730:
        raise BadReferralRules("within_days", "within_days lies between 1 and 730")
    values: dict[str, Any] = {
        "referrer_points": rules.referrer_points,
        "referred_points": rules.referred_points,
        "minimum_points": rules.minimum_points,
        "most_per_year": rules.most_per_year,
        "within_days": rules.within_days,
    }
    stamped = {**values, "changed_by": actor, "changed_at": now}
    session.execute(
        upsert(ReferralRules)
        .values(singleton=True, **stamped)
        .on_conflict_do_update(index_elements=[ReferralRules.singleton], set_=stamped)
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="referral.rules",
        subject_kind="programme",
        subject_id="referral",
        detail=values,
    )


def referral_code_of(session: Session, *, member_id: UUID, now: datetime) -> str:
    """Return the code by which a member brings others, made when it is asked for first."""
    made = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    session.execute(
        upsert(ReferralCode).values(code=made, member_id=member_id, made_at=now).on_conflict_do_nothing()
    )
    return session.scalars(select(ReferralCode.code).where(ReferralCode.member_id == member_id)).one()


def referrer_of(session: Session, *, code: str) -> UUID:
    """Return the member who brings others by a code, however it is typed; raises `UnknownReferralCode`."""
    plain = "".join(code.split()).replace("-", "").upper()
    found = session.scalar(select(ReferralCode.member_id).where(ReferralCode.code == plain))
    if found is None:
        raise UnknownReferralCode("no member brings others by this code")
    return found


def refer(
    session: Session, *, code: str, member_code: str, today: date, now: datetime, actor: str
) -> tuple[str, str | None]:
    """
    Note that a member who has just joined was brought by the member of a code; returns the state and a reason.

    "waiting" for the first purchase, or "refused" with one of `REASONS`. Raises `UnknownReferralCode`.
    """
    referrer_id = referrer_of(session, code=code)
    referred_id = session.scalars(select(Member.member_id).where(Member.member_code == member_code)).one()
    reason = known_by(session, referrer_id=referrer_id, referred_id=referred_id, joined_at=now)
    if referral_rules(session) is None:
        reason = "off"
    state = WAITING if reason is None else REFUSED
    session.execute(
        insert(Referral).values(
            referral_id=uuid7(),
            referrer_id=referrer_id,
            referred_id=referred_id,
            code="".join(code.split()).replace("-", "").upper(),
            state=state,
            reason=reason,
            made_at=now,
            made_by=actor,
            joined_on=today,
            decided_at=None if reason is None else now,
        )
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="referral.note",
        subject_kind="member",
        subject_id=member_code,
        detail={"state": state, **({"reason": reason} if reason else {})},
    )
    return state, reason


# A tag behind a plus is a way to write the same address again; it is looked at among people of the referrer's account.
_KNOWN_BY = """
    select case
        when exists (select from receipt where receipt.account_id = new.account_id and mode = 'live'
                     and received_at < %(joined_at)s) then 'card'
        when new.phone is not null and exists (
            select from member where member.phone = new.phone and member.member_id <> new.member_id) then 'phone'
        when new.email is not null and exists (
            select from member where lower(member.email) = lower(new.email)
              and member.member_id <> new.member_id) then 'email'
        when exists (select from member where member.account_id = new.account_id
                     and member.member_id <> new.member_id) then 'household'
        when new.email is not null and exists (
            select from member join member as referrer on referrer.account_id = member.account_id
            where referrer.member_id = %(referrer_id)s
              and regexp_replace(lower(member.email), '\\+[^@]*@', '@')
                = regexp_replace(lower(new.email), '\\+[^@]*@', '@')) then 'email'
    end
    from member as new where new.member_id = %(referred_id)s
"""


def known_by(session: Session, *, referrer_id: UUID, referred_id: UUID, joined_at: datetime) -> str | None:
    """Return by what of `REASONS` somebody was known before they joined; None for somebody new."""
    values = {"referrer_id": referrer_id, "referred_id": referred_id, "joined_at": joined_at}
    row = driver_of(session).execute(_KNOWN_BY, values).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]
