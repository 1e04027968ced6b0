"""Whether rules know what else goes into a basket: later baskets, a quarter of their articles hidden."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from basket_analysis.distinct import distinct
from basket_analysis.groups.theme_rules import keep_rules
from basket_analysis.mining.basket_rules import BasketRules, FiledArticle, PairRule
from basket_analysis.mining.night_rules import EVIDENCE, MAX_BASKET
from basket_analysis.reading import Level, SoldLines

CANDIDATES: Final = 2_000
"""The most popular articles of the last eight weeks: what is asked about."""

MOST_BASKETS: Final = 2_000
SMALLEST: Final = 4
DEPTH: Final = 10
REPEATS: Final = 1000

Basket = list[int]
Score = Callable[[Basket], Mapping[int, tuple[float, int]]]


@dataclass(frozen=True, slots=True)
class HitRate:
    """In how many baskets one of the first ten articles was a hidden one, with a 95 % interval over baskets."""

    method: str
    share: float
    low: float
    high: float


def evaluate_basket_rules(before: SoldLines, after: SoldLines, *, seed: int = 5) -> list[HitRate]:
    """
    Hide a quarter of the articles of baskets in `after` and look for them among the popular ones of `before`.

    Ranked are popularity alone, popularity times what the rules of `before` say of the rest of the basket, and the same with
    the rest of another basket, which must be worth nothing. No rows without baskets of four articles.
    """
    chance = np.random.default_rng(seed)
    popular = _popularity(before)
    baskets = _baskets(after, {article.sku: number for number, article in enumerate(before.articles)})
    if len(baskets) > MOST_BASKETS:
        baskets = [
            baskets[place] for place in np.sort(chance.choice(len(baskets), MOST_BASKETS, replace=False))
        ]
    if not baskets or not popular:
        return []
    split = [_split(basket, chance) for basket in baskets]
    rules = rules_of(before)
    among = list(popular)

    def ties(basket: Basket) -> Mapping[int, tuple[float, int]]:
        return rules.going_with(basket, among=among)

    known = [known for known, _hidden in split]
    rows = {
        "popularity": _hits(split, known, popular, lambda _basket: {}),
        "popularity and rules": _hits(split, known, popular, ties),
        "popularity and rules of another basket": _hits(split, known[1:] + known[:1], popular, ties),
    }
    drawn = chance.integers(0, len(split), (REPEATS, len(split)))
    found = []
    for name, hits in rows.items():
        low, high = np.percentile(hits[drawn].mean(axis=1), [2.5, 97.5])
        found.append(HitRate(name, float(hits.mean()), float(low), float(high)))
    return found


def rules_of(sold: SoldLines) -> BasketRules:
    """Return the rules that a night would find in `sold`; articles go by their place in `sold.articles`."""
    levels: tuple[Level, ...] = ("article", "type", "category")
    ties: dict[str, list[PairRule]] = {}
    numbers: dict[str, dict[str, int]] = {}
    for level in levels:
        table = sold.basket_table(level, max_basket=MAX_BASKET)
        kept = keep_rules(table, EVIDENCE[level])
        named = {name: number for number, name in enumerate(table.items)}
        if level == "article":
            named = {article.sku: number for number, article in enumerate(sold.articles)}
        numbers[level] = named
        ties[level] = []
        for rule in range(len(kept)):
            one, other = kept.items_of(rule)
            if len(one) == len(other) == 1:
                pair = (named[table.items[one[0]]], named[table.items[other[0]]])
                ties[level].append(PairRule(*pair, float(kept.rules.adjusted_lift[rule])))
    filed = [
        FiledArticle(
            number,
            numbers["type"].get(article.type or "", -1),
            numbers["category"].get(article.category or "", -1),
        )
        for number, article in enumerate(sold.articles)
    ]
    return BasketRules(articles=ties["article"], types=ties["type"], categories=ties["category"], filed=filed)


def _popularity(sold: SoldLines) -> dict[int, float]:
    """Return the logarithm of how many lines each of the popular articles had in the last eight weeks."""
    days = sold.day[sold.basket]
    recent = days > int(days.max()) - 56 if len(days) else np.zeros(0, np.bool_)
    lines = np.bincount(sold.article[recent], minlength=len(sold.articles))
    best = np.argsort(-lines, kind="stable")[:CANDIDATES].tolist()
    return {article: log(lines[article]) for article in best if lines[article]}


def _baskets(sold: SoldLines, number_of: Mapping[str, int]) -> list[Basket]:
    of = np.array([number_of.get(article.sku, -1) for article in sold.articles] or [-1], np.int64)
    width = max(number_of.values(), default=0) + 1
    articles = of[sold.article]
    keys = distinct(sold.basket[articles >= 0].astype(np.int64) * width + articles[articles >= 0])
    starts = np.flatnonzero(np.r_[True, np.diff(keys // width) > 0]) if len(keys) else np.empty(0, np.int64)
    return [part.tolist() for part in np.split(keys % width, starts[1:]) if len(part) >= SMALLEST]


def _split(basket: Basket, chance: np.random.Generator) -> tuple[Basket, set[int]]:
    mixed = chance.permutation(basket).tolist()
    hidden = max(1, len(mixed) // 4)
    return mixed[hidden:], set(mixed[:hidden])


def _hits(
    split: list[tuple[Basket, set[int]]], told: list[Basket], popular: Mapping[int, float], ties: Score
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    hits = np.zeros(len(split))
    for place, ((known, hidden), basket) in enumerate(zip(split, told, strict=True)):
        going = ties(basket)
        there = set(known)
        scores = sorted(
            (-(chance + going.get(article, (0.0, 0))[0]), article)
            for article, chance in popular.items()
            if article not in there
        )
        hits[place] = any(article in hidden for _score, article in scores[:DEPTH])
    return hits
