"""What is known of a receipt when it is about to be booked, and the question that takes its locks and tells it; live sales ask more at once."""

from collections.abc import Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import errors
from sqlalchemy.orm import Session

from core.driver import ask, driver_of
from core.ids import find_uuid
from core.records import record
from customers.queries import holder_of_card
from loyalty.exclusions import EXCLUDED_POSITIONS, excluded_values
from loyalty.lots import Position, expiring_by_day
from loyalty.programme.rules import NOTHING_EXCLUDED, Excluded
from loyalty.quotes.promises import read_promise
from loyalty.quotes.quote import Quote, QuotedLine
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.standings import read_state
from loyalty.tiers.state import ASKED, COLUMNS, SELECTED, TierState, asked_values, state_of
from loyalty.tiers.versions import schemes
from rewards.live_book import GENERATION
from sales.barcode_layouts import codes_to_look_up
from sales.receipts import SALE, PostedReceipt, TillIdentity, own_identity


@record
class Known:
    """A receipt of this identity that was stored before."""

    receipt_id: UUID
    fingerprint: bytes
    answer: dict[str, Any] | None


@record
class Scanned:
    """The card on the receipt, after all its replacements, and its holder, if there is one."""

    state: str
    blocked_at: datetime | None
    account_id: UUID | None
    member_id: UUID | None
    given_name: str | None
    family_name: str | None
    language: str | None
    birth_date: date | None


@record
class Held:
    """
    An account whose lock is held, by its sums.

    `due` points have ended and `lapsed` reservations are over, but neither is booked yet.
    """

    account_id: UUID
    points: int
    reserved: int
    pending: int
    due: int
    lapsed: int
    expiring: tuple[tuple[datetime, int], ...]

    @property
    def settled(self) -> bool:
        """Whether the books say what holds at this moment."""
        return not self.due and not self.lapsed

    @property
    def position(self) -> Position:
        """What the account holds, as tills and people see it."""
        return Position(
            available=self.points - self.pending - self.due + self.lapsed,
            pending=self.pending,
            reserved=self.reserved - self.lapsed,
            expiring=expiring_by_day(self.expiring),
        )


@record
class Seen:
    """
    Other live sales with the card of a receipt, in the week of its business date: those that are there already.

    At most 200 are counted.
    """

    today: int = 0
    """Of the receipt's business date and store."""
    near: tuple[datetime, ...] = ()
    """When those were closed that were within ten minutes of it, before or after, in any store."""
    by_operator: int = 0
    """Rung by the same operator on the same business date."""
    by_operator_in_week: int = 0
    own_card: bool = False
    """Whether the card is the operator's own."""


@record
class Opening:
    """What is known when a receipt is about to be booked; of a `known` one nothing else is read."""

    known: Known | None
    card: Scanned | None
    articles: tuple[int | None, ...] = ()
    original_receipt: UUID | None = None
    """The receipt that a return or void names, when it is there."""
    waiting: bool = False
    """Whether returns or voids wait for this receipt."""
    seen: Seen = field(default_factory=Seen)
    """Where the card was seen besides."""
    held: Held | None = None
    """The account that is booked on: of the original when there is one, otherwise the card's."""
    quote: Quote | None = None
    """The quote that the receipt names, when it was given in this store."""
    excluded: frozenset[int] = frozenset()
    """Numbers of the lines whose articles earn nothing."""
    generation: int | None = None
    """Of the offers that are live."""
    tier: TierState | None = None
    """How the account stands on the business date, where that was asked and it was ever looked at."""
    first_tier: str | None = None
    """The tier of an account that was never looked at before this sale."""

    @property
    def tier_code(self) -> str | None:
        """The tier that the account has; None without one."""
        return self.tier.code if self.tier else self.first_tier


