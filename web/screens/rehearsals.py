"""Rehearsals of offers on past baskets: asking for one, its progress, and what it came to."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.errors import Conflict
from core.job_runs import request_run, request_stop
from core.keyset import Ask, Page
from loyalty.rehearsals.plans import (
    NoBaskets,
    SeveralCurrencies,
    ask_for_rehearsal,
    newest_open,
    stores_for,
    usual_period,
)
from rewards.models import OfferVersion
from rewards.offer_decisions import OfferVersionNotFound
from rewards.offers import Offer
from rewards.rehearsals.operations import BadPeriod, TooManyOffers, job_of
from rewards.rehearsals.queries import RehearsalView, find_rehearsal, latest_rehearsals, rehearsals_of
from sales.models import Article, Store
from web import scope, wording
from web.cells import badge
from web.export import respond
from web.groups.shown import groups_now
from web.notices import go
from web.offers.names import Teller
from web.offers.naming import names_of
from web.offers.words import headline
from web.rehearsals.charts import charts_of
from web.rehearsals.tables import VIEWS, results_table, view_names
from web.rehearsals.words import budget_words, how_words, note_words
from web.roles import may
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import language, number_text

blueprint = Blueprint("rehearsals", __name__, url_prefix="/rehearsals")
_TOGETHER = ""
_MOST_LISTED = 500


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the rehearsals, the newest first; those of one offer when the address names it."""
    code = request.args.get("offer", "")
    with transaction() as session:
        views = rehearsals_of(session, offer_code=code) if code else latest_rehearsals(session)
        table = Table(
            name="rehearsals",
            default_sort="-requested_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(state, wording.job_state(state)[0])
                        for state in ("waiting", "running", "completed", "failed", "stopped")
                    ),
                ),
            ),
            fetch=lambda ask: _page(views, ask),
            href=lambda view: url_for("rehearsals.show", rehearsal_id=view.rehearsal_id),
            in_panel=False,
            empty=Empty(
                _("Nothing was rehearsed yet"),
                _("A rehearsal plays past baskets with a drafted offer and shows what it would have cost."),
                "receipt",
                _("Rehearse") if may(viewer().role, "rehearsals.new") else None,
                url_for("rehearsals.new", offer=code or None),
            ),
        )
        comparable = bool(code) and any(view.completed_at for view in views)
        return respond("screens/rehearsals.html", table, code=code, comparable=comparable)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form: which versions, which days, which stores."""
    return _form({})


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Ask for a rehearsal; the scheduler takes it up within seconds."""
    errors: dict[str, str] = {}
    first, last = _day("first_day", errors), _day("last_day", errors)
    with transaction() as session:
        offers = _chosen(session, errors)
        stores = _stores(session, errors)
        if first and last and not errors:
            try:
                rehearsal_id = ask_for_rehearsal(
                    session,
                    offers=offers,
                    first_day=first,
                    following_day=last + timedelta(days=1),
                    store_ids=stores,
                    actor=viewer().login,
                    now=now(),
                )
            except TooManyOffers:
                errors["offers"] = _("Choose one to twenty offers.")
            except BadPeriod:
                errors["last_day"] = _("Choose at least one day and at most a year.")
    if errors:
        return _form(errors), 422
    return go(
        url_for("rehearsals.show", rehearsal_id=rehearsal_id), _("The rehearsal begins within some seconds.")
    )


@blueprint.get("/<uuid:rehearsal_id>")
def show(rehearsal_id: UUID) -> ResponseReturnValue:
    """Show what a rehearsal came to; until it has ended, how far it is, kept up to date."""
    with transaction() as session:
        view = find_rehearsal(session, rehearsal_id=rehearsal_id)
        part = request.headers.get("HX-Target") == "rehearsal"
        if part and view.results is not None:
            return "", 204, {"HX-Refresh": "true"}
        documents = [one.document for one in view.offers]
        teller = Teller(language(), names_of(session, documents, language()))
        said = {one.offer_code: headline(teller, one.document) for one in view.offers}
        if view.results is None:
            template = "parts/rehearsal_progress.html" if part else "screens/rehearsal_progress.html"
            return render_template(template, view=view, said=said)
        return _results(session, view, said)


