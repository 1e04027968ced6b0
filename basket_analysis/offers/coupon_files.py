"""Coupon relevance by files: which coupons were sent, what they are good for, what was redeemed; sales from the database."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.basket_files import Layout, TextRows, UnreadableFile, read_texts
from basket_analysis.offers.coupon_books import Campaign, CouponBook, Floats, Redemptions
from basket_analysis.offers.coupon_evaluation import CouponRow, measure_lists
from basket_analysis.offers.coupon_features import Purchases
from basket_analysis.offers.coupon_relevance import CouponRanker
from basket_analysis.reading import SoldLines, read_sold_lines, weeks_before
from basket_analysis.result_files import keep_apart, refused_beside, write_rows
from customers.models import Member

WINDOW_WEEKS: Final = 104
"""How far back sales are read: habits fade long before."""

_EPOCH: Final = date(2000, 1, 1)

_PAIR = ("household_id", "campaign_id", "coupon_upc")
PAIRS: Final = Layout(_PAIR, _PAIR)
_COUPON = ("campaign_id", "coupon_upc", "sku", "starts", "ends")
COUPONS: Final = Layout(_COUPON, _COUPON)
_REDEMPTION = (*_PAIR, "redeemed_on")
REDEMPTIONS: Final = Layout(_REDEMPTION, _REDEMPTION)

_SCORES = pa.schema([(name, pa.string()) for name in _PAIR] + [("score", pa.float64())])

Texts = list[str]


@dataclass(frozen=True)
class _Files:
    """What the three files say; every pair once, in the order of code points."""

    pairs: list[tuple[str, str, str]]
    coupons: dict[str, dict[str, set[str]]]
    """Per campaign and coupon: the articles it is good for."""
    periods: dict[str, tuple[int, int]]
    redeemed: list[tuple[str, str, str, int]]
    later: list[tuple[str, str, str, int]]
    """What was redeemed from the day on: nothing may learn from it."""


@dataclass(frozen=True)
class Asked:
    """The three files of a question, read and understood together with the sales before its day."""

    day: int
    sources: dict[str, TextRows]
    files: _Files
    purchases: Purchases
    households: dict[str, int]
    book: CouponBook


def score_coupons(
    session: Session, *, as_of: date, pairs: Path, coupons: Path, redemptions: Path, out: Path
) -> dict[str, Any]:
    """
    Write a score for every pair of household, campaign and coupon, and return the run's record.

    Sales are those of business dates before `as_of`, as they were known then, and of redemptions those before it.
    A household is a member's code; one that nobody knows, or who objects to profiling, is scored by what is known of the
    coupon: nothing is learnt from the redemptions of who objects either. Raises WrongColumns, UnreadableFile,
    SamePlace and Unwritable.
    """
    keep_apart([pairs, coupons, redemptions], out, refused=out)
    asked = read_question(session, as_of=as_of, pairs=pairs, coupons=coupons, redemptions=redemptions)
    ranker = CouponRanker(day=asked.day).fit(asked.purchases, asked.book)
    written = write_rows(out, _SCORES, _scored(ranker, asked))
    for name, rows in asked.sources.items():
        beside = out if name == "pairs" else out.with_name(f"{out.name}.{name}")
        rows.refusals.write(refused_beside(beside))
    return {
        "as_of": as_of.isoformat(),
        "pairs": written,
        "campaigns": len({pair[1] for pair in asked.files.pairs}),
        "redemptions": len(asked.files.redeemed),
        "lists": ranker.lists_,
        "learnt": ranker.learnt_,
        "rows_read": sum(rows.rows_read for rows in asked.sources.values()),
        "rows_refused": sum(len(rows.refusals) for rows in asked.sources.values()),
    }


def read_question(session: Session, *, as_of: date, pairs: Path, coupons: Path, redemptions: Path) -> Asked:
    """Return the files and the sales before `as_of`; raises WrongColumns and UnreadableFile."""
    sources = {
        "pairs": read_texts(pairs, PAIRS),
        "coupons": read_texts(coupons, COUPONS),
        "redemptions": read_texts(redemptions, REDEMPTIONS),
    }
    day = (as_of - _EPOCH).days
    files = _understood(sources, day, {"coupons": coupons, "redemptions": redemptions})
    files = _without(files, _objecting(session))
    sold = read_sold_lines(
        session, first_day=weeks_before(as_of, WINDOW_WEEKS), following_day=as_of, heard_before=as_of
    )
    households = _households(session, sold, files)
    return Asked(day, sources, files, purchases_of(sold), households, _book(files, sold, households, day))


def evaluate_coupons(asked: Asked) -> list[CouponRow]:
    """
    Hold scores against what was redeemed from the day on: ours, habits alone, and ours handed to another household.

    A list is a household's coupons of one campaign.
    """
    taken = {row[:3] for row in asked.files.later}
    learnt = CouponRanker(day=asked.day).fit(asked.purchases, asked.book)
    nothing = Redemptions(*(np.empty(0, np.int64) for _ in range(4)))
    habits = CouponRanker(day=asked.day).fit(asked.purchases, CouponBook(asked.book.campaigns, nothing))
    found: dict[str, list[tuple[Floats, NDArray[np.bool_]]]] = {}
    for name, ranker in (("Regulars", learnt), ("what was bought lately", habits)):
        for code, names, of, scores in _lists(ranker, asked):
            place = _places(asked.book, code)
            for row, household in enumerate(names):
                chosen = [place[coupon] for coupon in of[household]]
                marks = np.array([(household, code, coupon) in taken for coupon in of[household]])
                found.setdefault(name, []).append((scores[row, chosen], marks))
                if name == "Regulars":
                    others = scores[(row + 1) % len(names), chosen]
                    found.setdefault("Regulars, scores of another household", []).append((others, marks))
    return [measure_lists(name, lists) for name, lists in found.items()]


def purchases_of(sold: SoldLines) -> Purchases:
    """Return the lines of known members, member by member, in the order of their baskets."""
    owners = sold.member[sold.basket]
    known = np.flatnonzero(owners >= 0)
    order = known[np.lexsort((sold.article[known], sold.basket[known], owners[known]))]
    counts = np.bincount(owners[known], minlength=len(sold.members))
    return Purchases(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        basket=sold.basket[order],
        article=sold.article[order],
        day=sold.day[sold.basket[order]],
        value=sold.value[order].astype(np.float64),
        type_of=_kinds([article.type for article in sold.articles]),
        category_of=_kinds([article.category for article in sold.articles]),
    )


def _kinds(labels: list[str | None]) -> NDArray[np.int32]:
    code_of = {label: code for code, label in enumerate(sorted({label for label in labels if label}))}
    return np.array([code_of.get(label or "", -1) for label in labels], np.int32)


def _understood(sources: dict[str, TextRows], day: int, paths: dict[str, Path]) -> _Files:
    pairs = sorted(set(zip(*(_texts(sources["pairs"], name) for name in _PAIR), strict=True)))
    coupons: dict[str, dict[str, set[str]]] = defaultdict(dict)
    table = sources["coupons"]
    for campaign, coupon, sku in zip(*(_texts(table, name) for name in _COUPON[:3]), strict=True):
        coupons[campaign].setdefault(coupon, set()).add(sku)
    periods: dict[str, tuple[int, int]] = {}
    starts, ends = (_days(table, name, paths["coupons"]) for name in ("starts", "ends"))
    for campaign, first, last in sorted(set(zip(_texts(table, "campaign_id"), starts, ends, strict=True))):
        # Where rows of a campaign say different days, its first day and its last one hold.
        known = periods.get(campaign, (first, last))
        periods[campaign] = (min(known[0], first), max(known[1], last))
    table = sources["redemptions"]
    days = _days(table, "redeemed_on", paths["redemptions"])
    named = (_texts(table, name) for name in _PAIR)
    rows = sorted(set(zip(*named, days, strict=True)))
    for _household, campaign, coupon in pairs:
        coupons[campaign].setdefault(coupon, set())
    redeemed, later = ([row for row in rows if (row[3] < day) == before] for before in (True, False))
    return _Files(pairs, dict(coupons), periods, redeemed, later)


def _objecting(session: Session) -> frozenset[str]:
    """Return the codes of the members who object to profiling."""
    return frozenset(
        session.scalars(select(Member.member_code).where(Member.profiling_objected_at.is_not(None)))
    )


def _without(files: _Files, objecting: frozenset[str]) -> _Files:
    """Return the files without what those members redeemed; their pairs stay, to be scored as a stranger's."""
    redeemed, later = (
        [row for row in rows if row[0] not in objecting] for rows in (files.redeemed, files.later)
    )
    return replace(files, redeemed=redeemed, later=later)


