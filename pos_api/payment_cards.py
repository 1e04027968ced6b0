"""Payment-card numbers in what tills send: refused wherever they are not masked, as on receipts."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.ids import is_uuid
from core.payment_cards import SHORTEST, payment_card_numbers
from customers.queries import known_cards
from pos_api.problems import invalid_content, pointer
from sales.articlecodes import find_gtin


def refuse_payment_cards(session: Session, document: Mapping[str, Any]) -> None:
    """Raise `invalid_content` for texts of a checked `document` with such a number, unless it is of our own cards."""
    # Looked at together: nearly always there is none, and a line's end parts the numbers of two texts.
    if not payment_card_numbers("\n".join(_long_texts(document))):
        return
    found = dict(_found(document))
    if not found:
        return
    foreign = set().union(*found.values()) - known_cards(session, set().union(*found.values()))
    refused = [
        (pointer(*path), "A payment-card number stands here.")
        for path, numbers in found.items()
        if numbers & foreign
    ]
    if refused:
        raise invalid_content(refused)


def _long_texts(document: Mapping[str, Any]) -> list[str]:
    """Return the texts that are long enough for such a number."""
    waiting: list[Any] = [document]
    texts = []
    for value in waiting:
        for inner in value.values() if type(value) is dict else value:
            kind = type(inner)
            if kind is str:
                if len(inner) >= SHORTEST:
                    texts.append(inner)
            elif kind is dict or kind is list:
                waiting.append(inner)
    return texts


def _found(value: Any, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], set[str]]]:
    """Yield where the texts in `value` stand that have such numbers, and the numbers."""
    named = value.items() if isinstance(value, Mapping) else enumerate(value)
    for step, inner in named:
        if isinstance(inner, str):
            if numbers := payment_card_numbers(inner):
                # A GTIN may look like a payment card by chance, and so may one of our own ids; in their places they are none.
                is_code = step in {"gtin", "sku"} and find_gtin(inner)
                if not is_code and not is_uuid(inner):
                    yield (*path, step), set(numbers)
        elif isinstance(inner, (dict, list)):
            yield from _found(inner, *path, step)
