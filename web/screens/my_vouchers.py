"""A customer's vouchers, each with the code that a till scans."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from core.clock import business_day
from rewards.vouchers.held import HeldVoucher, vouchers_of_account
from web import gift_words
from web.codes_shown import voucher_code
from web.state import customer, now, transaction

blueprint = Blueprint("my_vouchers", __name__, url_prefix="/my/vouchers")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show what can be used, and what became of the rest."""
    today = business_day(now(), customer().timezone)
    with transaction() as session:
        held = vouchers_of_account(session, account_id=customer().account_id, today=today)
    return render_template(
        "my/vouchers.html",
        usable=[
            (one, voucher_code(one.voucher.voucher_code, one.voucher.symbology)) for one in held if one.usable
        ],
        past=[(one, gift_words.voucher_states()[_state(one)][0]) for one in held if not one.usable],
    )


def _state(held: HeldVoucher) -> str:
    """Return what became of a voucher; the night has not yet seen one whose last day was yesterday."""
    return "expired" if held.state == "issued" else held.state
