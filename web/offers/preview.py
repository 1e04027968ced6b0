"""What a draft would do to a basket: the engine that tills use, with the draft among the live offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import business_day, zone
from core.i18n import LANGUAGES
from core.money import half_up
from rewards.applicator import EvaluatedLine, Evaluation, apply_offers
from rewards.book import OfferBook
from rewards.carts import Left, Occasion, Presented, Shopper
from rewards.codec import read_offer
from rewards.eligibility import runs_at
from rewards.offer_queries import choice_of
from rewards.offer_uses import Place, budgets_left
from rewards.offers import COMPANIES, Audience, Gift, Names, Offer, Validity, batches_in
from rewards.stocks.operations import gifts_left
from rewards.vouchers.models import VoucherBatch
from sales.models import Store
from web.offers.goods import Goods
from web.offers.names import Json
from web.offers.samples import Sample, SampleLine

_STEP: Final = timedelta(minutes=30)
_LOOKED_AHEAD: Final = timedelta(days=8)
NO_TILL: Final = 0
"""Who only looks holds nothing that would have to be let go."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one offer takes off one line."""

    offer_code: str
    amount: int
    reason: str
    own: bool


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line as it comes out, in minor units."""

    name: str
    quantity: str
    unit: str
    price: int
    gross: int
    discount: int
    net: int
    taken: tuple[Taken, ...]
    below_cost: bool


@dataclass(frozen=True, slots=True)
class NotApplied:
    """An offer that touches the basket and gave nothing, with the reason and what is missing."""

    offer_code: str
    reason: str
    missing: str | None
    own: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A basket as it would come out; amounts in minor units of `currency`."""

    at: datetime
    store: Store
    shopper: bool
    lines: tuple[ShownLine, ...]
    gross: int
    discount: int
    net: int
    own: int
    """What the offer itself takes off."""
    times: int
    """How often the offer applied."""
    points: int
    multiplied: bool
    gifts: tuple[tuple[str, str, int], ...]
    vouchers: tuple[tuple[str, str], ...]
    not_applied: tuple[NotApplied, ...]
    said: Mapping[str, str]
    """The words at the till by language, where the offer gives something on a line."""
    currency: str


def shown(
    session: Session,
    draft: Offer,
    sample: Sample,
    *,
    live: Sequence[tuple[Json, int]],
    store: Store,
    with_card: bool,
    now: datetime,
    language: str,
) -> Shown:
    """Return what comes out of a basket when `draft` is live beside the other `live` offers."""
    choice = choice_of(session)
    book = OfferBook(
        [*_touched(live, sample), draft],
        choice,
        Names(articles={line.article.sku: line.article.name for line in sample}),
    )
    at = fitting_moment(draft.valid, now, store.timezone)
    occasion = Occasion(
        at=at,
        timezone=store.timezone,
        store_code=store.store_code,
        currency=store.currency,
        shopper=fitting_shopper(draft.audience, at) if with_card else None,
        presented=_presented(session, draft),
        language=language,
    )
    cart = tuple(line.cart_line(number) for number, line in enumerate(sample, 1))
    left = _left(session, book.offers, store, now)
    found = apply_offers(cart, book, occasion, left)
    said = {
        one: _words(apply_offers(cart, book, replace(occasion, language=one), left), draft.code)
        for one in LANGUAGES
    }
    spoken = {code: text for code, text in said.items() if text}
    return _shown(found, draft, sample, occasion, store=store, said=spoken)


