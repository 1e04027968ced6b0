"""A customer's own page: points, tier, the card to be scanned, what is offered next, the newest catalog."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from contacts.case_lists import open_cases_of
from core.clock import business_day
from customers.member_lists import MemberView, read_member
from loyalty.expiry import ending_soon
from loyalty.programme.versions import programmes
from loyalty.queries import position_of_account
from rewards.vouchers.held import vouchers_of_account
from web import answer_words
from web.codes_shown import ShownCode, bars_of
from web.customers.catalogs import is_made_again, own_copies
from web.customers.offers import answered_now, offers_now, prices_now, refuses_everything
from web.state import customer, now, transaction
from web.tiers_shown import tier_shown

blueprint = Blueprint("my", __name__, url_prefix="/my")
FEW = 2
_IN_USE = frozenset({"active", "issued"})


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show how the customer stands, and what is offered next."""
    person = customer()
    today = business_day(now(), person.timezone)
    with transaction() as session:
        position = position_of_account(session, account_id=person.account_id, now=now())
        programme = programmes(session).on(today)
        member = read_member(session, member_id=person.member_id)
        vouchers = [
            voucher
            for voucher in vouchers_of_account(session, account_id=person.account_id, today=today)
            if voucher.usable
        ]
        offers = offers_now(session)
        copies = own_copies(session, person, now=now())
        return render_template(
            "my/home.html",
            points=position,
            worth=programme.value_of(max(0, position.available), person.currency),
            soon=ending_soon(position, today),
            tier=tier_shown(session, account_id=person.account_id, today=today),
            card=next(iter(_codes(member)), None),
            vouchers=vouchers[:FEW],
            more_vouchers=max(0, len(vouchers) - FEW),
            copy=copies[0] if copies else None,
            made_again=is_made_again(session, person, now=now()),
            cases=open_cases_of(session, [person.member_id]).get(person.member_id, []),
            answered=answered_now(session, request.args.get("answered", "")),
            taken_back=False,
            refused_all=refuses_everything(session),
            offers=offers,
            prices=prices_now(session, offers),
            words=answer_words,
        )


@blueprint.get("/card")
def card() -> ResponseReturnValue:
    """Show the customer's cards as large as the screen allows, for the till's scanner."""
    with transaction() as session:
        member = read_member(session, member_id=customer().member_id)
    return render_template("my/card.html", cards=_codes(member))


def _codes(member: MemberView) -> list[ShownCode]:
    """Return the member's cards that a till takes."""
    codes = (bars_of(card.card_number) for card in member.cards if card.state in _IN_USE)
    return [code for code in codes if code is not None]
