"""Redemptions: points, rewards and vouchers that a member uses at the till."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from core import clock
from core.errors import RegularsError
from loyalty import redemptions as points
from loyalty.redemptions import hold_voucher
from loyalty.reservations import Redemption
from pos_api import examples, idempotency, parameters
from pos_api.answers import RedemptionAnswer
from pos_api.bodies import answer, parse, read
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import Problem, refusals
from pos_api.schemas import REDEMPTION, RedemptionBody
from pos_api.transactions import transact
from rewards.stocks.operations import OutOfStock
from rewards.vouchers import reservations as vouchers
from sales.receipts import TillIdentity

redemptions = Calls("redemptions", "Points, rewards and vouchers that a member uses")

CODES: Mapping[type[RegularsError], str] = {
    points.OtherStore: "other_store",
    points.NotRegistered: "not_registered",
    points.CardBlocked: "card_blocked",
    points.NotEnoughPoints: "not_enough_points",
    points.AlreadyRedeemed: "already_redeemed",
    points.AlreadyReleased: "already_released",
    points.RedemptionExpired: "expired",
    OutOfStock: "out_of_stock",
    vouchers.NotTakenHere: "other_store",
    vouchers.VoucherTaken: "already_redeemed",
    vouchers.VoucherReleased: "already_released",
    vouchers.VoucherOver: "expired",
}

Resolve = Callable[..., Redemption | vouchers.VoucherHold]


@redemptions.call(
    "POST",
    "/redemptions",
    body=RedemptionBody,
    examples=examples.REDEMPTIONS,
    answers={201: (RedemptionAnswer, "Reserved for ten minutes.", examples.REDEMPTION_ANSWER)},
    problems=(
        "not_found",
        "not_enough_points",
        "out_of_stock",
        "not_registered",
        "card_blocked",
        "already_redeemed",
        "expired",
        "other_store",
        "in_progress",
        "idempotency_conflict",
    ),
    parameters=(parameters.IDEMPOTENCY_KEY,),
)
def post_redemption() -> Response:
    """
    Reserve points, a reward or a voucher.

    A receipt that lists the redemption posts it; without one it can be posted by itself.
    """
    key = bearer()
    repeated = idempotency.key_of_request()
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        document = parse(raw)
        wish = REDEMPTION.read(document)
        refuse_payment_cards(session, document)
        now = clock.now()
        return idempotency.once(
            session,
            lambda: _reserve(session, till, wish, now),
            till_id=till.till_id,
            key=repeated,
            document=document,
            now=now,
        )

    return answer(transact(work), 201)


def _reserve(session: Session, till: TillIdentity, wish: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    if "voucher_code" in wish:
        with refusals(CODES):
            return hold_voucher(session, till=till, voucher_code=wish["voucher_code"], now=now).document(now)
    try:
        with refusals(CODES):
            return points.reserve(session, till=till, now=now, **wish).document(now)
    except Problem as problem:
        if isinstance(problem.__cause__, points.NotInSteps):
            # No state of the account would allow it: it is the body that breaks the programme's rule.
            raise Problem(problem.code, problem.detail, errors=[("/points", problem.detail)]) from problem
        raise


@redemptions.call(
    "GET",
    "/redemptions/<redemption_id>",
    answers={200: (RedemptionAnswer, "As it stands now.", examples.REDEMPTION_ANSWER)},
    problems=("other_store", "not_found"),
    parameters=(parameters.REDEMPTION_PARAMETER,),
)
def show_redemption(redemption_id: str) -> Response:
    """Return a redemption of the own store."""

    def find(session: Session, *, till: TillIdentity, redemption_id: UUID, now: datetime) -> Redemption:
        del now
        return points.find_redemption(session, till=till, redemption_id=redemption_id)

    def find_voucher(
        session: Session, *, till: TillIdentity, redemption_id: UUID, now: datetime
    ) -> vouchers.VoucherHold:
        del now
        return vouchers.find_hold(session, till=till, redemption_id=redemption_id)

    return _with(redemption_id, find, find_voucher)


@redemptions.call(
    "POST",
    "/redemptions/<redemption_id>/release",
    answers={200: (RedemptionAnswer, "Given back.", {**examples.REDEMPTION_ANSWER, "state": "released"})},
    problems=("other_store", "not_found", "already_redeemed", "expired", "in_progress"),
    parameters=(parameters.REDEMPTION_PARAMETER,),
)
def release_redemption(redemption_id: str) -> Response:
    """Give reserved points back; a second time changes nothing."""
    return _with(redemption_id, points.release, vouchers.release_voucher)


@redemptions.call(
    "POST",
    "/redemptions/<redemption_id>/post",
    answers={200: (RedemptionAnswer, "Handed over.", {**examples.REDEMPTION_ANSWER, "state": "posted"})},
    problems=("other_store", "not_found", "already_released", "expired", "in_progress"),
    parameters=(parameters.REDEMPTION_PARAMETER,),
)
def hand_over_redemption(redemption_id: str) -> Response:
    """Hand over what was reserved without a receipt; a second time changes nothing."""
    return _with(redemption_id, points.post, vouchers.post_voucher)


def _with(text: str, do: Resolve, with_voucher: Resolve) -> Response:
    key = bearer()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        try:
            redemption_id = UUID(text)
        except ValueError as error:
            raise Problem("not_found", "There is no such redemption.") from error
        now = clock.now()
        with refusals(CODES):
            try:
                done = do(session, till=till, redemption_id=redemption_id, now=now)
            except points.RedemptionNotFound:
                done = with_voucher(session, till=till, redemption_id=redemption_id, now=now)
            return done.document(now)

    return answer(transact(work))
