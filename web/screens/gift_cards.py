"""Gift cards at the desk: found by their number, what was moved on them, loaded with a reason, blocked."""

from babel.numbers import get_currency_precision
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from core.audit import record_event
from core.errors import RegularsError
from core.ids import find_uuid, uuid7
from rewards.codes import typed
from rewards.gift_cards.lists import GiftCardRow, gift_card_moves, gift_card_row, list_gift_cards
from rewards.gift_cards.operations import (
    AlreadyLoaded,
    BadAmount,
    GiftCardBlocked,
    Teller,
    block_gift_card,
    load_by_hand,
)
from web.amounts import NoAmount, only_currency, read_amount
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.transactions import transact
from web.typed import wrong_text
from web.words import gettext as _
from web.words import money_text

blueprint = Blueprint("gift_cards", __name__, url_prefix="/gift-cards")

MOST_BY_HAND = 10_000
"""So much of the major unit a person can load at once; more is sold at a till."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List gift cards; whoever knows a number can pay with it, so the look is recorded."""

    def shown(session: Session) -> ResponseReturnValue:
        _record(session, "gift_card.list", request.query_string.decode()[:300] or "all")
        return respond(
            "screens/gift_cards.html",
            _table(session),
            on_export=lambda: _record(session, "gift_card.export", "all"),
        )

    return transact(shown)


@blueprint.get("/<gift_card_number>")
def show(gift_card_number: str) -> ResponseReturnValue:
    """Show a gift card and everything that was booked on it."""
    return _page(typed(gift_card_number))


@blueprint.post("/<gift_card_number>/load")
def load(gift_card_number: str) -> ResponseReturnValue:
    """Book that money was paid in for a card, and why here; the form sent twice is booked once."""
    number, errors = typed(gift_card_number), {}
    reason = request.form.get("reason", "").strip()
    card = transact(lambda session: gift_card_row(session, number))
    amount = None
    try:
        amount = read_amount(request.form.get("amount", ""), card.currency)
    except NoAmount:
        errors["amount"] = _("Enter an amount such as 50 or 49.90")
    most = MOST_BY_HAND * 10 ** get_currency_precision(card.currency)
    if amount is not None and not 0 < amount <= most:
        errors["amount"] = _("Between nothing and %(amount)s", amount=money_text(most, card.currency))
    if words := wrong_text(reason, needed=True):
        errors["reason"] = words
    if errors or amount is None:
        return _page(number, errors=errors, status=422)
    paid_in, entry_id = amount, find_uuid(request.form.get("entry_id", "")) or uuid7()
    try:
        transact(
            lambda session: load_by_hand(
                session,
                entry_id=entry_id,
                number=number,
                amount=paid_in,
                teller=Teller(now(), viewer().login, store_id=viewer().store_id, note=reason),
            )
        )
    except AlreadyLoaded:
        words = _("This was loaded already; nothing more was booked.")
        return go(url_for("gift_cards.show", gift_card_number=number), words, "caution")
    except (GiftCardBlocked, BadAmount) as refusal:
        return _page(number, errors={"amount": _refused(refusal)}, status=409)
    return go(url_for("gift_cards.show", gift_card_number=number), _("Loaded."))


@blueprint.post("/<gift_card_number>/block")
def block(gift_card_number: str) -> ResponseReturnValue:
    """Block a card that was lost; what is on it stays."""
    number = typed(gift_card_number)
    reason = request.form.get("why", "").strip()
    if words := wrong_text(reason, needed=True):
        return _page(number, errors={"why": words}, status=422)
    transact(
        lambda session: block_gift_card(
            session, number=number, reason=reason, actor=viewer().login, now=now()
        )
    )
    return go(url_for("gift_cards.show", gift_card_number=number), _("Blocked. What is on it stays."))


def _page(number: str, errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    def shown(session: Session) -> ResponseReturnValue:
        row = gift_card_row(session, number)
        _record(session, "gift_card.view", number)
        return render_template(
            "screens/gift_card.html",
            row=row,
            state=_states()[row.state],
            moves=gift_card_moves(session, number),
            reasons=_reasons(),
            errors=errors or {},
            given=request.form,
            entry_id=uuid7(),
        ), status

    return transact(shown)


def _refused(refusal: RegularsError) -> str:
    if isinstance(refusal, GiftCardBlocked):
        return _("The card is blocked.")
    return _("Enter an amount such as 50 or 49.90")


def _states() -> dict[str, tuple[str, str]]:
    return {"active": (_("In use"), "good"), "blocked": (_("Blocked"), "bad")}


def _reasons() -> dict[str, str]:
    return {"load": _("Paid in"), "spend": _("Paid with"), "return": _("Came back")}


def _table(session: Session) -> Table[GiftCardRow]:
    return Table(
        name="gift-cards",
        find=_("Number"),
        default_sort="-issued_at",
        columns=(
            Column(
                key="gift_card_number",
                title=_("Number"),
                value=lambda row: row.gift_card_number,
                kind="code",
                sort=True,
            ),
            Column(
                key="state",
                title=_("State"),
                value=lambda row: _states()[row.state][0],
                figure=lambda row: badge(*_states()[row.state]),
                sort=True,
            ),
            Column(
                key="balance",
                title=_("Holds"),
                value=lambda row: row.balance,
                kind="money",
                currency=lambda row: row.currency,
                sort=True,
            ),
            Column(
                key="issued_at", title=_("Issued"), value=lambda row: row.issued_at, kind="moment", sort=True
            ),
            Column(key="issued_by", title=_("By"), value=lambda row: row.issued_by),
        ),
        filters=(
            Filter(
                key="state",
                label=_("State"),
                choices=tuple(Choice(state, words) for state, (words, _meaning) in _states().items()),
            ),
        ),
        fetch=lambda ask: list_gift_cards(session, ask),
        href=lambda row: url_for("gift_cards.show", gift_card_number=row.gift_card_number),
        in_panel=False,
        empty=Empty(
            _("No gift cards yet"),
            _("Tills issue them, and so does a command."),
            "credit-card",
            command=f"regulars gift-cards issue 50000 {only_currency(session) or 'CZK'}",
        ),
    )


def _record(session: Session, action: str, subject: str) -> None:
    record_event(
        session,
        now=now(),
        actor=viewer().login,
        action=action,
        subject_kind="gift_card",
        subject_id=subject,
    )
