"""Offers: the list with what is left of each budget, one offer with its versions and results, and what is decided about it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from core.clock import zone
from core.keyset import Page
from rewards.offer_decisions import (
    LONGEST_TEXT,
    NoReason,
    NotRehearsed,
    SamePerson,
    approve_offer,
    rehearsal_needed,
    reject_offer,
    stop_offer,
    withdraw_offer,
)
from rewards.rehearsals.queries import rehearsals_of
from web import scope, wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.offers import budgets as offer_budgets
from web.offers import kinds as offer_kinds
from web.offers import results as offer_results
from web.offers.lists import (
    STATES,
    OfferRow,
    OfferVersionView,
    Spent,
    all_offers,
    find_offer_version,
    list_offers,
    spent_by_code,
    standing,
    versions_of_code,
)
from web.offers.names import Names, Teller
from web.offers.naming import Choices, choices, names_of
from web.offers.words import changes, headline, offer_name, sentences
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Kind, Table
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("offers", __name__, url_prefix="/offers")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the offers, one row for each code."""
    with transaction() as session:
        known = choices(session, language())
        stores = [one for one in known.stores if viewer().store_code in {None, one.code}]
        rows = all_offers(session, now=now())
        cells = _Cells(session, known)
        table = Table(
            name="offers",
            find=_("Name or code"),
            default_sort="state",
            columns=_columns(cells),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(one, wording.offer_standing(one)[0]) for one in STATES),
                ),
                Filter(
                    key="stage",
                    label=_("Its turn"),
                    choices=tuple(Choice(key, words) for key, words in offer_kinds.stages()),
                ),
                Filter(
                    key="store",
                    label=_("Store"),
                    choices=tuple(Choice(one.code, one.name) for one in stores),
                ),
            ),
            fetch=lambda ask: cells.named(list_offers(rows, ask, language=language())),
            href=lambda row: url_for("offers.show", code=row.version.offer_code),
            in_panel=False,
            empty=Empty(
                _("No offers yet"),
                _("Choose a pattern, fill its sentence, and see at once what it does to a real basket."),
                "tags",
                _("New offer"),
                url_for("offer_builder.new"),
            ),
        )
        return respond("screens/offers.html", table)


@blueprint.get("/<code>")
def show(code: str) -> ResponseReturnValue:
    """Show an offer: what it says, how it stands, what it came to, and its versions."""
    return _page(code, None)


@blueprint.get("/<code>/versions/<int:version>")
def version(code: str, version: int) -> ResponseReturnValue:
    """Show one version of an offer, and what it changes."""
    return _page(code, version)


