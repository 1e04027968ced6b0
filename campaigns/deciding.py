"""From what is known at this moment to what is offered, said and logged. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from basket_analysis.offers.reasons import Reason
from campaigns.books import Book
from campaigns.cheaper import cheaper_articles
from campaigns.choosing import Article, Candidate, Cheaper, Choice, Situation, choose, count_told, reason_of
from campaigns.decision_ids import decision_id
from campaigns.decision_words import why_sentences
from campaigns.scenes import COMMON, LIST_PART, Ranked, Scene
from rewards.carts import Occasion
from rewards.live_book import NOTHING_LIVE, LiveBook


@dataclass(frozen=True, slots=True)
class Place:
    """The store where something is offered."""

    store_id: int
    store_code: str
    timezone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Moment:
    """
    Where, when and in which words somebody is offered something.

    `whose` names who hears it where nobody is known: the basket. `ending` is the last day of points that end
    soon, and how many they are; `source` what the log says of where it was told.
    """

    channel: str
    language: str
    now: datetime
    today: date
    place: Place | None
    live: LiveBook = NOTHING_LIVE
    tier_code: str | None = None
    ending: tuple[date, int] | None = None
    whose: str = ""
    source: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: what is offered and why, in words, and as it is logged."""

    decision_id: UUID
    choice: Choice
    reason: Reason
    sentence: str
    row: Mapping[str, Any]

    @property
    def offer_code(self) -> str | None:
        """The live offer that lowers its price."""
        return self.choice.cheaper.offer_code if self.choice.cheaper else None

    def document(self) -> dict[str, Any]:
        """Return it as the contract tells it to tills."""
        article = self.choice.candidate.article
        return {
            "decision_id": str(self.decision_id),
            "sku": article.sku,
            "headline": article.name,
            "reason": self.sentence,
            "offer_code": self.offer_code,
        }


def decide(
    scene: Scene, book: Book, moment: Moment, *, basket: Sequence[Article], count: int
) -> list[Decided]:
    """Return what is offered at `moment` beside `basket`, at most `count` articles, the best first."""
    known = scene.account_id is not None
    refused = scene.refusals.articles | scene.refusals.quieted_articles
    if refused:
        goods = (book.goods.get(article_id) for article_id in refused)
        scene = replace(
            scene, refusals=scene.refusals.called(each.name for each in goods if each is not None)
        )
    whose = str(scene.member_id or scene.account_id or moment.whose)
    candidates = candidates_of(scene, book, moment.place)
    in_basket = {article.article_id: article for article in basket}
    among = {candidate.article.article_id for candidate in candidates}
    limit = scene.settings.limit(moment.channel)
    told, told_today, left = count_told(
        scene.told, channel=moment.channel, per_day=limit.per_day, per_week=limit.per_week
    )
    situation = Situation(
        candidates=candidates,
        seed=f"{moment.today}|{moment.channel}|{whose}",
        in_basket=frozenset(in_basket),
        ties=book.rules.going_with(list(in_basket), among=among) if in_basket and among else {},
        cheaper=_cheaper(scene, moment, candidates),
        refusals=scene.refusals,
        faulty=scene.faulty,
        told=told,
        told_today=told_today,
        left=left if known else count,
        exploration=scene.settings.exploration,
        only_tied=not known,
    )
    return [
        _decided(choice, scene, book, moment, slot=slot, whose=whose, in_basket=in_basket)
        for slot, choice in enumerate(choose(situation, count=count))
    ]


def candidates_of(scene: Scene, book: Book, place: Place | None) -> list[Candidate]:
    """
    Return what lists hold of what may be offered and is there to be had; without a `place` nobody knows that.

    Who has no list is offered what most baskets of the store hold.
    """
    lists = scene.lists
    if not lists and place is not None:
        lists = (Ranked(COMMON, book.common.get(place.store_id, ())[: 2 * LIST_PART]),)
    sold = book.sold.get(place.store_id, frozenset()) if place is not None else book.goods.keys()
    found = []
    for ranked in lists:
        for at, article_id in enumerate(ranked.article_ids):
            article = book.goods.get(article_id)
            if article is None or article_id in scene.gone:
                continue
            if article_id in sold or article_id in scene.there:
                kept = ranked.reasons[at] if ranked.reasons is not None else None
                found.append(Candidate(article, ranked.source, at, kept))
    return found


