"""Gifts that lie aside for members: reserved at a desk or a till, picked up by a code, handed over or given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from core.audit import record_event
from core.clock import business_day, day_start
from core.i18n import called
from core.keyset import Ask, Page, read_page
from customers.models import Member
from loyalty.models import Redemption as RedemptionRow
from loyalty.redemptions import RedemptionNotFound, post, release, reserve
from loyalty.reservations import Desk, Redemption
from rewards.codes import typed
from rewards.models import Reward
from sales.models import Store


@dataclass(frozen=True, slots=True)
class Pickup:
    """A gift that lies aside; for a household, the member who comes first by code stands for it."""

    redemption_id: UUID
    pickup_code: str
    reward_code: str
    names: Mapping[str, str]
    store_id: int
    store_code: str
    store_name: str
    card_number: str
    points: int
    reserved_at: datetime
    reserved_by: str | None
    expires_at: datetime
    member_id: UUID | None
    member_code: str | None
    member_name: str | None

    def name(self, language: str) -> str:
        """Return what the gift is called in `language`, else in English, else its code."""
        return called(self.names, language, self.reward_code)

    def lapsed(self, now: datetime) -> bool:
        """Whether nobody came in time; it goes back when somebody wants it, at the latest at night."""
        return self.expires_at <= now


def reserve_for_pickup(
    session: Session, *, desk: Desk, card_number: str, reward_code: str, now: datetime
) -> Redemption:
    """
    Hold a gift for a card until the end of its last day, and its points with it; written down with who did it.

    Raises what `loyalty.redemptions.reserve` does.
    """
    days = session.scalar(select(Reward.pickup_days).where(Reward.reward_code == reward_code)) or 0
    last = business_day(now, desk.timezone) + timedelta(days=days)
    held = reserve(
        session,
        till=desk,
        card_number=card_number,
        reward_code=reward_code,
        now=now,
        until=day_start(last + timedelta(days=1), desk.timezone),
    )
    _record(session, "gift.reserve", held.redemption_id, desk, now, reward=reward_code, card=card_number)
    return held


def hand_over(session: Session, *, desk: Desk, redemption_id: UUID, now: datetime) -> Redemption:
    """Note that the customer got the gift; a second time changes nothing. Raises what `redemptions.post` does."""
    done = post(session, till=desk, redemption_id=redemption_id, now=now)
    _record(session, "gift.hand_over", redemption_id, desk, now)
    return done


def give_up(session: Session, *, desk: Desk, redemption_id: UUID, now: datetime) -> Redemption:
    """Give the points back to the lots they came from and the gift to others. Raises what `redemptions.release` does."""
    done = release(session, till=desk, redemption_id=redemption_id, now=now)
    _record(session, "gift.give_up", redemption_id, desk, now)
    return done


def pickup_of_code(session: Session, *, code: str, store_id: int) -> UUID:
    """Return the reservation that a customer names in a store; raises `RedemptionNotFound`."""
    found = session.scalar(
        select(RedemptionRow.redemption_id).where(
            RedemptionRow.store_id == store_id,
            RedemptionRow.pickup_code == typed(code),
            RedemptionRow.state == "reserved",
        )
    )
    if found is None:
        raise RedemptionNotFound(f"no gift lies aside in this store under {typed(code)}")
    return found


def store_of_pickup(session: Session, redemption_id: UUID) -> Store:
    """Return the store in which a reservation was made; raises `RedemptionNotFound`."""
    found = session.scalar(
        select(Store)
        .join(RedemptionRow, RedemptionRow.store_id == Store.store_id)
        .where(RedemptionRow.redemption_id == redemption_id)
    )
    if found is None:
        raise RedemptionNotFound(f"there is no redemption {redemption_id}")
    return found


def _name() -> ColumnElement[str]:
    return func.concat_ws(" ", Member.given_name, Member.family_name)


def _pickups() -> Select[*tuple[Any, ...]]:
    holder = (
        select(Member.account_id, func.min(Member.member_code).label("member_code"))
        .group_by(Member.account_id)
        .subquery()
    )
    return (
        select(
            RedemptionRow.redemption_id,
            RedemptionRow.pickup_code,
            RedemptionRow.reward_code,
            Reward.name,
            RedemptionRow.store_id,
            Store.store_code,
            Store.name.label("store_name"),
            RedemptionRow.card_number,
            RedemptionRow.points,
            RedemptionRow.reserved_at,
            RedemptionRow.reserved_by,
            RedemptionRow.expires_at,
            Member.member_id,
            Member.member_code,
            _name().label("member_name"),
        )
        .join_from(RedemptionRow, Reward, Reward.reward_code == RedemptionRow.reward_code)
        .join(Store, Store.store_id == RedemptionRow.store_id)
        .outerjoin(holder, holder.c.account_id == RedemptionRow.account_id)
        .outerjoin(Member, Member.member_code == holder.c.member_code)
        .where(RedemptionRow.state == "reserved", RedemptionRow.pickup_code.is_not(None))
    )


def read_pickup(session: Session, redemption_id: UUID) -> Pickup:
    """Return a gift that lies aside; raises `RedemptionNotFound` when none does under this id any more."""
    row = session.execute(_pickups().where(RedemptionRow.redemption_id == redemption_id)).one_or_none()
    if row is None:
        raise RedemptionNotFound(f"no gift lies aside under {redemption_id}")
    return Pickup(*row)


def list_pickups(session: Session, ask: Ask, *, store_id: int | None = None) -> Page[Pickup]:
    """Return a page of the gifts that lie aside, of one store or of all; words find codes, cards and members."""
    statement = _pickups()
    if store_id is not None:
        statement = statement.where(RedemptionRow.store_id == store_id)
    if ask.words:
        words = typed(ask.words)
        statement = statement.where(
            (RedemptionRow.pickup_code == words)
            | (RedemptionRow.card_number == words)
            | _name().icontains(ask.words, autoescape=True)
        )
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=("expires_at", "reserved_at", "pickup_code", "store_code"),
        key="redemption_id",
        filled=("expires_at", "reserved_at"),
    )
    return Page(tuple(Pickup(*row[:15]) for row in page.rows), page.following, page.previous, page.total)


def _record(
    session: Session, action: str, redemption_id: UUID, desk: Desk, now: datetime, **detail: str
) -> None:
    record_event(
        session,
        now=now,
        actor=desk.actor,
        action=action,
        subject_kind="redemption",
        subject_id=str(redemption_id),
        detail=detail or None,
    )
