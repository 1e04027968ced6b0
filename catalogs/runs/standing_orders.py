"""Standing orders: runs that two people agreed to once, and that the night opens anew for every period."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from catalogs.models import CatalogRun
from catalogs.runs.drafting import insert_run, open_run_editions
from catalogs.runs.operations import NotNow, OwnRun, recipe_of, record_move, run_to_move


def approve_order(session: Session, *, run_id: UUID, actor: str, now: datetime) -> None:
    """Approve a standing order: from then on the night makes a run of it for each period."""
    run = run_to_move(session, run_id, lock=True)
    if actor == run.made_by:
        raise OwnRun("a standing order is approved by somebody who did not make it")
    if not run.standing or run.state != "draft":
        raise NotNow("only an order that waits for it is approved as one")
    session.execute(
        update(CatalogRun)
        .where(CatalogRun.catalog_run_id == run_id)
        .values(state="approved", approved_by=actor, approved_at=now)
    )
    record_move(session, run_id, "catalog_run.approve_order", actor=actor, now=now)


def run_of_order(
    session: Session, *, order: CatalogRun, valid_from: date, valid_to: date, day: date, now: datetime
) -> UUID:
    """Open a standing order's run for a period, approved by those who approved the order; once per period."""
    recipe = replace(
        recipe_of(order),
        valid_from=valid_from,
        valid_to=valid_to,
        name=f"{order.name} {valid_from.isoformat()}",
    )
    run_id = insert_run(
        session,
        recipe,
        actor=order.made_by,
        now=now,
        order_id=order.catalog_run_id,
        state="approved",
        approved_by=order.approved_by,
        approved_at=now,
    )
    open_run_editions(session, run_id, recipe, day=day, now=now)
    record_move(
        session,
        run_id,
        "catalog_run.order",
        actor="night",
        now=now,
        detail={"order": order.run_code, "made_by": order.made_by, "approved_by": order.approved_by},
    )
    return run_id
