"""Which lines earn nothing because the programme leaves their articles out; unknown articles are not left out."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from core.driver import driver_of
from loyalty.programme.rules import Excluded
from rewards.carts import Cart
from sales.articlecodes import find_gtin

_LEFT_OUT: Final = "article.department = any(%s) or article.category = any(%s) or article.sku = any(%s)"

EXCLUDED_POSITIONS: Final = f"""(
        select array_agg(line.position)
        from unnest({{articles}}) with ordinality as line (article_id, position)
        join article using (article_id)
        where {_LEFT_OUT})"""
"""SQL for the places, from one on, in an array of articles' ids (`articles`) of those that are left out."""


def excluded_values(excluded: Excluded) -> tuple[list[str], ...]:
    """Return the values for the places in `EXCLUDED_POSITIONS`; none where nothing is left out."""
    if not excluded:
        return ()
    return sorted(excluded.departments), sorted(excluded.categories), sorted(excluded.articles)


_OF_IDS = f"select article_id from article where article_id = any(%s) and ({_LEFT_OUT})"


def excluded_articles(session: Session, *, article_ids: Collection[int], excluded: Excluded) -> set[int]:
    """Return which of these articles are left out; asks nothing where nothing is."""
    if not excluded or not article_ids:
        return set()
    values = (list(article_ids), *excluded_values(excluded))
    return {row[0] for row in driver_of(session).execute(_OF_IDS, values).fetchall()}


def excluded_lines(cart: Cart, excluded: Excluded) -> set[int]:
    """Return the numbers of the lines of a cart, whose articles are looked up already, that are left out. Pure."""
    return {
        line.line_number
        for line in cart
        if line.known and _left_out(excluded, line.department, line.category, line.sku)
    }


def excluded_goods(goods: Sequence[Sequence[Any] | None], excluded: Excluded) -> list[int]:
    """Return the places, from nought on, of those of a basket's articles, as the database tells them, that are left out. Pure."""
    return [
        place
        for place, article in enumerate(goods)
        if article is not None and _left_out(excluded, article[4], article[2], article[0])
    ]


def _left_out(excluded: Excluded, department: str | None, category: str | None, sku: str | None) -> bool:
    return department in excluded.departments or category in excluded.categories or sku in excluded.articles


_OF_CODES = f"""
    select line.position
    from unnest(%s::text[], %s::text[]) with ordinality as line (sku, gtin, position)
    join lateral (
        select * from (
            select * from article where article.sku = line.sku
            union all
            select * from article where article.gtin = line.gtin
        ) as found
        limit 1
    ) as article on {_LEFT_OUT}
"""


def excluded_of_codes(
    session: Session, *, codes: Sequence[tuple[str | None, str | None]], excluded: Excluded
) -> set[int]:
    """Return the indexes of those `codes`, pairs of SKU and GTIN, whose articles are left out."""
    if not excluded or not codes:
        return set()
    skus = [sku for sku, _ in codes]
    gtins = [gtin and find_gtin(gtin) for _, gtin in codes]
    rows = driver_of(session).execute(_OF_CODES, (skus, gtins, *excluded_values(excluded))).fetchall()
    return {row[0] - 1 for row in rows}
