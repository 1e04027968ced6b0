"""What must always hold of vouchers and of offers, as checks that `regulars verify` and the night run."""

from core.verification import Check, QueryCheck
from rewards.offer_verification import CHECKS as OF_OFFERS

VOUCHERS = QueryCheck(
    "G2",
    "Each voucher was redeemed at most once, for no more than it is worth, and is what its events say",
    """
    select 'voucher ' || voucher.voucher_code
    from voucher
    left join (
        select voucher_code,
               count(*) filter (where event = 'issued') as issued,
               count(*) filter (where event = 'redeemed') - count(*) filter (where event = 'given_back') as redeemed,
               coalesce(sum(amount) filter (where event = 'redeemed'), 0)
                 - coalesce(sum(amount) filter (where event = 'given_back'), 0) as amount,
               (array_agg(event order by event_id desc) filter (where event not in ('reprinted', 'redeemed_again')))[1]
                 as latest
        from voucher_event group by voucher_code
    ) as told using (voucher_code)
    join voucher_batch as batch using (batch_code)
    where told.issued is distinct from 1
       or told.amount <> coalesce(voucher.value_amount - voucher.left_amount, 0)
       or batch.residual <> 'keep' and told.redeemed not in (0, 1)
       or told.redeemed < 0
       or voucher.state = 'redeemed' and (told.redeemed < 1 or told.latest <> 'redeemed')
       or voucher.state = 'cancelled' and told.latest <> 'cancelled'
       or voucher.state = 'expired' and told.latest <> 'expired'
       or voucher.state = 'reserved' and told.latest <> 'reserved'
       or voucher.state = 'issued' and told.latest not in ('issued', 'released', 'given_back', 'restored', 'redeemed')
       or voucher.state = 'issued' and told.redeemed > 0 and batch.residual <> 'keep'
    union all
    select 'reservation of voucher ' || hold.voucher_code
    from voucher_reservation as hold
    join voucher using (voucher_code)
    where hold.state = 'reserved' and voucher.redemption_id is distinct from hold.redemption_id
      and voucher.state <> 'cancelled'
    """,
)

GIFT_CARDS = QueryCheck(
    "G6",
    "Gift cards hold what was paid in for them and not spent, and no spending comes back twice",
    """
    select 'gift card ' || gift_card_number
    from gift_card
    left join (
        select entry.gift_card_number, sum(leg.amount) as held
        from gift_card_entry as entry join gift_card_leg as leg using (entry_id)
        where leg.book = 'held' group by entry.gift_card_number
    ) as booked using (gift_card_number)
    where balance <> coalesce(booked.held, 0)
    union all
    select 'entry ' || entry.entry_id
    from gift_card_entry as entry left join gift_card_leg as leg using (entry_id)
    group by entry.entry_id
    having count(leg.book) <> 2 or sum(leg.amount) <> 0
    union all
    select 'spending ' || spent.entry_id
    from gift_card_entry as spent
    join gift_card_leg as taken on taken.entry_id = spent.entry_id and taken.book = 'held'
    join gift_card_entry as back on back.returns = spent.entry_id
    join gift_card_leg as given on given.entry_id = back.entry_id and given.book = 'held'
    group by spent.entry_id, taken.amount
    having sum(given.amount) > -taken.amount
        or count(*) filter (where back.gift_card_number <> spent.gift_card_number) > 0
    """,
)

CHECKS: tuple[Check, ...] = (VOUCHERS, GIFT_CARDS, *OF_OFFERS)
