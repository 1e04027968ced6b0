"""What must always hold of points, as checks that `regulars verify` and the night run."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.verification import Check, Findings, QueryCheck
from loyalty.offline.verification import OFFLINE
from loyalty.programme.replay import ReplayCheck
from loyalty.tiers.verification import CHECKS as OF_TIERS

# Lots are recomputed line by line: what a line of a receipt earned stands with the receipt,
# everything after that in legs that name the line.
BALANCES = QueryCheck(
    "I1",
    "Balances and lots agree with the ledger",
    """
    select 'balance of account ' || coalesce(balance.account_id, booked.account_id)
    from (
        select account_id, coalesce(sum(points) filter (where book = 'points'), 0) as points,
               coalesce(sum(points) filter (where book = 'reserved'), 0) as reserved
        from ledger_leg group by account_id
    ) as booked
    full join balance using (account_id)
    where coalesce(balance.points, 0) <> coalesce(booked.points, 0)
       or coalesce(balance.reserved, 0) <> coalesce(booked.reserved, 0)
    union all
    select 'lot ' || lot.lot_id
    from lot
    left join (
        select lot_id, sum(points) as points from ledger_leg where book = 'points' group by lot_id
    ) as booked using (lot_id)
    where lot.remaining <> coalesce(booked.points, 0)
       or lot.remaining <> (select coalesce(sum(line), 0) from unnest(lot.line_remaining) as line)
       or lot.remaining < 0 and (lot.receipt_id is not null or lot.earned <> 0)
    union all
    select 'line ' || line_number || ' of lot ' || lot_id
    from (
        select lot_id, line_number, sum(points) as points, sum(remaining) as remaining
        from (
            select lot_id, line_number, points, 0 as remaining
            from ledger_leg where book = 'points' and line_number is not null
            union all
            select lot.lot_id, line.line_number, line.points, 0
            from lot join receipt_line as line
              on line.business_date = lot.business_date and line.receipt_id = lot.receipt_id
            where lot.moved_from is null
            union all
            select lot.lot_id, line.number, 0, line.remaining
            from lot, unnest(lot.line_numbers, lot.line_remaining) as line (number, remaining)
        ) as parts
        group by lot_id, line_number
    ) as line
    where points <> remaining
    union all
    select 'account ' || gone.account_id || ', joined to another, of card ' || card.card_number
    from balance as gone join card on card.account_id = gone.account_id
    where gone.moved_to is not null
    union all
    select 'account ' || gone.account_id || ', joined to another, of member ' || member.member_code
    from balance as gone join member on member.account_id = gone.account_id
    where gone.moved_to is not null
    """,
)

RECEIPTS = QueryCheck(
    "I2",
    "Each receipt has exactly its ledger entries",
    """
    with entered as (
        select entry.business_date, entry.receipt_id,
               sum(-leg.points) filter (where leg.book = 'issued' and entry.reason = 'earn') as earned,
               sum(leg.points) filter (where leg.book = 'issued' and entry.reason = 'reverse') as reversed,
               sum(leg.points) filter (where leg.book = 'spent' and entry.reason = 'spend') as spent,
               sum(-leg.points) filter (where leg.book = 'spent' and entry.reason = 'return') as returned,
               count(distinct entry.entry_id) filter (where entry.reason = 'earn') as earnings
        from ledger_entry as entry
        join ledger_leg as leg using (entry_id)
        where entry.receipt_id is not null
        group by entry.business_date, entry.receipt_id
    ), stated as (
        select receipt.business_date, receipt.receipt_id, receipt.type, receipt.mode,
               coalesce(sum(line.points), 0) as points, coalesce(sum(line.points_spent), 0) as points_spent
        from receipt
        left join receipt_line as line using (business_date, receipt_id)
        group by receipt.business_date, receipt.receipt_id
    )
    select 'receipt ' || receipt_id
    from stated
    full join entered using (business_date, receipt_id)
    where type is null
       or (type = 'sale' and (points, points_spent) is distinct from
             (coalesce(earned, 0), coalesce(spent, 0)))
       or (type = 'return' and (points, points_spent) is distinct from
             (coalesce(reversed, 0), coalesce(returned, 0)))
       or (mode <> 'live' and entered.receipt_id is not null)
       or coalesce(earnings, 0) > 1
       or (type <> 'sale' and earned is not null)
    union all
    select 'voided sale ' || original.receipt_id
    from receipt_link as void
    join receipt as original
      on original.business_date = void.original_business_date
     and original.receipt_id = void.original_receipt_id and original.type = 'sale'
    left join lateral (
        with recursive family as (
            select original.receipt_id, original.business_date, void.original_identity as identity
            union
            select link.receipt_id, link.business_date, link.identity
            from family join receipt_link as link
              on link.original_identity = family.identity and link.original_receipt_id is not null
        )
        select leg.book, sum(leg.points) as points
        from family
        join ledger_entry as entry using (business_date, receipt_id)
        join ledger_leg as leg using (entry_id)
        where leg.book in ('issued', 'spent')
        group by leg.book
    ) as net on true
    where void.type = 'void' and net.points <> 0
    """,
)

ZERO_SUM = QueryCheck(
    "I3",
    "The legs of each entry sum to zero",
    """
    select 'entry ' || entry.entry_id
    from ledger_entry as entry
    left join ledger_leg as leg using (entry_id)
    group by entry.entry_id
    having coalesce(sum(leg.points), 0) <> 0 or count(leg.leg_number) = 0
    union all
    select 'leg of another account in entry ' || entry.entry_id
    from ledger_entry as entry
    join ledger_leg as leg using (entry_id)
    where leg.account_id <> entry.account_id
    union all
    select 'move of points ' || coalesce(entry.reference::text, 'that names nothing')
    from ledger_entry as entry
    join ledger_leg as leg using (entry_id)
    where leg.book = 'merged'
    group by entry.reference
    having sum(leg.points) <> 0 or entry.reference is null
    """,
)

# The ids of entries are ordered by the time they were made, under the account's lock.
RESERVATIONS = QueryCheck(
    "I4",
    "No reservation made a balance negative",
    """
    select 'reservation ' || entry.reference
    from ledger_entry as entry
    where entry.reason = 'reserve' and (
        exists (
            select from ledger_leg as leg join lot using (lot_id)
            where leg.entry_id = entry.entry_id and lot.available_at > entry.booked_at)
        or (
            select sum(leg.points)
            from ledger_leg as leg
            join lot using (lot_id)
            where leg.account_id = entry.account_id and leg.book = 'points'
              and leg.entry_id <= entry.entry_id and lot.available_at <= entry.booked_at
        ) < 0)
    """,
)

STOCK = QueryCheck(
    "I5",
    "Gifts handed over, held and left are those that were stocked",
    """
    select 'stock of ' || coalesce(stock.reward_code, moved.reward_code) || ' in store '
        || coalesce(stock.store_id, moved.store_id)
    from reward_stock as stock
    full join (
        select reward_code, store_id, sum(on_hand) as on_hand, sum(reserved) as reserved
        from stock_movement group by reward_code, store_id
    ) as moved using (reward_code, store_id)
    where (coalesce(stock.on_hand, 0), coalesce(stock.reserved, 0))
        <> (coalesce(moved.on_hand, 0), coalesce(moved.reserved, 0))
    union all
    -- Each held piece is held by one reservation, and by nothing that is over and booked so.
    select 'piece of redemption ' || coalesce(redemption.redemption_id, held.redemption_id)
    from (
        select redemption_id, sum(reserved) as pieces, -sum(on_hand) as handed
        from stock_movement where redemption_id is not null group by redemption_id
    ) as held
    left join redemption using (redemption_id)
    where redemption.redemption_id is null
       or held.pieces <> case redemption.state when 'reserved' then 1 else 0 end
       or held.handed not in (0, 1)
    """,
)

RESOLVED_ONCE = QueryCheck(
    "I6",
    "Each reservation is resolved at most once",
    """
    select 'redemption ' || redemption.redemption_id
    from redemption
    left join (
        select entry.reference as redemption_id,
               coalesce(sum(leg.points) filter (where entry.reason = 'reserve'), 0) as held,
               coalesce(sum(leg.points), 0) as still_held,
               count(distinct entry.entry_id) filter (where entry.reason <> 'reserve') as resolutions
        from ledger_entry as entry
        join ledger_leg as leg using (entry_id)
        where entry.reference is not null and leg.book = 'reserved'
        group by entry.reference
    ) as booked using (redemption_id)
    where coalesce(booked.held, 0) <> redemption.points
       or coalesce(booked.still_held, 0) <> case redemption.state when 'reserved' then redemption.points else 0 end
       or coalesce(booked.resolutions, 0) > 1
    """,
)

RETURNED = QueryCheck(
    "I7",
    "No more of a line is returned than was sold",
    """
    select 'line ' || sold.line_number || ' of receipt ' || sold.receipt_id
    from receipt_link as link
    join receipt_line as back using (business_date, receipt_id)
    join receipt_line as sold
      on sold.business_date = link.original_business_date and sold.receipt_id = link.original_receipt_id
     and sold.line_number = back.original_line_number
    where link.type = 'return' and back.counted_quantity is not null
      and not exists (
          select from receipt_link as void
          where void.original_identity = link.identity and void.type = 'void'
            and void.original_receipt_id is not null)
    group by sold.receipt_id, sold.line_number, sold.quantity
    having sum(back.counted_quantity) > sold.quantity
    """,
)


ADJUSTMENTS = QueryCheck(
    "L6",
    "Each approved adjustment is booked exactly once, as it was asked for, by two people above the limit",
    """
    select 'adjustment ' || coalesce(adjustment_id, booked.reference)
    from adjustment
    full join (
        select entry.entry_id as reference, null::uuid as account_id, 0 as entries, 0::numeric as points
        from ledger_entry as entry where entry.reason = 'adjust' and entry.reference is null
        union all
        select entry.reference, min(entry.account_id::text)::uuid, count(distinct entry.entry_id),
               sum(leg.points) filter (where leg.book = 'points')
        from ledger_entry as entry left join ledger_leg as leg using (entry_id)
        where entry.reason = 'adjust' and entry.reference is not null
        group by entry.reference
    ) as booked on booked.reference = adjustment_id
    -- Either account may have been joined to another since.
    left join balance as asked on asked.account_id = adjustment.account_id
    left join balance as held on held.account_id = booked.account_id
    where (state = 'approved') is distinct from (coalesce(entries, 0) = 1)
       or (state = 'approved' and (booked.points, coalesce(held.moved_to, booked.account_id))
             is distinct from (adjustment.points::numeric, coalesce(asked.moved_to, adjustment.account_id)))
       or (state = 'approved' and needs_second and decided_by = requested_by)
       or (state = 'approved' and not needs_second and abs(adjustment.points) > points_limit)
    """,
)

KEPT_SUMS = QueryCheck(
    "L7",
    "The kept sums of points agree with the ledger",
    """
    select 'points of ' || business_date || ', ' || reason
    from points_day
    full join (
        select entry.business_date, entry.reason, sum(leg.points) as points
        from ledger_entry as entry join ledger_leg as leg using (entry_id)
        where leg.book in ('points', 'reserved')
          and entry.booked_at < (select booked_before from points_summary)
        group by entry.business_date, entry.reason
    ) as booked using (business_date, reason)
    where coalesce(points_day.points, 0) <> coalesce(booked.points, 0)
    union all
    select 'points owed by store ' || store_id || ' that end ' || expires_at
    from points_owed
    full join (
        select receipt.store_id, coalesce(lot.expires_at, 'infinity') as expires_at,
               coalesce(sum(leg.points) filter (where leg.book = 'points'), 0) as points,
               coalesce(sum(leg.points) filter (where leg.book = 'reserved'), 0) as reserved
        from ledger_entry as entry
        join ledger_leg as leg using (entry_id)
        join lot on lot.lot_id = leg.lot_id
        join receipt on receipt.business_date = lot.business_date and receipt.receipt_id = lot.receipt_id
        where leg.book in ('points', 'reserved')
          and entry.booked_at < (select booked_before from points_summary)
        group by receipt.store_id, coalesce(lot.expires_at, 'infinity')
    ) as booked using (store_id, expires_at)
    where coalesce(points_owed.points, 0) <> coalesce(booked.points, 0)
       or coalesce(points_owed.reserved, 0) <> coalesce(booked.reserved, 0)
    """,
)


class _NotRefused(Exception):  # noqa: N818 - never leaves this module
    """The books let themselves be changed."""


@dataclass(frozen=True, slots=True)
class AppendOnlyCheck:
    """Tries to change the books, as the role that the server works with."""

    code: str = "I11"
    promise: str = "Ledger rows cannot be updated or deleted"

    def look(self, session: Session) -> Findings:
        """Return which attempts were not refused; each is undone."""
        allowed = tuple(self._allowed(session))
        return Findings(len(allowed), allowed)

    @staticmethod
    def _allowed(session: Session) -> Iterator[str]:
        for table in ("ledger_entry", "ledger_leg"):
            for attempt in (
                f"update {table} set account_id = account_id where false",
                f"delete from {table} where false",
                f"truncate {table} cascade",
            ):
                if _is_allowed(session, attempt):
                    yield attempt


def _is_allowed(session: Session, attempt: str) -> bool:
    """Return whether the database lets `attempt` be done, which is undone in either case."""
    try:
        with session.begin_nested():
            session.execute(text(attempt))
            raise _NotRefused  # noqa: TRY301 - leaving the savepoint by an error undoes what it did
    except _NotRefused:
        return True
    except DBAPIError:
        return False


CHECKS: tuple[Check, ...] = (
    BALANCES,
    RECEIPTS,
    ZERO_SUM,
    RESERVATIONS,
    STOCK,
    RESOLVED_ONCE,
    OFFLINE,
    RETURNED,
    ADJUSTMENTS,
    KEPT_SUMS,
    AppendOnlyCheck(),
    ReplayCheck(),
    *OF_TIERS,
)
