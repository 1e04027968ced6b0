"""Goods to choose from while one types: categories, brands, kinds and departments by name, articles by name or code."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.keyset import alphabetical
from sales.article_lists import find_articles
from sales.models import Article
from web.offer_condition_words import SELECT_KEYS
from web.offer_fields import Fields
from web.offer_names import Names
from web.words import gettext as _

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
        picks += [Pick(key, code, code, count) for code, count in rows if code]
    articles = find_articles(session, words, limit=MOST)
    return picks + [Pick("skus", one.sku, one.name) for one in articles]


def chosen(form: Fields, path: str, names: Names) -> list[Pick]:
    """Return what a selection of the form names already."""
    return [
        Pick(key, code, names.of(key, code)) for key in SELECT_KEYS for code in form.many(f"{path}.{key}")
    ]


def alphabetical_text(words: str) -> str:
    """Return words as `alphabetical` compares them: small letters without accents."""
    plain = unicodedata.normalize("NFKD", words.lower()).replace("ł", "l").replace("đ", "d").replace("ø", "o")
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
