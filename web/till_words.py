"""The words that the till simulator says from within the browser."""

from web.words import gettext as _


def words() -> dict[str, str]:
    """Return the simulator's words by name."""
    return {
        "no_key": _("Give the till a key first"),
        "no_lines": _("Add an article first"),
        "unreachable": _("The server does not answer. Nothing was booked; try again."),
        "unknown_card": _("This card was never seen"),
        "no_price": _("no price"),
        "available": _("%(points)s points available"),
        "pending": _("%(points)s pending"),
        "anonymous": _("Card without a member"),
        "blocked": _("This card is blocked"),
        "replaced": _("This card was replaced"),
        "earned": _("%(points)s points earned"),
        "balance": _("Balance %(points)s"),
        "booked": _("Booked"),
        "again": _("Booked already: the stored answer"),
        "total": _("Total"),
        "cash": _("Cash"),
        "card": _("Card payment"),
        "till": _("Till"),
        "receipt": _("Receipt"),
        "training": _("Training, not a receipt"),
        "remove": _("Remove"),
        "quantity": _("Quantity"),
        "nothing_found": _("Nothing found"),
        "key_made": _("The till has a key of its own now"),
    }
