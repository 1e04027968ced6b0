"""Payment-card numbers in what tills send: refused wherever they are not masked, as on receipts."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.ids import is_uuid
from core.payment_cards import payment_card_numbers
from customers.queries import known_cards
from pos_api.problems import invalid_content, pointer
from sales.articlecodes import find_gtin


def refuse_payment_cards(session: Session, document: Mapping[str, Any]) -> None:
    """Raise `invalid_content` for texts of a checked `document` with such a number, unless it is of our own cards."""
    found = {
        place: numbers for place, text in _texts(document) if (numbers := set(payment_card_numbers(text)))
    }
    if not found:
        return
    foreign = set().union(*found.values()) - known_cards(session, set().union(*found.values()))
    refused = [
        (place, "A payment-card number stands here.") for place, numbers in found.items() if numbers & foreign
    ]
    if refused:
        raise invalid_content(refused)


def _texts(value: Any, *path: str | int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        # A GTIN may look like a payment card by chance, and so may one of our own ids; in their places they are none.
        is_code = path and path[-1] in {"gtin", "sku"} and find_gtin(value)
        if not is_code and not is_uuid(value):
            yield pointer(*path), value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, *path, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, *path, index)