@blueprint.post("/<uuid:rehearsal_id>/stop")
def stop(rehearsal_id: UUID) -> ResponseReturnValue:
    """Ask a rehearsal to stop; the days that are done stay done."""
    back = url_for("rehearsals.show", rehearsal_id=rehearsal_id)
    try:
        with transaction() as session:
            view = find_rehearsal(session, rehearsal_id=rehearsal_id)
            request_stop(session, run_id=view.run_id, now=now())
            _record(session, rehearsal_id, "rehearsal.stop")
    except Conflict:
        return go(back, _("It had ended already."), "caution")
    return go(back, _("It stops. The days that are done stay done."))


@blueprint.post("/<uuid:rehearsal_id>/resume")
def resume(rehearsal_id: UUID) -> ResponseReturnValue:
    """Ask for a rehearsal that was stopped, or failed, to go on."""
    back = url_for("rehearsals.show", rehearsal_id=rehearsal_id)
    try:
        with transaction() as session:
            view = find_rehearsal(session, rehearsal_id=rehearsal_id)
            request_run(session, job=job_of(rehearsal_id), business_day=view.requested_at.date())
            _record(session, rehearsal_id, "rehearsal.resume")
    except Conflict:
        return go(back, _("It is completed already."), "caution")
    return go(back, _("It goes on within some seconds."))


def _results(session: Session, view: RehearsalView, said: Mapping[str, str]) -> ResponseReturnValue:
    """Return the page of one offer's results, or of all together, or one of its tables as a file."""
    together = view.results
    assert together is not None
    codes = [one.offer_code for one in view.offers]
    code = request.args.get("code", _TOGETHER)
    one = next((one for one in view.offers if one.offer_code == code), None)
    if one is None and len(codes) == 1:
        one = view.offers[0]
    found: Mapping[str, Any] = together if one is None else one.results or {}
    currency = together["currency"]
    stores = {row.store_code: row.name for row in session.execute(select(Store.store_code, Store.name))}
    words = _group_words(session)
    by = request.args.get("by", "stores")
    by = by if by in VIEWS else "stores"
    table = results_table(
        by,
        found,
        currency=currency,
        stores=stores,
        articles=_article_names(session, [row["sku"] for row in found["margin"]["articles"]]),
        group_words=words,
    )
    return respond(
        "screens/rehearsal.html",
        table,
        on_export=lambda: _record(session, view.rehearsal_id, "rehearsal.export"),
        view=view,
        one=one,
        found=found,
        together=together,
        currency=currency,
        charts=charts_of(found, currency=currency, stores=stores, group_words=words),
        said=said,
        code=one.offer_code if one else _TOGETHER,
        by=by,
        views=view_names(),
        how=how_words(together),
        notes=note_words(one.results["notes"]) if one and one.results else [],
        budget=budget_words(one.results["budget"]) if one and one.results else None,
    )


def _group_words(session: Session) -> Callable[[str | None], str]:
    shown = groups_now(session)
    return lambda group_id: shown.words(group_id) or _("Other members")


def _article_names(session: Session, skus: list[str]) -> dict[str, str]:
    rows = session.execute(select(Article.sku, Article.name).where(Article.sku.in_(skus)))
    return {row.sku: row.name for row in rows}


def _form(errors: dict[str, str]) -> str:
    with transaction() as session:
        open_versions = _open_versions(session)
        try:
            first, following = usual_period(session, now=now())
        except NoBaskets:
            following = business_day(now(), scope.read(session).timezone)
            first = following - timedelta(weeks=8)
        rows = session.execute(
            select(Store.store_code, Store.name, Store.currency).order_by(Store.store_code)
        ).all()
        return render_template(
            "screens/rehearsal_new.html",
            versions=open_versions,
            chosen=request.form.getlist("offers") or [_asked_for(open_versions)],
            first_day=request.form.get("first_day", first.isoformat()),
            last_day=request.form.get("last_day", (following - timedelta(days=1)).isoformat()),
            stores=[(row.store_code, row.name) for row in rows],
            currencies=[(one, one) for one in sorted({row.currency for row in rows})],
            store=request.form.get("store", ""),
            currency=request.form.get("currency", scope.read(session).currency),
            errors=errors,
        )


