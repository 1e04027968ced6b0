"""All that is asked about a basket before it is quoted, in one question: what lies in it, who buys, what may be offered next."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from core.driver import ask
from core.json_values import day_in, moment_in, uuid_in
from core.records import record
from customers.queries import CardHolder
from loyalty.opening import held_in
from loyalty.queries import CardStanding, standing_of
from loyalty.shoppers import Scene, scene_in
from loyalty.tiers.scheme import Scheme
from loyalty.tiers.state import asked, asked_by_name, state_in
from loyalty.tiers.versions import schemes
from rewards.live_book import LiveBook
from rewards.queries import rewards_in
from sales.barcode_layouts import codes_to_look_up
from sales.baskets import Basket
from sales.receipts import TillIdentity

QUESTION: Final = """
    select quote_scene(
        %(card_number)s::text, %(skus)s::text[], %(gtins)s::text[], %(at)s::timestamptz, %(now)s::timestamptz,
        %(today)s::date, %(store_id)s::integer, %(asks_first)s::boolean,
        %(tier_period)s::text, %(tier_measure)s::text, %(tier_rates)s::jsonb,
        %(asks_advice)s::boolean, %(common)s::integer[], %(most)s::integer, %(asks_person)s::boolean,
        %(patience)s::interval)
"""
_NO_TIER: Final = {"tier_period": None, "tier_measure": None, "tier_rates": None}
_NO_ADVICE: Final = {"asks_advice": False, "common": [], "most": 0, "asks_person": False, "patience": None}


@record
class Found:
    """What the question came to; `advice` is what the adviser asked for, None where there is none."""

    generation: int | None
    """Of the offers that are live."""
    standing: CardStanding | None
    """None without a card, and for one that was never seen."""
    advice: Mapping[str, Any] | None
    row: Sequence[Any]
    values: dict[str, Any]

    def scene(self, basket: Basket) -> Scene:
        """Return the cart and its shopper as the offers see them."""
        person = self.row[6] or (None,) * 8
        born = person[1]
        return scene_in(
            (
                self.generation,
                self.row[1],
                person[0],
                None if born is None else date.fromisoformat(born),
                *person[2:],
            ),
            lines=basket.lines,
            values=self.values,
        )


def ask_about(
    session: Session,
    basket: Basket,
    till: TillIdentity,
    *,
    live: LiveBook,
    at: datetime,
    now: datetime,
    today: date,
    advice: Mapping[str, Any] | None,
) -> Found:
    """
    Return what is known of `basket`, which would be paid at `at`, in one round trip.

    Articles are looked up where `live` offers or vouchers may look at them. `advice` are the values of an
    adviser's question, None for none. An account that nobody has looked at since there are tiers takes a second trip.
    """
    skus, gtins = codes_to_look_up(session, basket.lines, store_id=till.store_id)
    versions = schemes(session)
    scheme = asked(versions, today)
    with_goods = bool(live or basket.voucher_codes)
    values: dict[str, Any] = {
        "card_number": basket.card_number,
        "skus": skus if with_goods else [],
        "gtins": gtins if with_goods else [],
        "at": at,
        "now": now,
        "today": today,
        "store_id": till.store_id,
        "asks_first": live.asks_first,
        **(_NO_TIER if scheme is None else asked_by_name(scheme, today)),
        **(_NO_ADVICE if advice is None else advice),
    }
    row = ask(session, QUESTION, values).fetchone()[0]
    standing = None
    if row[2] is not None:
        standing = _standing(session, row, scheme=scheme, today=today)
    return Found(row[0], standing, row[7], row, values)


def _standing(session: Session, row: Sequence[Any], *, scheme: Scheme | None, today: date) -> CardStanding:
    (
        number,
        state,
        successor,
        successor_state,
        blocked,
        account,
        member,
        given,
        family,
        language,
        born,
        role,
    ) = row[2]
    holder = CardHolder(
        number,
        state,
        successor,
        successor_state,
        moment_in(blocked),
        uuid_in(account),
        uuid_in(member),
        given,
        family,
        language,
        day_in(born),
        role,
    )
    held = None
    if holder.account_id is not None:
        held = held_in(holder.account_id, row[3])
    tier = None
    if scheme is not None and row[4] is not None:
        tier = state_in(scheme, today, row[4])
    return standing_of(
        session,
        holder,
        held,
        rewards=rewards_in(row[5]),
        scheme=scheme,
        tier=tier,
        today=today,
        generation=row[0],
    )
