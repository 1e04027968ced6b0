"""Goods to choose from while one types: categories, brands, kinds and departments by name, articles by name or code."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.keyset import alphabetical
from sales.article_lists import find_articles
from sales.models import Article
from web.offers.condition_words import SELECT_KEYS
from web.offers.fields import Fields
from web.offers.forms import OfferForm
from web.offers.names import FILED, Names
from web.offers.naming import Choices
from web.words import gettext as _
from web.words import readable

SHORTEST: Final = 2
MOST: Final = 6
_COLUMNS: Final = {
    "categories": Article.category,
    "brands": Article.brand,
    "types": Article.type,
    "departments": Article.department,
}


@dataclass(frozen=True, slots=True)
class Pick:
    """Something that can be chosen: the key of a selection, its code, what it is called, and how much is behind it."""

    key: str
    code: str
    name: str
    articles: int | None = None


def kind_name(key: str) -> str:
    """Return what a key of a selection is called."""
    return {
        "categories": _("Category"),
        "types": _("Kind"),
        "departments": _("Department"),
        "brands": _("Brand"),
        "skus": _("Article"),
        "gtins": "GTIN",
    }[key]


def found(session: Session, words: str) -> list[Pick]:
    """Return what fits the words best: names that begin with them before names that contain them."""
    words = words.replace("\0", "").strip()[:80]
    if len(words) < SHORTEST:
        return []
    picks: list[Pick] = []
    for key, column in _COLUMNS.items():
        plain, typed = alphabetical(func.coalesce(column, "")), alphabetical_text(words)
        rows = session.execute(
            select(column, func.count())
            .where(plain.contains(typed, autoescape=True))
            .group_by(column)
            .order_by(plain.startswith(typed, autoescape=True).desc(), column)
            .limit(MOST)
        )
        picks += [
            Pick(key, code, readable(code) if key in FILED else code, count) for code, count in rows if code
        ]
    articles = find_articles(session, words, limit=MOST)
    return picks + [Pick("skus", one.sku, one.name) for one in articles]


def chosen(form: Fields, path: str, names: Names) -> list[Pick]:
    """Return what a selection of the form names already."""
    return [
        Pick(key, code, readable(names.of(key, code)) if key in FILED else names.of(key, code))
        for key in SELECT_KEYS
        for code in form.many(f"{path}.{key}")
    ]


def note_unticked(session: Session, form: OfferForm, known: Choices) -> None:
    """
    Note searches whose words nobody ticked anything for, and leave the form without a document.

    Words that were typed mean something: without them the offer would be for all goods, or in all stores.
    """
    for path in form.searched:
        words = form.text(f"{path}.q")
        if not words:
            continue
        if path == "stores":
            fitting = [("stores", one.code) for one in known.find(words)]
        else:
            fitting = [(f"{path}.{one.key}", one.code) for one in found(session, words)]
        if any(code in form.many(name) for name, code in fitting):
            continue
        form.document = None
        said = (
            _(
                "Tick what is meant by \N{LEFT DOUBLE QUOTATION MARK}%(words)s\N{RIGHT DOUBLE QUOTATION MARK}, or empty the search",
                words=words,
            )
            if fitting
            else _(
                "Nothing is called \N{LEFT DOUBLE QUOTATION MARK}%(words)s\N{RIGHT DOUBLE QUOTATION MARK}: search for something else, or empty the search",
                words=words,
            )
        )
        form.wrong(f"{path}.q", said)


def alphabetical_text(words: str) -> str:
    """Return words as `alphabetical` compares them: small letters without accents."""
    plain = unicodedata.normalize("NFKD", words.lower()).replace("ł", "l").replace("đ", "d").replace("ø", "o")
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
