"""Drafting runs: a recipe kept, and an edition planned for each of its groups, at once or by the scheduler's next look."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from basket_analysis.groups.lists import GroupView, groups_of_run, served_run
from catalogs.layouts import load_theme
from catalogs.models import CatalogRun, Edition
from catalogs.opening import NothingServed, plans_of_groups
from catalogs.operations import content_of, edition_code
from catalogs.queries import countries_of_stores
from catalogs.runs.operations import has_editions, recipe_of, record_move, run_to_move
from catalogs.runs.run import BadRun, Recipe, broken_rules
from core.ids import uuid7
from core.job_runs import request_run
from core.progress import Report, silent
from rewards.vouchers.batches import batches

DRAFT_JOB: Final = "catalog_draft:"
"""What the names of the jobs begin with; the run's identifier follows."""


def draft_run(
    session: Session, recipe: Recipe, *, day: date, actor: str, now: datetime, standing: bool = False
) -> UUID:
    """
    Keep a draft of a run, with an edition for each of its groups planned from what is known on `day`.

    A `standing` one has no editions: it is an order, and names groups only where it is not for all of them.
    Raises `BadRun`, `NothingServed`.
    """
    run_id = _insert_draft(session, recipe, actor=actor, now=now, standing=standing)
    if not standing:
        open_run_editions(session, run_id, recipe, day=day, now=now)
    return run_id


def ask_for_draft(session: Session, recipe: Recipe, *, actor: str, now: datetime) -> UUID:
    """
    Keep a draft of a run whose editions the scheduler's next look plans: for a large chain that takes minutes.

    Raises `BadRun`, `NothingServed`.
    """
    _groups_to_plan(session, recipe)
    run_id = _insert_draft(session, recipe, actor=actor, now=now, standing=False)
    request_run(session, job=f"{DRAFT_JOB}{run_id}", business_day=now.date())
    return run_id


def plan_draft(
    session: Session, *, run_id: UUID, day: date, now: datetime, report: Report = silent
) -> Mapping[str, int]:
    """Plan the editions of a draft that was asked for, unless it has them or is none any more; returns how many it has."""
    run = run_to_move(session, run_id, lock=True)
    if run.state == "draft" and not has_editions(session, run_id):
        open_run_editions(session, run_id, recipe_of(run), day=day, now=now, report=report)
    planned = select(func.count()).select_from(Edition).where(Edition.catalog_run_id == run_id)
    return {"editions": session.scalar(planned) or 0}


def _insert_draft(session: Session, recipe: Recipe, *, actor: str, now: datetime, standing: bool) -> UUID:
    _check(session, recipe)
    run_id = insert_run(session, recipe, actor=actor, now=now, standing=standing)
    record_move(
        session,
        run_id,
        "catalog_run.draft",
        actor=actor,
        now=now,
        detail={**recipe.document(), "groups": list(recipe.group_ids), "standing": standing},
    )
    return run_id


def insert_run(
    session: Session, recipe: Recipe, *, actor: str, now: datetime, standing: bool = False, **more: Any
) -> UUID:
    """Keep a run under the next code of its week; `more` are columns beyond those of a draft."""
    run_id = uuid7()
    week = recipe.valid_from.isocalendar()
    start = f"{week.year}-W{week.week:02}"
    # One at a time, so that two drafts never take the same number.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("catalog_run.run_code"))))
    known = session.scalar(
        select(func.count()).select_from(CatalogRun).where(CatalogRun.run_code.startswith(start))
    )
    session.execute(
        insert(CatalogRun).values(
            catalog_run_id=run_id,
            run_code=f"{start}-{(known or 0) + 1}",
            name=recipe.name.strip(),
            theme=recipe.theme,
            size=recipe.size,
            channels=list(recipe.channels),
            valid_from=recipe.valid_from,
            valid_to=recipe.valid_to,
            group_ids=list(recipe.group_ids),
            countries=list(recipe.countries),
            voucher_batches=list(recipe.voucher_batches),
            hold_out=recipe.hold_out,
            first_part=recipe.first_part,
            standing=standing,
            **{"state": "draft", "made_by": actor, "made_at": now, **more},
        )
    )
    return run_id


def _groups_to_plan(session: Session, recipe: Recipe) -> tuple[UUID, list[GroupView]]:
    """Return the analysis that is served, and its groups that a run is for; raises `NothingServed`, `BadRun`."""
    run = served_run(session)
    if run is None:
        raise NothingServed("there are no shopper groups yet; the first night finds them")
    groups = _peopled(session, run.run_id)
    missing = set(recipe.group_ids) - groups.keys()
    if missing:
        raise BadRun("group_ids", f"there is no shopper group {min(missing)}")
    if not groups:
        raise NothingServed("no shopper group has members")
    return run.run_id, [
        group for group in groups.values() if group.group_id in recipe.group_ids or not recipe.group_ids
    ]


def open_run_editions(
    session: Session, run_id: UUID, recipe: Recipe, *, day: date, now: datetime, report: Report = silent
) -> None:
    """Plan and keep an edition of the run for each of its groups; raises `NothingServed`, `BadRun`."""
    served, groups = _groups_to_plan(session, recipe)
    report(0, len(groups))
    plans = plans_of_groups(
        session,
        run_id=served,
        day=day,
        theme=load_theme(recipe.theme, recipe.size),
        group_ids={group.group_id for group in groups},
        countries=recipe.countries,
    )
    code = session.scalar(select(CatalogRun.run_code).where(CatalogRun.catalog_run_id == run_id)) or ""
    for done, plan in enumerate(plans, start=1):
        whole = replace(plan, voucher_batches=recipe.voucher_batches, size=recipe.size)
        of_group = edition_code(plan.group_id, recipe.theme, recipe.valid_from)
        session.execute(
            insert(Edition).values(
                edition_id=uuid7(),
                edition_code=f"{of_group}-r{code.rpartition('-')[2]}",
                run_id=served,
                group_id=plan.group_id,
                group_name=plan.group_name,
                theme=recipe.theme,
                valid_from=recipe.valid_from,
                valid_to=recipe.valid_to,
                created_at=now,
                content=content_of(whole),
                catalog_run_id=run_id,
            )
        )
        report(done, len(groups))


def faults_of(session: Session, recipe: Recipe) -> list[BadRun]:
    """Return all that keeps `recipe` from being drafted now, each part once: a form says everything at once."""
    found = broken_rules(recipe)
    unknown = set(recipe.voucher_batches) - set(batches(session, recipe.voucher_batches))
    if unknown:
        found.append(BadRun("voucher_batches", f"there is no batch of vouchers {min(unknown)}"))
    elsewhere = set(recipe.countries) - set(countries_of_stores(session))
    if elsewhere:
        found.append(BadRun("countries", f"there is no store in {min(elsewhere)}"))
    run = served_run(session)
    if run is not None:
        missing = set(recipe.group_ids) - _peopled(session, run.run_id).keys()
        if missing:
            found.append(BadRun("group_ids", f"there is no shopper group {min(missing)}"))
    return list({bad.field: bad for bad in reversed(found)}.values())[::-1]


def _check(session: Session, recipe: Recipe) -> None:
    for fault in faults_of(session, recipe):
        raise fault
    load_theme(recipe.theme, recipe.size)


def _peopled(session: Session, run_id: UUID) -> dict[str, GroupView]:
    """Return the groups of an analysis that have members."""
    return {group.group_id: group for group in groups_of_run(session, run_id=run_id) if group.members}
