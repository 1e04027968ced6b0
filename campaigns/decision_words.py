"""What is said of an offer, in the member's language: why it is made, and what the till prints. Pure."""

from collections.abc import Mapping
from datetime import date

from basket_analysis.offers.reasons import Reason
from basket_analysis.offers.words import reason_sentence
from core.i18n import show_date, show_number, translations


def why_sentences(
    reason: Reason,
    language: str,
    *,
    names: Mapping[int, str],
    offer: str | None = None,
    ending: tuple[date, int] | None = None,
) -> str:
    """
    Return why an article is offered, in a sentence or a few.

    `offer` is what the live offer is called that lowers its price; `ending` the last day of points, and how many
    of them would be lost after it.
    """
    gettext, ngettext = translations(language).gettext, translations(language).ngettext
    told = [reason_sentence(reason, language, names=names)]
    if offer is not None:
        told.append(gettext("Cheaper now: %(offer)s.") % {"offer": offer})
    if ending is not None:
        day, points = ending
        words = ngettext(
            "Your %(num)s point expires after %(day)s: it can pay for a part.",
            "Your %(num)s points expire after %(day)s: they can pay for a part.",
            points,
        )
        told.append(words % {"num": show_number(points, language), "day": show_date(day, language)})
    return " ".join(told)


def printed_lines(headline: str, reason: str, language: str) -> list[str]:
    """Return the one offer that is printed below a receipt."""
    gettext = translations(language).gettext
    return [gettext("Our tip: %(article)s") % {"article": headline}, reason]
