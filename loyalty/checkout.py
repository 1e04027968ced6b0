"""A receipt's way into the books: settled once, whatever comes twice, late, early or out of order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import ask, together
from core.ids import uuid7
from customers.operations import put_into_use
from customers.queries import known_cards
from loyalty.advice import Advice, Adviser, receipt_advice
from loyalty.answers import receipt_answer
from loyalty.booking import Booking
from loyalty.expiry import expiry_messages
from loyalty.flags import knowledge_flags, may_earn
from loyalty.given_offers import Buying, Given, give, given_lines, missing_lines, send_given
from loyalty.holders import holder_on, language_for, name_of
from loyalty.lots import Position
from loyalty.offer_points import OfferPoints
from loyalty.opening import Known, Opening, Scanned, hold_account, scanned_again
from loyalty.operations import held_by_the_database, send_to_books
from loyalty.paid_offers import PaidOffers, paid_offers, past_offers
from loyalty.printing import head_line, receipt_text
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from loyalty.purchases import book_sale
from loyalty.queries import answer_from_books
from loyalty.quotes.kept import use_quote
from loyalty.quotes.quote import Difference, differences
from loyalty.receipt_baskets import basket_of, open_with_look
from loyalty.receipt_scenes import Look
from loyalty.returns.reversals import book_reversal
from loyalty.returns.undoing import undo
from loyalty.shoppers import person_of
from loyalty.tiers.booking import TierBooking, book_tier, look_again, write_tier
from loyalty.tiers.state import TierState, asked
from loyalty.tiers.versions import schemes
from loyalty.tiers.words import tier_messages
from loyalty.watching import WATCHED_FOR, raise_alerts, suspicions
from rewards.offer_uses import Place
from sales.receipts import (
    LIVE,
    SALE,
    Flag,
    PostedReceipt,
    TillIdentity,
    fingerprint,
    masked,
    own_identity,
    payment_cards_in,
    stated_flags,
)
from sales.records import Record, link_to_original, quarantine, record_arrivals, record_receipt
from sales.stored_receipts import replace_answer

OF_THE_MOMENT = frozenset({"late", "clock_skew", "suspicious", "quote_expired"})
"""Flags that say something about a till's moment, and nothing about past receipts from a file."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a receipt, exactly the body of the contract; `replayed` when it had come before."""

    answer: dict[str, Any]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """
    Another body stood under the receipt's identity already.

    This one was set aside for a person and nothing was booked; it is kept only if the
    caller commits, so this is a result and not an exception.
    """

    detail: str


def settle(
    session: Session,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    now: datetime,
    imported: bool = False,
    adviser: Adviser | None = None,
) -> Outcome | Quarantined:
    """
    Record `posted` of `till`, book its points, and return the answer; nothing of it happens twice.

    A receipt that came before gets its stored answer; who brings one that is being
    booked at this moment waits for it, at most five seconds, after which psycopg's
    LockNotAvailable is raised. A collision raises psycopg's SerializationFailure or
    DeadlockDetected: then all of it is to be done again in a new transaction.
    What is `imported` is not flagged for coming late or fast. The rules are those of the receipt's business
    date, whenever it comes. What the `adviser` says to offer next is told, printed and kept with the answer.
    """
    programme = programmes(session).on(posted.business_date)
    versions = schemes(session)
    posted, meaning, flags = _without_payment_cards(session, posted, till)
    tiers = asked(versions, posted.business_date)
    opening, look = open_with_look(
        session, till, posted, programme, tiers, adviser, now=now, imported=imported
    )
    if opening.known is not None:
        return _known(session, opening.known, till=till, posted=posted, meaning=meaning, now=now)
    opening = _with_card_in_use(session, posted, opening, now)
    paid = _paid(session, posted, till, opening=opening, look=look, imported=imported, now=now)
    flags += [*stated_flags(posted, till, now=now), *knowledge_flags(posted, opening), *paid.flags]
    if imported:
        flags = [flag for flag in flags if flag.code not in OF_THE_MOMENT]
    receipt_id = uuid7()
    booking = _book(
        session,
        till=till,
        posted=posted,
        opening=opening,
        receipt_id=receipt_id,
        now=now,
        programme=programme,
        offers=paid.points,
    )
    given = _give(
        session, paid, posted, till, opening=opening, booking=booking, receipt_id=receipt_id, now=now
    )
    tier = book_tier(
        versions, posted=posted, till=till, opening=opening, booking=booking, receipt_id=receipt_id, now=now
    )
    advice = receipt_advice(session, adviser, look, till, opening, booking, tier.state, receipt_id, now=now)
    record = _record(
        till,
        posted,
        opening,
        booking,
        given=given,
        offer_points=paid.points.document(),
        tier=tier.state,
        advice=advice,
        flags=[*flags, *booking.flags, *given.flags],
        receipt_id=receipt_id,
        meaning=meaning,
        now=now,
    )
    _write(session, record, booking, tier, given, opening, advice, imported=imported)
    undo(session, booking.undone, till=till, now=now)
    seen = look_again(session, tier, schemes=versions, till=till, now=now)
    return Outcome(_told(session, record, seen, holder_on(opening, booking)), replayed=False)


