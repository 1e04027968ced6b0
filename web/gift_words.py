"""What is said of gifts and vouchers: movements, states, and what happened to a voucher."""

from markupsafe import Markup

from web.cells import badge
from web.words import NOTHING, number_text
from web.words import gettext as _


def movements() -> dict[str, str]:
    """Return the kinds of movements of a stock, in words."""
    return {
        "opening": _("Opening stock"),
        "delivery": _("Delivery"),
        "count": _("Count"),
        "reserve": _("Held for a customer"),
        "release": _("Not held any more"),
        "hand_over": _("Handed over"),
        "put_back": _("Came back"),
    }


def change(pieces: int) -> str:
    """Return a difference with its sign; a dash where there is none."""
    if not pieces:
        return NOTHING
    return f"+{number_text(pieces)}" if pieces > 0 else number_text(pieces)


def voucher_states() -> dict[str, tuple[str, str]]:
    """Return the states of a voucher: words, and the meaning of their colour."""
    return {
        "issued": (_("Open"), "good"),
        "reserved": (_("Held at a till"), "caution"),
        "redeemed": (_("Redeemed"), ""),
        "cancelled": (_("Cancelled"), "bad"),
        "expired": (_("Over"), ""),
    }


def voucher_state(state: str) -> Markup:
    """Return a state as a badge."""
    return badge(*voucher_states()[state])


def voucher_events() -> dict[str, str]:
    """Return what can happen to a voucher, in words."""
    return {
        "issued": _("Issued"),
        "reserved": _("Held at a till"),
        "released": _("Not held any more"),
        "redeemed": _("Redeemed"),
        "redeemed_again": _("Presented again on a paid receipt"),
        "given_back": _("Came back with a return"),
        "cancelled": _("Cancelled"),
        "restored": _("Open again"),
        "expired": _("Its last day was over"),
        "reprinted": _("Printed"),
    }


def residuals() -> dict[str, str]:
    """Return what becomes of the rest of a voucher, in words."""
    return {
        "forfeit": _("The rest is forfeit"),
        "keep": _("The rest stays on the voucher"),
        "reissue": _("The rest is issued as a new voucher"),
    }


def symbologies() -> dict[str, str]:
    """Return how codes are printed."""
    return {"code128": "Code 128", "ean13": "EAN-13", "qr": "QR"}
