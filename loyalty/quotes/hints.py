"""Hints of a quote at what is missing for an offer: they promote it, so nobody is given one at what they refuse."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from contacts.queries import refusals_of
from contacts.reactions import Refusals
from core.driver import ask
from customers.queries import CardHolder
from rewards.carts import Cart
from rewards.offers import Offer, Select
from rewards.selections import selections_in

NOTHING_REFUSED: Final = Refusals()

_GOODS: Final = """
    select article_id, sku, gtin, category, name from article
    where sku = any(%(skus)s::text[]) or gtin = any(%(gtins)s::text[]) or article_id = any(%(refused)s::integer[])
"""


def welcome_hints(
    session: Session,
    not_applied: Sequence[Mapping[str, Any]],
    *,
    offers: Mapping[str, Offer],
    cart: Cart,
    holder: CardHolder | None,
    refusals: Refusals | None,
    now: datetime,
) -> list[Mapping[str, Any]]:
    """
    Return what is told of offers that gave nothing, without hints at what the holder of the card refuses, or what is quieted.

    `not_applied` is as the contract has it, `offers` are the live ones by code. `refusals` are asked for when None, and
    nothing is asked without a hint. An offer is refused by its code, or where it names a category or a type of
    what is refused, or an article that is refused or called just as one that is. What is not a hint stays: a discount was
    no promotion, and a voucher has been presented.
    """
    hinted = {
        one["offer_code"]: offers[one["offer_code"]]
        for one in not_applied
        if one["missing"] is not None and one["offer_code"] in offers
    }
    if not hinted or holder is None or holder.account_id is None:
        return list(not_applied)
    if refusals is None:
        whose = holder.member_id or holder.account_id
        refusals = refusals_of(session, {whose: holder.account_id}, now=now).get(whose, NOTHING_REFUSED)
    if refusals == NOTHING_REFUSED:
        return list(not_applied)
    unwelcome = {code for code in hinted if refusals.cover_offer(code)}
    selected = {code: list(selections_in(hinted[code])) for code in hinted.keys() - unwelcome}
    codes = _refused_codes(session, [each for selects in selected.values() for each in selects], refusals)
    types = {
        line.type
        for line in cart
        if line.type is not None and line.category is not None and refusals.cover_category(line.category)
    }
    unwelcome |= {
        code
        for code, selects in selected.items()
        if any(_names_refused(select, refusals, codes, types) for select in selects)
    }
    return [one for one in not_applied if one["missing"] is None or one["offer_code"] not in unwelcome]


def _names_refused(
    select: Select, refusals: Refusals, codes: AbstractSet[str], types: AbstractSet[str]
) -> bool:
    return (
        any(refusals.cover_category(category) for category in select.categories)
        or any(name in types for name in select.types)
        or any(code in codes for code in (*select.skus, *select.gtins))
    )


def _refused_codes(session: Session, selects: Iterable[Select], refusals: Refusals) -> set[str]:
    """Return the SKUs and GTINs of what is refused, all among them that `selects` name; asks nothing where they name none."""
    skus, gtins = set[str](), set[str]()
    for select in selects:
        skus.update(select.skus)
        gtins.update(select.gtins)
    if not skus and not gtins:
        return set()
    refused = refusals.articles | refusals.quieted_articles
    values = {"skus": sorted(skus), "gtins": sorted(gtins), "refused": sorted(refused)}
    rows = ask(session, _GOODS, values).fetchall()
    refusals = refusals.called(name for article_id, *_codes, name in rows if article_id in refused)
    return {
        code
        for article_id, sku, gtin, category, name in rows
        if refusals.cover(article_id, category, name)
        for code in (sku, gtin)
        if code is not None
    }
