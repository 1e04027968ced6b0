"""The night's measuring of decisions: six weeks after each took effect, against stores that did not change."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from basket_analysis.assortment.decision_measuring import Decided, judge
from basket_analysis.assortment.decision_sales import DecisionSales
from basket_analysis.assortment.effects import BEFORE_WEEKS
from basket_analysis.models import DecisionEffect, SuggestionDecision
from basket_analysis.reading import read_sold_lines
from core.clock import business_day
from core.jobs import Shift
from sales.models import Store

LONGEST = timedelta(weeks=52)
"""A decision that could not be judged in a year never will be."""

AT_ONCE = 1000
"""Rows per statement: PostgreSQL takes 65,535 parameters in one, of which every row has sixteen."""


def measure_decisions(shift: Shift) -> Mapping[str, Any]:
    """Judge every decision that is not judged for good; runs again with the same outcome."""
    today = shift.business_day
    with shift.sessions.begin() as session:
        decisions = open_decisions(session, today=today)
        if not decisions:
            return {"open": 0, "measured": 0, "waiting": 0}
        sales = _sales_of(session, decisions, today=today)
    shift.report(0, len(decisions))
    rows = []
    for number, decided in enumerate(decisions, start=1):
        rows.append(judge(decided, sales, today=today))
        shift.report(number, len(decisions))
    with shift.sessions.begin() as session:
        keep_effects(session, rows, now=shift.now)
    states = [row["state"] for row in rows]
    return {
        "open": len(rows),
        **{state: states.count(state) for state in ("measured", "not_measurable", "waiting")},
    }


def _sales_of(session: Session, decisions: list[Decided], *, today: date) -> DecisionSales:
    """Return what is needed of the sales since before the first of `decisions`; the lines themselves are let go."""
    first = min(decided.decided_on for decided in decisions) - timedelta(weeks=BEFORE_WEEKS, days=1)
    sold = read_sold_lines(
        session, first_day=max(first, today - LONGEST), following_day=today + timedelta(days=1)
    )
    currencies = {
        row.store_id: row.currency for row in session.execute(select(Store.store_id, Store.currency))
    }
    asked = {decided.article_id for decided in decisions}
    asked |= {decided.other_article_id for decided in decisions if decided.other_article_id is not None}
    return DecisionSales(sold, currencies, asked)


def open_decisions(session: Session, *, today: date) -> list[Decided]:
    """Return the decisions, taken on `today` or before it, of which nothing final is known, oldest first."""
    later = aliased(SuggestionDecision)
    superseded = (
        select(later.decision_id)
        .where(
            later.store_id == SuggestionDecision.store_id,
            later.kind == SuggestionDecision.kind,
            later.article_id.is_not_distinct_from(SuggestionDecision.article_id),
            later.other_article_id.is_not_distinct_from(SuggestionDecision.other_article_id),
            later.decision_id > SuggestionDecision.decision_id,
        )
        .exists()
    )
    rows = session.execute(
        select(SuggestionDecision, Store.timezone, superseded.label("superseded"))
        .join(Store, Store.store_id == SuggestionDecision.store_id)
        .outerjoin(DecisionEffect, DecisionEffect.decision_id == SuggestionDecision.decision_id)
        .where(
            SuggestionDecision.decision != "undone",
            SuggestionDecision.article_id.is_not(None),
            or_(DecisionEffect.state.is_(None), DecisionEffect.state == "waiting"),
        )
        .order_by(SuggestionDecision.decision_id)
    )
    found = [
        Decided(
            decision_id=row.SuggestionDecision.decision_id,
            store_id=row.SuggestionDecision.store_id,
            kind=row.SuggestionDecision.kind,
            article_id=row.SuggestionDecision.article_id,
            other_article_id=row.SuggestionDecision.other_article_id,
            decision=row.SuggestionDecision.decision,
            decided_on=business_day(row.SuggestionDecision.decided_at, row.timezone),
            shown=row.SuggestionDecision.shown,
            superseded=row.superseded,
        )
        for row in rows
    ]
    return [decided for decided in found if decided.decided_on <= today]


def keep_effects(session: Session, rows: list[dict[str, Any]], *, now: datetime) -> None:
    """Keep what the night found; what is final already is never touched."""
    for first in range(0, len(rows), AT_ONCE):
        statement = upsert(DecisionEffect).values(
            [{**row, "measured_at": now} for row in rows[first : first + AT_ONCE]]
        )
        changed = {
            column.name: getattr(statement.excluded, column.name)
            for column in DecisionEffect.__table__.columns
            if column.name != "decision_id"
        }
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["decision_id"], set_=changed, where=DecisionEffect.state == "waiting"
            )
        )
