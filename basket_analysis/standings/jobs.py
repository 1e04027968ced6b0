"""What the night does with members' lives: each one's phase and value class, beside the groups of the run."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import (
    add_parameters,
    add_timing,
    is_completed,
    run_under_way,
    served_parameters,
)
from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.standings.phases import (
    FADING,
    LOST,
    NEW,
    PEAK,
    Codes,
    Floats,
    Habits,
    Judged,
    Visits,
    judge_phases,
    learn_habits,
    trading_clock,
)
from basket_analysis.standings.reading import Before, Past, read_past
from basket_analysis.standings.value_classes import Money, class_values, expected_year, rank
from core.jobs import Shift
from customers.models import PHASES, VALUE_CLASSES
from customers.standing_writing import Found, store_standings

HISTORY_WEEKS = 104
"""How far back visits are read: two years, so that who comes twice a year has a rhythm."""

HABITS_DAYS = 28
"""What is usual in the chain is learnt anew this often; between, members are judged by the same measure."""

Brought = Callable[[Session], Mapping[UUID, int]]
"""Tells how many people each member has brought who then bought something."""


def judge_members(shift: Shift, *, brought: Brought) -> Mapping[str, Any]:
    """Judge the phase and the value class of every consumer who does not object to profiling."""
    began = time.monotonic()
    with shift.sessions.begin() as session:
        if is_completed(session, business_day=shift.business_day):
            return {"served_before": True}
        run = run_under_way(session, business_day=shift.business_day)
        first_day = shift.business_day - timedelta(weeks=HISTORY_WEEKS) + timedelta(days=1)
        past = read_past(session, first_day=first_day, business_day=shift.business_day)
        shift.report(1, 3)
        habits, learnt_on = _habits(session, past, shift.business_day)
        reached = _reached(past, brought(session))
        found = judge(past, habits, reached)
        shift.report(2, 3)
        store_standings(session, run_id=run.run_id, first_day=first_day, found=found)
        counts = {
            "phases": _counts(found.phase, PHASES),
            "value_classes": _counts(found.value_class, VALUE_CLASSES),
        }
        kept = {"habits": {**asdict(habits), "learnt_on": learnt_on.isoformat()}, "standings": counts}
        add_parameters(session, run_id=run.run_id, parameters=kept)
        add_timing(session, run_id=run.run_id, step="judge_members", seconds=time.monotonic() - began)
    shift.report(3, 3)
    return {
        "members": len(past.codes),
        "visits": len(past.visits.day),
        **counts,
    }


def judge(past: Past, habits: Habits, reached: Int32s) -> Found:
    """Return the standing of every member of `past`; `reached` is how many people each has brought."""
    clock = trading_clock(past.visits_per_day)
    reference = past.days - 1
    judged = judge_phases(past.visits, clock, habits, reference=reference)
    last_visit = _last_visits(past.visits)
    phase, since = _settled(judged, past.before, last_visit)
    financial, ranks = _financial(past, judged)
    told = past.told.points()
    people = reached + past.household
    value_class = class_values(ranks, phase, told.sum(axis=0), people, past.before.value_class)
    kept = value_class == past.before.value_class
    return Found(
        phase=phase,
        phase_since=since,
        value_class=value_class,
        value_since=np.where(kept, past.before.value_since, reference).astype(np.int32),
        financial=financial,
        currency=past.currency,
        currencies=past.currencies,
        margin=past.margin_share is not None,
        financial_rank=ranks,
        told=told,
        brought=reached,
        household=past.household,
        visits=judged.visits,
        last_visit=last_visit,
        silence=judged.silence,
        usual_gap=judged.usual,
        long_gap=judged.long,
        lost_gap=judged.lost,
        recent_gap=judged.recent,
        earlier_gap=judged.earlier,
    )


def _habits(session: Session, past: Past, business_day: date) -> tuple[Habits, date]:
    """Return what is usual in the chain, and the day on which it was learnt: the served run's while that is new enough."""
    known = (served_parameters(session) or {}).get("habits")
    if known:
        learnt_on = date.fromisoformat(known["learnt_on"])
        if 0 <= (business_day - learnt_on).days < HABITS_DAYS:
            return Habits(known["mean"], known["variance"], known["weight"], known["leaving"]), learnt_on
    return learn_habits(past.visits, trading_clock(past.visits_per_day)), business_day


def _settled(judged: Judged, before: Before, last_visit: Int32s) -> tuple[Codes, Int32s]:
    """
    Return phases and the days since which they hold.

    Whoever has not come since the served run can only go on to fading or lost, or cease to be new: that what is
    usual in the chain was learnt anew moves nobody.
    """
    same = (before.phase >= 0) & (last_visit == before.last_visit)
    onward = np.isin(judged.phase, (FADING, LOST)) | ((before.phase == NEW) & (judged.phase == PEAK))
    onward &= ~((before.phase == LOST) & (judged.phase == FADING))
    stays = same & (~onward | (judged.phase == before.phase))
    phase = np.where(stays, before.phase, judged.phase).astype(np.int8)
    return phase, np.where(stays, before.phase_since, judged.since).astype(np.int32)


def _financial(past: Past, judged: Judged) -> tuple[Int64s, Floats]:
    """Return what each member is expected to bring in a year, and their rank among those of the same currency."""
    members = len(past.visits)
    expected, ranks = np.zeros(members, np.int64), np.zeros(members)
    reference = past.days - 1
    starts = past.visits.offsets[:-1]
    first = np.full(members, reference, np.int64)
    came = np.diff(past.visits.offsets) > 0
    first[came] = past.visits.day[starts[came]]
    opened = int(past.visits.day.min()) if len(past.visits.day) else reference
    seen_from = np.where(
        past.visits.began < 0, opened, np.minimum(first, np.maximum(past.visits.began, opened))
    )
    watched = (reference - seen_from + 1).astype(np.float64)
    for currency in range(-1, len(past.currencies)):
        of_it = past.currency == currency
        if not of_it.any():
            continue
        visits, money = _only(past.visits, past.money, of_it)
        year = expected_year(
            visits, money, watched=watched[of_it], active=judged.active[of_it], reference=reference
        )
        if past.margin_share is not None:
            year = np.rint(np.maximum(year * past.margin_share[of_it], 0)).astype(np.int64)
        expected[of_it] = year
        ranks[of_it] = rank(year)
    return expected, ranks


def _only(visits: Visits, money: Money, of_it: NDArray[np.bool_]) -> tuple[Visits, Money]:
    """Return the visits and the money of some members, numbered anew."""
    sizes = np.diff(visits.offsets)
    number = np.cumsum(of_it) - 1
    theirs = of_it[money.owner]
    return (
        Visits(
            np.concatenate([[0], np.cumsum(sizes[of_it])]).astype(np.int64),
            visits.day[np.repeat(of_it, sizes)],
            visits.began[of_it],
        ),
        Money(number[money.owner[theirs]].astype(np.int32), money.day[theirs], money.amount[theirs]),
    )


def _last_visits(visits: Visits) -> Int32s:
    """Return the day of each member's last visit, -1 without one."""
    last = np.full(len(visits), -1, np.int32)
    came = np.diff(visits.offsets) > 0
    last[came] = visits.day[visits.offsets[1:][came] - 1]
    return last


def _reached(past: Past, brought: Mapping[UUID, int]) -> Int32s:
    return np.array([brought.get(member, 0) for member in past.codes], np.int32)


def _counts(codes: Codes, names: tuple[str, ...]) -> dict[str, int]:
    counted = np.bincount(codes, minlength=len(names)).tolist()
    return dict(zip(names, counted, strict=True))
