"""What a chain says about private kinds of articles: words of its own, and words that mean nothing private there."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from basket_analysis.models import SensitiveWord
from basket_analysis.offers.sensitive import plain_words
from core.audit import record_event
from core.errors import Refused


class NotAWord(Refused):
    """There is no letter or digit in it, or it has no topic."""


def set_sensitive_word(
    session: Session, *, word: str, topic: str, sensitive: bool, actor: str, now: datetime
) -> str:
    """
    Let `word` (a phrase; `*` stands for any ending) make articles private, or nothing private; return it as it is kept.

    The next night acts on it. Raises NotAWord.
    """
    kept = " ".join(plain_words(word))
    if not kept or not topic.strip():
        raise NotAWord(f"{word!r} is no word with a topic")
    values = {"topic": topic.strip(), "sensitive": sensitive, "set_by": actor, "set_at": now}
    session.execute(
        insert(SensitiveWord)
        .values(word=kept, **values)
        .on_conflict_do_update(index_elements=["word"], set_=values)
    )
    _audit(session, kept, {"topic": topic.strip(), "sensitive": sensitive}, actor=actor, now=now)
    return kept


def forget_sensitive_word(session: Session, *, word: str, actor: str, now: datetime) -> bool:
    """Go by the words known to everybody again; False where the chain said nothing about `word`."""
    kept = " ".join(plain_words(word))
    gone = session.execute(
        delete(SensitiveWord).where(SensitiveWord.word == kept).returning(SensitiveWord.word)
    ).one_or_none()
    if gone is not None:
        _audit(session, kept, None, actor=actor, now=now)
    return gone is not None


def _audit(
    session: Session, word: str, detail: dict[str, object] | None, *, actor: str, now: datetime
) -> None:
    record_event(
        session,
        now=now,
        actor=actor,
        action="sensitive_word.set" if detail else "sensitive_word.forget",
        subject_kind="sensitive_word",
        subject_id=word,
        detail=detail,
    )
