"""Why an article is offered, in one sentence, in the reader's language."""

from collections.abc import Mapping

from basket_analysis.groups.naming import tidy
from basket_analysis.offers.reasons import Reason
from core.i18n import translations


def reason_sentence(reason: Reason, language: str, *, names: Mapping[int, str] = {}) -> str:
    """
    Return why an article is offered, in `language`.

    `names` are the names of other articles, as the reader knows them; without that of the article a reason points to, the
    sentence speaks of its category, or of neither.
    """
    gettext = translations(language).gettext
    other = names.get(reason.other_article_id) if reason.other_article_id is not None else None
    category = (tidy(reason.category) or reason.category) if reason.category else None
    if reason.kind == "goes_with" and (other or category):
        return gettext("Often bought together with %(other)s.") % {"other": other or category}
    if reason.kind == "group" and category:
        return gettext("Liked by members who, like you, buy %(category)s.") % {"category": category}
    return {
        "often": gettext("You buy it often."),
        "overdue": gettext("You buy it regularly, and it may be time again."),
        "goes_with": gettext("Often bought together with what you buy."),
        "group": gettext("Liked by members who shop as you do."),
        "popular": gettext("Many of our members buy it."),
    }[reason.kind]
