"""Reads what is too private for personal offers in this chain."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.models import SensitiveWord
from basket_analysis.offers.sensitive import SensitiveWords


def read_sensitive(session: Session) -> SensitiveWords:
    """Return what is sensitive in this chain."""
    rows = session.execute(
        select(SensitiveWord.word, SensitiveWord.topic, SensitiveWord.sensitive).order_by(SensitiveWord.word)
    )
    return SensitiveWords((row.word, row.topic if row.sensitive else None) for row in rows)
