"""What customers answered to offers, told back to them."""

from contacts.reaction_lists import AnswerView
from web.words import date_text, readable
from web.words import gettext as _


def subject_words(answer: AnswerView) -> str:
    """Return what an answer is about: an article, all of a kind, an offer, or everything."""
    if answer.scope == "all":
        return _("All offers")
    if answer.scope == "category" and answer.category:
        return _("Everything of the kind %(kind)s", kind=readable(answer.category))
    return answer.name or answer.sku or answer.offer_code or ""


def answer_sentence(answer: AnswerView) -> str:
    """Return in one sentence what comes of an answer."""
    about = subject_words(answer)
    if answer.reaction == "accepted":
        return _("%(what)s: you like it. We will remember that.", what=about)
    if answer.scope == "all":
        if answer.reaction == "not_now" and answer.until:
            return _("You get no offers from us until %(day)s.", day=date_text(answer.until.date()))
        return _("You get no offers from us any more, in no channel.")
    if answer.reaction == "not_now" and answer.until:
        return _(
            "%(what)s: not offered to you until %(day)s.", what=about, day=date_text(answer.until.date())
        )
    if answer.reaction == "wrong_product":
        return _("%(what)s: not the right thing for you, so it is not offered to you any more.", what=about)
    return _("%(what)s: not offered to you any more, in no channel.", what=about)


def reaction_name(reaction: str) -> str:
    """Return an answer in a few words."""
    return {
        "accepted": _("I like it"),
        "not_now": _("Not now"),
        "never": _("Never"),
        "wrong_product": _("Not the right thing for me"),
    }.get(reaction, reaction)


def channel_name(channel: str) -> str:
    """Return where an answer was given."""
    return {
        "till": _("at the till"),
        "desk": _("at the service desk"),
        "account": _("on this page"),
    }.get(channel, channel)
