"""What people type into forms: short, and never the number of a payment card."""

from core.payment_cards import payment_card_numbers
from web.words import gettext as _

LONGEST = 200


def wrong_text(text: str, *, needed: bool = False, longest: int = LONGEST) -> str:
    """Return what is wrong with a typed text in words for its field; nothing when it is fine."""
    if needed and not text:
        return _("This is needed.")
    if len(text) > longest:
        return _("At most %(count)s characters.", count=longest)
    if payment_card_numbers(text):
        return _("This looks like the number of a payment card, which is never stored.")
    return ""
