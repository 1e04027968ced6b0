"""A customer's history: purchases with their lines, and every movement of points with its reason."""

from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from core.keyset import Ask
from loyalty.explanations import adjustment_reason, explain
from loyalty.statements import StatementLine, list_statement, points_of_receipt, points_of_receipts
from sales.receipt_lists import NoSuchReceipt, list_receipts, own_receipts, read_receipt
from web.state import customer, transaction
from web.words import gettext as _
from web.words import language

blueprint = Blueprint("my_history", __name__, url_prefix="/my/history")
PAGE = 20
_LIVE = {"mode": "live"}


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the customer's purchases, the newest first."""
    person = customer()
    with transaction() as session:
        page = list_receipts(
            session,
            _ask("business_date"),
            account_id=person.account_id,
            member_id=person.member_id,
        )
        keys = {(row.business_date, row.receipt_id) for row in page.rows}
        points = points_of_receipts(session, keys, account_id=person.account_id)
    return render_template("my/history.html", page=page, points=points)


@blueprint.get("/points")
def points() -> ResponseReturnValue:
    """Show every movement of the account's points, each with why."""
    person = customer()
    with transaction() as session:
        page = list_statement(session, _ask("booked_at"), account_id=person.account_id)
        keys = {(line.receipt.business_date, line.receipt.receipt_id) for line in page.rows if line.receipt}
        own = own_receipts(session, keys, account_id=person.account_id, member_id=person.member_id)
    lines = [(line, _explained(line)) for line in page.rows]
    return render_template("my/points.html", page=page, lines=lines, own=own)


@blueprint.get("/<day>/<uuid:receipt_id>")
def receipt(day: str, receipt_id: UUID) -> ResponseReturnValue:
    """Show one of the customer's receipts with its lines."""
    person = customer()
    try:
        business_date = date.fromisoformat(day)
    except ValueError as error:
        raise NoSuchReceipt("There is no such receipt") from error
    key = (business_date, receipt_id)
    with transaction() as session:
        own = own_receipts(session, {key}, account_id=person.account_id, member_id=person.member_id)
        if receipt_id not in own:
            raise NoSuchReceipt("There is no such receipt")
        found = read_receipt(session, business_date=business_date, receipt_id=receipt_id)
        moved = points_of_receipt(session, business_date=business_date, receipt_id=receipt_id)
    return render_template("my/receipt.html", receipt=found, points=moved)


def _ask(sort: str) -> Ask:
    return Ask(
        sort=sort,
        descending=True,
        limit=PAGE,
        after=request.args.get("after"),
        before=request.args.get("before"),
        filters=_LIVE if sort == "business_date" else {},
    )


def _explained(line: StatementLine) -> str:
    """Return why points moved; the names of our people are not for customers."""
    if line.adjustment is None:
        return explain(line, language())
    why = adjustment_reason(line.adjustment.reason, language())
    return _("Given to you: %(why)s", why=why) if line.points > 0 else _("Taken: %(why)s", why=why)
