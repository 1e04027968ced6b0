"""How a member's tier is shown: where they stand, what the next one needs, and what led there, in words."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from loyalty.tiers.queries import Happened, tier_story
from loyalty.tiers.state import TierState
from loyalty.tiers.words import amount_words, event_words, tier_messages, tier_name
from web.words import language


@dataclass(frozen=True, slots=True)
class GrantShown:
    """A tier that was given: its name, until when, why and by whom."""

    name: str
    valid_until: date
    reason: str
    granted_by: str


@dataclass(frozen=True, slots=True)
class TierShown:
    """A member's tier as the screen has it; amounts in words."""

    name: str
    given: bool
    next: str | None
    missing: str
    counted: str
    threshold: str
    part: int
    """How much of what the next tier needs is there, in percent."""
    ending: tuple[str, ...]
    """What is to be said of a tier that will soon be lost: as tills say it."""
    window_start: date
    state: TierState
    grants: tuple[GrantShown, ...]
    happened: tuple[tuple[Happened, str], ...]


def tier_shown(session: Session, *, account_id: UUID, today: date) -> TierShown | None:
    """Return how an account's tier is shown `today`; None where there are no tiers."""
    story = tier_story(session, account_id=account_id, today=today)
    if story is None:
        return None
    state, scheme, words = story.state, story.scheme, language()
    above = scheme.rank(state.code) + 1
    following = scheme.tiers[above] if above < len(scheme.tiers) else None
    missing = scheme.missing(above - 1, state.qualifying) or 0
    counted = max(0, int(state.qualifying))
    return TierShown(
        name=tier_name(scheme, state.code, words),
        given=state.code != state.earned,
        next=following.name(words) if following else None,
        missing=amount_words(scheme, missing, words),
        counted=amount_words(scheme, counted, words),
        threshold=amount_words(scheme, following.threshold if following else 0, words),
        part=min(100, counted * 100 // max(1, following.threshold)) if following else 100,
        ending=tuple(tier_messages(words, state, next(iter(scheme.currencies), ""))),
        window_start=story.window_start,
        state=state,
        grants=tuple(
            GrantShown(tier_name(scheme, one.tier_code, words), one.valid_until, one.reason, one.granted_by)
            for one in story.grants
            if one.valid_until >= today
        ),
        happened=tuple((one, event_words(scheme, one, words)) for one in story.happened),
    )
