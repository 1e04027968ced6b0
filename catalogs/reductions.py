"""What live offers take off a single piece through a whole period: the real engine, asked with a basket of one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from core.clock import business_day, day_start
from rewards.applicator import apply_offers
from rewards.book import OfferBook
from rewards.carts import CartLine, Occasion, Shopper
from rewards.eligibility import is_personal
from rewards.live_book import live_book
from rewards.offers import ARTICLE, COMPANIES, Audience, Limits, Offer


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a catalog; `last` is the first on which it no longer holds."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Cut:
    """What a piece comes to for everybody with a card (`group` None) or for a group; and since when, where that is known."""

    group: str | None
    minor: int
    begins: date | None


@dataclass(frozen=True, slots=True)
class Article:
    """An article as it stands in its row: what is printed, and what offers ask of it."""

    article_id: int
    sku: str
    gtin: str | None
    name: str
    category: str | None
    type: str | None
    department: str | None
    brand: str | None
    unit: str
    picture: str | None


def promised_offers(session: Session) -> tuple[Offer, ...]:
    """
    Return the live offers that a page may promise for the whole of a period.

    They lower prices of articles for every member, or for every one of some groups: at any hour, without a
    limit that could be used up, and without a voucher. When they begin and end is left to `Counter`.
    """
    return tuple(
        offer
        for offer in live_book(session).offers.values()
        if offer.stage == ARTICLE
        and offer.limits == Limits()
        and not offer.valid.weekdays
        and not offer.valid.hours
        and offer.audience.who != COMPANIES
        and not is_personal(_without_groups(offer.audience))
    )


def _without_groups(audience: Audience) -> Audience:
    return Audience(
        who=audience.who,
        tiers=audience.tiers,
        phases=audience.phases,
        values=audience.values,
        member_codes=audience.member_codes,
        birthday_within_days=audience.birthday_within_days,
        first_purchase=audience.first_purchase,
    )


class Counter:
    """The counter of one store, where the offers that hold there through a whole period are asked for prices."""

    def __init__(
        self, offers: Collection[Offer], *, store_code: str, timezone: str, currency: str, period: Period
    ) -> None:
        opens, closes = day_start(period.first, timezone), day_start(period.last, timezone)
        self._offers = {
            offer.code: offer
            for offer in offers
            if (offer.valid.start is None or offer.valid.start <= opens)
            and (offer.valid.end is None or offer.valid.end >= closes)
            and (not offer.stores or store_code in offer.stores)
        }
        self._book = OfferBook(self._offers.values())
        self._groups = sorted({group for offer in self._offers.values() for group in offer.audience.groups})
        self._timezone = timezone
        self._occasions = {
            group: Occasion(
                at=opens + timedelta(hours=12),
                timezone=timezone,
                store_code=store_code,
                currency=currency,
                shopper=Shopper("", groups=(group,) if group else ()),
                has_card=True,
            )
            for group in (None, *self._groups)
        }
        self._store_code = store_code

    def cuts(self, article: Article, minor: int) -> list[Cut]:
        """Return what a piece of `article` comes to that is listed at `minor`, where that is less; groups only where they get more."""
        line = CartLine(
            1, Decimal(1), article.unit, minor, article.sku, article.gtin, article.category, article.type,
            article.department, article.brand,
        )  # fmt: skip
        if minor <= 0 or not self._offers or not self._is_touched(line):
            return []
        found = [cut for group in self._occasions if (cut := self._cut(line, group))]
        everybody = next((cut.minor for cut in found if cut.group is None), minor)
        return [cut for cut in found if cut.group is None or cut.minor < everybody]

    def _is_touched(self, line: CartLine) -> bool:
        seen = self._book.seen(line[4:], self._store_code)
        return bool(seen.ranks or self._book.on_every_basket(self._store_code))

    def _cut(self, line: CartLine, group: str | None) -> Cut | None:
        evaluated = apply_offers((line,), self._book, self._occasions[group]).lines[0]
        if not 0 < evaluated.net < evaluated.gross:
            return None
        starts = [self._offers[discount.offer_code].valid.start for discount in evaluated.discounts]
        known = [business_day(start, self._timezone) for start in starts if start is not None]
        # An offer that never began says nothing about the prices before it.
        return Cut(group, evaluated.net, min(known) if len(known) == len(starts) else None)
