"""How a member's phase and value are said and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from basket_analysis.standings import words as standing_words
from customers.standings import StandingView, standing_of
from web.words import gettext as _
from web.words import language, money_estimate, ngettext, number_text

TONES: Mapping[str, str] = {
    "new": "accent",
    "growing": "good",
    "peak": "good",
    "fading": "caution",
    "lost": "bad",
    "won_back": "accent",
    "vip": "good",
    "potential": "accent",
}


def phase_name(phase: str) -> str:
    """Return what a phase is called."""
    return standing_words.phase_name(phase, language())


def value_name(value_class: str) -> str:
    """Return what a class of value is called."""
    return standing_words.value_name(value_class, language())


def phase_tone(phase: str) -> str:
    """Return the meaning of a phase's or a class's badge."""
    return TONES.get(phase, "")


@dataclass(frozen=True, slots=True)
class ValueShown:
    """One of the three values: what it is called, how much, and what it is made of."""

    name: str
    amount: str
    note: str


@dataclass(frozen=True, slots=True)
class StandingShown:
    """A member's phase and class of value as the screen has them."""

    phase: str
    phase_tone: str
    phase_since: date
    phase_reason: str
    value_class: str
    value_tone: str
    value_since: date
    value_reason: str
    values: tuple[ValueShown, ...]


def standing_shown(session: Session, *, member_id: UUID, run_id: UUID | None) -> StandingShown | None:
    """Return how a member's standing in the served run is shown; None where there is none."""
    standing = standing_of(session, member_id=member_id, run_id=run_id) if run_id else None
    if standing is None:
        return None
    return StandingShown(
        phase=phase_name(standing.phase),
        phase_tone=phase_tone(standing.phase),
        phase_since=standing.phase_since,
        phase_reason=standing_words.phase_reason(standing, language()),
        value_class=value_name(standing.value_class),
        value_tone=phase_tone(standing.value_class),
        value_since=standing.value_since,
        value_reason=standing_words.value_reason(standing, language()),
        values=_values(standing),
    )


def _values(one: StandingView) -> tuple[ValueShown, ...]:
    expected = money_estimate(one.financial, one.currency) if one.currency else number_text(0)
    return (
        ValueShown(
            _("Financial value"),
            expected,
            _("expected margin of the next year") if one.margin else _("expected revenue of the next year"),
        ),
        ValueShown(
            _("Informational value"),
            _("%(points)s of 100", points=number_text(one.informational)),
            _(
                "profile %(profile)s, consents %(consents)s, answers %(answers)s, redemptions %(redemptions)s",
                profile=number_text(one.told_profile),
                consents=number_text(one.told_consents),
                answers=number_text(one.told_answers),
                redemptions=number_text(one.told_redemptions),
            ),
        ),
        ValueShown(
            _("Reference value"),
            ngettext("%(num)s person", "%(num)s people", one.reference_value),
            _(
                "brought %(brought)s, in the household %(household)s",
                brought=number_text(one.brought),
                household=number_text(one.household),
            ),
        ),
    )
