"""What the night does for sign-in: sessions and attempts that no longer matter are forgotten."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from core.jobs import Shift
from web.models import CustomerSession, SignInAttempt, SignInCode, WebSession

SESSIONS_KEPT = timedelta(days=1)
"""Longer than any session lives without being seen."""
ATTEMPTS_KEPT = timedelta(days=30)


def clear_sessions(shift: Shift) -> dict[str, Any]:
    """Delete dead sessions and codes, and sign-in attempts after thirty days; returns how many of each."""
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
        customers = session.execute(
            delete(CustomerSession)
            .where(CustomerSession.seen_at < shift.now - SESSIONS_KEPT)
            .returning(CustomerSession.member_id)
        )
        codes = session.execute(
            delete(SignInCode)
            .where(SignInCode.sent_at < shift.now - SESSIONS_KEPT)
            .returning(SignInCode.sent_at)
        )
        return {
            "sessions": len(dead.all()) + len(customers.all()),
            "codes": len(codes.all()),
            "attempts": len(old.all()),
        }