_OPEN = f"""
    select opened.*, {GENERATION} as generation, quote.offers as quoted_offers, quote.quote_id, quote.valid_until, quote.card_number as quoted_card,
           quote.currency as quoted_currency, quote.lines as quoted_lines, quote.points_amount as quoted_value,
           quote.payable_amount as quoted_payable, quote.points_to_earn as quoted_points, quote.used_by is not null as quote_used
    from open_receipt(
        %s, %s::integer, %s::integer, %s::date, %s, %s, %s::timestamptz, %s::timestamptz, %s::text[], %s::text[],
        %s, %s, %s, %s::date, %s, %s) as opened
    left join quote on quote.quote_id = %s::uuid and quote.store_id = %s::integer
"""

# What the programme leaves out is looked up with all the rest, where it leaves anything out at all.
_OPEN_LEAVING_OUT = _OPEN.replace(
    "select opened.*,",
    f"select opened.*, {EXCLUDED_POSITIONS.format(articles='opened.articles')} as excluded,",
)

_TIER = ASKED.format(account="opened.account")
_OPEN_WITH_TIER = _OPEN.replace("select opened.*,", f"select opened.*, {SELECTED},") + _TIER
_OPEN_LEAVING_OUT_WITH_TIER = (
    _OPEN_LEAVING_OUT.replace("select opened.*,", f"select opened.*, {SELECTED},") + _TIER
)


def open_receipt(
    session: Session,
    *,
    till: TillIdentity,
    posted: PostedReceipt,
    now: datetime,
    excluded: Excluded = NOTHING_EXCLUDED,
    tiers: Scheme | None = None,
) -> Opening:
    """
    Lock the identity of `posted`, that of its original and its account, and return what is known.

    The lines whose articles are `excluded` from earning are looked up on the way, and how the account
    stands by the `tiers` of the business date; one that nobody ever looked at takes a question of its own. Live sales
    come from `loyalty.receipt_scenes.ask_about`, which asks this and the rest in one question.

    Whoever books the same receipt at the same moment waits here, at most five seconds,
    after which psycopg's LockNotAvailable is raised.
    """
    original = posted.original
    row = ask(
        session,
        _question(leaving_out=bool(excluded), with_tier=tiers is not None),
        (
            *excluded_values(excluded),
            own_identity(posted, till),
            till.store_id,
            till.till_id,
            posted.business_date,
            posted.receipt_number,
            posted.card_number,
            posted.closed_at,
            now,
            *codes_to_look_up(session, posted.lines, store_id=till.store_id),
            original and original.identity,
            original and original.store_code,
            original and original.till_code,
            original and original.business_date,
            original and original.receipt_number,
            posted.operator_code,
            posted.quote_id and find_uuid(posted.quote_id),
            till.store_id,
            *(asked_values(tiers, posted.business_date) if tiers is not None else ()),
        ),
    ).named()
    assert row is not None
    if row["known_receipt"] is not None:
        return Opening(Known(row["known_receipt"], row["known_fingerprint"], row["known_answer"]), None)
    state = state_of(tiers, posted.business_date, [row[name] for name in COLUMNS]) if tiers else None
    return Opening(
        known=None,
        card=_scanned(row),
        articles=tuple(row["articles"] or ()),
        original_receipt=row["original_receipt"],
        waiting=row["waiting"],
        seen=_seen(row),
        held=None if row["account"] is None else held_of(row["account"], row),
        quote=None if row["quote_id"] is None else _quote(row),
        excluded=frozenset(posted.lines[place - 1].line_number for place in row.get("excluded") or ()),
        generation=row["generation"],
        tier=state,
        first_tier=first_tier_of(session, row["account"], posted, tiers, state),
    )


def first_tier_of(
    session: Session,
    account_id: UUID | None,
    posted: PostedReceipt,
    tiers: Scheme | None,
    state: TierState | None,
) -> str | None:
    """Return the code of the tier that a sale's account has, looked at now where it never was: where there is no `state`."""
    if tiers is None or state is not None or account_id is None or posted.type != SALE:
        return None
    first = read_state(session, account_id=account_id, schemes=schemes(session), today=posted.business_date)
    return first.code if first else None


def _question(*, leaving_out: bool, with_tier: bool) -> str:
    if leaving_out:
        return _OPEN_LEAVING_OUT_WITH_TIER if with_tier else _OPEN_LEAVING_OUT
    return _OPEN_WITH_TIER if with_tier else _OPEN


