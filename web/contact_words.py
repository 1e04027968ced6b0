"""Words about what passes between the chain and members: answers, cases, mails, and the channels they take."""

from contacts.reactions import TAKEN_BACK
from web.words import gettext as _


def channel_name(channel: str) -> str:
    """Return what a channel is called; a person's own word for one that is not ours."""
    return {
        "analysis": _("Nightly analysis"),
        "till": _("Till"),
        "desk": _("Desk"),
        "account": _("Account page"),
        "web": _("Web"),
        "email": _("E-mail"),
        "print": _("On paper"),
        "catalog": _("Catalog"),
        "unsubscribe": _("Link in a mail"),
        "confirmation": _("Link in a mail"),
        "import": _("Import"),
    }.get(channel, channel)


def direction_name(direction: str) -> str:
    """Return which way an event went."""
    return {
        "inbound": _("from the member"),
        "outbound": _("to the member"),
        "internal": _("found out"),
    }.get(direction, direction)


def reaction_name(reaction: str) -> str:
    """Return an answer as a button or a badge says it."""
    return {
        "accepted": _("Accepted"),
        "not_now": _("Not now"),
        "never": _("Never"),
        "wrong_product": _("Wrong product"),
        TAKEN_BACK: _("Taken back"),
    }.get(reaction, reaction)


def reaction_tone(reaction: str) -> str:
    """Return the meaning of an answer's badge."""
    return {"accepted": "good", "not_now": "caution", "never": "bad", "wrong_product": "bad"}.get(
        reaction, ""
    )


def scope_name(scope: str) -> str:
    """Return how far an answer goes."""
    return {
        "item": _("only this article"),
        "category": _("its whole category"),
        "all": _("everything we could offer"),
    }[scope]


def case_kind(kind: str) -> str:
    """Return what a kind of case is called."""
    return {
        "complaint": _("Complaint"),
        "return": _("Return dispute"),
        "grievance": _("Grievance"),
        "question": _("Question"),
    }[kind]


def case_state(state: str) -> tuple[str, str]:
    """Return what a case's state is called, and its meaning."""
    return {"open": (_("Open"), "caution"), "resolved": (_("Resolved"), "good")}[state]


def mail_kind(kind: str) -> str:
    """Return what a kind of mail is called."""
    return {
        "sign_in_code": _("Sign-in code"),
        "consent_confirmation": _("Consent to be confirmed"),
        "answer_thanks": _("Thanks for an answer"),
        "case_opened": _("Case opened"),
        "case_resolved": _("Case resolved"),
        "expiry_warning": _("Points end soon"),
        "tier_warning": _("A tier ends soon"),
        "gift_waits": _("A gift waits"),
        "catalog": _("Catalog"),
    }.get(kind, kind)


def mail_state(state: str) -> tuple[str, str]:
    """Return what a mail's state is called, and its meaning."""
    return {
        "queued": (_("Waits"), "accent"),
        "sending": (_("Being sent"), "accent"),
        "sent": (_("Sent"), "good"),
        "uncertain": (_("May have arrived"), "caution"),
        "failed": (_("Not sent"), "bad"),
        "cancelled": (_("Cancelled"), ""),
    }[state]


def purpose_of_mail(purpose: str) -> str:
    """Return what a member must have agreed to."""
    return {
        "service": _("Service: needs no consent"),
        "offers": _("Offers by e-mail"),
        "catalog": _("Catalogs by e-mail"),
        "surveys": _("Surveys by e-mail"),
    }[purpose]
