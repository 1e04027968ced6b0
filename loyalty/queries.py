"""Reads of points: how accounts stand, what a card shows, and what a receipt did."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from core.clock import business_day
from core.driver import ask, driver_of
from core.records import record
from customers.queries import HOLDER, CardHolder, CardNotFound
from loyalty.answers import expiring, receipt_answer
from loyalty.expiry import expiry_messages
from loyalty.lots import Position
from loyalty.opening import Held, held_of
from loyalty.printing import greeting, language_of_store, receipt_text
from loyalty.programme.rules import DEFAULT, Programme
from loyalty.programme.versions import programmes
from loyalty.returns.booked_sale import Moved
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.standings import read_state
from loyalty.tiers.state import ASKED_BY_NAME, SELECTED, TierState, asked, asked_by_name, state_of
from loyalty.tiers.versions import schemes
from loyalty.tiers.words import tier_messages
from rewards.live_book import GENERATION
from rewards.queries import IN_STORE, RewardView, rewards_in
from rewards.vouchers.queries import USABLE, UsableVoucher, vouchers_in
from sales.receipts import SALE, Flag, TillIdentity

__all__ = [
    "CardNotFound",
    "answer_from_books",
    "card_view",
    "has_entries",
    "position_of_account",
    "standing_of",
    "standing_of_card",
]

SUMS: Final = ("points", "reserved", "pending", "due", "lapsed", "expire_at", "expire_points")
"""What an account holds, by the names that `held_of` reads."""

_POSITION = """
    select coalesce(balance.points, 0) as points, coalesce(balance.reserved, 0) as reserved, sums.*
    from account_sums(%(account_id)s::uuid, %(now)s::timestamptz) as sums
    left join balance on balance.account_id = %(account_id)s
"""


_STANDING = f"""
    with holder as ({HOLDER})
    select holder.*, {GENERATION}, coalesce(balance.points, 0), coalesce(balance.reserved, 0), sums.*, ({IN_STORE})
    from holder
    left join balance on balance.account_id = holder.account_id
    left join lateral account_sums(holder.account_id, %(now)s::timestamptz) as sums on holder.account_id is not null
