"""The calendar: offers by week, and the whole programme on one line of time with its versions, tiers and catalogs."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalogs.models import Edition
from core.clock import business_day, zone
from loyalty.programme.versions import all_versions
from loyalty.tiers.versions import all_schemes
from web import scope, wording
from web.offers.lists import OfferRow, all_offers
from web.offers.naming import choices
from web.offers.timeline import Lane, Run, drawn, lanes_in, successive, window
from web.roles import may
from web.state import now, transaction, viewer
from web.words import date_text, language, ngettext
from web.words import gettext as _

blueprint = Blueprint("offer_plan", __name__, url_prefix="/calendar")
_SERIES = {"article": "0", "basket": "2", "points": "1", "voucher": "5"}
_SHOWN = {"runs": "runs", "exhausted": "over", "planned": "planned", "draft": "draft", "over": "over"}


@blueprint.get("/")
def calendar() -> ResponseReturnValue:
    """Show offers over weeks, or everything that the programme does."""
    whole = request.args.get("show") == "all"
    weeks = request.args.get("weeks", "")
    with transaction() as session:
        chosen = scope.read(session)
        today = business_day(now(), chosen.timezone)
        shown = window(request.args.get("from"), today, int(weeks) if weeks in {"6", "13", "26"} else 13)
        lanes = [
            *(_programme(session, today) if whole else ()),
            *_offers(session, chosen.store_code, chosen.timezone),
            *((_catalogs(session, today),) if whole else ()),
        ]
    found = lanes_in(lanes, shown)
    return render_template(
        "screens/calendar.html",
        lanes=found,
        empty=not any(lane.runs for lane in found),
        shown=shown,
        today=today,
        whole=whole,
        scope=chosen,
        draw=lambda run: drawn(run, shown, today, label=_label(run)),
        before=_address(shown.monday - timedelta(weeks=shown.weeks // 2), shown.weeks, whole=whole),
        after=_address(shown.monday + timedelta(weeks=shown.weeks // 2), shown.weeks, whole=whole),
        here=_address(None, shown.weeks, whole=whole),
        widths=[(number, _address(shown.monday, number, whole=whole)) for number in (6, 13, 26)],
    )


def _offers(session: Session, store_code: str | None, timezone: str) -> list[Lane]:
    """Return the offers by their turn; those of one store only when one is chosen."""
    known = choices(session, language())
    rows = [row for row in all_offers(session, now=now()) if _is_there(row, store_code)]
    notes = {state: wording.offer_standing(state)[0] for state in _SHOWN}
    titles = {
        "article": _("Offers on articles"),
        "basket": _("Offers on the basket"),
        "points": _("Offers of points and gifts"),
        "voucher": _("Vouchers"),
    }
    return [
        Lane(
            title,
            tuple(
                _run(
                    row,
                    known.timezone(row.version.document.get("stores") or ()) or timezone,
                    notes[row.state],
                )
                for row in rows
                if row.version.document.get("stage") == stage
            ),
        )
        for stage, title in titles.items()
    ]


def _is_there(row: OfferRow, store_code: str | None) -> bool:
    stores = row.version.document.get("stores") or ()
    return row.state in _SHOWN and (store_code is None or not stores or store_code in stores)


def _run(row: OfferRow, timezone: str, note: str) -> Run:
    version = row.version
    start = version.start or version.live_from
    return Run(
        name=version.names(language()),
        href=url_for("offers.show", code=version.offer_code),
        note=note,
        start=_local(start, timezone),
        following=_following(version.end, timezone),
        meaning=_SHOWN[row.state],
        series=_SERIES.get(version.document.get("stage") or "", "0"),
    )


def _programme(session: Session, today: date) -> list[Lane]:
    """Return the versions of the programme and of the tiers that were approved."""
    versions = sorted(
        (one for one in all_versions(session) if one.state == "approved"),
        key=lambda one: (one.valid_from, one.number),
    )
    schemes = sorted(
        (one for one in all_schemes(session) if one.state == "approved"),
        key=lambda one: (one.valid_from, one.number),
    )
    rules = [
        _version_run(one, period, today, url_for("programme.show", version=one.number), "9")
        for one, period in zip(versions, successive([one.valid_from for one in versions]), strict=True)
    ]
    tiers = [
        _version_run(one, period, today, url_for("tiers.show", version=one.number), "3")
        for one, period in zip(schemes, successive([one.valid_from for one in schemes]), strict=True)
    ]
    return [Lane(_("Programme"), tuple(rules)), Lane(_("Tiers"), tuple(tiers))]


def _catalogs(session: Session, today: date) -> Lane:
    """Return the catalogs, those of one period together: there is one for every shopper group."""
    rows = session.execute(
        select(Edition.valid_from, Edition.valid_to, func.count())
        .group_by(Edition.valid_from, Edition.valid_to)
        .order_by(Edition.valid_from.desc())
        .limit(200)
    )
    href = url_for("catalogs.index") if may(viewer().role, "catalogs.index") else None
    runs = []
    for start, end, count in rows:
        following = end + timedelta(days=1)
        words = ngettext("%(num)s edition", "%(num)s editions", count)
        runs.append(Run(words, href, "", start, following, _meaning(start, following, today), "6"))
    return Lane(_("Catalogs"), tuple(runs))


def _version_run(
    one: Any, period: tuple[date, date | None], today: date, href: str | None, series: str
) -> Run:
    start, following = period
    name = f"{_('Version %(number)s', number=one.number)} · {one.note}"
    return Run(name, href, "", start, following, _meaning(start, following, today), series)


def _meaning(start: date, following: date | None, today: date) -> str:
    if start > today:
        return "planned"
    return "over" if following is not None and following <= today else "runs"


def _local(moment: datetime | None, timezone: str) -> date | None:
    return moment.astimezone(zone(timezone)).date() if moment else None


def _following(moment: datetime | None, timezone: str) -> date | None:
    """Return the day after the last one with some of the offer in it."""
    return (
        (moment - timedelta(microseconds=1)).astimezone(zone(timezone)).date() + timedelta(days=1)
        if moment
        else None
    )


def _label(run: Run) -> str:
    start = date_text(run.start) if run.start else _("before")
    end = date_text(run.following - timedelta(days=1)) if run.following else _("open")
    return f"{run.name}: {start} – {end}"  # noqa: RUF001 - as a period is written


def _address(first: date | None, weeks: int, *, whole: bool) -> str:
    wanted: dict[str, Any] = {"weeks": weeks}
    if first:
        wanted["from"] = first.isoformat()
    if whole:
        wanted["show"] = "all"
    return url_for("offer_plan.calendar", **wanted)