def _paid(
    session: Session,
    posted: PostedReceipt,
    till: TillIdentity,
    *,
    opening: Opening,
    look: Look | None,
    imported: bool,
    now: datetime,
) -> PaidOffers:
    """Return what offers come to on `posted`."""
    if imported:
        return past_offers(session, posted)
    basket = basket_of(session, look, posted=posted, till=till, opening=opening, now=now)
    return paid_offers(session, posted, quote=opening.quote, basket=basket)


def _book(
    session: Session,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    opening: Opening,
    receipt_id: UUID,
    now: datetime,
    programme: Programme,
    offers: OfferPoints,
) -> Booking:
    """Return what `posted` does to points, with what `offers` add."""
    if posted.type != SALE:
        return book_reversal(
            session, till=till, posted=posted, opening=opening, receipt_id=receipt_id, now=now
        )
    return book_sale(
        session,
        till=till,
        posted=posted,
        opening=opening,
        held=opening.held if may_earn(posted, opening.card) else None,
        receipt_id=receipt_id,
        now=now,
        programme=programme,
        offers=offers,
    )


def _give(
    session: Session,
    paid: PaidOffers,
    posted: PostedReceipt,
    till: TillIdentity,
    *,
    opening: Opening,
    booking: Booking,
    receipt_id: UUID,
    now: datetime,
) -> Given:
    """Give what a live sale gets beside discounts and points; another receipt gets nothing."""
    if posted.type != SALE or posted.mode != LIVE:
        return Given()
    holder = holder_on(opening, booking)
    if paid.vouchers:
        posted = replace(posted, voucher_codes=(*posted.voucher_codes, *paid.vouchers))
    buying = Buying(
        posted=posted,
        till=till,
        receipt_id=receipt_id,
        account_id=booking.account_id,
        person_id=person_of(holder.member_id if holder else None, booking.account_id),
        quote_id=opening.quote.quote_id if opening.quote else None,
        place=Place(till.store_id, till.till_id, business_day(posted.closed_at, till.timezone)),
        language=language_for(holder, till),
        now=now,
    )
    given = give(session, paid, buying)
    given.rests += booking.rests
    given.vouchers += booking.issued
    return given


def _without_payment_cards(
    session: Session, posted: PostedReceipt, till: TillIdentity
) -> tuple[PostedReceipt, bytes, list[Flag]]:
    """
    Return `posted` with payment-card numbers masked, its fingerprint, and the flag of the masking.

    Numbers of our own cards stay.
    """
    found = payment_cards_in(posted)
    meaning = fingerprint(posted, till, cards=found)
    foreign = found - known_cards(session, found) if found else found
    if not foreign:
        return posted, meaning, []
    flag = Flag("masked", "a payment-card number stood in a text and was masked")
    return masked(posted, spare=found - foreign), meaning, [flag]


def _known(
    session: Session,
    known: Known,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    meaning: bytes,
    now: datetime,
) -> Outcome | Quarantined:
    if known.fingerprint != meaning:
        quarantine(session, posted=posted, till=till, fingerprint=meaning, now=now)
        return Quarantined(f"another receipt {own_identity(posted, till)} was stored before")
    answer = known.answer or answer_from_books(
        session, till=till, business_date=posted.business_date, receipt_id=known.receipt_id, now=now
    )
    return Outcome({**answer, "replayed": True}, replayed=True)


def _with_card_in_use(session: Session, posted: PostedReceipt, opening: Opening, now: datetime) -> Opening:
    """Return `opening` with an account for a card from stock, which a live sale shows to be in use."""
    card = opening.card
    if card is None or card.state != "stock" or posted.mode != LIVE or posted.type != SALE:
        return opening
    assert posted.card_number is not None
    if account_id := put_into_use(session, card_number=posted.card_number, now=now):
        card = replace(card, state="issued", account_id=account_id)
    else:
        card = scanned_again(session, posted.card_number)
    held = hold_account(session, account_id=card.account_id, now=now) if card.account_id else None
    return replace(opening, card=card, held=held)


