"""Members who join at the till."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from flask import Response
from sqlalchemy.orm import Session

from contacts.confirmations import ask_to_confirm
from core import clock
from core.errors import Refused, RegularsError
from customers.contact_details import consents_of, email_address, phone_number
from customers.enrolment import (
    TEXT_VERSION,
    AlreadyRegistered,
    CardBlocked,
    CardInUse,
    NewMember,
    enrol_member,
)
from loyalty.printing import language_of_store
from loyalty.queries import card_view
from loyalty.referrals.operations import UnknownReferralCode, refer
from pos_api import examples, idempotency, parameters
from pos_api.answers import MemberAnswer
from pos_api.bodies import answer, parse, read
from pos_api.keys import actor_of, bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import invalid_content, refusals
from pos_api.schemas import MEMBER, MemberBody
from pos_api.transactions import transact
from sales.receipts import TillIdentity

members = Calls("members", "Members who join at the till")

CODES: Mapping[type[RegularsError], str] = {
    AlreadyRegistered: "already_registered",
    CardBlocked: "card_blocked",
    CardInUse: "card_in_use",
}

T = TypeVar("T")


@members.call(
    "POST",
    "/members",
    body=MemberBody,
    examples=examples.MEMBERS,
    answers={201: (MemberAnswer, "Enrolled.", examples.MEMBER_ANSWER)},
    problems=("already_registered", "card_blocked", "card_in_use", "in_progress", "idempotency_conflict"),
    parameters=(parameters.IDEMPOTENCY_KEY,),
)
def post_member() -> Response:
    """
    Enrol a member and give them the card that lies on the counter.

    The card may be of stock, issued, or a valid number never seen before; what it has earned is theirs.
    A consent to e-mail holds once the member has confirmed it by the link that is mailed to them.
    """
    key = bearer()
    repeated = idempotency.key_of_request()
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        document = parse(raw)
        wish = MEMBER.read(document)
        refuse_payment_cards(session, document)
        person = _person(wish, till)
        now = clock.now()
        return idempotency.once(
            session,
            lambda: _enrol(session, till, wish, person, now),
            till_id=till.till_id,
            key=repeated,
            document=document,
            now=now,
        )

    return answer(transact(work), 201)


def _person(wish: Mapping[str, Any], till: TillIdentity) -> NewMember:
    language = wish.get("language") or language_of_store(till.timezone)
    return NewMember(
        given_name=wish["given_name"],
        family_name=wish["family_name"],
        language=language,
        email=_checked("/email", lambda: email_address(wish.get("email"))),
        phone=_checked("/phone", lambda: phone_number(wish.get("phone"), language)),
        consents=consents_of(" ".join(wish.get("consents", ()))),
    )


def _checked(place: str, check: Callable[[], T]) -> T:
    try:
        return check()
    except Refused as refusal:
        raise invalid_content([(place, str(refusal))]) from refusal


def _enrol(
    session: Session, till: TillIdentity, wish: Mapping[str, Any], person: NewMember, now: datetime
) -> dict[str, Any]:
    card_number, today = wish["card_number"], clock.business_day(now, till.timezone)
    with refusals(CODES):
        member_code = enrol_member(
            session,
            card_number=card_number,
            person=person,
            store_code=till.store_code,
            today=today,
            now=now,
            actor=actor_of(till),
        )
    ask_to_confirm(
        session,
        member_code=member_code,
        purposes=[purpose for purpose, channel in person.consents if channel == "email"],
        source=actor_of(till),
        text_version=TEXT_VERSION,
        actor=actor_of(till),
        now=now,
    )
    referred: dict[str, Any] = {}
    if code := wish.get("referral_code"):
        try:
            state, reason = refer(
                session, code=code, member_code=member_code, today=today, now=now, actor=actor_of(till)
            )
        except UnknownReferralCode as error:
            raise invalid_content([("/referral_code", str(error))]) from error
        referred = {"referral": {"state": state, "reason": reason}}
    card = card_view(session, card_number=card_number, now=now, store=till)
    return {"member_code": member_code, "card": card, **referred}