def hold_account(session: Session, *, account_id: UUID, now: datetime) -> Held:
    """
    Lock an account, so that nobody else moves its points before this transaction ends, and return its sums.

    An account that was joined to another meanwhile raises psycopg's SerializationFailure: a new
    attempt will find the other one.
    """
    row = ask(session, "select * from hold_account(%s::uuid, %s::timestamptz)", (account_id, now)).named()
    assert row is not None
    if row["moved_to"] is not None:
        raise errors.SerializationFailure(f"account {account_id} was joined to {row['moved_to']}")
    return held_of(account_id, row)


def scanned_again(session: Session, card_number: str) -> Scanned:
    """Return what a card that somebody changed meanwhile leads to now; raises `customers.queries.CardNotFound`."""
    holder = holder_of_card(session, card_number)
    return Scanned(
        holder.successor_state,
        holder.blocked_at,
        holder.account_id,
        holder.member_id,
        holder.given_name,
        holder.family_name,
        holder.language,
        holder.birth_date,
    )


def present_account(session: Session, *, account_id: UUID) -> UUID:
    """Return the account that holds the points of `account_id`: itself, or the one that it was joined to."""
    row = (
        driver_of(session)
        .execute("select moved_to from balance where account_id = %s", (account_id,))
        .fetchone()
    )
    return row[0] if row and row[0] else account_id


def held_of(account_id: UUID, row: dict[str, Any]) -> Held:
    """Return the sums in a row of the database's function `hold_account`."""
    return Held(
        account_id=account_id,
        points=row["points"],
        reserved=row["reserved"],
        pending=row["pending"],
        due=row["due"],
        lapsed=row["lapsed"],
        expiring=tuple(zip(row["expire_at"] or (), row["expire_points"] or (), strict=True)),
    )


def held_in(account_id: UUID, sums: Sequence[Any]) -> Held:
    """Return the sums of an account as the database writes them into JSON."""
    points, reserved, pending, due, lapsed, ends, ending = sums
    return Held(
        account_id,
        points,
        reserved,
        pending,
        due,
        lapsed,
        tuple(zip(map(datetime.fromisoformat, ends or ()), ending or (), strict=True)),
    )


def _quote(row: dict[str, Any]) -> Quote:
    return quote_in(
        row["quote_id"],
        row["valid_until"],
        row["quoted_card"],
        row["quoted_currency"],
        row["quoted_lines"],
        row["quoted_value"],
        row["quoted_payable"],
        row["quoted_points"],
        row["quoted_offers"],
        row["quote_used"],
    )


def quote_in(  # noqa: PLR0917 - in the order of the question
    quote_id: UUID,
    valid_until: datetime,
    card_number: str | None,
    currency: str,
    lines: Sequence[Sequence[Any]],
    points_amount: int,
    payable_amount: int,
    points_to_earn: int,
    offers: dict[str, Any] | None,
    used: bool,  # noqa: FBT001 - in the order of the question
) -> Quote:
    """Return the quote of which this is kept."""
    return Quote(
        quote_id=quote_id,
        valid_until=valid_until,
        card_number=card_number,
        currency=currency,
        lines={
            number: QuotedLine(Decimal(quantity), unit_price, gross, discount)
            for number, quantity, unit_price, gross, discount in lines
        },
        points_amount=points_amount,
        payable_amount=payable_amount,
        points_to_earn=points_to_earn,
        promise=read_promise(offers),
        used=used,
    )


def _seen(row: dict[str, Any]) -> Seen:
    return Seen(
        today=row["seen_today"] or 0,
        near=tuple(row["seen_near"] or ()),
        by_operator=row["seen_by_operator"] or 0,
        by_operator_in_week=row["seen_by_operator_in_week"] or 0,
        own_card=bool(row["own_card"]),
    )


def _scanned(row: dict[str, Any]) -> Scanned | None:
    if row["card_state"] is None:
        return None
    return Scanned(
        state=row["card_state"],
        blocked_at=row["card_blocked_at"],
        account_id=row["card_account"],
        member_id=row["card_member"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        language=row["language"],
        birth_date=row["birth_date"],
    )
