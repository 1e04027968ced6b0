"""Quoting a basket: what it would cost and earn if it were paid now; nothing but the quote itself is written."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from contacts.reactions import Refusals
from core.clock import business_day
from core.driver import Along, bring_along
from core.ids import uuid7
from core.records import record
from customers.queries import CardHolder
from loyalty.advice import NO_ADVICE, Advice, Adviser, Customer
from loyalty.earning import earned_on_receipt
from loyalty.exclusions import excluded_lines, excluded_of_codes
from loyalty.expiry import ending_soon
from loyalty.flags import may_earn
from loyalty.lots import Position
from loyalty.offer_points import NOTHING_ADDED
from loyalty.opening import Scanned
from loyalty.printing import language_of_store
from loyalty.programme.rules import Programme
from loyalty.programme.versions import programmes
from loyalty.queries import CardStanding, may_spend, member_document
from loyalty.quotes.hints import welcome_hints
from loyalty.quotes.kept import keep_quote
from loyalty.quotes.offers import Buyer, OnBasket, discounted, offer_messages, offers_document, on_basket
from loyalty.quotes.promises import NOTHING_PROMISED
from loyalty.quotes.quote import HONOURED_FOR
from loyalty.quotes.scenes import ask_about
from loyalty.quotes.words import messages_of
from loyalty.shoppers import Scene, person_of, with_tier
from rewards.live_book import GENERATION, LiveBook, book_at_hand, live_book
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import Basket
from sales.receipts import PostedReceipt, TillIdentity, Totals

ATTEMPTS = 6
"""How often a basket is worked out again because others were faster to a budget; then what is short is left to them."""

_GENERATION = f"select {GENERATION}"


@record
class Evaluated:
    """The sale that a basket would become, and its points: what it would earn, spend, and could spend at most."""

    sale: PostedReceipt
    grosses: Sequence[int]
    """What each line costs at list prices, in minor units."""
    to_earn: int
    to_spend: int
    spendable: int


@record
class _Asked:
    """
    What is known before a basket is worked out.

    `offers` is None where no offer could look at it. That nothing has gone live meanwhile is `unchecked`
    still when that question could wait for the one that keeps the quote.
    """

    standing: CardStanding | None
    live: LiveBook
    offers: OnBasket | None = None
    unchecked: Along | None = None
    told: Mapping[str, Any] | None = None
    """What the adviser asked for."""


def quote_basket(
    session: Session, *, till: TillIdentity, basket: Basket, now: datetime, adviser: Adviser | None = None
) -> dict[str, Any]:
    """
    Return what `basket` comes to at `till`, as the body of the contract, and keep it under its id.

    It is never refused: more points than can be spent are cut, a card that is unknown or blocked earns
    and spends nothing, and the messages say so. The rules are those of the day on which it would be paid,
    the offers those that are live now and run at the moment at which it would be. What it promises of
    their budgets is held; where somebody else was faster it is worked out again. What is told is kept. What is
    offered next is what the `adviser` says, if there is one and it can be kept.
    """
    asked = _ask(session, basket, till, now, adviser)
    offers, holder = asked.offers, asked.standing.holder if asked.standing else None
    denied: set[str] = set()
    advice, logged, quote_id = NO_ADVICE, None, str(uuid7())
    for attempt in range(ATTEMPTS + 1):
        if offers is not None:
            # Left to the others is in the end what so many want at once: what was short, and at last all that can be.
            left_alone = denied if attempt + 1 >= ATTEMPTS else ()
            offers.evaluate(session, denied=offers.with_budgets if attempt == ATTEMPTS else left_alone)
            offers.without_missing_gifts(session)
        document = _worked_out(session, asked, basket=basket, till=till, quote_id=quote_id, now=now)
        if not attempt:
            advice = _advice(session, adviser, asked, till=till, quote_id=quote_id, now=now)
        _leave_out_refused(session, document, asked, advice.refusals, now=now)
        if not attempt:
            logged = advice.send_along(session)
        short = keep_quote(
            session,
            document,
            till=till,
            basket=basket,
            account_id=holder.account_id if holder else None,
            promise=offers.promise if offers else NOTHING_PROMISED,
            now=now,
            holding=offers.holding if offers and asked.live.holds else None,
        )
        if not short:
            break
        denied |= {*short}
    if asked.unchecked and asked.unchecked.row(session)[0] != asked.live.generation and live_book(session):
        # Offers went live since this process looked; what was worked out was told to nobody.
        return quote_basket(session, till=till, basket=basket, now=now, adviser=adviser)
    if logged is not None and logged.row(session)[0]:
        document["next_offers"] = list(advice.offers)
    return document


def _leave_out_refused(
    session: Session, document: dict[str, Any], asked: _Asked, refusals: Refusals | None, *, now: datetime
) -> None:
    if asked.offers is not None:
        document["not_applied"] = welcome_hints(
            session,
            document["not_applied"],
            offers=asked.offers.live.offers,
            cart=asked.offers.cart,
            holder=asked.standing.holder if asked.standing else None,
            refusals=refusals,
            now=now,
        )


def _advice(
    session: Session,
    adviser: Adviser | None,
    asked: _Asked,
    *,
    till: TillIdentity,
    quote_id: str,
    now: datetime,
) -> Advice:
    """Return what to offer next to whoever has a basket."""
    if adviser is None:
        return NO_ADVICE
    standing, today = asked.standing, business_day(now, till.timezone)
    customer = Customer(
        language=_language(standing, till),
        today=today,
        live=asked.live,
        tier_code=standing.tier_code if standing else None,
        ending=ending_soon(standing.position, today) if standing else None,
        source={"quote": quote_id},
    )
    return adviser.advise(session, customer, asked.told)


def _ask(
    session: Session, basket: Basket, till: TillIdentity, now: datetime, adviser: Adviser | None
) -> _Asked:
    """
    Return what is known about a basket, in one round trip where nothing went live since the last.

    A basket without a card that neither an offer nor the adviser looks at needs none before it is kept.
    """
    live, at, today = book_at_hand(session), basket.at or now, business_day(now, till.timezone)
    advice = adviser.question if adviser is not None else None
    if not live and not basket.voucher_codes and basket.card_number is None and advice is None:
        return _Asked(None, live, unchecked=bring_along(session, _GENERATION, ()))
    found = ask_about(session, basket, till, live=live, at=at, now=now, today=today, advice=advice)
    told = found.advice
    if found.generation != live.generation:
        live = live_book(session, generation=found.generation)
        found = ask_about(session, basket, till, live=live, at=at, now=now, today=today, advice=None)
    standing = found.standing
    if basket.currency != till.currency or not (live or basket.voucher_codes):
        return _Asked(standing, live, told=told)
    scene = found.scene(basket)
    offers = on_basket(
        session,
        live=live,
        cart=scene.cart,
        till=till,
        at=at,
        buyer=_buyer(scene, standing, till),
        voucher_codes=basket.voucher_codes,
        now=now,
    )
    return _Asked(standing, live, offers, told=told)


def _buyer(scene: Scene, standing: CardStanding | None, till: TillIdentity) -> Buyer:
    """Return who buys; a card that is blocked or out of date is nobody's."""
    language = _language(standing, till)
    if standing is None or standing.holder.successor_state in {"blocked", "expired"}:
        return Buyer(language=language)
    holder = standing.holder
    return Buyer(
        shopper=with_tier(scene.shopper, standing.tier_code),
        account_id=holder.account_id,
        person_id=person_of(holder.member_id, holder.account_id),
        has_card=True,
        language=language,
    )


