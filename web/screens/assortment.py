"""A store's assortment: what to list, delist, keep or place together, with the evidence, and the manager's answer."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from basket_analysis.assortment.suggestion_lists import (
    ReasonMissing,
    SuggestionView,
    counts_by_kind,
    list_suggestions,
    read_suggestion,
    stores_with_suggestions,
    substitutes_of,
    suggestion_bounds,
    undo_decision,
)
from basket_analysis.assortment.suggestion_lists import (
    decide as keep_decision,
)
from sales.queries import store_of_code
from web import wording
from web.cells import badge, icon
from web.export import respond
from web.figures import interval
from web.groups.shown import GroupsShown, groups_now
from web.notices import go
from web.roles import may
from web.state import now, transaction, viewer
from web.stores import suggestion_words
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import money_estimate, readable

blueprint = Blueprint("assortment", __name__, url_prefix="/assortment")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the suggestions of one store: the reader's own, or one chosen from those that have some."""
    with transaction() as session:
        stores = stores_with_suggestions(session)
        store_id, code, name = _store(session, stores)
        counts = counts_by_kind(session, store_id=store_id)
        bounds = suggestion_bounds(session, store_id=store_id)
        groups = groups_now(session)
        table = Table(
            name="assortment",
            find=_("Article"),
            default_sort="rank",
            columns=_columns(bounds, groups),
            filters=_filters(groups),
            fetch=lambda ask: list_suggestions(session, ask, store_id=store_id),
            href=lambda row: url_for("assortment.show", suggestion_id=row.suggestion_id),
            empty=Empty(
                _("No suggestions for this store yet"),
                _(
                    "The night makes them from the baskets of the last year, for stores with at least 500 of them."
                ),
                "lightbulb",
            ),
        )
        return respond(
            "screens/assortment.html",
            table,
            counts=counts,
            stores=stores if viewer().store_id is None else [],
            store_code=code,
            store_name=name,
            run=groups.run,
        )


@blueprint.get("/<uuid:suggestion_id>")
def show(suggestion_id: UUID) -> ResponseReturnValue:
    """Show one suggestion with everything that speaks for and against it."""
    return _page(suggestion_id)


