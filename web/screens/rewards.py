"""Gifts in the stores: what lies there, what is held, what is low; deliveries and counts are noted here."""

from flask import Blueprint, make_response, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden

from core.audit import record_event
from core.errors import RegularsError
from core.i18n import called
from rewards.models import Reward
from rewards.stocks.lists import MovementRow, StockRow, list_movements, list_stock, low_stock, stock_row
from rewards.stocks.operations import (
    BadCount,
    Cause,
    CountedMeanwhile,
    FewerThanHeld,
    NoSuchStock,
    count_stock,
    deliver,
    warn_below,
)
from sales.queries import StoreNotFound, StoreView, store_of_code
from web import gift_words
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.stores_chosen import stores_to_choose
from web.tables import Choice, Column, Empty, Filter, Table
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language, number_text

blueprint = Blueprint("rewards", __name__, url_prefix="/rewards")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List what lies in the stores, in the reader's own if they belong to one."""
    with transaction() as session:
        table = Table(
            name="stock",
            find=_("Reward"),
            default_sort="reward_code",
            columns=_columns(),
            filters=(Filter(key="low", label=_("Available"), choices=(Choice("1", _("Running low")),)),),
            fetch=lambda ask: list_stock(session, ask, store_id=viewer().store_id),
            href=_page_of,
            in_panel=False,
            empty=Empty(
                _("No gifts in stock"),
                _("Rewards come with an import of offers; a store keeps a stock from its first delivery on."),
                "gift",
                command="regulars rewards deliver MUG S1 20",
            ),
        )
        return respond(
            "screens/rewards.html",
            table,
            low=low_stock(session, store_id=viewer().store_id),
            rewards=_rewards(session),
            stores=stores_to_choose(session),
        )


@blueprint.get("/<reward_code>/<path:store_code>")
def show(reward_code: str, store_code: str) -> ResponseReturnValue:
    """Show one stock with its movements."""
    return _page(reward_code, store_code)


@blueprint.post("/deliver")
def take_delivery() -> ResponseReturnValue:
    """Note a delivery to a store, which keeps a stock of the reward from then on."""
    reward_code = request.form.get("reward_code", "").strip()
    store_code = viewer().store_code or request.form.get("store_code", "").strip()
    pieces = _number("pieces")
    note = _note()
    try:
        with transaction() as session:
            store = _store(session, store_code)
            deliver(
                session,
                reward_code=reward_code,
                store_id=store.store_id,
                pieces=pieces or 0,
                cause=Cause(now(), viewer().login, note=note),
            )
            _record(session, "stock.deliver", reward_code, store, pieces=pieces)
    except BadCount:
        return go(url_for("rewards.index"), _("Enter how many pieces came, 1 or more."), "bad")
    except (NoSuchStock, StoreNotFound):
        return go(url_for("rewards.index"), _("Choose a reward and a store."), "bad")
    return go(
        url_for("rewards.show", reward_code=reward_code, store_code=store_code),
        _("The delivery is noted."),
    )


@blueprint.post("/<reward_code>/<path:store_code>/count")
def count(reward_code: str, store_code: str) -> ResponseReturnValue:
    """Correct the books to what was counted."""
    counted, seen = _number("counted"), _number("seen")
    if counted is None or seen is None:
        return _page(
            reward_code, store_code, errors={"counted": _("Enter a whole number, 0 or more")}, status=422
        )
    try:
        with transaction() as session:
            store = _store(session, store_code)
            difference = count_stock(
                session,
                reward_code=reward_code,
                store_id=store.store_id,
                counted=counted,
                seen=seen,
                cause=Cause(now(), viewer().login, note=_note()),
            )
            _record(session, "stock.count", reward_code, store, counted=counted, difference=difference)
    except (CountedMeanwhile, FewerThanHeld, BadCount) as refusal:
        return _page(reward_code, store_code, errors={"counted": _refusal(refusal)}, status=409)
    return go(
        url_for("rewards.show", reward_code=reward_code, store_code=store_code),
        _("The books agree with the count now."),
    )


@blueprint.post("/<reward_code>/<path:store_code>/warn")
def warn(reward_code: str, store_code: str) -> ResponseReturnValue:
    """Say from which number on the store is told that it runs low; nothing is never."""
    text = request.form.get("low_at", "").strip()
    low_at = _number("low_at")
    if text and low_at is None:
        return _page(
            reward_code, store_code, errors={"low_at": _("Enter a whole number, 0 or more")}, status=422
        )
    with transaction() as session:
        store = _store(session, store_code)
        warn_below(session, reward_code=reward_code, store_id=store.store_id, low_at=low_at)
        _record(session, "stock.warn", reward_code, store, low_at=low_at)
    return go(url_for("rewards.show", reward_code=reward_code, store_code=store_code), _("Saved."))


