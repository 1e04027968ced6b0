"""What must always hold of budgets, as checks that `regulars verify` and the night run."""

from core.verification import Check, QueryCheck

# Of an offer that ever had a budget every period has its counter; what never had one is not counted.
COUNTERS = QueryCheck(
    "O1",
    "Counters of budgets are the sums of what receipts used",
    """
    with counted as (
        select offer_code from offer_counter where period = 'total'
    ), used as (
        select offer_code, 'total' as period, 0 as store_id, date '2000-01-01' as starts_on,
               sum(uses) as uses, sum(amount) as amount
        from offer_use join counted using (offer_code) group by offer_code
        union all
        select offer_code, 'day', store_id, day, sum(uses), sum(amount)
        from offer_use join counted using (offer_code) group by offer_code, store_id, day
        union all
        select offer_code, 'week', store_id, date_trunc('week', day)::date, sum(uses), sum(amount)
        from offer_use join counted using (offer_code) group by offer_code, store_id, date_trunc('week', day)
    )
    select period || ' of offer ' || offer_code || ' from ' || starts_on
    from offer_counter as counter
    full join used using (offer_code, period, store_id, starts_on)
    where coalesce(counter.uses, 0) <> coalesce(used.uses, 0)
       or coalesce(counter.amount, 0) <> coalesce(used.amount, 0)
    """,
)

# The largest budget that an offer ever had is what its uses are held against; where a version had none, none is.
BUDGETS = QueryCheck(
    "O2",
    "No budget is overdrawn but by receipts that are flagged, or that came after their quote's hold had ended",
    """
    with allowed as (
        select offer_code,
               case when bool_and(limits ->> 'uses' is not null)
                    then max((limits ->> 'uses')::bigint) end as uses,
               case when bool_and(limits ->> 'amount' is not null)
                    then max((limits ->> 'amount')::bigint) end as amount,
               case when bool_and(limits ->> 'per_store_day_uses' is not null)
                    then max((limits ->> 'per_store_day_uses')::bigint) end as day_uses,
               case when bool_and(limits ->> 'per_store_day_amount' is not null)
                    then max((limits ->> 'per_store_day_amount')::bigint) end as day_amount,
               case when bool_and(limits ->> 'per_store_week_uses' is not null)
                    then max((limits ->> 'per_store_week_uses')::bigint) end as week_uses,
               case when bool_and(limits ->> 'per_store_week_amount' is not null)
                    then max((limits ->> 'per_store_week_amount')::bigint) end as week_amount
        from (select offer_code, document -> 'limits' as limits from offer_version where live_from is not null) as versions
        group by offer_code
    )
    select 'offer ' || used.offer_code
    from (select offer_code, sum(uses) as uses, sum(amount) as amount from offer_use
          where covered in ('within', 'held') group by offer_code) as used
    join allowed using (offer_code)
    where used.uses > allowed.uses or used.amount > allowed.amount
    union all
    select 'offer ' || used.offer_code || ' in store ' || store_id || ' on ' || day
    from (select offer_code, store_id, day, sum(uses) as uses, sum(amount) as amount from offer_use
          where covered in ('within', 'held') group by offer_code, store_id, day) as used
    join allowed using (offer_code)
    where used.uses > allowed.day_uses or used.amount > allowed.day_amount
    union all
    select 'offer ' || used.offer_code || ' in store ' || store_id || ' in the week of ' || week
    from (select offer_code, store_id, date_trunc('week', day)::date as week, sum(uses) as uses,
                 sum(amount) as amount from offer_use
          where covered in ('within', 'held') group by offer_code, store_id, date_trunc('week', day)) as used
    join allowed using (offer_code)
    where used.uses > allowed.week_uses or used.amount > allowed.week_amount
    union all
    select 'use beyond the budget of ' || used.offer_code || ' by receipt ' || used.receipt_id || ', which has no flag'
    from offer_use as used
    where used.covered = 'beyond' and used.uses > 0 and not exists (
        select from receipt_flag as flag
        where flag.business_date = used.business_date and flag.receipt_id = used.receipt_id
          and flag.code = 'offer_not_valid')
    """,
)

HOLDS = QueryCheck(
    "O3",
    "Each till holds what a quote of its own promised, and nothing that was given back stands twice",
    """
    select 'hold of ' || hold.offer_code || ' by quote ' || hold.quote_id || ', which is another till''s'
    from offer_hold as hold join quote using (quote_id)
    where quote.till_id <> hold.till_id or quote.valid_until <> hold.valid_until
    union all
    select 'offer ' || offer_code || ' on receipt ' || receipt_id || ', given back more than used'
    from offer_use group by business_date, receipt_id, offer_code
    having sum(uses) < 0 or sum(amount) < 0 and min(amount) filter (where reversed_by is null) >= 0
    union all
    select 'offer ' || used.offer_code || ' version ' || used.offer_version || ', which there never was'
    from offer_use as used
    left join offer_version as known on known.offer_code = used.offer_code and known.version = used.offer_version
    where known.version is null
    """,
)

CHECKS: tuple[Check, ...] = (COUNTERS, BUDGETS, HOLDS)
