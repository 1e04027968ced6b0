"""Opening editions: one per shopper group for a period, planned from what its members buy."""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.groups.lists import groups_of_run, rules_of_group, served_run
from basket_analysis.offers.sensitive_lists import read_sensitive
from catalogs.layouts import Theme, load_theme
from catalogs.models import Edition
from catalogs.motifs import Use, find_motif
from catalogs.operations import EditionPlan, OpenEdition, open_edition, opened
from catalogs.planning import plan_edition
from catalogs.queries import categories_of, group_buyers, members_in_countries
from core.driver import driver_of
from core.errors import Conflict

THEME = "trh"
PERIOD = timedelta(days=14)


class NothingServed(Conflict):
    """There are no shopper groups yet, so there is nothing to make catalogs of."""


def plans_of_groups(
    session: Session,
    *,
    run_id: UUID,
    day: date,
    theme: Theme,
    group_ids: Collection[str] | None = None,
    countries: Collection[str] = (),
) -> list[EditionPlan]:
    """
    Return plans for the groups of an analysis that have members, all of them if none are named, laid out by `theme`.

    They rest on what was bought in the stores of `countries`, or in all of them where none is named.
    """
    groups = [group for group in groups_of_run(session, run_id=run_id) if group.members]
    wanted = [group for group in groups if group_ids is None or group.group_id in group_ids]
    if not wanted:
        return []
    buyers = group_buyers(session, run_id=run_id, day=day, countries=countries)
    everybody: Counter[int] = Counter()
    for counts in buyers.values():
        everybody.update(counts)
    members = {group.group_id: group.members for group in groups}
    if countries:
        # Who never shops there cannot have bought there: set against all members, a group that hardly shops there would lean to nothing.
        there = members_in_countries(session, run_id=run_id, day=day, countries=countries)
        members = {group_id: there.get(group_id, 0) for group_id in members}
    categories = categories_of(session, everybody)
    private = _private(session, everybody)
    return [
        plan_edition(
            group,
            rules=rules_of_group(session, run_id=run_id, group_id=group.group_id),
            buyers=buyers.get(group.group_id, {}),
            everybody=everybody,
            of_group=members[group.group_id],
            members=sum(members.values()),
            categories=categories,
            theme=theme,
            private=private,
        )
        for group in wanted
    ]


def _private(session: Session, article_ids: Collection[int]) -> set[int]:
    """Return which articles tell about health or habits by any of their words, or are too private for the chain."""
    sensitive = read_sensitive(session)
    articles = driver_of(session).execute(
        "select article_id, department, category, type, name from article where article_id = any(%s)",
        (list(article_ids),),
    )
    return {
        article_id
        for article_id, department, category, kind, name in articles
        if sensitive.covers(department, category, kind)
        or find_motif(type=kind, category=category, department=department, name=name).use
        is not Use.EVERYWHERE
    }


def open_editions(session: Session, *, day: date, now: datetime, theme: str = THEME) -> list[OpenEdition]:
    """
    Return the editions of no run for the period that a catalog made after `day` is for, one per served group.

    A period begins on the next Monday and lasts two weeks; while it lasts, its editions stand. Raises
    `NothingServed` before the first groups are there.
    """
    run = served_run(session)
    if run is None:
        raise NothingServed("there are no shopper groups yet; the first night finds them")
    first = next_monday(day)
    standing = session.scalars(
        select(Edition).where(
            Edition.catalog_run_id.is_(None),
            Edition.theme == theme,
            Edition.valid_from <= first,
            Edition.valid_to > first,
        )
    ).all()
    start = min((edition.valid_from for edition in standing), default=first)
    editions = {edition.group_id: opened(edition) for edition in standing if edition.valid_from == start}
    served = [group.group_id for group in groups_of_run(session, run_id=run.run_id) if group.members]
    missing = [group_id for group_id in served if group_id not in editions]
    if missing:
        for plan in plans_of_groups(
            session, run_id=run.run_id, day=day, theme=load_theme(theme), group_ids=missing
        ):
            editions[plan.group_id] = open_edition(
                session,
                plan,
                run_id=run.run_id,
                theme=theme,
                valid_from=start,
                valid_to=start + PERIOD,
                now=now,
            )
    return [editions[group_id] for group_id in served]


def editions_of_run(session: Session, catalog_run_id: UUID) -> list[OpenEdition]:
    """Return the editions that go out with a run."""
    rows = session.scalars(
        select(Edition).where(Edition.catalog_run_id == catalog_run_id).order_by(Edition.group_id)
    )
    return [opened(edition) for edition in rows]


def next_monday(day: date) -> date:
    """Return the first Monday after `day`."""
    return day + timedelta(days=7 - day.weekday())
