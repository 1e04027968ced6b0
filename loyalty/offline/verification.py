"""What must always hold of points that were spent offline."""

from core.verification import QueryCheck

OFFLINE = QueryCheck(
    "T11",
    "What was spent offline is booked exactly once, and flagged where it was more than could be",
    """
    with offline as (
        select offline_redemption.*, coalesce(booked.points, 0) as booked, coalesce(booked.entries, 0) as entries,
               receipt.type, receipt.mode
        from offline_redemption
        left join receipt using (business_date, receipt_id)
        left join (
            select entry.reference as redemption_id, entry.account_id, entry.receipt_id,
                   sum(leg.points) as points, count(distinct entry.entry_id) as entries
            from ledger_entry as entry join ledger_leg as leg using (entry_id)
            where entry.reason = 'spend' and leg.book = 'spent'
            group by entry.reference, entry.account_id, entry.receipt_id
        ) as booked
          on booked.redemption_id = offline_redemption.redemption_id
         and booked.account_id = offline_redemption.account_id
         and booked.receipt_id = offline_redemption.receipt_id
    )
    select 'offline redemption ' || redemption_id
    from offline
    where (type, mode) is distinct from ('sale', 'live')
       or booked <> case when account_id is null then 0 else points end
       or entries <> case when account_id is null then 0 else 1 end
    union all
    select 'unflagged offline redemption ' || redemption_id
    from offline
    where (overdrawn > 0 or key_id is null or account_id is null)
      and not exists (
          select from receipt_flag as flag
          where flag.business_date = offline.business_date and flag.receipt_id = offline.receipt_id
            and flag.code = 'over_redeemed')
    union all
    select 'entry ' || entry.entry_id || ' for what nobody redeemed'
    from ledger_entry as entry
    where entry.reason = 'spend'
      and not exists (select from redemption where redemption_id = entry.reference)
      and not exists (select from offline_redemption where redemption_id = entry.reference)
    """,
)
