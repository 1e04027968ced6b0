"""Cards: the stock, and one card: issued, given to a member, blocked, replaced, taken out of use."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day
from core.errors import RegularsError
from core.i18n import LANGUAGES
from core.keyset import Ask, Page
from core.tabular import UnreadableFile, WrongColumns
from customers.card_changes import block_card, expire_card, replace_card
from customers.card_import import import_cards
from customers.card_lists import CardRow, list_cards, read_card, story_of_card
from customers.card_stock import BadRange, stock_cards
from customers.cardnumbers import BadCardNumber, LooksLikePaymentCard
from customers.contact_details import email_address, phone_number
from customers.enrolment import AlreadyRegistered, CardBlocked, CardInUse, NewMember, enrol_member
from customers.models import CARD_STATES
from customers.operations import CardTaken, issue_cards
from loyalty.alerts import alerts_of_card
from loyalty.queries import has_entries, position_of_account
from loyalty.referrals.operations import UnknownReferralCode, refer
from sales.staff_cards import staff_cards
from web import alert_words, card_words, wording
from web.cells import badge
from web.export import respond
from web.notices import go
from web.state import now, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.transactions import transact
from web.typed import wrong_text
from web.words import gettext as _
from web.words import language, ngettext, number_text

blueprint = Blueprint("cards", __name__, url_prefix="/cards")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the cards; every look at names is recorded."""
    with transaction() as session:

        def fetch(ask: Ask) -> Page[CardRow]:
            _record(session, "card.list", ask.words or "all")
            return list_cards(session, ask)

        table = Table(
            name="cards",
            find=_("Beginning of a number, or a member code"),
            default_sort="card_number",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(Choice(state, wording.card_state(state)[0]) for state in CARD_STATES),
                ),
            ),
            fetch=fetch,
            href=lambda row: url_for("cards.show", card_number=row.card_number),
            in_panel=False,
            empty=Empty(
                _("No cards yet"),
                _("Put the range that was printed into stock, here or on the command line."),
                "credit-card",
                command="regulars cards stock FIRST LAST",
            ),
        )
        return respond("screens/cards.html", table, on_export=lambda: _record(session, "card.export", "list"))


@blueprint.get("/stock")
def stocking() -> ResponseReturnValue:
    """Ask for a range of numbers, or for a file."""
    return _stocking({}, {})


@blueprint.post("/stock")
def stock() -> ResponseReturnValue:
    """Put a range of numbers into stock."""
    given = {key: request.form.get(key, "").strip() for key in ("first", "last")}
    try:
        with transaction() as session:
            stocked = stock_cards(session, **given, now=now(), actor=viewer().login)
    except LooksLikePaymentCard:
        return _stocking(given, {"first": _payment_card()}), 422
    except BadCardNumber:
        return _stocking(given, {"first": _("Both are whole card numbers with their check digits.")}), 422
    except BadRange:
        words = _("The last number comes after the first and is of the same kind; at most 100,000 at once.")
        return _stocking(given, {"last": words}), 422
    said = ngettext("%(num)s card is in stock now.", "%(num)s cards are in stock now.", stocked.added)
    known = _("%(count)s numbers were known already.", count=number_text(stocked.known))
    return go(url_for("cards.index", state="stock"), f"{said} {known}" if stocked.known else said)


@blueprint.post("/file")
def import_file() -> ResponseReturnValue:
    """Take the cards of a file in, as the command line does."""
    sent = request.files.get("file")
    suffix = Path(sent.filename or "").suffix.lower() if sent else ""
    if sent is None or suffix not in {".csv", ".xlsx", ".parquet"}:
        words = _("Choose a CSV, Excel or Parquet file with a column card_number.")
        return _stocking({}, {"file": words}), 422
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"cards{suffix}"
        sent.save(path)
        try:
            with transaction() as session:
                summary = import_cards(
                    session, path, now=now(), actor=viewer().login, report=lambda _done, _total: None
                )
        except (UnreadableFile, WrongColumns):
            return _stocking({}, {"file": _("This file cannot be read, or has no column card_number.")}), 422
    said = _(
        "%(written)s cards taken in, %(unchanged)s were so already, %(refused)s refused.",
        written=number_text(summary.written),
        unchanged=number_text(summary.unchanged),
        refused=number_text(summary.refused),
    )
    return go(url_for("cards.index"), said, "caution" if summary.refused else "good")


@blueprint.get("/<card_number>")
def show(card_number: str) -> ResponseReturnValue:
    """Show one card; the look is recorded."""
    return _page(card_number)


@blueprint.post("/<card_number>/issue")
def issue(card_number: str) -> ResponseReturnValue:
    """Hand a card out of stock to somebody without a name: it earns from now on."""

    def work(session: Session) -> None:
        issue_cards(session, card_numbers=[card_number], now=now(), actor=viewer().login)

    return _done(card_number, work, _("Issued. It earns from now on."))


