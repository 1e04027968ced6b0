"""What was learnt about what is bought next, kept from night to night until it is a week old."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from basket_analysis.models import RankingTrees
from basket_analysis.offers.relevance_lessons import Trees
from basket_analysis.offers.relevance_purchases import KINDS, Kind
from basket_analysis.offers.relevance_reading import EPOCH

WEEK = timedelta(days=7)


def kept_trees(session: Session, *, as_of: date) -> dict[Kind, Trees]:
    """Return the trees that may rank as of a day: learnt from what was before it, less than a week ago."""
    query = select(RankingTrees).where(RankingTrees.as_of <= as_of, RankingTrees.as_of > as_of - WEEK)
    rows = {row.kind: row for row in session.scalars(query)}
    return {
        kind: Trees((rows[kind].as_of - EPOCH).days, rows[kind].settings, rows[kind].trees)
        for kind in KINDS
        if kind in rows
    }


def keep_trees(session: Session, trees: Mapping[Kind, Trees], *, as_of: date, now: datetime) -> None:
    """Keep `trees`, learnt from what was before `as_of`, in the place of those that were kept."""
    for kind, grown in trees.items():
        values = {"as_of": as_of, "settings": grown.settings, "trees": grown.text, "learnt_at": now}
        statement = insert(RankingTrees).values(kind=kind, **values)
        session.execute(statement.on_conflict_do_update(index_elements=[RankingTrees.kind], set_=values))
