"""Points that people give and take: requested with a reason, above a limit approved by somebody else, booked once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.errors import Conflict, NotFound, Refused
from core.ids import uuid7
from core.payment_cards import payment_card_numbers
from customers.models import Member
from customers.queries import known_cards
from loyalty.accounts import open_holding
from loyalty.holding import Holding
from loyalty.ledger import Cause
from loyalty.models import Adjustment, AdjustmentLimit
from loyalty.opening import hold_account, present_account
from loyalty.operations import book
from loyalty.programme.versions import programmes
from sales.business_days import chain_timezone
from sales.models import Store

REASONS: Final = (
    "goodwill",
    "complaint",
    "missing_purchase",
    "till_error",
    "promotion",
    "misuse",
    "correction",
    "other",
)
LIMIT: Final = 500
"""Points that anybody who may adjust gives or takes alone, when no other limit is set for their role."""
LIMIT_PERIOD: Final = timedelta(hours=24)
"""What one person booked alone on one account within it counts together: a limit is not split away."""
MOST_POINTS: Final = 10_000_000
LONGEST_NOTE: Final = 500


class BadAdjustment(Refused):
    """Points, reason or text are not as they must be; `field` names which."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class NoSuchAdjustment(NotFound):
    """There is no such adjustment."""


class AlreadyDecided(Conflict):
    """Somebody has approved, rejected or withdrawn the adjustment already."""


class OtherWishKnown(Conflict):
    """An adjustment of this id was requested already, with other content."""


class NotForYou(Conflict):
    """Whoever requests does not approve or reject, and nobody else withdraws."""


class MoreThanThereIs(Conflict):
    """An adjustment takes no more than can be spent; `there` is how many that is."""

    def __init__(self, there: int) -> None:
        super().__init__(f"only {there} points can be taken")
        self.there = there


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be adjusted: points with their sign, why in one word of `REASONS`, and in words."""

    account_id: UUID
    member_id: UUID | None
    points: int
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where adjustments are booked."""

    timezone: str


def limit_of(session: Session, *, role: str) -> int:
    """Return how many points somebody of `role` adjusts on an account in a day without a second person."""
    found = session.scalar(select(AdjustmentLimit.points).where(AdjustmentLimit.role == role))
    return LIMIT if found is None else found


def set_limit(session: Session, *, role: str, points: int, actor: str, now: datetime) -> None:
    """Change the limit of `role` for adjustments from now on; raises `BadAdjustment`."""
    if not 0 <= points <= MOST_POINTS:
        raise BadAdjustment("points", f"A limit lies between 0 and {MOST_POINTS} points")
    values = {"points": points, "changed_by": actor, "changed_at": now}
    before = limit_of(session, role=role)
    session.execute(
        insert(AdjustmentLimit)
        .values(role=role, **values)
        .on_conflict_do_update(index_elements=[AdjustmentLimit.role], set_=values)
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="adjustment.limit",
        subject_kind="role",
        subject_id=role,
        detail={"before": before, "points": points},
    )


def request_adjustment(
    session: Session,
    *,
    adjustment_id: UUID,
    wish: Wish,
    actor: str,
    role: str,
    now: datetime,
) -> str:
    """
    Take up what somebody wants adjusted and return its state: "approved" and booked, or "requested".

    Up to the limit of the requester's `role` it is booked at once; what they booked alone on
    this account within the last day counts with it. The same `adjustment_id` again changes
    nothing. Raises `BadAdjustment`, `OtherWishKnown`, and `MoreThanThereIs` for taking what
    is not there.
    """
    wish = _checked(session, wish)
    hold_account(session, account_id=wish.account_id, now=now)
    known = session.get(Adjustment, adjustment_id)
    if known is not None:
        return _state_of(known, wish)
    desk = _Desk(timezone_of(session, account_id=wish.account_id))
    holding = open_holding(session, account_id=wish.account_id, till=desk, now=now)
    _check_there(holding, wish.points)
    limit = limit_of(session, role=role)
    alone = _booked_alone(session, account_id=wish.account_id, actor=actor, since=now - LIMIT_PERIOD)
    needs_second = alone + abs(wish.points) > limit
    adjustment = Adjustment(
        adjustment_id=adjustment_id,
        account_id=wish.account_id,
        member_id=wish.member_id,
        points=wish.points,
        reason=wish.reason,
        note=wish.note,
        state="requested" if needs_second else "approved",
        points_limit=limit,
        needs_second=needs_second,
        requested_by=actor,
        requested_at=now,
        decided_by=None if needs_second else actor,
        decided_at=None if needs_second else now,
    )
    session.add(adjustment)
    session.flush()
    _record(session, adjustment, "adjustment.request", actor=actor, now=now)
    if not needs_second:
        _move(session, holding, adjustment, desk=desk, now=now)
    # What was over by now is booked in either case: the holding has seen it.
    book(session, [holding])
    return adjustment.state


