"""Polish customers are addressed in one way, Państwo, by mails, account page, till and catalogs alike."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
FAMILIAR = re.compile(
    r"\b(tw[oó]j\w*|ciebie|tobie|tob[aą]|cię|ci|ty|masz|chcesz|możesz|musisz|lubisz|kupujesz|dosta\w+sz|\w*logujesz"
    r"|weź|podaj|pokaż|odbierz|wklej|zajrzyj|wypisz)\b",
    re.IGNORECASE,
)
TO_CUSTOMERS = (
    "web/templates/my/told",
    "web/templates/my/offers",
    "web/templates/my/choices",
    "web/templates/my/home",
    "web/templates/my/catalogs",
    "web/templates/screens/unsubscribe",
    "web/customers/",
)
BUTTONS = {"Wypisz się", "Pokaż", "Pokaż dużą"}
"""What a customer commands is not what they are told."""


def told() -> Iterator[tuple[str, str]]:
    """Yield what customers read in Polish, with where it is kept."""
    for path in sorted((ROOT / "contacts" / "mails").glob("*/pl.txt")):
        yield path.parent.name, path.read_text(encoding="utf-8")
    for room in ("catalogs", "campaigns", "contacts", "web"):
        with (ROOT / room / "locale" / "pl.po").open("rb") as file:
            for message in read_po(file):
                places = [place for place, _line in message.locations]
                if room == "web" and not any(place.startswith(TO_CUSTOMERS) for place in places):
                    continue
                words = message.string if isinstance(message.string, (tuple, list)) else [message.string]
                if message.id:
                    yield from ((room, each) for each in words if each and each not in BUTTONS)


def test_nobody_is_addressed_like_a_friend():
    found = [
        (place, said.group(), words[:120])
        for place, words in told()
        if (said := FAMILIAR.search(re.sub(r"\{[%{].*?[%}]\}", "", words)))
    ]
    assert found == []


@pytest.mark.parametrize("words", ["Twój katalog", "odbierz go do piątku", "Nie chcesz już maili?"])
def test_a_friends_words_are_told_from_others(words):
    assert FAMILIAR.search(words)


def test_there_is_much_to_look_at():
    assert len(list(told())) > 100