"""

_ACCOUNT = "holder.account_id"


@lru_cache(maxsize=4)
def _standing_question(*, tier: bool, vouchers: bool) -> str:
    """Return the one question about a card, with what depends on whom asks it for what."""
    question, more = _STANDING, IN_STORE
    if vouchers:
        question = question.replace(more, f"{USABLE.format(account=_ACCOUNT)}), ({more}")
    if tier:
        question = question.replace(f"({more})", f"({more}), {SELECTED}") + ASKED_BY_NAME.format(
            account=_ACCOUNT
        )
    return question


@record
class CardStanding:
    """
    Whom a card leads to, what its account holds, its tier, the rewards there are, the cheapest first, and its vouchers.

    The vouchers are those that end first, where they were asked for.
    """

    holder: CardHolder
    position: Position
    rewards: tuple[RewardView, ...]
    tier: TierState | None = None
    generation: int | None = None
    """Of the offers that are live."""
    vouchers: tuple[UsableVoucher, ...] = ()

    @property
    def tier_code(self) -> str | None:
        """The tier that the account has; None without one."""
        return self.tier.code if self.tier else None


def standing_of_card(
    session: Session,
    *,
    card_number: str,
    store_id: int,
    now: datetime,
    today: date,
    vouchers_in_currency: str | None = None,
) -> CardStanding:
    """
    Return how a card stands at `now`, which is `today` in a store, in one round trip.

    With `vouchers_in_currency` the vouchers that are good there are looked up as well. Zeros when it has
    no account; raises `CardNotFound`. An account that nobody has looked at since there are tiers takes a
    second one.
    """
    versions = schemes(session)
    scheme = asked(versions, today)
    values: dict[str, Any] = {"card_number": card_number, "store_id": store_id, "now": now}
    if vouchers_in_currency is not None:
        values |= {"today": today, "currency": vouchers_in_currency}
    if scheme is not None:
        values |= asked_by_name(scheme, today)
    question = _standing_question(tier=scheme is not None, vouchers=vouchers_in_currency is not None)
    row: Sequence[Any] | None = ask(session, question, values).fetchone()
    if row is None:
        raise CardNotFound(f"the card number {card_number} was never seen")
    holder, rest = CardHolder(*row[:12]), list(row[12:])
    generation = rest.pop(0)
    sums = dict(zip(SUMS, rest, strict=False))
    del rest[: len(SUMS)]
    vouchers = vouchers_in(rest.pop(0)) if vouchers_in_currency is not None else ()
    rewards = rewards_in(rest.pop(0))
    return standing_of(
        session,
        holder,
        None if holder.account_id is None else held_of(holder.account_id, sums),
        rewards=rewards,
        scheme=scheme,
        tier=state_of(scheme, today, rest) if scheme is not None else None,
        today=today,
        generation=generation,
        vouchers=vouchers,
    )


def standing_of(
    session: Session,
    holder: CardHolder,
    held: Held | None,
    *,
    rewards: tuple[RewardView, ...],
    scheme: Scheme | None,
    tier: TierState | None,
    today: date,
    generation: int | None,
    vouchers: tuple[UsableVoucher, ...] = (),
) -> CardStanding:
    """
    Return how a card stands after what was found about it; `held` is what its account holds, None without one.

    Asks once more for the tier of an account that nobody has looked at since there are tiers.
    """
    if scheme is not None and tier is None and holder.account_id is not None:
        tier = read_state(session, account_id=holder.account_id, schemes=schemes(session), today=today)
    position = held.position if held is not None else Position()
    return CardStanding(holder, position, rewards, tier, generation, vouchers)


def position_of_account(session: Session, *, account_id: UUID, now: datetime) -> Position:
    """Return what an account holds at `now`; zeros when nothing was ever booked on it."""
    row = ask(session, _POSITION, {"account_id": account_id, "now": now}).named()
    assert row is not None
    return held_of(account_id, row).position


def has_entries(session: Session, *, account_id: UUID) -> bool:
    """Return whether anything was ever booked on an account."""
    row = (
        driver_of(session)
        .execute("select exists (select from ledger_entry where account_id = %s)", (account_id,))
        .fetchone()
    )
    return bool(row and row[0])


def card_view(session: Session, *, card_number: str, now: datetime, store: TillIdentity) -> dict[str, Any]:
    """
    Return what a till of `store` is shown about a card: exactly the body of the contract.

    A replaced card shows its successor's account. Points can be spent by those only whom the
    programme of today lets, in its steps, and never with a blocked card. Raises `CardNotFound`.
    """
    today = business_day(now, store.timezone)
    programme = programmes(session).on(today)
    standing = standing_of_card(
        session,
        card_number=card_number,
        store_id=store.store_id,
        now=now,
        today=today,
        vouchers_in_currency=store.currency,
    )
    holder, position = standing.holder, standing.position
    affordable = max(0, position.available) if may_spend(holder, programme) else 0
    spendable = programme.spendable(affordable)
    language = holder.language or language_of_store(store.timezone)
    return {
        "card_number": holder.card_number,
        "state": holder.state,
        "member": member_document(holder, today, standing.tier_code),
        "tier": standing.tier.document(store.currency) if standing.tier else None,
        "points": {
            "balance": position.balance,
            "available": position.available,
            "pending": position.pending,
            "reserved": position.reserved,
            "spendable_now": spendable,
            "spendable_value": programme.value_of(spendable, store.currency),
            "expiring": expiring(position),
        },
        "vouchers": _vouchers(standing, language),
        "rewards": [
            {"reward_code": reward.reward_code, "name": reward.name(language), "points": reward.points}
            for reward in sorted(standing.rewards, key=lambda one: (-one.points, one.reward_code))
            if reward.points <= affordable
        ],
        "messages": [
            *expiry_messages(language, position, today),
            *tier_messages(language, standing.tier, store.currency),
        ],
    }


def _vouchers(standing: CardStanding, language: str) -> list[dict[str, Any]]:
    """Return the vouchers that a card's holder can use here; none with a card that is blocked or out of date."""
    if standing.holder.successor_state not in {"active", "issued"}:
        return []
    return [voucher.document(language) for voucher in standing.vouchers]


