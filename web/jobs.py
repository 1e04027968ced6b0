"""What the night does for sign-in: sessions and attempts that no longer matter are forgotten."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from core.jobs import Shift
from web.models import SignInAttempt, WebSession

SESSIONS_KEPT = timedelta(days=1)
"""Longer than any session lives without being seen."""
ATTEMPTS_KEPT = timedelta(days=30)


def clear_sessions(shift: Shift) -> dict[str, Any]:
    """Delete dead sessions, and sign-in attempts after thirty days; returns how many of each."""
    with shift.sessions.begin() as session:
        dead = session.execute(
            delete(WebSession)
            .where(WebSession.seen_at < shift.now - SESSIONS_KEPT)
            .returning(WebSession.person_id)
        )
        old = session.execute(
            delete(SignInAttempt)
            .where(SignInAttempt.attempted_at < shift.now - ATTEMPTS_KEPT)
            .returning(SignInAttempt.attempt_id)
        )
        return {"sessions": len(dead.all()), "attempts": len(old.all())}