def _texts(table: TextRows, name: str) -> Texts:
    column = table.columns[name]
    return [column.texts[code] for code in column.codes.tolist()]


def _days(table: TextRows, name: str, path: Path) -> list[int]:
    """Return days since 2000-01-01; of a moment its date counts."""
    column = table.columns[name]
    try:
        days = [(date.fromisoformat(text[:10]) - _EPOCH).days for text in column.texts]
    except ValueError as error:
        raise UnreadableFile(f"{path}: column {name}: {error}") from error
    return [days[code] for code in column.codes.tolist()]


def _households(session: Session, sold: SoldLines, files: _Files) -> dict[str, int]:
    """Return the number of each household of the files: a member's among the sales, others behind them."""
    wanted = {row[0] for row in files.pairs} | {row[0] for row in files.redeemed}
    place = {member_id: number for number, member_id in enumerate(sold.members)}
    codes = {
        code: place[member_id]
        for member_id, code in session.execute(select(Member.member_id, Member.member_code))
        if member_id in place
    }
    strangers = sorted(wanted - codes.keys())
    return {code: codes[code] for code in wanted & codes.keys()} | {
        code: len(sold.members) + number for number, code in enumerate(strangers)
    }


def _book(files: _Files, sold: SoldLines, households: dict[str, int], day: int) -> CouponBook:
    sku_of = {article.sku: number for number, article in enumerate(sold.articles)}
    # A campaign whose coupons are unknown is taken to begin on the day that is looked from.
    periods = {code: files.periods.get(code, (day, day)) for code in files.coupons}
    campaigns = [
        _campaign(code, *periods[code], files.coupons[code], sku_of)
        for code in sorted(files.coupons, key=lambda code: (periods[code], code))
    ]
    number_of = {campaign.code: number for number, campaign in enumerate(campaigns)}
    place_of = [{coupon: place for place, coupon in enumerate(campaign.coupons)} for campaign in campaigns]
    rows = [
        (households[household], number_of[campaign], place_of[number_of[campaign]][coupon], when)
        for household, campaign, coupon, when in files.redeemed
        if campaign in number_of and coupon in place_of[number_of[campaign]]
    ]
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return CouponBook(tuple(campaigns), Redemptions(*columns))