def _left(session: Session, offers: Sequence[Offer], store: Store, now: datetime) -> dict[str, Left]:
    """
    Return what budgets and stock leave of offers in a store now; a draft has what is left of its offer's live version.

    Nobody knows yet who will come, so limits per member are untouched.
    """
    place = Place(store.store_id, NO_TILL, business_day(now, store.timezone))
    limited = [offer for offer in offers if offer.limits.counted]
    left = dict(budgets_left(session, offers=limited, place=place, person_id=None, now=now))
    gifts = {offer.code: offer.benefit for offer in offers if isinstance(offer.benefit, Gift)}
    if gifts:
        rewards = sorted({gift.reward for gift in gifts.values()})
        there = gifts_left(session, store_id=store.store_id, reward_codes=rewards)
        for code, gift in gifts.items():
            pieces = there.get(gift.reward)
            if pieces is not None:
                left[code] = left.get(code, Left())._replace(times=pieces // max(1, gift.quantity))
    return left


def _touched(live: Sequence[tuple[Json, int]], sample: Sample) -> list[Offer]:
    """Return the live offers that some line of a basket is about: the others could give nothing anyway."""
    articles = [line.article for line in sample]
    goods = Goods(
        (one.sku, one.gtin, one.category, one.type, one.department, one.brand, True) for one in articles
    )
    return [
        replace(read_offer(document), version=version) for document, version in live if goods.meet(document)
    ]


def fitting_moment(valid: Validity, now: datetime, timezone: str) -> datetime:
    """Return the first moment from now on, or from the first day on, at which days and hours allow the offer."""
    start = max(now, valid.start) if valid.start else now
    moment = start
    while moment < start + _LOOKED_AHEAD:
        if runs_at(valid, moment.astimezone(zone(timezone))):
            return moment
        moment += _STEP
    return start


def fitting_shopper(audience: Audience, at: datetime) -> Shopper:
    """Return a made-up shopper whom the offer is for; it is their birthday only if the offer asks for that."""
    wished = audience.birthday_within_days is not None
    return Shopper(
        member_code=audience.member_codes[0] if audience.member_codes else "SAMPLE",
        tier=audience.tiers[0] if audience.tiers else None,
        groups=audience.groups[:1],
        phase=audience.phases[0] if audience.phases else None,
        value=audience.values[0] if audience.values else None,
        birth_date=date(1990, at.month if wished else at.month % 12 + 1, min(at.day, 28)),
        first_purchase=audience.first_purchase,
        company=audience.who == COMPANIES,
    )


def _presented(session: Session, draft: Offer) -> dict[str, Presented]:
    """Return a valid code of each voucher batch that the offer speaks of."""
    rows = session.scalars(select(VoucherBatch).where(VoucherBatch.batch_code.in_(batches_in(draft))))
    return {
        one.batch_code: Presented(
            ("SAMPLE",), one.value_amount, one.minimum_amount, one.currency, one.name or {}
        )
        for one in rows
    }


def _words(found: Evaluation, code: str) -> str:
    return next((one.reason for line in found.lines for one in line.discounts if one.offer_code == code), "")


def _line(line: SampleLine, came: EvaluatedLine, code: str) -> ShownLine:
    cost = line.article.cost
    return ShownLine(
        name=line.article.name,
        quantity=format(line.quantity.normalize(), "f"),
        unit=line.article.unit,
        price=line.price,
        gross=came.gross,
        discount=came.discount,
        net=came.net,
        taken=tuple(
            Taken(one.offer_code, one.amount, one.reason, one.offer_code == code) for one in came.discounts
        ),
        below_cost=cost is not None and came.discount > 0 and came.net < half_up(cost * line.quantity),
    )


def _shown(
    found: Evaluation,
    draft: Offer,
    sample: Sample,
    occasion: Occasion,
    *,
    store: Store,
    said: Mapping[str, str],
) -> Shown:
    lines = tuple(_line(line, came, draft.code) for line, came in zip(sample, found.lines, strict=True))
    return Shown(
        at=occasion.at,
        store=store,
        shopper=occasion.shopper is not None,
        lines=lines,
        gross=sum(line.gross for line in lines),
        discount=sum(line.discount for line in lines),
        net=sum(line.net for line in lines),
        own=sum(one.amount for line in lines for one in line.taken if one.own),
        times=sum(one.times for one in found.applications if one.offer_code == draft.code),
        points=found.points,
        multiplied=bool(found.multiplied),
        gifts=tuple((one.offer_code, one.reward_code, one.quantity) for one in found.gifts),
        vouchers=tuple((one.offer_code, one.batch) for one in found.vouchers),
        not_applied=tuple(
            NotApplied(one.offer_code, one.reason, one.missing, one.offer_code == draft.code)
            for one in found.not_applied
        ),
        said=said,
        currency=store.currency,
    )