def _cheaper(scene: Scene, moment: Moment, candidates: list[Candidate]) -> Mapping[int, Cheaper]:
    place = moment.place
    if not moment.live or place is None:
        return {}
    shopper = scene.shopper
    if shopper is not None and moment.tier_code is not None:
        shopper = replace(shopper, tier=moment.tier_code)
    occasion = Occasion(
        at=moment.now,
        timezone=place.timezone,
        store_code=place.store_code,
        currency=place.currency,
        shopper=shopper,
        language=moment.language,
        has_card=scene.account_id is not None,
    )
    articles = {candidate.article.article_id: candidate.article for candidate in candidates}
    return cheaper_articles(moment.live.book, occasion, articles.values())


def _decided(  # noqa: PLR0917 - what one decision is made of
    choice: Choice,
    scene: Scene,
    book: Book,
    moment: Moment,
    slot: int,
    whose: str,
    in_basket: Mapping[int, Article],
) -> Decided:
    article, cheaper = choice.candidate.article, choice.cheaper
    reason = _speakable(reason_of(choice, in_basket), scene, book)
    store_id = moment.place.store_id if moment.place else None
    identity = decision_id(moment.today, whose, moment.channel, store_id, article.article_id)
    other = book.goods.get(reason.other_article_id) if reason.other_article_id is not None else None
    ending = moment.ending if slot == 0 and scene.account_id is not None else None
    sentence = why_sentences(
        reason,
        moment.language,
        # "Cheese goes with cheese" is no reason: of two articles of one name only the kind is named.
        names={other.article_id: other.name} if other is not None and other.name != article.name else {},
        offer=cheaper.name if cheaper else None,
        ending=ending,
    )
    row = {
        "day": moment.today.isoformat(),
        "decision_id": str(identity),
        "at": moment.now.isoformat(),
        "member_id": _text(scene.member_id),
        "account_id": _text(scene.account_id),
        "channel": moment.channel,
        "store_id": store_id,
        "article_id": article.article_id,
        "offer_code": cheaper.offer_code if cheaper else None,
        "score": round(choice.score, 6),
        "propensity": round(choice.propensity, 6),
        "explored": choice.explored,
        "reason": {
            "kind": reason.kind,
            "other_article_id": reason.other_article_id,
            "category": reason.category,
        },
        "context": {
            "run": str(scene.run_id),
            "list": choice.candidate.source,
            "place": choice.candidate.place,
            "slot": slot,
            "basket": len(in_basket),
            "tie": round(choice.tie[0], 4),
            "saved": round(cheaper.share, 4) if cheaper else 0,
            **(moment.source or {}),
        },
    }
    return Decided(identity, choice, reason, sentence, row)


def _speakable(reason: Reason, scene: Scene, book: Book) -> Reason:
    """Return a reason that names nothing refused, quieted, brought back as faulty, or too private; else its kind only."""
    if reason.other_article_id is None and reason.category is None:
        return reason
    refused, category = scene.refusals, reason.category
    hushed = category is not None and category in book.private
    if reason.other_article_id is not None:
        # What is too private is in no book.
        other = book.goods.get(reason.other_article_id)
        hushed = (
            hushed
            or other is None
            or other.article_id in scene.faulty
            or refused.cover(other.article_id, other.category, other.name)
        )
    hushed = hushed or (category is not None and refused.cover_category(category))
    return Reason(reason.kind) if hushed else reason


def _text(identity: UUID | None) -> str | None:
    return str(identity) if identity else None