def may_spend(holder: CardHolder, programme: Programme = DEFAULT) -> bool:
    """
    Return whether points can be spent with this card: a member's who may, and not blocked or out of date.

    A card in use without a member can where the programme says so.
    """
    if holder.member_id is None:
        return programme.unregistered_spend and holder.successor_state == "issued"
    return holder.successor_state == "active" and holder.role != "earner"


def member_document(holder: CardHolder, today: date, tier_code: str | None = None) -> dict[str, Any] | None:
    """Return whom to greet, with the code of their tier, as the contract has it; None when the card has no member."""
    if holder.member_id is None:
        return None
    return {
        "greeting": greeting(holder.given_name or "", holder.family_name or ""),
        "tier": tier_code,
        "birthday": holder.birth_date is not None and is_birthday(holder.birth_date, today),
    }


def is_birthday(birth_date: date, today: date) -> bool:
    """Return whether `today` is the birthday; who was born on 29 February has it on the 28th in common years."""
    if (birth_date.month, birth_date.day) == (2, 29) and (today + timedelta(days=1)).day == 1:
        return today.month == 2
    return (birth_date.month, birth_date.day) == (today.month, today.day)


_BOOKED = """
    select receipt.type, receipt.account_id, receipt.programme_version, member.given_name, member.family_name, member.language,
           coalesce(sum(-leg.points) filter (where leg.book = 'issued' and leg.points < 0), 0)::bigint as earned,
           coalesce(sum(leg.points) filter (where leg.book = 'issued' and leg.points > 0), 0)::bigint as reversed,
           coalesce(sum(leg.points) filter (where leg.book = 'spent' and leg.points > 0), 0)::bigint as spent,
           coalesce(sum(-leg.points) filter (where leg.book = 'spent' and leg.points < 0), 0)::bigint as returned
    from receipt
    left join member on member.member_id = receipt.member_id
    left join ledger_entry as entry using (business_date, receipt_id)
    left join ledger_leg as leg using (entry_id)
    where receipt.business_date = %(business_date)s and receipt.receipt_id = %(receipt_id)s
    group by receipt.type, receipt.account_id, receipt.programme_version, member.member_id
"""

_FLAGS = """
    select code, detail, line_number from receipt_flag
    where business_date = %(business_date)s and receipt_id = %(receipt_id)s order by flag_id
"""


def answer_from_books(
    session: Session,
    *,
    till: TillIdentity,
    business_date: date,
    receipt_id: UUID,
    now: datetime,
) -> dict[str, Any]:
    """Return the answer to an imported receipt, which no till was ever told: what it did, and how things stand now."""
    values = {"business_date": business_date, "receipt_id": receipt_id}
    cursor = driver_of(session).cursor(row_factory=dict_row)
    booked = cursor.execute(_BOOKED, values).fetchone()
    assert booked is not None
    flags = [Flag(*row) for row in driver_of(session).execute(_FLAGS, values).fetchall()]
    moved = Moved(booked["earned"], booked["spent"], booked["reversed"], booked["returned"])
    account_id, name = booked["account_id"], booked["given_name"]
    position = None
    if account_id is not None:
        position = position_of_account(session, account_id=account_id, now=now)
    programme = programmes(session).numbered(booked["programme_version"])
    pending_until = None
    if booked["type"] == SALE and moved.earned and programme.pending_days:
        pending_until = programme.pending_until(business_date)
    language = booked["language"] or language_of_store(till.timezone)
    return receipt_answer(
        receipt_id=receipt_id,
        flags=flags,
        moved=moved,
        pending_until=pending_until,
        position=position,
        messages=expiry_messages(language, position or Position(), business_day(now, till.timezone)),
        text=receipt_text(
            language,
            name=greeting(name, booked["family_name"]) if name else None,
            moved=moved,
            position=position,
            pending_until=pending_until,
            today=business_day(now, till.timezone),
        ),
    )