def approve_adjustment(
    session: Session,
    *,
    adjustment_id: UUID,
    actor: str,
    now: datetime,
    note: str = "",
) -> None:
    """
    Approve what somebody else requested, and book it.

    Raises `NoSuchAdjustment`, `AlreadyDecided`, `NotForYou`, `BadAdjustment`, and
    `MoreThanThereIs` when the points to be taken are gone meanwhile: the request stays open.
    """
    adjustment = _decide(session, adjustment_id, "approved", actor=actor, now=now, note=note)
    # The account may have been joined to a household's since.
    account_id = present_account(session, account_id=adjustment.account_id)
    hold_account(session, account_id=account_id, now=now)
    desk = _Desk(timezone_of(session, account_id=account_id))
    holding = open_holding(session, account_id=account_id, till=desk, now=now)
    _check_there(holding, adjustment.points)
    _move(session, holding, adjustment, desk=desk, now=now)
    book(session, [holding])


def reject_adjustment(
    session: Session, *, adjustment_id: UUID, actor: str, now: datetime, note: str = ""
) -> None:
    """Reject what somebody else requested; raises as `approve_adjustment` does."""
    _decide(session, adjustment_id, "rejected", actor=actor, now=now, note=note)


def withdraw_adjustment(session: Session, *, adjustment_id: UUID, actor: str, now: datetime) -> None:
    """Take back one's own request; raises as `approve_adjustment` does."""
    _decide(session, adjustment_id, "withdrawn", actor=actor, now=now, note="")


def book_reward(
    session: Session,
    *,
    account_id: UUID,
    member_id: UUID | None,
    points: int,
    note: str,
    actor: str,
    now: datetime,
) -> UUID:
    """Book points that the programme's own rules give, as an adjustment that nobody has to approve; returns its id."""
    hold_account(session, account_id=account_id, now=now)
    desk = _Desk(timezone_of(session, account_id=account_id))
    holding = open_holding(session, account_id=account_id, till=desk, now=now)
    adjustment = Adjustment(
        adjustment_id=uuid7(),
        account_id=account_id,
        member_id=member_id,
        points=points,
        reason="promotion",
        note=note,
        state="approved",
        points_limit=points,
        needs_second=False,
        requested_by=actor,
        requested_at=now,
        decided_by=actor,
        decided_at=now,
    )
    session.add(adjustment)
    session.flush()
    _record(session, adjustment, "adjustment.request", actor=actor, now=now)
    _move(session, holding, adjustment, desk=desk, now=now)
    book(session, [holding])
    return adjustment.adjustment_id


def timezone_of(session: Session, *, account_id: UUID) -> str:
    """Return the zone in which an account's adjustments are booked: of its oldest member's home store, or the chain's."""
    home = session.scalar(
        select(Store.timezone)
        .join(Member, Member.home_store_code == Store.store_code)
        .where(Member.account_id == account_id)
        .order_by(Member.joined_on, Member.member_id)
        .limit(1)
    )
    return home or chain_timezone(session)


def checked_text(session: Session, field: str, text: str, *, required: bool) -> str:
    """Return `text` without what no text needs; raises `BadAdjustment`, for payment-card numbers too."""
    clean = " ".join(text.replace("\0", "").split())
    if required and not clean:
        raise BadAdjustment(field, "Say why in a few words")
    if len(clean) > LONGEST_NOTE:
        raise BadAdjustment(field, f"At most {LONGEST_NOTE} characters")
    numbers = set(payment_card_numbers(clean))
    if numbers - known_cards(session, numbers):
        raise BadAdjustment(field, "A payment-card number stands here")
    return clean