def _open_versions(session: Session) -> list[tuple[str, str, str, str]]:
    """Return what can be rehearsed: value, code, version and state in words, and what it says; drafts first."""
    rows = session.execute(
        select(OfferVersion.offer_code, OfferVersion.version, OfferVersion.state, OfferVersion.document)
        .where(OfferVersion.state.in_(("draft", "live")))
        .order_by(OfferVersion.state, OfferVersion.drafted_at.desc(), OfferVersion.offer_code)
        .limit(_MOST_LISTED)
    ).all()
    teller = Teller(language(), names_of(session, [row.document for row in rows], language()))
    return [
        (
            f"{row.offer_code}:{row.version}",
            row.offer_code,
            _("version %(number)s", number=number_text(row.version))
            + ", "
            + (_("a draft") if row.state == "draft" else _("live")),
            headline(teller, row.document),
        )
        for row in rows
    ]


def _asked_for(versions: list[tuple[str, str, str, str]]) -> str:
    """Return the version that the address names, or the newest of the offer that it names."""
    code, version = request.args.get("offer", ""), request.args.get("version", "")
    return next(
        (
            value
            for value, of_code, *_rest in versions
            if of_code == code and version in {"", value.split(":")[1]}
        ),
        "",
    )


def _chosen(session: Session, errors: dict[str, str]) -> list[Offer]:
    offers = []
    for value in request.form.getlist("offers"):
        code, _colon, version = value.partition(":")
        try:
            offers.append(newest_open(session, code, int(version) if version.isdigit() else None))
        except OfferVersionNotFound:
            errors["offers"] = _("%(code)s is not there any more.", code=code)
    if not offers and not errors:
        errors["offers"] = _("Choose one to twenty offers.")
    return offers


def _stores(session: Session, errors: dict[str, str]) -> tuple[int, ...]:
    code, currency = request.form.get("store", ""), request.form.get("currency") or None
    try:
        return stores_for(session, codes=(code,) if code else (), currency=None if code else currency)
    except SeveralCurrencies:
        errors["currency"] = _("Choose one currency: amounts of several cannot be added up.")
    except NoBaskets:
        errors["store"] = _("There is no such store.")
    return ()


def _day(name: str, errors: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        errors[name] = _("Enter a day.")
        return None


def _record(session: Session, rehearsal_id: UUID, action: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="rehearsal",
        subject_id=str(rehearsal_id),
    )


def _page(views: list[RehearsalView], ask: Ask) -> Page[RehearsalView]:
    wanted = ask.filters.get("state")
    rows = [view for view in views if wanted in {None, view.state}]
    rows.sort(key=lambda view: view.requested_at, reverse=ask.descending)
    return Page(tuple(rows), None, None, len(rows))


def _columns() -> tuple[Column[RehearsalView], ...]:
    return (
        Column(
            key="requested_at",
            title=_("Asked for"),
            value=lambda view: view.requested_at,
            kind="moment",
            second=lambda view: view.requested_by,
            sort=True,
        ),
        Column(
            key="offers",
            title=_("Offers"),
            value=lambda view: ", ".join(one.offer_code for one in view.offers),
            second=lambda view: (
                _("version %(number)s", number=number_text(view.offers[0].version))
                if len(view.offers) == 1
                else None
            ),
        ),
        Column(key="first_day", title=_("First day"), value=lambda view: view.first_day, kind="date"),
        Column(key="last_day", title=_("Last day"), value=lambda view: view.last_day, kind="date"),
        Column(key="stores", title=_("Stores"), value=lambda view: len(view.store_ids), kind="number"),
        Column(
            key="state", title=_("State"), value=lambda view: wording.job_state(view.state)[0], figure=_state
        ),
        Column(key="completed_at", title=_("Completed"), value=lambda view: view.completed_at, kind="moment"),
    )


def _state(view: RehearsalView) -> Markup:
    words, meaning, icon = wording.job_state(view.state)
    if view.state == "running" and not view.alive:
        return badge(_("Interrupted"), "caution", "pause")
    return badge(words, meaning, icon)
