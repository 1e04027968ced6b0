"""What people type into forms: short, readable, and never the number of a payment card."""

import re
from typing import Final

from core.payment_cards import payment_card_numbers
from web.words import gettext as _

LONGEST = 200

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters but tabs and ends of lines; the database keeps no NUL."""


def wrong_text(text: str, *, needed: bool = False, longest: int = LONGEST) -> str:
    """Return what is wrong with a typed text in words for its field; nothing when it is fine."""
    if needed and not text:
        return _("This is needed.")
    if len(text) > longest:
        return _("At most %(count)s characters.", count=longest)
    if _CONTROLS.search(text):
        return _("This holds a character that cannot be read.")
    if payment_card_numbers(text):
        return _("This looks like the number of a payment card, which is never stored.")
    return ""