def _language(standing: CardStanding | None, till: TillIdentity) -> str:
    return (standing and standing.holder.language) or language_of_store(till.timezone)


def _worked_out(
    session: Session, asked: _Asked, *, basket: Basket, till: TillIdentity, quote_id: str, now: datetime
) -> dict[str, Any]:
    """Return the body of the contract."""
    programme = programmes(session).on(business_day(basket.at or now, till.timezone))
    standing, offers = asked.standing, asked.offers
    holder, position = (standing.holder, standing.position) if standing else (None, Position())
    evaluated = evaluate(
        basket,
        till,
        holder=holder,
        position=position,
        now=now,
        programme=programme,
        excluded=_excluded(session, basket, till, programme, offers),
        offers=offers,
    )
    rewards = standing.rewards if standing else ()
    messages = messages_of(
        basket,
        holder=holder,
        currency=till.currency,
        programme=programme,
        spendable=evaluated.spendable,
        spends=evaluated.to_spend,
        rewards=rewards,
        points_after=position.balance + evaluated.to_earn - evaluated.to_spend,
        language=_language(standing, till),
    )
    beside: dict[str, Any] = {"gifts": [], "vouchers": [], "not_applied": []}
    if offers is not None:
        messages = [*offer_messages(offers), *messages]
        beside = offers_document(session, offers)
    return {
        "quote_id": quote_id,
        "valid_until": (now + HONOURED_FOR).isoformat(),
        **_priced(evaluated, offers),
        "points": {
            "to_earn": evaluated.to_earn,
            "to_spend": evaluated.to_spend,
            "available": position.available,
            "pending": position.pending,
            "spendable_now": evaluated.spendable,
            "spendable_value": programme.value_of(evaluated.spendable, basket.currency),
        },
        **beside,
        "next_offers": [],
        "member": member_document(holder, business_day(now, till.timezone), standing.tier_code)
        if holder and standing
        else None,
        "messages": messages,
    }


