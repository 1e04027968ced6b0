"""Writes about decisions: the settings that they keep to."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from campaigns.decision_rules import LIMITS, DecisionSettings, Limit, settings_in
from campaigns.models import DecisionRules
from core.audit import record_event
from core.errors import Refused

MOST_EXPLORED = Decimal("0.5")


class BadSettings(Refused):
    """Nobody could decide by such settings."""


def decision_settings(session: Session) -> DecisionSettings:
    """Return the settings that hold."""
    row = session.execute(select(DecisionRules.limits, DecisionRules.exploration)).one_or_none()
    return settings_in(tuple(row) if row is not None else None)


def set_limit(
    session: Session, *, channel: str, per_day: int, per_week: int, actor: str, now: datetime
) -> None:
    """Set how many different articles a member may be offered in a channel; raises `BadSettings`."""
    if channel not in LIMITS:
        raise BadSettings(f"there is no channel {channel!r}: {', '.join(LIMITS)}")
    if not 0 <= per_day <= per_week:
        raise BadSettings("a week has at least what a day has, and nothing is below 0")
    known = decision_settings(session)
    limits = {**known.limits, channel: Limit(per_day, per_week)}
    _set(session, DecisionSettings(limits, known.exploration), "decisions.limit", actor=actor, now=now)


def set_exploration(session: Session, *, share: Decimal, actor: str, now: datetime) -> None:
    """Set which share is chosen by chance; raises `BadSettings`."""
    if not 0 <= share <= MOST_EXPLORED:
        raise BadSettings(f"chance may choose from 0 to {MOST_EXPLORED} of all")
    known = decision_settings(session)
    settings = DecisionSettings(known.limits, float(share))
    _set(session, settings, "decisions.exploration", actor=actor, now=now)


def _set(session: Session, settings: DecisionSettings, action: str, *, actor: str, now: datetime) -> None:
    values = {
        "limits": settings.document(),
        "exploration": Decimal(str(settings.exploration)),
        "set_by": actor,
        "set_at": now,
    }
    session.execute(
        insert(DecisionRules)
        .values(**values)
        .on_conflict_do_update(index_elements=[DecisionRules.only_row], set_=values)
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action=action,
        subject_kind="settings",
        subject_id="decisions",
        detail={"limits": settings.document(), "exploration": settings.exploration},
    )
