"""Why a member is in a phase and a class of value, in a sentence each, in the reader's language."""

from datetime import date

from core.i18n import show_date, show_number, show_percent, translations
from customers.standings import StandingView

WEEK = 7


def phase_name(phase: str, language: str) -> str:
    """Return what a phase is called."""
    gettext = translations(language).gettext
    return {
        "new": gettext("New"),
        "growing": gettext("Growing"),
        "peak": gettext("At the peak"),
        "fading": gettext("Fading"),
        "lost": gettext("Lost"),
        "won_back": gettext("Won back"),
    }.get(phase, phase)


def value_name(value_class: str, language: str) -> str:
    """Return what a class of value is called."""
    gettext = translations(language).gettext
    return {
        "vip": gettext("VIP"),
        "potential": gettext("Potential"),
        "steady": gettext("Steady"),
        "low": gettext("Low"),
    }.get(value_class, value_class)


def phase_reason(standing: StandingView, language: str) -> str:
    """Return why a member is in their phase."""
    return _Speaker(standing, language).phase()


def value_reason(standing: StandingView, language: str) -> str:
    """Return why a member is in their class of value."""
    return _Speaker(standing, language).value()


class _Speaker:
    """Says what one standing rests on."""

    def __init__(self, standing: StandingView, language: str) -> None:
        self._standing = standing
        self._language = language
        self._words = translations(language)

    def phase(self) -> str:
        """Return the reason of the phase."""
        one, gettext = self._standing, self._words.gettext
        values = {
            "usual": self._every(one.usual_gap),
            "last": self._day(one.last_visit),
            "since": self._day(one.phase_since),
        }
        if one.last_visit is None:
            return gettext("Joined, and has not bought anything yet.")
        if one.phase == "new":
            came = self._words.ngettext(
                "First came on %(since)s, and on %(num)s day so far: too little for a rhythm of their own.",
                "First came on %(since)s, and on %(num)s days so far: too little for a rhythm of their own.",
                one.visits,
            )
            return came % {**values, "num": show_number(one.visits, self._language)}
        if one.phase == "won_back":
            return gettext("Had been away so long that they were lost, and came again on %(since)s.") % values
        if one.phase == "growing" or (one.phase == "fading" and one.silence <= one.long_gap):
            return self._trend(values)
        return self._silence(values)

    def _silence(self, values: dict[str, str]) -> str:
        one, gettext = self._standing, self._words.gettext
        if one.phase == "lost":
            words = gettext(
                "Used to come %(usual)s. Last came on %(last)s; after %(limit)s of silence they are lost."
            )
            return words % {**values, "limit": self._days(one.lost_gap)}
        if one.phase == "fading":
            words = gettext(
                "Used to come %(usual)s. Last came on %(last)s; a pause of more than %(limit)s is long for them."
            )
            return words % {**values, "limit": self._days(one.long_gap)}
        return gettext("Comes %(usual)s, as is their habit. Last came on %(last)s.") % values

    def _trend(self, values: dict[str, str]) -> str:
        one, gettext = self._standing, self._words.gettext
        if (
            one.recent_gap is None
            or one.earlier_gap is None
            or (one.phase == "fading" and one.recent_gap <= one.earlier_gap)
        ):
            return (
                gettext("Came again on %(last)s after a long pause; the old rhythm is not back yet.") % values
            )
        if min(one.recent_gap, one.earlier_gap) < WEEK:
            words = gettext("Comes %(recent)s times a week now, and came %(earlier)s times a week before.")
            return words % {"recent": self._weekly(one.recent_gap), "earlier": self._weekly(one.earlier_gap)}
        words = gettext("Comes %(recent)s now, and came %(earlier)s before.")
        return words % {"recent": self._every(one.recent_gap), "earlier": self._every(one.earlier_gap)}

    def value(self) -> str:
        """Return the reason of the class of value."""
        one, gettext = self._standing, self._words.gettext
        more = {"share": self._share(one.financial_rank), "reached": self._reached()}
        if one.value_class == "low":
            if one.phase == "lost":
                return gettext("Has probably left, whatever they used to bring.")
            words = gettext("%(share)s of members are expected to bring more.")
            return words % {"share": self._share(1 - one.financial_rank)}
        if one.value_class == "potential":
            return gettext(
                "Is expected to bring more than %(share)s of members do, and could bring more: %(why)s."
            ) % {
                **more,
                "why": self._promise(),
            }
        if one.value_class == "vip" and one.reference_value >= 2 and one.financial_rank < 0.87:
            return (
                gettext("Is expected to bring more than %(share)s of members do, and reaches %(reached)s.")
                % more
            )
        return gettext("Is expected to bring more than %(share)s of members do.") % more

    def _share(self, share: float) -> str:
        """Return a share of the other members, who are never all: nobody brings more than themselves."""
        return show_percent(min(share, 0.99), self._language)

    def _promise(self) -> str:
        one, gettext = self._standing, self._words.gettext
        reasons = []
        if one.phase == "new":
            reasons.append(gettext("is new"))
        if one.phase == "growing":
            reasons.append(gettext("comes ever more often"))
        if one.reference_value:
            reasons.append(gettext("reaches %(reached)s") % {"reached": self._reached()})
        if one.informational >= 70:
            reasons.append(gettext("tells us much"))
        return ", ".join(reasons)

    def _reached(self) -> str:
        count = self._standing.reference_value
        words = self._words.ngettext("%(num)s person", "%(num)s people", count)
        return words % {"num": show_number(count, self._language)}

    def _weekly(self, days: float) -> str:
        return show_number(WEEK / days, self._language, digits=1)

    def _every(self, days: float) -> str:
        count = max(1, round(days))
        if count == 1:
            return self._words.gettext("nearly every day")
        words = self._words.ngettext("about every %(num)s day", "about every %(num)s days", count)
        return words % {"num": show_number(count, self._language)}

    def _days(self, days: float) -> str:
        count = max(1, round(days))
        words = self._words.ngettext("%(num)s day", "%(num)s days", count)
        return words % {"num": show_number(count, self._language)}

    def _day(self, day: date | None) -> str:
        return show_date(day, self._language) if day else ""