def evaluate(
    basket: Basket,
    till: TillIdentity,
    *,
    holder: CardHolder | None,
    position: Position,
    now: datetime,
    programme: Programme,
    excluded: Collection[int] = (),
    offers: OnBasket | None = None,
) -> Evaluated:
    """
    Return what `basket` would be as a sale, with the very rules that book one. Pure.

    `excluded` are the numbers of lines that earn nothing. What `offers` come to, if they were evaluated,
    lowers the lines of the sale before its points are counted, and adds to those.
    """
    paid_at = basket.at or now
    listed = basket.listed_lines()
    grosses = [line.total_amount for line in listed]
    lines, discount, added = listed, 0, NOTHING_ADDED
    if offers is not None and offers.evaluation is not None:
        lines, added = discounted(lines, offers.evaluation), offers.promise.points
        discount = sum([line.discount_amount for line in lines])
    bill = sum([line.total_amount for line in lines])
    spendable = 0
    # What a reservation would be refused for must not be promised: a replaced card shows points, but spends none.
    if (
        holder is not None
        and may_spend(holder, programme)
        and holder.state in {"active", "issued"}
        and basket.currency == till.currency
    ):
        spendable = programme.spendable_on(bill, position.available, basket.currency)
    to_spend = programme.spendable(min(basket.points_to_spend, spendable))
    value = programme.value_of(to_spend, basket.currency)
    totals = Totals(
        payable_amount=bill - value,
        gross_amount=sum(grosses),
        discount_amount=discount,
        points_amount=value,
    )
    sale = basket.as_sale(
        closed_at=paid_at, business_date=business_day(paid_at, till.timezone), lines=lines, totals=totals
    )
    earns = holder is not None and _would_earn(sale, holder)
    earned = earned_on_receipt(sale, till, programme, excluded, added) if earns else {}
    return Evaluated(
        sale=sale,
        grosses=grosses,
        to_earn=sum(earned.values()),
        to_spend=to_spend,
        spendable=spendable,
    )


def _excluded(
    session: Session, basket: Basket, till: TillIdentity, programme: Programme, offers: OnBasket | None
) -> set[int]:
    """Return the numbers of the lines that earn nothing; asks nothing where nothing is left out, or all is known."""
    if not programme.excluded:
        return set()
    if offers is not None:
        return excluded_lines(offers.cart, programme.excluded)
    skus, gtins = codes_to_look_up(session, basket.lines, store_id=till.store_id)
    codes = list(zip(skus, gtins, strict=True))
    places = excluded_of_codes(session, codes=codes, excluded=programme.excluded)
    return {basket.lines[place].line_number for place in places}


def _would_earn(sale: PostedReceipt, holder: CardHolder) -> bool:
    """Return whether a card would earn; one from stock is in use from its first sale on."""
    card = Scanned(
        state=holder.successor_state,
        blocked_at=holder.blocked_at,
        account_id=holder.account_id,
        member_id=holder.member_id,
        given_name=holder.given_name,
        family_name=holder.family_name,
        language=holder.language,
        birth_date=holder.birth_date,
    )
    return card.state == "stock" or may_earn(sale, card)


def _priced(evaluated: Evaluated, offers: OnBasket | None) -> dict[str, Any]:
    totals = evaluated.sale.totals
    found = offers.evaluation.discounts if offers and offers.evaluation else None
    return {
        "lines": [
            {
                "line_number": line.line_number,
                "gross_amount": evaluated.grosses[place],
                "discount_amount": line.discount_amount,
                "net_amount": line.total_amount,
                "discounts": [one._asdict() for one in found[place]] if found else [],
            }
            for place, line in enumerate(evaluated.sale.lines)
        ],
        "totals": {
            "gross_amount": totals.gross_amount,
            "discount_amount": totals.discount_amount,
            "points_amount": totals.points_amount,
            "payable_amount": totals.payable_amount,
        },
    }
