"""Which live offers lower the price of a single piece, now, here and for this shopper. Pure."""

from collections.abc import Iterable

from campaigns.choosing import Article, Cheaper
from rewards.book import OfferBook
from rewards.carts import Occasion
from rewards.doorkeeper import Doorkeeper
from rewards.offers import AmountOff, Benefit, FixedPrice, Percent

UNKNOWN_SHARE = 0.1
"""What an amount is taken for where nobody knows the price that it is taken off."""


def cheaper_articles(book: OfferBook, occasion: Occasion, articles: Iterable[Article]) -> dict[int, Cheaper]:
    """
    Return for each article the live offer that takes most off one piece of it, if there is one.

    Only what holds as soon as there is one piece, and has no budget that could be used up before it is paid.
    """
    found: dict[int, Cheaper] = {}
    keeper = Doorkeeper(occasion)
    for article in articles:
        key = (
            article.sku,
            article.gtin,
            article.category,
            article.type,
            article.department,
            article.brand,
            True,
        )
        seen = book.seen(key, occasion.store_code)
        lives = [book.live[rank] for rank in seen.ranks]
        single = [live for live in lives if live.discounts and live.plain in seen.selections]
        for live in keeper.among(single):
            share = saved_share(live.offer.benefit, article.price)
            best = found.get(article.article_id)
            if share > 0 and (best is None or share > best.share):
                found[article.article_id] = Cheaper(live.code, share, live.offer.name(occasion.language))
    return found


def saved_share(benefit: Benefit, price: int | None) -> float:
    """Return which share of `price` a benefit takes off one piece."""
    match benefit:
        case Percent():
            saved = float(benefit.off) / 100
            if benefit.max_amount is not None and price:
                saved = min(saved, benefit.max_amount / price)
        case AmountOff():
            saved = benefit.off / price if price else UNKNOWN_SHARE
        case FixedPrice():
            saved = 1 - benefit.price / price if price else UNKNOWN_SHARE
        case _:
            saved = 0.0
    return max(0.0, min(1.0, saved))