def _campaign(
    code: str, starts: int, ends: int, coupons: dict[str, set[str]], sku_of: dict[str, int]
) -> Campaign:
    names = tuple(sorted(coupons))
    cells = [
        (place, sku_of[sku])
        for place, name in enumerate(names)
        for sku in sorted(coupons[name])
        if sku in sku_of
    ]
    rows, columns = np.array(cells, np.int64).reshape(-1, 2).T
    articles = sparse.csr_matrix(
        (np.ones(len(cells)), (rows, columns)), shape=(len(names), max(1, len(sku_of)))
    )
    return Campaign(code, starts, ends, names, articles)


def _lists(ranker: CouponRanker, asked: Asked) -> Iterator[tuple[str, Texts, dict[str, Texts], Floats]]:
    """Yield each campaign, its households, the coupons of each that are asked about, and scores of the whole pool."""
    of: dict[str, dict[str, Texts]] = defaultdict(lambda: defaultdict(list))
    for household, campaign, coupon in asked.files.pairs:
        of[campaign][household].append(coupon)
    number_of = asked.book.number_of()
    for code in sorted(of):
        names = sorted(of[code])
        numbers = np.array([asked.households[name] for name in names], np.int64)
        yield code, names, of[code], ranker.score(number_of[code], numbers)


def _places(book: CouponBook, code: str) -> dict[str, int]:
    pool = book.campaigns[book.number_of()[code]].coupons
    return {coupon: number for number, coupon in enumerate(pool)}


def _scored(ranker: CouponRanker, asked: Asked) -> Iterator[Any]:
    """Yield the scores campaign by campaign; within it by household and coupon."""
    for code, names, of, scores in _lists(ranker, asked):
        place = _places(asked.book, code)
        columns: tuple[list[Any], ...] = ([], [], [], [])
        for row, name in enumerate(names):
            chosen = of[name]
            columns[0].extend([name] * len(chosen))
            columns[1].extend([code] * len(chosen))
            columns[2].extend(chosen)
            columns[3].extend(scores[row, [place[coupon] for coupon in chosen]].tolist())
        arrays = [pa.array(values, kind.type) for values, kind in zip(columns, _SCORES, strict=True)]
        yield pa.record_batch(arrays, schema=_SCORES)
