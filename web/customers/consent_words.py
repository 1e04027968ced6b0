"""What customers agree to on their own page: the words, and the version under which a decision is kept."""

from dataclasses import dataclass

from web.words import gettext as _

TEXT_VERSION = "account-2026-11"
"""Changes whenever one of the sentences below does: a decision names the words that it was about."""

ASKED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("offers", ("email", "sms", "phone", "print")),
    ("catalog", ("print", "email")),
    ("surveys", ("email", "sms", "phone")),
)
"""Purposes with the channels that are asked for."""


@dataclass(frozen=True, slots=True)
class PurposeWords:
    """A purpose as customers read it."""

    title: str
    sentence: str


def purpose_words(purpose: str) -> PurposeWords:
    """Return title and sentence of a purpose."""
    return {
        "offers": PurposeWords(_("Offers"), _("We tell you about offers that fit what you buy.")),
        "catalog": PurposeWords(
            _("Your catalog"), _("You get a catalog with pages and vouchers made for you.")
        ),
        "surveys": PurposeWords(
            _("Surveys"), _("Now and then we ask what you think of our stores and articles.")
        ),
    }[purpose]


def channel_words(channel: str) -> str:
    """Return a way to be reached."""
    return {
        "email": _("By e-mail"),
        "sms": _("By text message"),
        "phone": _("By phone"),
        "print": _("By post"),
    }[channel]


def source_words(source: str) -> str:
    """Return where a decision was made."""
    return {
        "account": _("on this page"),
        "till": _("at the till"),
        "desk": _("at the service desk"),
        "import": _("taken over from earlier records"),
        "unsubscribe": _("by the link in a mail"),
        "confirmation": _("confirmed from your mailbox"),
    }.get(source.partition(" ")[0], source)