@blueprint.post("/<uuid:suggestion_id>")
def decide(suggestion_id: UUID) -> ResponseReturnValue:
    """Keep a store manager's answer with its reason."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    person = viewer()
    if decision not in {"accepted", "rejected"} or person.store_id is None:
        raise BadRequest
    try:
        with transaction() as session:
            keep_decision(
                session,
                suggestion_id=suggestion_id,
                store_id=person.store_id,
                decision=decision,
                reason=reason[:1000],
                actor=person.login,
                now=now(),
            )
    except ReasonMissing:
        errors = {
            "reason": _(
                "Say why in a few words; the measurement in six weeks will show them beside the result"
            )
        }
        return _page(suggestion_id, errors=errors), 422
    said = (
        _("Accepted. The effect is measured after six weeks.") if decision == "accepted" else _("Rejected.")
    )
    return go(url_for("assortment.index"), said)


@blueprint.post("/<uuid:suggestion_id>/undo")
def undo(suggestion_id: UUID) -> ResponseReturnValue:
    """Take an answer back."""
    person = viewer()
    if person.store_id is None:
        raise BadRequest
    with transaction() as session:
        undo_decision(
            session, suggestion_id=suggestion_id, store_id=person.store_id, actor=person.login, now=now()
        )
    return go(url_for("assortment.index"), _("Taken back: the suggestion is open again."))


def _page(suggestion_id: UUID, *, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        suggestion = read_suggestion(session, suggestion_id=suggestion_id, store_id=viewer().store_id)
        groups = groups_now(session)
        substitutes = substitutes_of(session, suggestion)
    return render_template(
        "screens/suggestion.html",
        suggestion=suggestion,
        substitutes=suggestion_words.substitutes(suggestion, substitutes),
        title=suggestion_words.title(suggestion),
        money_words=suggestion_words.meaning_of_money(suggestion),
        reasons=suggestion_words.reasons(suggestion, groups),
        group=groups.mark(suggestion.group_id, link=True),
        may_decide=may(viewer().role, "assortment.decide"),
        errors=errors or {},
    )


def _store(session: Session, stores: list[tuple[str, str]]) -> tuple[int, str, str]:
    person = viewer()
    if person.store_id is not None:
        return person.store_id, person.store_code or "", person.store_name or ""
    known = dict(stores)
    wanted = request.args.get("store", "")
    code = wanted if wanted in known else next(iter(known), "")
    if not code:
        return 0, "", ""
    return store_of_code(session, code).store_id, code, known[code]


def _filters(groups: GroupsShown) -> tuple[Filter, ...]:
    return (
        Filter(
            key="kind",
            label=_("Suggestion"),
            choices=tuple(
                Choice(kind, wording.suggestion_kind(kind)[0])
                for kind in ("list", "delist", "keep", "place_together")
            ),
        ),
        Filter(
            key="state",
            label=_("State"),
            choices=(
                Choice("open", _("Not decided")),
                Choice("accepted", _("Accepted")),
                Choice("rejected", _("Rejected")),
            ),
        ),
        Filter(
            key="group",
            label=_("Group"),
            choices=tuple(
                Choice(group.group_id, groups.words(group.group_id) or "")
                for group in groups.groups
                if group.kind == "theme"
            ),
        ),
    )


def _columns(
    bounds: Mapping[str, tuple[int, int]], groups: GroupsShown
) -> tuple[Column[SuggestionView], ...]:
    def money(row: SuggestionView) -> str:
        return money_estimate(row.value_per_week, row.currency)

    return (
        Column(
            key="article",
            title=_("Article"),
            value=suggestion_words.articles,
            second=lambda row: readable(row.category) if row.category else None,
            sort=True,
        ),
        Column(
            key="kind",
            title=_("Suggestion"),
            value=lambda row: wording.suggestion_kind(row.kind)[0],
            figure=_kind,
        ),
        Column(
            key="value_per_week",
            title=_("Per week"),
            value=lambda row: row.value_per_week,
            kind="money",
            currency=lambda row: row.currency,
            figure=money,
            second=suggestion_words.meaning_of_money,
            second_title=_("What this money is"),
            sort=True,
        ),
        Column(
            key="interval",
            title=_("Likely between"),
            value=suggestion_words.between,
            kind="code",
            figure=lambda row: interval(
                row.low,
                row.value_per_week,
                row.high,
                # A night may have served its own suggestions since the bounds were read.
                bounds=bounds.get(row.kind, (row.low, row.high)),
                label=suggestion_words.between(row),
            ),
            second=suggestion_words.between,
        ),
        *_plain_columns(groups),
    )


def _plain_columns(groups: GroupsShown) -> tuple[Column[SuggestionView], ...]:
    return (
        Column(
            key="why",
            title=_("Why"),
            value=lambda row: suggestion_words.short_reason(row, groups),
            figure=lambda row: Markup('<span class="why-line">{}</span>').format(
                suggestion_words.short_reason(row, groups)
            ),
        ),
        Column(
            key="households",
            title=_("Households"),
            value=lambda row: row.households,
            kind="number",
            second=suggestion_words.where_they_buy,
            second_title=_("Where these households buy"),
            sort=True,
        ),
        Column(
            key="baskets",
            title=_("Baskets"),
            value=lambda row: row.baskets,
            kind="number",
            sort=True,
            shown=False,
        ),
        Column(
            key="group",
            title=_("Group"),
            value=lambda row: groups.words(row.group_id),
            figure=lambda row: groups.mark(row.group_id),
            shown=False,
        ),
        Column(
            key="rank", title=_("Rank"), value=lambda row: row.rank, kind="number", sort=True, shown=False
        ),
        Column(key="state", title=_("Answer"), value=_state_words, figure=_state),
        Column(key="reason", title=_("Reason given"), value=lambda row: row.reason, shown=False),
    )


def _kind(row: SuggestionView) -> Markup:
    words, picture = wording.suggestion_kind(row.kind)
    return Markup('<span class="nowrap">{} {}</span>').format(icon(picture), words)


def _state_words(row: SuggestionView) -> str:
    return {"accepted": _("Accepted"), "rejected": _("Rejected")}.get(row.decision or "", _("Not decided"))


def _state(row: SuggestionView) -> Markup | str:
    if row.decision is None:
        return Markup('<span class="none">{}</span>').format(_("Not decided"))
    return badge(_state_words(row), "good" if row.decision == "accepted" else "")
