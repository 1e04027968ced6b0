"""
Rehearsing offers on past baskets: the job, and the same at once for offers that are only in a file.

A basket is rehearsed at the list prices it was rung up with; discounts that it had then are left out. The live offers
of today are applied beside, all offers as if their dates were the period's, and all budgets from zero, in the order of
time. Days are done one by one and kept, so that a rehearsal that was stopped goes on after the last of them.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.database import Sessions
from core.job_runs import JobRunView
from core.jobs import Job, Shift, Show, Step, run_once, show_nothing
from core.progress import Report
from loyalty.programme.versions import programmes
from loyalty.rehearsals.plans import Plan, notes_of, plan_of
from loyalty.rehearsals.scene import Scene, worth_of
from rewards.offers import Offer
from rewards.rehearsals.operations import complete_rehearsal, job_of, keep_part
from rewards.rehearsals.play import Play
from rewards.rehearsals.queries import kept_parts
from rewards.rehearsals.results import offer_results
from rewards.rehearsals.sums import Sums
from rewards.rehearsals.touch import Touch, touch_of
from sales.past_baskets import PastBasket, days_with_baskets, past_baskets, unknown_codes, voided_sales

AT_ONCE: Final = 1_000
"""Baskets that are taken up together, and reported."""
MOST_NAMED: Final = 20_000
"""So many articles are named to the database to tell which baskets matter; with more of them all are read."""
STEP: Final = "rehearse"


class Rehearsing:
    """A rehearsal under way: what is done so far, and how the next day is done."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self.plan = plan
        offers = (*plan.rehearsed, *plan.live)
        self.scene = Scene.read(session, offers=offers, stores=plan.store_ids, until=plan.following_day)
        self.currency = next(iter(self.scene.places.values())).currency
        programme = programmes(session).on(plan.asked_at.date())
        worth = worth_of(session, programme, self.currency)
        self.play = Play(
            plan.rehearsed,
            plan.live,
            plan.choice,
            worth=worth,
            costs=self.scene.costs,
            article_at=self.scene.article_at,
        )
        self.sums = Sums(tuple(offer.code for offer in plan.rehearsed))
        self.days = days_with_baskets(
            session,
            since=plan.first_day,
            until=plan.following_day,
            stores=plan.store_ids,
            currency=self.currency,
        )
        self.voided = voided_sales(session, since=plan.first_day, until=plan.following_day)
        self._touch = _bounded(touch_of(self.play.moving, self.scene.goods), len(self.scene.goods))
        self._done_until: date | None = None

    @property
    def total(self) -> int:
        """How many baskets the period has."""
        return sum(self.days.values())

    def take_up(self, day: date, part: Mapping[str, Any]) -> None:
        """Go on after a day that is done; days come in their order."""
        self.sums.take(part["sums"])
        self.play.before.budgets.take_up(part["before"])
        self.play.after.budgets.take_up(part["after"])
        self._done_until = day

    def open_days(self) -> list[date]:
        """Return the days that are not done yet, in order."""
        return [day for day in self.days if self._done_until is None or day > self._done_until]

    def do_day(self, session: Session, day: date, *, report: Report) -> dict[str, Any]:
        """Do one day and return what it came to, to be kept; a report that raises leaves the day undone."""
        sums = self.sums.empty()
        voided = {receipt for receipt, of_day in self.voided.items() if of_day == day}
        sums.baskets = self.days[day] - len(voided)
        base, total = self.sums.baskets, self.total
        report(base, total)
        self.scene.codes = unknown_codes(session, day=day) if self._touch.unknown else {}
        baskets = past_baskets(
            session,
            day=day,
            stores=self.plan.store_ids,
            currency=self.currency,
            articles=self._touch.articles,
            unknown=self._touch.unknown,
            voided=voided,
        )
        done = 0
        for some in _chunks(baskets):
            self.scene.meet(session, some)
            for basket in some:
                played = self.play.play(self.scene.setting(basket))
                if played is not None:
                    sums.add(played)
            done += len(some)
            report(base + done, total)
        part = {
            "sums": sums.document(),
            "before": self.play.before.budgets.document(day),
            "after": self.play.after.budgets.document(day),
        }
        self.sums.take(part["sums"])
        self._done_until = day
        return part

    def results(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Return what it came to: together, and by offer code."""
        stores = {store_id: place.store_code for store_id, place in self.scene.places.items()}
        articles = {key: one.sku for key, one in self.scene.goods.items()}
        common = {
            "currency": self.currency,
            "all_baskets": self.sums.baskets,
            "first_day": self.plan.first_day.isoformat(),
            "last_day": (self.plan.following_day - timedelta(days=1)).isoformat(),
            "store_codes": sorted(stores.values()),
            "choice": self.plan.choice,
            "beside_offers": [[offer.code, offer.version] for offer in self.plan.live],
        }
        by_offer = {
            offer.code: {
                **offer_results(
                    self.sums.offers[offer.code],
                    stores=stores,
                    articles=articles,
                    budget=self._budget(offer),
                ),
                "notes": notes_of(offer),
            }
            for offer in self.plan.rehearsed
        }
        whole = offer_results(self.sums.whole, stores=stores, articles=articles, budget={})
        lapsed, before, after = self.sums.lapsed
        whole["cost"] += before - after
        return {**common, **whole, "lapsed_baskets": lapsed}, by_offer

    def _budget(self, offer: Offer) -> dict[str, Any]:
        """Return what became of an offer's limits: when they ended, after how many days, and how much was used."""
        budgets, limits = self.play.after.budgets, offer.limits
        ended = budgets.ended.get(offer.code)
        day = None if ended is None else date.fromisoformat(ended[1])
        return {
            "limited": limits.counted,
            "uses": limits.uses,
            "amount": limits.amount,
            "uses_taken": budgets.uses[offer.code] if limits.counted else None,
            "amount_taken": budgets.amounts[offer.code] if limits.counted else None,
            "ended_at": None if ended is None else ended[0],
            "ended_on": None if ended is None else ended[1],
            "ended_after_days": None if day is None else (day - self.plan.first_day).days + 1,
            "store_days_closed": budgets.closed_days[offer.code],
        }


def rehearsal_job(rehearsal_id: UUID) -> Job:
    """Return the job of one step that a rehearsal is."""
    return Job(job_of(rehearsal_id), (Step(STEP, lambda shift: _rehearse(shift, rehearsal_id)),))


def run_rehearsal(
    sessions: Sessions,
    *,
    data: Path,
    rehearsal_id: UUID,
    business_day: date,
    show: Show = show_nothing,
    wait: bool = True,
) -> JobRunView:
    """Run a rehearsal that was asked for on `business_day` unless it is done, as `core.jobs.run_once` promises."""
    job = rehearsal_job(rehearsal_id)
    return run_once(job, sessions=sessions, data=data, business_day=business_day, show=show, wait=wait)


def _rehearse(shift: Shift, rehearsal_id: UUID) -> Mapping[str, Any]:
    with shift.sessions() as session:
        plan = plan_of(session, rehearsal_id=rehearsal_id)
        if plan is None:
            return {}
        under_way = Rehearsing(session, plan)
        for day, part in kept_parts(session, rehearsal_id=rehearsal_id):
            under_way.take_up(day, part)

    def keep(session: Session, day: date, part: Mapping[str, Any]) -> None:
        keep_part(session, rehearsal_id=rehearsal_id, business_date=day, sums=part)

    do_days(shift.sessions, under_way, report=shift.report, keep=keep)
    whole, by_offer = under_way.results()
    with shift.sessions.begin() as session:
        complete_rehearsal(
            session, rehearsal_id=rehearsal_id, results=whole, by_offer=by_offer, now=clock.now()
        )
    return {"all_baskets": whole["all_baskets"], "baskets": whole["baskets"], "days": len(under_way.days)}


def do_days(
    sessions: Sessions,
    under_way: Rehearsing,
    *,
    report: Report,
    keep: Callable[[Session, date, Mapping[str, Any]], None] | None = None,
) -> None:
    """Do the days that are not done yet, each in a transaction of its own that `keep` may write into."""
    for day in under_way.open_days():
        with sessions.begin() as session:
            with no_search_for_rings():
                part = under_way.do_day(session, day, report=report)
            if keep is not None:
                keep(session, day, part)
    report(under_way.total, under_way.total)


@contextmanager
def no_search_for_rings() -> Iterator[None]:
    """
    Let Python not look meanwhile for objects that hold one another.

    Baskets are millions of small objects none of which do; looking through all that is at hand again and again took a
    quarter of a rehearsal.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _bounded(touch: Touch, articles: int) -> Touch:
    """Return `touch`, or every basket where so many articles count that naming them would not pay."""
    if touch.articles is None or len(touch.articles) > min(MOST_NAMED, articles // 2):
        return Touch(None, unknown=True)
    return touch


def _chunks(baskets: Iterator[PastBasket]) -> Iterator[list[PastBasket]]:
    while some := list(islice(baskets, AT_ONCE)):
        yield some
