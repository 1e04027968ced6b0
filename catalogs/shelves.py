"""What each shop has for a catalog's period, and what it costs: list prices, reductions, and the prices before them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from sys import intern
from typing import Any

from sqlalchemy.orm import Session

from basket_analysis.offers.sensitive_lists import read_sensitive
from catalogs.issues import Offer, Reduced
from catalogs.queries import Shop
from catalogs.reductions import Article, Counter, Cut, Period, promised_offers
from core.driver import driver_of
from core.money import Money
from sales.shelf import LOWEST_DAYS, Before, Began, ListedPrice, in_stock, price_through, prices_before

SHELF_DAYS = 28
"""A price last paid is looked for in so many days."""

# What one unit came to, discounts of the line taken off; of a day's, the newest.
_PAID = """
    select distinct on (receipt.store_id, line.article_id)
           receipt.store_id, line.article_id, round(line.total_amount / line.quantity)::bigint
    from receipt
    join store on store.store_id = receipt.store_id and store.currency = receipt.currency
    join receipt_line as line using (business_date, receipt_id)
    where receipt.store_id = any(%(stores)s) and receipt.type = 'sale' and receipt.mode = 'live'
      and receipt.business_date > %(day)s::date - %(days)s and receipt.business_date <= %(day)s
      and line.business_date > %(day)s::date - %(days)s and line.business_date <= %(day)s
      and line.article_id is not null and line.quantity > 0 and line.total_amount > 0
    order by receipt.store_id, line.article_id, receipt.closed_at desc, line.line_number desc
"""
_ARTICLES = """
    select article_id, sku, gtin, name, category, type, department, brand, unit, picture
    from article where article_id = any(%s)
"""
_PLACES = "select store_id, store_code, timezone, currency from store where store_id = any(%s)"

Place = tuple[int, int]
"""A store and an article."""


def read_shelves(
    session: Session,
    shops: Collection[Shop],
    *,
    day: date,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> dict[int, dict[int, Offer]]:
    """
    Return what each shop has on `day`, by store and article, at the prices of a catalog's period.

    The price is that of the list when the period begins: the store's, else the chain's, else the article's
    own, else the last one paid, always one in the shop's own currency. What live offers take off one piece is taken off, if they hold through the
    whole period without a limit; those for some groups only wait in `Offer.for_groups`.
    """
    period = Period(valid_from or day, valid_to or (valid_from or day) + timedelta(days=1))
    ids = [shop.store_id for shop in shops]
    stocked = in_stock(session, store_ids=ids, day=day)
    articles = _articles(session, {article for there in stocked.values() for article in there})
    listed = price_through(session, store_ids=ids, first=period.first, last=period.last, article_ids=articles)
    paid = _paid(session, ids, day)
    here = {place: price for place, price in listed.items() if place[1] in stocked[place[0]]}
    cuts = _cuts(session, ids, here, articles, period)
    before = prices_before(session, _beginnings(here, cuts, period))
    sensitive = read_sensitive(session)
    private = {
        key for key, one in articles.items() if sensitive.covers(one.department, one.category, one.type)
    }
    shelves: dict[int, dict[int, Offer]] = {}
    for shop in shops:
        shelf = shelves[shop.store_id] = {}
        for article_id in stocked[shop.store_id]:
            place, article = (shop.store_id, article_id), articles[article_id]
            if price := here.get(place):
                offer = _offer(
                    article, price.minor, shop.currency, listed=True, private=article_id in private
                )
                shelf[article_id] = _reduced(offer, place, price, cuts.get(place, ()), before)
            else:
                shelf[article_id] = _offer(
                    article, paid.get(place), shop.currency, listed=False, private=article_id in private
                )
    return shelves


def _articles(session: Session, article_ids: Collection[int]) -> dict[int, Article]:
    rows = driver_of(session).execute(_ARTICLES, (list(article_ids),))
    return {row[0]: Article(*map(_kept_once, row)) for row in rows}


def _kept_once(value: Any) -> Any:
    """Return `value`; equal words are one and the same: articles share few kinds, and stores' shelves are read one by one."""
    return intern(value) if isinstance(value, str) else value


def _paid(session: Session, store_ids: Collection[int], day: date) -> dict[Place, int]:
    rows = driver_of(session).execute(_PAID, {"stores": list(store_ids), "day": day, "days": SHELF_DAYS})
    return {(store_id, article_id): minor for store_id, article_id, minor in rows}


def _cuts(
    session: Session,
    store_ids: Collection[int],
    listed: Mapping[Place, ListedPrice],
    articles: Mapping[int, Article],
    period: Period,
) -> dict[Place, list[Cut]]:
    """Return what offers make of listed prices, where they lower them."""
    offers = promised_offers(session)
    if not offers:
        return {}
    places = driver_of(session).execute(_PLACES, (list(store_ids),))
    counters = {
        store_id: Counter(offers, store_code=code, timezone=timezone, currency=currency, period=period)
        for store_id, code, timezone, currency in places
    }
    return {
        place: found
        for place, price in listed.items()
        if (found := counters[place[0]].cuts(articles[place[1]], price.minor))
    }


def _beginnings(
    listed: Mapping[Place, ListedPrice],
    cuts: Mapping[Place, list[Cut]],
    period: Period,
) -> set[Began]:
    """Return where and since when a price may be a reduced one: by an offer, or by a new price of the list."""
    began = {(*place, cut.begins) for place, found in cuts.items() for cut in found if cut.begins}
    fresh = period.first - timedelta(days=LOWEST_DAYS)
    began |= {(*place, price.since) for place, price in listed.items() if price.since and price.since > fresh}
    return began


def _reduced(
    offer: Offer, place: Place, price: ListedPrice, cuts: Collection[Cut], before: Mapping[Began, Before]
) -> Offer:
    """
    Return `offer` at what it costs in the end, for everybody and for groups.

    A reduction is claimed only of a price below the lowest of the 30 days before it.
    """

    def priced(minor: int, begins: date | None, old: int | None) -> tuple[Money, Reduced | None]:
        assert offer.price is not None
        known = before.get((*place, begins)) if begins else None
        was = old if old is not None or known is None else known.last
        money = replace(offer.price, minor=minor)
        if known is None or known.lowest is None or was is None or not minor < min(known.lowest, was):
            return money, None
        return money, Reduced(replace(money, minor=was), replace(money, minor=known.lowest))

    groups = tuple(
        (cut.group, *priced(cut.minor, cut.begins, price.minor)) for cut in cuts if cut.group is not None
    )
    everybody = next((cut for cut in cuts if cut.group is None), None)
    money, reduced = (
        priced(everybody.minor, everybody.begins, price.minor)
        if everybody
        else priced(price.minor, price.since, None)
    )
    return replace(offer, price=money, reduced=reduced, for_groups=groups)


def for_group(shelf: Mapping[int, Offer], group_id: str) -> Mapping[int, Offer]:
    """Return `shelf` at the prices of a group; the same one where no offer is for that group alone."""
    own = {
        key: offer.of_group(group_id)
        for key, offer in shelf.items()
        if any(group == group_id for group, *_ in offer.for_groups)
    }
    return {**shelf, **own} if own else shelf


def _offer(article: Article, minor: int | None, currency: str, *, listed: bool, private: bool) -> Offer:
    return Offer(
        article_id=article.article_id,
        name=article.name,
        category=article.category,
        type=article.type,
        department=article.department,
        brand=article.brand,
        unit=article.unit,
        photo=article.picture,
        price=Money(minor, currency) if minor is not None else None,
        listed=listed,
        private=private,
    )
