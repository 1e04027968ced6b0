"""
Kinds of articles too private for personal offers: they are never offered to a member by name, nor told in a reason.

What is known here are words of health, alcohol, babies, intimacy, tobacco and faith in four languages; a chain adds its own
and lifts those that mean something else in its article master (table `sensitive_word`). Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

TOPICS: Final[Mapping[str, str]] = {
    "health": "analgesic*; antacid*; anti acids; laxative*; pharmac*; cough*; cold and flu; sinus*; allerg*; medic*; health; "
    "home health*; vitamin*; suplement*; supplement*; first aid*; bandage*; eye and ear*; foot care*; diabet*; diet*; "
    "restricted diet; gluten free; smoking cessation*; linament*; lek; leky; lieky; leki; lekar*; lekarn*; aptek*; zdravi; "
    "zdravie; zdrowie; zdravotn*; naplast*; plaster; plastry; obvaz*; doplnky stravy; vyzivove doplnky; diet* potravin*; "
    "bezlepk*; bezglutenow*; cukrzyc*; hearing aid*; glucose; optic*",
    "alcohol": "beer*; ale; ales; beeralemalt*; malt liquor*; liquor*; spirits; wine*; champagne; prosecco; cider*; vodka; whisk*; "
    "rum; gin; tequila; brandy; cordials; alcohol*; pivo; piva; piwo; piwa; lezak*; radler*; vino; vina; wino; wina; sekt; "
    "lihovin*; liehovin*; likier*; liker*; alkohol*; wodk*; destilat*",
    "baby": "baby; babies; babyfood*; infant*; diaper*; newborn*; toddler*; training pants; pediatric; maternity; plena; pleny; plenk*; plienk*; "
    "pieluch*; pieluszk*; kojen*; dojcen*; niemowl*; detsk* vyziv*; batol*",
    "intimate": "feminine*; fem; fem hyg*; tampon*; sanitary; incontinen*; inkontinen*; condom*; kondom*; prezerwatyw*; family planning; "
    "pregnan*; tehoten*; tehotn*; ciaz*; intim*; vlozk*; podpask*; wkladk*; lubricant* personal; adult care; erotic*; erotik*",
    "tobacco": "cigar*; tobacco*; smoking*; snuff; vape*; e cig*; nikotin*; nicotin*; tabak*; tyton*; papieros*",
    "faith": "kosher*; koser*; koszern*; halal*",
}
"""
Words and phrases by topic, in small letters without diacritics; `*` stands for any ending.
"""

HARMLESS: Final = (
    "root beer*; ginger beer*; birch beer*; ginger ale*; gngr ale*; apple juice and cider; apple cider*; cider vinegar*; vinegar all except wine*; beer brats; wine vinegar*; cooking wine*; vinegar wine; vinny ocet*; vinny ocot*; "
    "baby carrot*; carrots baby; baby spinach; baby swiss; baby bella*; baby corn; baby lettuce; baby back*; baby potato*; baby peeled; "
    "diet soft drink*; diet soda*; diet carb*; diet cola*; cigar box; wine glass*; beer glass*; health bars; soft drinks diet; "
    "baby doll*; baby swiss*; sports medicine; sanitary paper; plastry syra; plastry sera"
)
"""What holds such a word and yet is nothing of the kind."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    topic: str | None
    """None for what is harmless."""


class SensitiveWords:
    """What is sensitive in one chain: the words known here, with the chain's own `changes` (word, topic or None)."""

    def __init__(self, changes: Iterable[tuple[str, str | None]] = ()) -> None:
        own = {plain_words(word): topic for word, topic in changes}
        known = [
            _Phrase(plain_words(word), topic) for topic, text in TOPICS.items() for word in text.split(";")
        ]
        known += [_Phrase(plain_words(word), None) for word in HARMLESS.split(";")]
        kept = [phrase for phrase in known if phrase.words not in own]
        kept += [_Phrase(words, topic) for words, topic in own.items() if words]
        self._by_start: dict[str, list[_Phrase]] = {}
        for phrase in kept:
            self._by_start.setdefault(phrase.words[0].rstrip("*")[:2], []).append(phrase)
        self._read = lru_cache(maxsize=20_000)(self._topic_in)

    def topic_of(self, department: str | None, category: str | None, type: str | None) -> str | None:  # noqa: A002
        """Return which topic makes an article sensitive, None where it is not; any of its three words may."""
        return next(
            (topic for text in (type, category, department) if text and (topic := self._read(text))), None
        )

    def covers(self, department: str | None, category: str | None, type: str | None) -> bool:  # noqa: A002
        """Return whether an article is never to be offered personally, nor named in a reason."""
        return self.topic_of(department, category, type) is not None

    def _topic_in(self, text: str) -> str | None:
        words = plain_words(text)
        found = [
            (start, start + len(phrase.words), phrase.topic)
            for start, word in enumerate(words)
            for phrase in self._by_start.get(word[:2], ())
            if _stands(phrase.words, words[start:])
        ]
        harmless = [(start, end) for start, end, topic in found if topic is None]
        return next(
            (
                topic
                for start, end, topic in found
                if topic is not None and not any(first <= start and end <= last for first, last in harmless)
            ),
            None,
        )


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in small letters without diacritics; a `*` that ends a word stays."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("ł", "l").replace("&", " and "))
    return tuple(re.findall(r"[a-z0-9]+\*?", "".join(c for c in letters if not unicodedata.combining(c))))


def _stands(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return len(words) >= len(phrase) and all(
        word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
        for wanted, word in zip(phrase, words, strict=False)
    )
