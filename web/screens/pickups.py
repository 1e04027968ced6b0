"""Gifts that lie aside: reserved for a card at the desk, handed over for a code, or given up."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden

from core.audit import record_event
from core.errors import RegularsError
from customers.queries import CardNotFound
from loyalty.pickups import (
    Pickup,
    give_up,
    hand_over,
    list_pickups,
    pickup_of_code,
    read_pickup,
    reserve_for_pickup,
    store_of_pickup,
)
from loyalty.redemptions import (
    CardBlocked,
    NotEnoughPoints,
    NotRegistered,
    RedemptionExpired,
    RedemptionNotFound,
)
from loyalty.reservations import Desk, Redemption
from rewards.queries import RewardNotFound
from rewards.stocks.lists import stock_rows
from rewards.stocks.operations import OutOfStock
from sales.queries import StoreNotFound, store_of_code
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.stores_chosen import stores_to_choose
from web.tables import Column, Empty, Table
from web.transactions import transact
from web.words import ago, language, number_text
from web.words import gettext as _

blueprint = Blueprint("pickups", __name__, url_prefix="/pickups")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the gifts that lie aside; members' names are in it, so the look is recorded."""
    with transaction() as session:
        _record(session, "pickup.list")
        table = Table(
            name="pickups",
            find=_("Code, card or name"),
            default_sort="expires_at",
            columns=_columns(),
            fetch=lambda ask: list_pickups(session, ask, store_id=viewer().store_id),
            href=lambda row: url_for("pickups.show", redemption_id=row.redemption_id),
            empty=Empty(
                _("No gifts lie aside"),
                _(
                    "Reserve one here for a member's card: the points are held, and a code tells who comes for it."
                ),
                "gift",
            ),
        )
        return respond(
            "screens/pickups.html",
            table,
            on_export=lambda: _record(session, "pickup.export"),
            rewards=_rewards(session),
            stores=stores_to_choose(session),
        )


@blueprint.get("/<uuid:redemption_id>")
def show(redemption_id: UUID) -> ResponseReturnValue:
    """Show one gift that lies aside, with what can be done."""
    with transaction() as session:
        row = read_pickup(session, redemption_id)
        if viewer().store_id not in {None, row.store_id}:
            raise Forbidden
        record_event(
            session,
            now=now(),
            actor=viewer().login,
            action="pickup.view",
            subject_kind="redemption",
            subject_id=str(redemption_id),
        )
    return render_template("screens/pickup.html", row=row, late=row.lapsed(now()))


@blueprint.post("/hand-over")
def hand_over_by_code() -> ResponseReturnValue:
    """Hand a gift over to who names its code."""

    def work(session: Session) -> Redemption:
        desk = _desk(session, viewer().store_code or request.form.get("store_code", ""))
        found = pickup_of_code(session, code=request.form.get("pickup_code", ""), store_id=desk.store_id)
        return hand_over(session, desk=desk, redemption_id=found, now=now())

    return _done(work, _("Handed over."))


@blueprint.post("/<uuid:redemption_id>/hand-over")
def hand_over_one(redemption_id: UUID) -> ResponseReturnValue:
    """Hand a gift of the list over."""
    return _done(
        lambda session: hand_over(
            session, desk=_desk_of(session, redemption_id), redemption_id=redemption_id, now=now()
        ),
        _("Handed over."),
    )


@blueprint.post("/<uuid:redemption_id>/give-up")
def give_one_up(redemption_id: UUID) -> ResponseReturnValue:
    """Give the points back and the gift to others."""
    return _done(
        lambda session: give_up(
            session, desk=_desk_of(session, redemption_id), redemption_id=redemption_id, now=now()
        ),
        _(
            "Given up. The points are back and expire when they would have anyway; the gift is there for others."
        ),
    )


@blueprint.post("/reserve")
def reserve() -> ResponseReturnValue:
    """Reserve a gift for a member's card."""
    try:
        held = transact(
            lambda session: reserve_for_pickup(
                session,
                desk=_desk(session, viewer().store_code or request.form.get("store_code", "")),
                card_number="".join(request.form.get("card_number", "").split()),
                reward_code=request.form.get("reward_code", ""),
                now=now(),
            )
        )
    except RegularsError as refusal:
        return go(url_for("pickups.index"), _why(refusal), "bad")
    return go(
        url_for("pickups.index"), _("Reserved. The code to pick it up is %(code)s.", code=held.pickup_code)
    )


def _done(work: Callable[[Session], Redemption], words: str) -> ResponseReturnValue:
    try:
        transact(work)
    except RegularsError as refusal:
        return go(url_for("pickups.index"), _why(refusal), "bad")
    return go(url_for("pickups.index"), words)


def _why(refusal: RegularsError) -> str:
    """Return in the reader's words why nothing was done."""
    said = {
        RedemptionNotFound: _("No gift lies aside in this store under this code."),
        RedemptionExpired: _("Its time is over: the points went back. Reserve it again."),
        CardNotFound: _("This card number was never seen."),
        CardBlocked: _("This card is blocked, replaced or out of date."),
        NotRegistered: _("This card has no member yet; points are spent by members."),
        NotEnoughPoints: _("There are not enough points on this account."),
        OutOfStock: _("None of it is left in this store."),
        RewardNotFound: _("Choose a reward that points buy."),
        StoreNotFound: _("Choose a store."),
    }
    return said.get(type(refusal), _("Nothing was changed: it was handed over or given up already."))


def _desk(session: Session, store_code: str) -> Desk:
    store = store_of_code(session, store_code)
    return Desk(store.store_id, store.currency, store.timezone, viewer().login)


def _desk_of(session: Session, redemption_id: UUID) -> Desk:
    store = store_of_pickup(session, redemption_id)
    if viewer().store_id not in {None, store.store_id}:
        raise Forbidden
    return Desk(store.store_id, store.currency, store.timezone, viewer().login)


def _rewards(session: Session) -> list[tuple[str, str]]:
    """Return the gifts that can be had in the reader's store, or in any, with what they cost."""
    rows = stock_rows(session, store_id=viewer().store_id)
    found = {
        row.reward_code: f"{row.name(language())} · {number_text(row.points)}"
        for row in rows
        if row.active and row.points and row.available > 0
    }
    return sorted(found.items())


def _record(session: Session, action: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="list",
        subject_id=request.query_string.decode()[:300] or "all",
    )


def _until(row: Pickup) -> Markup | str:
    return badge(_("over"), "caution") if row.lapsed(now()) else ago(row.expires_at)


def _columns() -> tuple[Column[Pickup], ...]:
    return (
        Column(key="pickup_code", title=_("Code"), value=lambda row: row.pickup_code, kind="code", sort=True),
        Column(
            key="reward",
            title=_("Reward"),
            value=lambda row: row.name(language()),
            second=lambda row: row.reward_code,
        ),
        Column(
            key="member",
            title=_("Member"),
            value=lambda row: row.member_name or row.card_number,
            second=lambda row: row.card_number,
            personal=True,
        ),
        Column(key="points", title=_("Points"), value=lambda row: row.points, kind="number"),
        Column(key="store_code", title=_("Store"), value=lambda row: row.store_name, sort=True),
        Column(
            key="reserved_at",
            title=_("Reserved"),
            value=lambda row: row.reserved_at,
            kind="moment",
            sort=True,
        ),
        Column(key="reserved_by", title=_("By"), value=lambda row: row.reserved_by, shown=False),
        Column(
            key="expires_at",
            title=_("Held until"),
            value=lambda row: row.expires_at,
            kind="moment",
            figure=_until,
            sort=True,
        ),
    )