def _checked(session: Session, wish: Wish) -> Wish:
    if not 0 < abs(wish.points) <= MOST_POINTS:
        raise BadAdjustment("points", f"Between 1 and {MOST_POINTS} points")
    if wish.reason not in REASONS:
        raise BadAdjustment("reason", "Choose a reason")
    note = checked_text(session, "note", wish.note, required=True)
    return Wish(wish.account_id, wish.member_id, wish.points, wish.reason, note)


def _state_of(known: Adjustment, wish: Wish) -> str:
    """Return the state of what was requested before, if it is the same."""
    same = Wish(known.account_id, known.member_id, known.points, known.reason, known.note)
    if same != wish:
        raise OtherWishKnown("This form was sent already, with other content")
    return known.state


def _check_there(holding: Holding, points: int) -> None:
    """Refuse to take more than can be spent: a person never drives an account below zero."""
    there = max(0, holding.spendable)
    if -points > there:
        raise MoreThanThereIs(there)


def _booked_alone(session: Session, *, account_id: UUID, actor: str, since: datetime) -> int:
    found = session.scalar(
        select(func.coalesce(func.sum(func.abs(Adjustment.points)), 0)).where(
            Adjustment.account_id == account_id,
            Adjustment.requested_at > since,
            Adjustment.requested_by == actor,
            Adjustment.decided_by == actor,
            Adjustment.state == "approved",
        )
    )
    return int(found or 0)


def _decide(
    session: Session, adjustment_id: UUID, state: str, *, actor: str, now: datetime, note: str
) -> Adjustment:
    """Move a request to `state`, which happens once whoever tries; the row stays locked until the end."""
    allowed = Adjustment.requested_by == actor if state == "withdrawn" else Adjustment.requested_by != actor
    said = checked_text(session, "decision_note", note, required=False) or None
    moved = session.scalars(
        update(Adjustment)
        .where(Adjustment.adjustment_id == adjustment_id, Adjustment.state == "requested", allowed)
        .values(state=state, decided_by=actor, decided_at=now, decision_note=said)
        .returning(Adjustment)
    ).one_or_none()
    if moved is None:
        raise _why_not(session, adjustment_id)
    _record(session, moved, f"adjustment.{_VERBS[state]}", actor=actor, now=now)
    return moved


_VERBS: Final = {"approved": "approve", "rejected": "reject", "withdrawn": "withdraw"}


def _why_not(session: Session, adjustment_id: UUID) -> Exception:
    found = session.scalar(select(Adjustment.state).where(Adjustment.adjustment_id == adjustment_id))
    if found is None:
        return NoSuchAdjustment("There is no such adjustment")
    if found != "requested":
        return AlreadyDecided(f"The adjustment was {found} already")
    return NotForYou("Whoever requests an adjustment does not decide it, and nobody else withdraws it")


def _move(session: Session, holding: Holding, adjustment: Adjustment, *, desk: _Desk, now: datetime) -> None:
    today = business_day(now, desk.timezone)
    cause = Cause(today, now, reference=adjustment.adjustment_id, note=adjustment.note)
    if adjustment.points > 0:
        ends = programmes(session).on(today).expires_at(today, desk.timezone)
        holding.grant(adjustment.points, cause, expires_at=ends)
    else:
        holding.confiscate(-adjustment.points, cause)


def _record(session: Session, adjustment: Adjustment, action: str, *, actor: str, now: datetime) -> None:
    detail: dict[str, Any] = {
        "account_id": str(adjustment.account_id),
        "points": adjustment.points,
        "reason": adjustment.reason,
        "state": adjustment.state,
    }
    if adjustment.member_id is not None:
        detail["member_code"] = session.scalar(
            select(Member.member_code).where(Member.member_id == adjustment.member_id)
        )
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="adjustment",
        subject_id=str(adjustment.adjustment_id),
        detail=detail,
    )
