"""Gift cards at the till: issued, loaded, paid with, given back. An addition to the contract; no till must know it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from core import clock
from core.errors import RegularsError
from core.ids import find_uuid
from pos_api import idempotency, parameters
from pos_api.answers import Answer
from pos_api.bodies import answer, from_path, parse, read
from pos_api.fields import Code, Pattern, Whole
from pos_api.keys import bearer, till_of
from pos_api.openapi import Calls
from pos_api.parameters import path_parameter
from pos_api.payment_cards import refuse_payment_cards
from pos_api.problems import refusals
from pos_api.schemas import RECEIPT_NUMBER, Body
from pos_api.transactions import look, transact
from rewards.gift_cards import operations as money

gift_cards = Calls("gift_cards", "Gift cards: stored money apart from points")

CODES: Final[Mapping[type[RegularsError], str]] = {
    money.NotEnoughMoney: "not_enough_money",
    money.GiftCardBlocked: "card_blocked",
    money.OtherCurrency: "other_currency",
}

NUMBER = path_parameter(
    "gift_card_number",
    "As it is printed on the card; spaces and small letters do no harm.",
    example="G4Q7M9XKD2R5T8VB",
)
SHOWN: Final[Mapping[str, Any]] = {
    "gift_card_number": "G4Q7M9XKD2R5T8VB",
    "currency": "CZK",
    "state": "active",
    "balance": 50000,
}
BOOKED: Final[Mapping[str, Any]] = {**SHOWN, "entry_id": "019aa5f1-3c2b-7d40-8b7e-2f6f1a0d9c77"}
MOVED: Final = (
    "not_found",
    "not_enough_money",
    "card_blocked",
    "other_currency",
    "in_progress",
    "idempotency_conflict",
)


class GiftCardAnswer(Answer):
    """A gift card and what it holds."""

    gift_card_number = fields.String(required=True)
    currency = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": ["active", "blocked"]})
    balance = fields.Integer(required=True, metadata={"minimum": 0, "description": "In minor units."})
    entry_id = fields.UUID(metadata={"description": "What was just booked; a spending is given back by it."})


class GiftCardMoneyBody(Body):
    """An amount in the minor unit of the store's currency, and the receipt that it goes with."""

    amount = Whole(1, money.LARGEST_AMOUNT, required=True)
    receipt_number = Pattern(
        RECEIPT_NUMBER, "Must be 1 to 40 letters, digits, dots, underscores and hyphens."
    )


class GiftCardReturnBody(Body):
    """What of a spending comes back to its card."""

    amount = Whole(1, money.LARGEST_AMOUNT, required=True)
    entry_id = Code(required=True)
    receipt_number = Pattern(
        RECEIPT_NUMBER, "Must be 1 to 40 letters, digits, dots, underscores and hyphens."
    )


MONEY, RETURN = GiftCardMoneyBody(), GiftCardReturnBody()
EXAMPLES: Final = {"amount": {"summary": "Money", "value": {"amount": 50000, "receipt_number": "000123"}}}
RETURNS: Final = {
    "part": {"summary": "A part", "value": {"amount": 10000, "entry_id": BOOKED["entry_id"]}},
}


@gift_cards.call(
    "POST",
    "/gift-cards",
    body=GiftCardMoneyBody,
    examples=EXAMPLES,
    answers={201: (GiftCardAnswer, "Issued, with the amount on it.", BOOKED)},
    problems=("in_progress", "idempotency_conflict"),
    parameters=(parameters.IDEMPOTENCY_KEY,),
)
def issue_gift_card() -> Response:
    """
    Issue a gift card for what was paid.

    Its number is all that its bearer needs: print it, or its barcode. Send an Idempotency-Key, or a card is issued each time.
    """
    return _once(
        MONEY,
        lambda session, teller, wish: money.issue_gift_card(
            session, amount=wish["amount"], currency=teller.currency or "", teller=teller
        ),
    )


@gift_cards.call(
    "GET",
    "/gift-cards/<gift_card_number>",
    answers={200: (GiftCardAnswer, "The gift card.", SHOWN)},
    problems=("not_found",),
    parameters=(NUMBER,),
)
def show_gift_card(gift_card_number: str) -> Response:
    """Return what a gift card holds."""
    key = bearer()
    from_path(gift_card_number)

    def work(session: Session) -> dict[str, Any]:
        till_of(session, key)
        with refusals(CODES):
            return money.gift_card(session, gift_card_number).document()

    return answer(look(work))


@gift_cards.call(
    "POST",
    "/gift-cards/<gift_card_number>/load",
    body=GiftCardMoneyBody,
    examples=EXAMPLES,
    answers={201: (GiftCardAnswer, "Loaded.", BOOKED)},
    problems=MOVED,
    parameters=(NUMBER, parameters.IDEMPOTENCY_KEY),
)
def load_gift_card(gift_card_number: str) -> Response:
    """Book that money was paid in for a gift card; no sale, so it stands on no receipt's lines."""
    from_path(gift_card_number)
    return _once(
        MONEY,
        lambda session, teller, wish: money.load(
            session, number=gift_card_number, amount=wish["amount"], teller=teller
        ),
    )


@gift_cards.call(
    "POST",
    "/gift-cards/<gift_card_number>/spend",
    body=GiftCardMoneyBody,
    examples=EXAMPLES,
    answers={201: (GiftCardAnswer, "Paid with.", {**BOOKED, "balance": 0})},
    problems=MOVED,
    parameters=(NUMBER, parameters.IDEMPOTENCY_KEY),
)
def spend_gift_card(gift_card_number: str) -> Response:
    """Pay with a gift card, never more than it holds; the receipt states it as a tender of the type `gift_card`."""
    from_path(gift_card_number)
    return _once(
        MONEY,
        lambda session, teller, wish: money.spend(
            session, number=gift_card_number, amount=wish["amount"], teller=teller
        ),
    )


@gift_cards.call(
    "POST",
    "/gift-cards/<gift_card_number>/give-back",
    body=GiftCardReturnBody,
    examples=RETURNS,
    answers={201: (GiftCardAnswer, "Given back.", BOOKED)},
    problems=MOVED,
    parameters=(NUMBER, parameters.IDEMPOTENCY_KEY),
)
def give_back_to_gift_card(gift_card_number: str) -> Response:
    """Give money of a spending back to its card, no more than of it is left."""
    from_path(gift_card_number)

    def work(session: Session, teller: money.Teller, wish: Mapping[str, Any]) -> money.GiftCardView:
        entry_id = find_uuid(wish["entry_id"])
        if entry_id is None:
            raise money.GiftCardNotFound("this card was not paid with under this entry")
        return money.give_back(
            session, number=gift_card_number, entry_id=entry_id, amount=wish["amount"], teller=teller
        )

    return _once(RETURN, work)


def _once(
    body: Body, do: Callable[[Session, money.Teller, Mapping[str, Any]], money.GiftCardView]
) -> Response:
    """Answer the current request with what `do` books, once for each Idempotency-Key."""
    key = bearer()
    repeated = idempotency.key_of_request()
    raw = read()

    def work(session: Session) -> dict[str, Any]:
        till = till_of(session, key)
        document = parse(raw)
        wish = body.read(document)
        refuse_payment_cards(session, document)
        now = clock.now()
        teller = money.Teller(
            now, till.actor, till.currency, till.store_id, till.till_id, wish.get("receipt_number")
        )

        def book() -> dict[str, Any]:
            with refusals(CODES):
                return do(session, teller, wish).document()

        return idempotency.once(session, book, till_id=till.till_id, key=repeated, document=document, now=now)

    return answer(transact(work), 201)
