"""The first page: what happened, and what needs a person, by role."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from basket_analysis.assortment.suggestion_lists import counts_by_kind
from basket_analysis.groups.quality_lists import refused_since_served
from catalogs.copy_lists import copies_in_all
from core.clock import business_day
from core.job_runs import latest_runs
from customers.member_lists import members_in_all
from loyalty.liability.figures import outstanding, points_by_week
from loyalty.programme.versions import programmes
from rewards.stocks.lists import low_stock
from sales.figures import latest_business_date, open_flags, sales_by_store, sales_by_week
from web import findings, scope
from web.groups.shown import groups_now, refusal_words
from web.offers.today import offers_on
from web.roles import CASHIER
from web.scope import Scope
from web.state import now, transaction, viewer

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show the programme at a glance; a cashier gets the way to the till."""
    if viewer().role == CASHIER:
        return render_template("screens/overview_cashier.html")
    with transaction() as session:
        chosen = scope.read(session)
        newest = latest_business_date(session, store_id=chosen.store_id)
        today = business_day(now(), chosen.timezone)
        if newest:
            today = min(today, newest + timedelta(days=1))
        context = _context(session, chosen, today) if newest else {"members": members_in_all(session)}
        flags = open_flags(session, store_id=viewer().store_id)
        runs = latest_runs(session, job="night", limit=1)
        offers = offers_on(
            session,
            store_code=chosen.store_code,
            day=business_day(now(), chosen.timezone),
            timezone=chosen.timezone,
        )
        low = low_stock(session, store_id=viewer().store_id)
    return render_template(
        "screens/overview.html",
        scope=chosen,
        newest=newest,
        flags=flags,
        waiting=sum(flags.values()),
        offers_today=offers,
        night=runs[0] if runs else None,
        low=low,
        **context,
    )


def _context(session: Session, chosen: Scope, today: date) -> dict[str, Any]:
    since, until = chosen.since(today), chosen.until(today)
    before = since - timedelta(weeks=chosen.weeks)
    weeks = sales_by_week(
        session, since=before, until=until, currency=chosen.currency, store_id=chosen.store_id
    )
    earlier = [week for week in weeks if week.monday < since]
    these = [week for week in weeks if week.monday >= since]
    points = points_by_week(session, since=since, until=until) if chosen.store_id is None else []
    owed = outstanding(session, now=now())
    groups = groups_now(session)
    store_id = viewer().store_id
    return {
        "members": members_in_all(session),
        "sales": findings.sales_totals(these, earlier),
        "sales_chart": findings.sales_chart(these, earlier, chosen) if these else None,
        "share_chart": findings.share_chart(these) if len(these) > 1 else None,
        "points_chart": findings.points_chart(points) if points else None,
        "expiry_chart": findings.expiry_chart(owed, today)
        if chosen.store_id is None and owed.by_month
        else None,
        "groups_chart": findings.groups_chart(groups),
        "groups": groups,
        "refused": refusal_words(refused) if (refused := refused_since_served(session)) else "",
        "outstanding": owed,
        "worth": programmes(session).on(today).value_of(owed.points, chosen.currency),
        "stores": sales_by_store(session, since=since, until=until, currency=chosen.currency)
        if chosen.store_id is None
        else [],
        "suggestions": counts_by_kind(session, store_id=store_id) if store_id else {},
        "copies": copies_in_all(session),
        "since": since,
        "until_day": until - timedelta(days=1),
    }