@blueprint.post("/<card_number>/activate")
def activate(card_number: str) -> ResponseReturnValue:
    """Enrol a member as the holder of a card; what it has earned is theirs."""
    names = ("given_name", "family_name", "email", "phone", "language", "referral_code")
    given = {key: request.form.get(key, "").strip() for key in names}
    errors = {key: wrong for key in names[:2] if (wrong := wrong_text(given[key], needed=True))}
    person = None
    try:
        email = email_address(given["email"] or None)
        phone = phone_number(given["phone"] or None, given["language"])
        if email is None and phone is None:
            errors["email"] = _("An e-mail address or a phone number is needed.")
        chosen = given["language"] if given["language"] in LANGUAGES else language()
        person = NewMember(given["given_name"], given["family_name"], chosen, email, phone, ())
    except RegularsError:
        errors["email"] = _("The e-mail address or the phone number is not written right.")
    if errors or person is None:
        return _page(card_number, given, errors), 422
    member = person

    def work(session: Session) -> None:
        today = business_day(now(), viewer().timezone)
        member_code = enrol_member(
            session,
            card_number=card_number,
            person=member,
            store_code=viewer().store_code,
            today=today,
            now=now(),
            actor=viewer().login,
        )
        if code := given["referral_code"]:
            refer(session, code=code, member_code=member_code, today=today, now=now(), actor=viewer().login)

    try:
        return _done(card_number, work, _("Enrolled. The card's points are theirs."))
    except UnknownReferralCode:
        return _page(card_number, given, {"referral_code": _("Nobody brings others by this code.")}), 422


@blueprint.post("/<card_number>/block")
def block(card_number: str) -> ResponseReturnValue:
    """Block a card from now on."""
    return _with_reason(
        card_number,
        "block_reason",
        lambda session, reason: block_card(
            session, card_number=card_number, reason=reason, now=now(), actor=viewer().login
        ),
        _("Blocked. Receipts closed before still earn; give a new card with Replace."),
    )


@blueprint.post("/<card_number>/expire")
def expire(card_number: str) -> ResponseReturnValue:
    """Take a card out of use for good."""
    return _with_reason(
        card_number,
        "expire_reason",
        lambda session, reason: expire_card(
            session, card_number=card_number, reason=reason, now=now(), actor=viewer().login
        ),
        _("Out of use from now on."),
    )


@blueprint.post("/<card_number>/replace")
def replace(card_number: str) -> ResponseReturnValue:
    """Put a new card in the place of this one."""
    new = request.form.get("new_card_number", "").strip().replace(" ", "").replace("-", "")
    return _with_reason(
        card_number,
        "replace_reason",
        lambda session, reason: replace_card(
            session,
            card_number=card_number,
            new_card_number=new,
            reason=reason,
            now=now(),
            actor=viewer().login,
            has_history=lambda account_id: has_entries(session, account_id=account_id),
        ),
        _("Replaced. Points, history and holder are on the new card; the old number still finds them."),
        shown=new,
    )


def _with_reason(
    card_number: str,
    field: str,
    work: Callable[[Session, str], None],
    said: str,
    *,
    shown: str | None = None,
) -> ResponseReturnValue:
    reason = request.form.get(field, "").strip()
    if wrong := wrong_text(reason, needed=True):
        return _page(card_number, dict(request.form), {field: wrong}), 422
    return _done(card_number, lambda session: work(session, reason), said, shown=shown)


def _done(
    card_number: str, work: Callable[[Session], None], said: str, *, shown: str | None = None
) -> ResponseReturnValue:
    """Do `work` and go to the card; a card that is in another state by now is shown as it is, with a word about it."""
    try:
        transact(work)
    except LooksLikePaymentCard:
        return _page(card_number, dict(request.form), {"new_card_number": _payment_card()}), 422
    except BadCardNumber:
        words = _("This is no card number: its length or its check digit is wrong.")
        return _page(card_number, dict(request.form), {"new_card_number": words}), 422
    except CardInUse:
        words = _("That card is in somebody's hands, or out of use.")
        return _page(card_number, dict(request.form), {"new_card_number": words}), 422
    except (CardTaken, CardBlocked, AlreadyRegistered):
        return go(
            url_for("cards.show", card_number=card_number), _("The card is in another state by now."), "bad"
        )
    return go(url_for("cards.show", card_number=shown or card_number), said)


def _page(card_number: str, given: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    with transaction() as session:
        card = read_card(session, card_number=card_number)
        _record(session, "card.view", card_number)
        points = None
        if card.account_id is not None:
            points = position_of_account(session, account_id=card.account_id, now=now())
        return render_template(
            "screens/card.html",
            card=card,
            points=points,
            story=story_of_card(session, card_number=card_number),
            staff=[row for row in staff_cards(session, card_number=card_number) if row.ended_at is None],
            alerts=alerts_of_card(session, card_number=card_number, store_id=viewer().store_id),
            alert_words=alert_words,
            card_words=card_words,
            given=given or {},
            errors=errors or {},
            languages=LANGUAGES,
        )


def _payment_card() -> str:
    return _("This looks like the number of a payment card, which is never stored.")


def _stocking(given: dict[str, str], errors: dict[str, str]) -> str:
    return render_template("screens/card_stock.html", given=given, errors=errors)


def _record(session: Session, action: str, subject: str) -> None:
    record_event(
        session, now=now(), actor=viewer().login, action=action, subject_kind="card", subject_id=subject
    )


def _columns() -> tuple[Column[CardRow], ...]:
    return (
        Column(
            key="card_number",
            title=_("Card"),
            value=lambda row: row.card_number,
            kind="code",
            second=lambda row: row.blocked_reason,
            sort=True,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: wording.card_state(row.state)[0],
            figure=_state,
        ),
        Column(
            key="holder",
            title=_("Holder"),
            value=lambda row: row.name,
            second=lambda row: row.member_code,
            personal=True,
        ),
        Column(key="replaced_by", title=_("Replaced by"), value=lambda row: row.replaced_by, kind="code"),
        Column(key="issued_at", title=_("Issued"), value=lambda row: row.issued_at, kind="moment"),
        Column(
            key="created_at",
            title=_("Known since"),
            value=lambda row: row.created_at,
            kind="moment",
            sort=True,
        ),
    )


def _state(row: CardRow) -> Markup:
    return badge(*wording.card_state(row.state))