@blueprint.post("/<code>/versions/<int:version>/decision")
def decide(code: str, version: int) -> ResponseReturnValue:
    """Approve, reject or withdraw a draft."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    if words := wrong_text(reason, longest=LONGEST_TEXT):
        return _page(code, version, {"reason": words}), 422
    told: dict[str, Any] = {
        "offer_code": code,
        "version": version,
        "seen": _seen(),
        "actor": viewer().login,
        "now": now(),
    }
    try:
        with transaction() as session:
            if decision == "approve":
                approve_offer(session, reason=reason, **told)
                said = _("Approved: tills give it from the next basket on.")
            elif decision == "reject":
                reject_offer(session, reason=reason, **told)
                said = _("Rejected.")
            elif decision == "withdraw":
                withdraw_offer(session, reason=reason, **told)
                said = _("Withdrawn.")
            else:
                raise BadRequest
    except NoReason:
        return _page(code, version, {"reason": _("Say why: the author reads it")}), 422
    except SamePerson:
        return _page(code, version, {"reason": _("You drafted this: a second person approves it")}), 422
    except NotRehearsed:
        return _page(code, version, {"reason": _("Rehearse it first, as it is now")}), 422
    return go(url_for("offers.show", code=code), said)


@blueprint.post("/<code>/stop")
def stop(code: str) -> ResponseReturnValue:
    """Stop the live version; quotes already given are honoured."""
    reason = request.form.get("stop_reason", "")
    if words := wrong_text(reason, longest=LONGEST_TEXT):
        return _page(code, None, {"stop_reason": words}), 422
    try:
        with transaction() as session:
            stop_offer(
                session,
                offer_code=code,
                actor=viewer().login,
                now=now(),
                reason=reason,
            )
    except NoReason:
        return _page(code, None, {"stop_reason": _("Say why it stops")}), 422
    return go(
        url_for("offers.show", code=code),
        _("Stopped: tills give it no more. Quotes already given are honoured."),
    )


def _page(code: str, number: int | None, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        here = find_offer_version(session, code, number)
        versions = versions_of_code(session, code)
        before = _before(here, versions)
        documents = [one.document for one in (here, before) if one]
        names = names_of(session, documents, language())
        say = Teller(language(), names)
        spent = spent_by_code(session, now=now(), codes=[code]).get(code, Spent())
        store_id = viewer().store_id
        days = offer_results.by_day(session, code=code, store_id=store_id)
        return render_template(
            "screens/offer.html",
            here=here,
            number=number,
            versions=versions,
            drafts=[one for one in versions if one.state == "draft" and one.version != here.version],
            live=next((one for one in versions if one.state == "live"), None),
            standing=standing(here, spent, now()),
            title=offer_name(say, here.document),
            headline=headline(say, here.document),
            said=sentences(say, here.document),
            before=before,
            changes=changes(say, before.document, here.document) if before else [],
            bars=offer_budgets.bars(say, here.document, spent),
            chart=offer_results.chart(days, names.currency) if days else None,
            stores=offer_results.by_store(session, code=code, store_id=store_id),
            rehearsals=rehearsals_of(session, offer_code=code, limit=10),
            needs_rehearsal=here.state == "draft"
            and rehearsal_needed(session, offer_code=code, version=here.version),
            own=here.drafted_by == viewer().login,
            scope=scope.read(session),
            errors=errors or {},
        )


def _before(here: OfferVersionView, versions: list[OfferVersionView]) -> OfferVersionView | None:
    """Return the version to compare with: the one asked for, else what is live, else the one before."""
    wanted = request.args.get("against", "")
    others = [one for one in versions if one.version != here.version]
    chosen = next((one for one in others if str(one.version) == wanted), None)
    if chosen:
        return chosen
    live = next((one for one in others if one.state == "live"), None)
    earlier = [one for one in others if one.version < here.version]
    was_live = [one for one in earlier if one.live_from]
    if here.state == "draft" and live:
        return live
    return (was_live or earlier or [None])[0]  # type: ignore[list-item]


def _seen() -> datetime:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError as error:
        raise BadRequest from error


@dataclass(slots=True)
class _Cells:
    """What the columns of the list say of a row of a page that was `named`."""

    session: Session
    known: Choices
    names: Names = field(default_factory=Names)

    def named(self, page: Page[OfferRow]) -> Page[OfferRow]:
        """Look up what the codes in the offers of a page are called, and return the page."""
        documents = [row.version.document for row in page.rows]
        found, before = names_of(self.session, documents, language(), self.known), self.names
        self.names = replace(found, skus={**before.skus, **found.skus}, gtins={**before.gtins, **found.gtins})
        return page

    def teller(self, row: OfferRow) -> Teller:
        """Return who speaks of an offer, in the currency and time of its stores."""
        stores = row.version.document.get("stores") or ()
        return Teller(language(), self.names.at(self.known.currency(stores), self.known.timezone(stores)))

    def words(self, row: OfferRow) -> str:
        """Return the offer in one sentence."""
        return headline(self.teller(row), row.version.document)

    def state(self, row: OfferRow) -> Markup:
        """Return where the offer stands, and that a draft waits."""
        told = badge(*wording.offer_standing(row.state))
        if row.draft and row.state != "draft":
            told = Markup("{} {}").format(told, badge(_("new draft"), "caution"))
        return told

    def budget(self, row: OfferRow) -> Markup:
        """Return the bars of the offer's budgets."""
        return offer_budgets.figure(self.teller(row), row.version.document, row.spent)

    def budget_words(self, row: OfferRow) -> str:
        """Return what is used of the offer's budgets."""
        return offer_budgets.in_words(self.teller(row), row.version.document, row.spent)

    def start(self, row: OfferRow) -> date | None:
        """Return the first day."""
        moment = row.version.start
        return moment.astimezone(zone(self.teller(row).names.timezone)).date() if moment else None

    def end(self, row: OfferRow) -> date | None:
        """Return the last day."""
        return offer_budgets.last_day(row.version.document, self.known)

    def currency(self, row: OfferRow) -> str:
        """Return the currency of the offer's stores."""
        return self.known.currency(row.version.document.get("stores") or ())


def _columns(cells: _Cells) -> tuple[Column[OfferRow], ...]:
    return (
        Column(
            key="name",
            title=_("Offer"),
            value=lambda row: row.version.names(language()),
            second=cells.words,
            sort=True,
        ),
        Column(key="code", title=_("Code"), value=lambda row: row.version.offer_code, kind="code", sort=True),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: wording.offer_standing(row.state)[0],
            figure=cells.state,
            sort=True,
        ),
        Column(key="budget", title=_("Budget"), value=cells.budget_words, figure=cells.budget),
        Column(key="start", title=_("First day"), value=cells.start, kind="date", sort=True),
        Column(key="end", title=_("Ends"), value=cells.end, kind="date", sort=True),
        *_more_columns(cells),
    )


def _more_columns(cells: _Cells) -> tuple[Column[OfferRow], ...]:
    """Return the columns that are not shown unless asked for."""

    def plain(
        key: str, title: str, value: Callable[[OfferRow], Any], kind: Kind = "text"
    ) -> Column[OfferRow]:
        return Column(key=key, title=title, value=value, kind=kind, shown=False)

    def said(name: str) -> Callable[[OfferRow], Any]:
        return lambda row: row.version.document.get(name)

    return (
        Column(
            key="spent",
            title=_("Discounts given"),
            value=lambda row: row.spent.amount,
            kind="money",
            currency=cells.currency,
            sort=True,
            shown=False,
        ),
        plain("uses", _("Uses"), lambda row: row.spent.uses, "number"),
        plain(
            "stores", _("Stores"), lambda row: ", ".join(row.version.document.get("stores") or ()) or _("all")
        ),
        plain("stage", _("Its turn"), said("stage")),
        plain("priority", _("Priority"), said("priority"), "number"),
        plain("group", _("Only one of a group"), said("exclusive_group")),
        plain("version", _("Version"), lambda row: row.version.version, "number"),
        plain("drafted_by", _("Drafted by"), lambda row: row.version.drafted_by),
        plain("decided_by", _("Decided by"), lambda row: row.version.decided_by),
        plain("words", _("In words"), cells.words),
    )
