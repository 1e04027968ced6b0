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

CHECKS: tuple[Check, ...] = (VOUCHERS, *OF_OFFERS)
