"""What the night ranks for every member: the articles they are likeliest to buy next, and those new to them."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from basket_analysis.analysis_runs import add_timing, is_completed, run_under_way
from basket_analysis.models import MemberOffers, ServedRun
from basket_analysis.offers.audiences import Audiences, read_audiences
from basket_analysis.offers.choice import FEW_BASKETS, Chosen
from basket_analysis.offers.kept_trees import keep_trees, kept_trees
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_purchases import KINDS, ItemPurchases, Kind
from basket_analysis.offers.relevance_reading import Bought, bought_before, let_go
from basket_analysis.relevance import Ranked, RelevanceRanker
from core.database import Sessions
from core.driver import driver_of
from core.jobs import Shift

LENGTHS: Mapping[Kind, int] = {"all": 60, "new": 40}
"""So long is what is kept for a member."""

LOOKED_AT = 150
"""So many of a ranking are looked at for what may be offered."""

Ignored = Callable[[Session, Collection[UUID], datetime], Mapping[UUID, Mapping[int, int]]]
"""Tells for members which articles catalogs showed them in vain, and how often."""


def nothing_ignored(
    _session: Session, _members: Collection[UUID], _now: datetime
) -> Mapping[UUID, Mapping[int, int]]:
    """Tell of no article shown in vain."""
    return {}


def rank_offers(shift: Shift, *, ignored: Ignored = nothing_ignored) -> Mapping[str, Any]:
    """
    Rank for every member who does not object to profiling, and keep the lists with the run that is under way.

    Trees are grown anew once a week; on other nights those that are kept rank. Read, worked out and written is in turns, so
    that no transaction lasts long.
    """
    began = time.monotonic()
    with shift.sessions() as asking:
        if is_completed(asking, business_day=shift.business_day):
            return {"served_before": True}
    with _one_connection(shift.sessions) as sessions:
        with sessions.begin() as session:
            run_id = run_under_way(session, business_day=shift.business_day).run_id
            _forget(session, run_id)
            bought = bought_before(session, shift.business_day + timedelta(days=1), held=True)
            sampled, purchases = bought.sample()
        kept = bought.rankable("article")
        sample = purchases.at("article", kept)
        # Learning needs the most memory of the night: what it does not need is let go, or looked at afterwards.
        del purchases
        shift.report(1, 4)
        ranker = RelevanceRanker()
        grown = _learn(sessions, ranker, sample, bought, shift.now)
        ranker.look(sample, bought.buyers[kept])
        shift.report(2, 4)
        with sessions.begin() as session:
            audiences = read_audiences(session, bought, run_id=run_id, sample=sample, sampled=sampled)
        place = np.full(len(bought.members), -1, np.int32)
        place[sampled] = np.arange(len(sampled))
        counts = {"members": 0, "few_baskets": 0, "offers": 0}
        for numbers in bought.turns():
            members = [bought.members[number] for number in numbers]
            # A small chain is its own sample: nothing is read twice, nor looked at twice.
            everybody = len(numbers) == len(sampled) == len(bought.members)
            with sessions.begin() as session:
                part = sample if everybody else bought.within(session).of(numbers).at("article", kept)
                audiences.meet(session, members, now=shift.now, ignored=ignored(session, members, shift.now))
            origin = ranker.today if everybody else Origin(part, part.as_of)
            ranked = ranker.rank(part, own=place[numbers], count=LOOKED_AT, origin=origin)
            lists = list(_lists(origin, ranked, members, audiences, counts))
            with sessions.begin() as session:
                _keep(session, run_id, lists)
        shift.report(3, 4)
        with sessions.begin() as session:
            let_go(session)
            add_timing(session, run_id=run_id, step="rank_offers", seconds=time.monotonic() - began)
    shift.report(4, 4)
    return {**counts, "learnt": ranker.learnt_, "grown": grown}


@contextmanager
def _one_connection(sessions: Sessions) -> Iterator[Sessions]:
    """Give sessions that share one connection, so that what it holds outlives a transaction, but no failure."""
    with sessions() as session, session.get_bind().connect() as connection:  # type: ignore[union-attr]
        try:
            yield sessionmaker(connection, expire_on_commit=False)
        except BaseException:
            connection.invalidate()
            raise


def _learn(
    sessions: Sessions, ranker: RelevanceRanker, sample: ItemPurchases, bought: Bought, now: datetime
) -> bool:
    """Let `ranker` use what is kept, or grow trees anew and keep them; return whether they were grown."""
    with sessions.begin() as session:
        found = kept_trees(session, as_of=bought.as_of)
    if ranker.take(found, sample):
        return False
    ranker.learn(sample)
    with sessions.begin() as session:
        keep_trees(session, ranker.trees_, as_of=bought.as_of, now=now)
    return True


def _forget(session: Session, run_id: UUID) -> None:
    """Drop the lists of all runs but the one that is served: nobody reads them any more."""
    served = select(ServedRun.run_id).where(ServedRun.run_id != run_id)
    session.execute(delete(MemberOffers).where(MemberOffers.run_id.not_in(served)))


def _lists(
    origin: Origin,
    ranked: Mapping[Kind, Ranked],
    members: list[UUID],
    audiences: Audiences,
    counts: dict[str, int],
) -> Iterator[tuple[UUID, Kind, Chosen]]:
    ids = audiences.ids
    for number, member in enumerate(members):
        audience = audiences.of(member, origin, number)
        ties = audiences.chooser.ties_of(audience)
        few = origin.baskets[number] < FEW_BASKETS
        counts["members"] += 1
        counts["few_baskets"] += bool(few)
        for kind in KINDS:
            ranking = (
                audiences.rank_by_rules(audience, new=kind == "new", count=LENGTHS[kind])
                if few
                else _ranking(ranked[kind], number, ids)
            )
            chosen = audiences.chooser.choose(ranking, audience, count=LENGTHS[kind], ties=ties)
            counts["offers"] += len(chosen.article_ids)
            yield member, kind, chosen


def _ranking(ranked: Ranked, number: int, ids: Any) -> list[tuple[int, float]]:
    items = ranked.items[number]
    listed = items >= 0
    return list(zip(ids[items[listed]].tolist(), ranked.scores[number][listed].tolist(), strict=True))


def _keep(session: Session, run_id: UUID, rows: Iterable[tuple[UUID, Kind, Chosen]]) -> None:
    statement = "copy member_offers (run_id, member_id, kind, article_ids, scores, reasons) from stdin"
    with driver_of(session).cursor() as cursor, cursor.copy(statement) as copy:
        for member, kind, chosen in rows:
            reasons = [reason.as_kept() for reason in chosen.reasons]
            scores = [round(score, 5) for score in chosen.scores]
            copy.write_row((run_id, member, kind, chosen.article_ids, scores, Jsonb(reasons)))
