"""What articles look like where nobody took a picture: a drawing and a word for every kind of thing."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

ILLUSTRATIONS = Path(__file__).resolve().parent / "illustrations"

NEUTRAL = "groceries"
"""The motif of what no word says anything about: a bag of shopping."""


class Use(StrEnum):
    """Where articles of a motif may be shown."""

    EVERYWHERE = "everywhere"
    GROUP = "group"
    """On the pages of a group, never on a personal page."""
    NEVER = "never"
    """In no catalog: not to be advertised, or not merchandise."""


@dataclass(frozen=True, slots=True)
class Motif:
    """A kind of thing, and the drawing of it; what it is called is in `motif_words`."""

    key: str
    picture: str
    use: Use

    @property
    def path(self) -> Path:
        """Return the drawing, an SVG of 32 by 32."""
        return ILLUSTRATIONS / f"{self.picture}.svg"


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    rank: int
    motif: Motif


@lru_cache(maxsize=50_000)
def find_motif(
    *,
    type: str | None = None,  # noqa: A002 - the article's own word for it
    category: str | None = None,
    department: str | None = None,
    name: str | None = None,
) -> Motif:
    """
    Return the motif of an article; always one, the neutral one if need be.

    The most specific text that says anything decides: type, category, name, department.
    What may never be shown is recognised in any text but the name.
    """
    found = [_read(text) for text in (type, category, name, department) if text]
    for motif in (_read(text) for text in (type, category, department) if text):
        if motif and motif.use is Use.NEVER:
            return motif
    return next((motif for motif in found if motif and motif.key != NEUTRAL), motif_of(NEUTRAL))


def motif_of(key: str) -> Motif:
    """Return the motif called `key`; raises KeyError when there is none."""
    return motifs()[key]


@lru_cache(maxsize=1)
def motifs() -> dict[str, Motif]:
    """Return all motifs by their keys, in the order of the file."""
    return {
        key: Motif(key, entry["picture"], Use(entry.get("use", "everywhere")))
        for key, entry in _entries().items()
    }


@lru_cache(maxsize=1)
def _entries() -> dict[str, dict[str, str]]:
    return tomllib.loads((ILLUSTRATIONS / "motifs.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[_Phrase]]:
    """Return the phrases by the first three letters of their first word, so that few are tried."""
    index: dict[str, list[_Phrase]] = {}
    for key, entry in _entries().items():
        for text in entry["words"].split(";"):
            phrase = _Phrase(tuple(text.split()), int(entry.get("rank", 0)), motifs()[key])
            index.setdefault(phrase.words[0].rstrip("*")[:3], []).append(phrase)
    return index


@lru_cache(maxsize=20_000)
def _read(text: str) -> Motif | None:
    """Return the motif of the strongest phrase in `text`; None when no phrase is in it."""
    words = plain_words(text)
    found = [
        (start, start + len(phrase.words), phrase)
        for start, word in enumerate(words)
        for length in range(1, min(3, len(word)) + 1)
        for phrase in _phrases().get(word[:length], ())
        if len(phrase.words[0].rstrip("*")[:3]) == length and _stands(phrase.words, words[start:])
    ]
    # What is only part of a longer phrase says nothing by itself: a hot dog is no dog.
    whole = [
        (start, phrase)
        for start, end, phrase in found
        if not any(first <= start and end <= last and last - first > end - start for first, last, _ in found)
    ]
    return max(whole, key=_strength)[1].motif if whole else None


def _strength(found: tuple[int, _Phrase]) -> tuple[int, int, int]:
    start, phrase = found
    return phrase.rank, sum(map(len, phrase.words)), -start


def _stands(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Return whether `words` begin with `phrase`."""
    if len(words) < len(phrase):
        return False
    return all(
        word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
        for wanted, word in zip(phrase, words, strict=False)
    )


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in small letters without diacritics."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("ł", "l"))
    return tuple(re.findall(r"[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c))))