def _record(
    till: TillIdentity,
    posted: PostedReceipt,
    opening: Opening,
    booking: Booking,
    *,
    given: Given,
    offer_points: dict[str, Any] | None,
    flags: Sequence[Flag],
    receipt_id: UUID,
    meaning: bytes,
    now: datetime,
    tier: TierState | None,
    advice: Advice,
) -> Record:
    """Return the receipt as it will be kept, with its answer."""
    holder = holder_on(opening, booking)
    departures: list[Difference] = []
    if opening.quote is not None and posted.type == SALE:
        departures = differences(posted, opening.quote, earned=booking.moved.earned)
    today, language = business_day(now, till.timezone), language_for(holder, till, otherwise=booking.language)
    text = receipt_text(
        language,
        name=name_of(holder),
        moved=booking.moved,
        position=booking.position,
        pending_until=booking.pending_until,
        today=today,
        tier=tier.named(language) if tier else None,
    )
    expiring = expiry_messages(language, booking.position or Position(), today)
    # Paper is all that reaches who gave no e-mail address.
    ending = tier_messages(language, tier, till.currency)
    answer = receipt_answer(
        receipt_id=receipt_id,
        flags=flags,
        moved=booking.moved,
        pending_until=booking.pending_until,
        position=booking.position,
        departures=departures,
        messages=[*missing_lines(given, language), *expiring, *ending],
        text=[*text, *ending, *given_lines(given, language=language, currency=till.currency), *advice.lines],
        tier=tier.document(till.currency) if tier else None,
        given=given.document(),
        next_offers=advice.offers,
    )
    return Record(
        receipt_id=receipt_id,
        posted=posted,
        till=till,
        fingerprint=meaning,
        received_at=now,
        account_id=booking.account_id,
        member_id=holder.member_id if holder else None,
        articles=opening.articles,
        points=booking.points,
        flags=flags,
        original_receipt_id=booking.original_receipt_id,
        answer=answer,
        programme_version=booking.programme_version,
        excluded_lines=sorted(opening.excluded),
        offer_points=offer_points,
    )


def _told(session: Session, record: Record, tier: TierState | None, holder: Scanned | None) -> dict[str, Any]:
    """Return the answer, with a tier that was only known when the receipt was written; then it is kept anew."""
    assert record.answer is not None
    answer = dict(record.answer)
    if tier is None:
        return answer
    name, till = name_of(holder), record.till
    if name:
        answer["print"] = [head_line(name, tier.named(language_for(holder, till))), *answer["print"][1:]]
    answer["tier"] = tier.document(till.currency)
    replace_answer(
        session, business_date=record.posted.business_date, receipt_id=record.receipt_id, answer=answer
    )
    return answer


def _ends(booking: Booking, tier: TierBooking, given: Given, opening: Opening) -> bool:
    """Return whether nothing is looked at or kept after the receipt is written, in all that has to hold."""
    later = booking.undone or tier.since is not None or given.used or opening.quote is not None
    return not later and held_by_the_database(booking.holdings)


def _write(  # noqa: PLR0917 - what one round trip writes
    session: Session,
    record: Record,
    booking: Booking,
    tier: TierBooking,
    given: Given,
    opening: Opening,
    advice: Advice,
    *,
    imported: bool,
) -> None:
    """Write everything in one round trip; where nothing follows, the transaction is over then."""
    posted = record.posted
    old = imported and record.received_at.date() - posted.business_date > WATCHED_FOR
    found = () if old else tuple(suspicions(posted, opening))
    try:
        with together(session, end=_ends(booking, tier, given, opening)):
            record_receipt(session, record)
            if booking.linked:
                link_to_original(
                    session,
                    receipt_id=record.receipt_id,
                    posted=record.posted,
                    till=record.till,
                    original_receipt_id=booking.original_receipt_id,
                )
            record_arrivals(session, booking.arrivals, now=record.received_at)
            look = send_to_books(session, booking.holdings)
            write_tier(session, tier, now=record.received_at)
            send_given(session, given, till_id=record.till.till_id, now=record.received_at)
            look_at_quote = use_quote(session, opening.quote, posted=posted, receipt_id=record.receipt_id)
            if advice.log is not None:
                ask(session, *advice.log)
            if found:
                raise_alerts(
                    session,
                    found=found,
                    till=record.till,
                    business_date=record.posted.business_date,
                    receipt_id=record.receipt_id,
                    now=record.received_at,
                )
        look()
        look_at_quote()
    except errors.UniqueViolation as error:
        # An import brought the same receipt meanwhile, past our locks; a new attempt will find it.
        raise errors.SerializationFailure("the receipt was stored by an import meanwhile") from error
