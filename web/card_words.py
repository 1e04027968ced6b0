"""What was done to cards, said in the reader's words."""

from typing import Any

from web.words import gettext as _


def card_event(action: str, detail: dict[str, Any]) -> str:
    """Return what was done to a card, with the reason or what belongs to it."""
    done = {
        "card.issue": _("Issued"),
        "member.enrol": _("Enrolled with it"),
        "card.adopt": _("Given to a member, with its points"),
        "card.block": _("Blocked"),
        "card.replace": _("Replaced"),
        "card.expire": _("Taken out of use"),
        "cards.stock": _("Put into stock with its range"),
        "staff_card.register": _("Bound to an operator"),
        "staff_card.end": _("Bound to an operator no more"),
    }.get(action, action)
    more = [
        str(detail[key]) for key in ("reason", "by", "operator", "name", "member_code") if detail.get(key)
    ]
    return f"{done}: {', '.join(more)}" if more else done
