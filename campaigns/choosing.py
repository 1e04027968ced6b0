"""
Which article is offered next: what was ranked for somebody, against what is known at this moment. Pure.

Scores are logarithms of chances, up to a constant: the place in the list, what a rule within the basket adds, what a
lower price adds, less what was told in vain. Now and then chance chooses instead, so that what nobody would have been
offered can be learnt about; how likely each choice was is part of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import log
from typing import Any, Final, NamedTuple

from basket_analysis.mining.basket_rules import Tie
from basket_analysis.offers.reasons import Reason, kept_reason
from contacts.reactions import Refusals

POOL = 20
"""Among so many of the best chance chooses."""

HEAD_START: Final = 2
"""Added to a place: the first of a list is not infinitely better than the second."""

TOLD_IN_VAIN: Final = 0.5
"""What each earlier day of the last seven takes off, on which the same was told."""

NO_TIE: Final[Tie] = (0.0, -1)
NOTHING_REFUSED: Final = Refusals()
POPULAR: Final = Reason("popular")


@dataclass(frozen=True, slots=True)
class Article:
    """An article as far as a decision asks; `price` in minor units."""

    article_id: int
    sku: str
    gtin: str | None
    name: str
    category: str | None = None
    type: str | None = None
    department: str | None = None
    brand: str | None = None
    price: int | None = None


class Candidate(NamedTuple):
    """An article that might be offered: from which list, at which place from 0, and why it is there, as it is kept."""

    article: Article
    source: str
    place: int
    kept: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Cheaper:
    """A live offer that lowers what one piece costs now, and by which share."""

    offer_code: str
    share: float
    name: str


@dataclass(frozen=True, slots=True)
class Situation:
    """
    All that a choice is made from.

    `ties` are what rules within the basket say of candidates, `told` on how many earlier days each was told,
    `told_today` what was told today in this channel: that may be told again. `left` says how many others may be.
    """

    candidates: Sequence[Candidate]
    seed: str
    in_basket: frozenset[int] = frozenset()
    ties: Mapping[int, Tie] = field(default_factory=dict)
    cheaper: Mapping[int, Cheaper] = field(default_factory=dict)
    refusals: Refusals = NOTHING_REFUSED
    faulty: frozenset[int] = frozenset()
    told: Mapping[int, int] = field(default_factory=dict)
    told_today: frozenset[int] = frozenset()
    left: int = 1_000
    exploration: float = 0.0
    only_tied: bool = False
    """Whether nothing is offered but what goes with the basket: nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is offered, with what made it so; `propensity` is how likely this choice was, given those before it."""

    candidate: Candidate
    score: float
    propensity: float
    explored: bool
    tie: Tie = NO_TIE
    cheaper: Cheaper | None = None


class _Scored(NamedTuple):
    candidate: Candidate
    score: float
    tie: Tie
    cheaper: Cheaper | None


def choose(situation: Situation, *, count: int) -> tuple[Choice, ...]:
    """
    Return at most `count` different articles, the one to be told first at the beginning.

    The same situation and seed give the same answer. What lies in the basket, was brought back as faulty, was
    refused or is quieted by an open case is never among it.
    """
    pool = _eligible(situation)
    left = situation.left
    chosen: list[Choice] = []
    while pool and len(chosen) < count:
        if left <= 0:
            pool = [one for one in pool if one.candidate.article.article_id in situation.told_today]
            if not pool:
                break
        choice = _draw(pool[:POOL], situation, slot=len(chosen))
        chosen.append(choice)
        article_id = choice.candidate.article.article_id
        left -= article_id not in situation.told_today
        pool = [one for one in pool if one.candidate.article.article_id != article_id]
    return tuple(chosen)


def _eligible(situation: Situation) -> list[_Scored]:
    """Return what may be offered, each article once, best first."""
    # An article of two lists counts at its better place; nothing else about it differs between them.
    best: dict[int, Candidate] = {}
    for candidate in situation.candidates:
        known = best.get(candidate.article.article_id)
        if known is None or candidate.place < known.place:
            best[candidate.article.article_id] = candidate
    told = [_scored(one, situation) for one in best.values() if _may_be_told(one.article, situation)]
    return sorted(told, key=lambda one: (-one.score, one.candidate.article.article_id))


def _may_be_told(article: Article, situation: Situation) -> bool:
    article_id = article.article_id
    return not (
        article_id in situation.in_basket
        or article_id in situation.faulty
        or situation.refusals.cover(article_id, article.category, article.name)
        or (situation.only_tied and article_id not in situation.ties)
    )


def _scored(candidate: Candidate, situation: Situation) -> _Scored:
    article_id = candidate.article.article_id
    tie = situation.ties.get(article_id, NO_TIE)
    cheaper = situation.cheaper.get(article_id)
    if cheaper is not None and situation.refusals.cover_offer(cheaper.offer_code):
        cheaper = None
    score = tie[0] - log(candidate.place + HEAD_START)
    if cheaper is not None:
        score += log(1 + 2 * cheaper.share)
    score -= TOLD_IN_VAIN * situation.told.get(article_id, 0)
    return _Scored(candidate, score, tie, cheaper)


def _draw(pool: Sequence[_Scored], situation: Situation, *, slot: int) -> Choice:
    """Return the best of `pool`, or now and then any of it."""
    share = situation.exploration
    explored, one = False, pool[0]
    if share > 0:
        coin, which = _chances(f"{situation.seed}|{slot}")
        if coin < share:
            one = pool[min(int(which * len(pool)), len(pool) - 1)]
            explored = True
    by_chance = share / len(pool)
    propensity = by_chance + (1 - share if one is pool[0] else 0.0)
    return Choice(one.candidate, one.score, propensity, explored, one.tie, one.cheaper)


def _chances(seed: str) -> tuple[float, float]:
    """Return two numbers from 0 to 1 that are always the same for a seed."""
    digest = sha256(seed.encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64, int.from_bytes(digest[8:16]) / 2**64


def count_told(
    rows: Iterable[tuple[int, str, int]], *, channel: str, per_day: int, per_week: int
) -> tuple[dict[int, int], frozenset[int], int]:
    """
    Return how often articles were told on earlier days, which were told today in `channel`, and how many more may be.

    `rows` are the decisions of the last seven days: article, channel, days ago.
    """
    earlier: dict[int, set[int]] = {}
    today: set[int] = set()
    week = 0
    for article_id, where, days_ago in rows:
        if days_ago > 0:
            earlier.setdefault(article_id, set()).add(days_ago)
        if where == channel:
            week += 1
            if days_ago <= 0:
                today.add(article_id)
    left = min(per_day - len(today), per_week - week)
    return {article_id: len(days) for article_id, days in earlier.items()}, frozenset(today), left


def reason_of(choice: Choice, in_basket: Collection[int]) -> Reason:
    """Return why: what in the basket it goes with, where a rule says so, else why it was ranked, else that many buy it."""
    strength, because = choice.tie
    if strength > 0 and because in in_basket:
        return Reason("goes_with", because)
    kept = choice.candidate.kept
    return POPULAR if kept is None else kept_reason(kept)