def _page(
    reward_code: str, store_code: str, errors: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    with transaction() as session:
        store = _store(session, store_code)
        row = stock_row(session, reward_code=reward_code, store_id=store.store_id)
        table = Table(
            name="movements",
            default_sort="-movement_id",
            columns=_movement_columns(store.timezone),
            filters=(
                Filter(
                    key="kind",
                    label=_("What"),
                    choices=tuple(Choice(kind, words) for kind, words in gift_words.movements().items()),
                ),
            ),
            fetch=lambda ask: list_movements(session, ask, reward_code=reward_code, store_id=store.store_id),
            empty=Empty(_("Nothing has moved yet"), _("Every change of this stock will stand here."), "gift"),
        )
        page = respond("screens/reward_stock.html", table, row=row, errors=errors or {}, given=request.form)
    return make_response(page, status)


def _store(session: Session, store_code: str) -> StoreView:
    """Return a store that the reader may see; people of one store see no other."""
    store = store_of_code(session, store_code)
    if viewer().store_id not in {None, store.store_id}:
        raise Forbidden
    return store


def _rewards(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(
        select(Reward.reward_code, Reward.name).where(Reward.active).order_by(Reward.reward_code)
    )
    return [(code, called(names, language(), code)) for code, names in rows]


def _record(session: Session, action: str, reward_code: str, store: StoreView, **detail: int | None) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="reward",
        subject_id=reward_code,
        detail={"store_code": store.store_code, **detail},
    )


def _number(field: str) -> int | None:
    """Return a whole number of a form; None when it is none, or larger than any stock."""
    digits = "".join(request.form.get(field, "").split())
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 7 else None


def _note() -> str | None:
    note = request.form.get("note", "").strip()
    return None if not note or wrong_text(note) else note


def _refusal(refusal: RegularsError) -> str:
    if isinstance(refusal, CountedMeanwhile):
        return _("The stock changed while it was counted. Look at it now, and count again.")
    if isinstance(refusal, FewerThanHeld):
        return _("More pieces are held for customers than that. Give some reservations up first.")
    return _("Enter a whole number, 0 or more")


def _page_of(row: StockRow) -> str:
    return url_for("rewards.show", reward_code=row.reward_code, store_code=row.store_code)


def _left(row: StockRow) -> Markup | str:
    return (
        badge(number_text(row.available), "caution", "triangle-alert")
        if row.low
        else number_text(row.available)
    )


def _columns() -> tuple[Column[StockRow], ...]:
    return (
        Column(
            key="reward_code",
            title=_("Reward"),
            value=lambda row: row.name(language()),
            second=lambda row: row.reward_code,
            sort=True,
        ),
        Column(
            key="store_code",
            title=_("Store"),
            value=lambda row: row.store_name,
            second=lambda row: row.store_code,
            sort=True,
        ),
        Column(key="points", title=_("Points"), value=lambda row: row.points, kind="number", sort=True),
        Column(
            key="on_hand", title=_("In the store"), value=lambda row: row.on_hand, kind="number", sort=True
        ),
        Column(key="reserved", title=_("Held"), value=lambda row: row.reserved, kind="number", sort=True),
        Column(
            key="available",
            title=_("To be had"),
            value=lambda row: row.available,
            kind="number",
            figure=_left,
            sort=True,
        ),
        Column(key="low_at", title=_("Low from"), value=lambda row: row.low_at, kind="number", shown=False),
    )


def _movement_columns(timezone: str) -> tuple[Column[MovementRow], ...]:
    return (
        Column(
            key="movement_id",
            title=_("When"),
            value=lambda row: row.moved_at,
            kind="moment",
            timezone=lambda _row: timezone,
            sort=True,
        ),
        Column(
            key="kind",
            title=_("What"),
            value=lambda row: gift_words.movements().get(row.kind, row.kind),
            second=lambda row: row.note or row.offer_code,
        ),
        Column(
            key="on_hand",
            title=_("In the store"),
            value=lambda row: row.on_hand,
            kind="number",
            figure=lambda row: gift_words.change(row.on_hand),
        ),
        Column(
            key="reserved",
            title=_("Held"),
            value=lambda row: row.reserved,
            kind="number",
            figure=lambda row: gift_words.change(row.reserved),
        ),
        Column(key="actor", title=_("By"), value=lambda row: row.actor),
        Column(
            key="receipt_id", title=_("Receipt"), value=lambda row: row.receipt_id, kind="code", shown=False
        ),
        Column(
            key="redemption_id",
            title=_("Reservation"),
            value=lambda row: row.redemption_id,
            kind="code",
            shown=False,
        ),
    )
