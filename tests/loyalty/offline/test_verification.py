"""What was spent offline and is not in the books as it should be is found."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from core.database import Sessions
from core.verification import verify
from loyalty.offline.verification import OFFLINE
from tests.loyalty.offline.test_spending import allowance, offline
from tests.shop import CARD, Shop, open_shop


@pytest.fixture
def busy(sessions: Sessions) -> Shop:
    shop = open_shop(sessions)
    shop.enrol(CARD)
    shop.post(shop.sale(100000, business_date=shop.today - timedelta(days=60)))
    shop.later(minutes=1)
    shop.post(offline(shop, (100, allowance(shop, 1000))))
    shop.post(offline(shop, (2000, "x"), total=50000))
    shop.post(offline(shop, (5, "x"), card_number=None))
    shop.post(shop.paid_with())
    return shop


class TestCheck:
    def test_finds_nothing_in_good_books(self, busy: Shop):
        assert busy.broken() == []

    @pytest.mark.parametrize(
        ("harm", "found"),
        [
            ("delete from offline_redemption where points = 100", 1),
            ("update offline_redemption set points = 101, granted = 900 where points = 100", 1),
            ("update offline_redemption set account_id = null where points = 100", 1),
            ("update offline_redemption set receipt_id = gen_random_uuid() where points = 100", 1),
            ("update ledger_entry set reference = null where reason = 'spend'", 4),
            ("update receipt_flag set code = 'late' where code = 'over_redeemed'", 2),
        ],
        ids=range(6),
    )
    def test_finds_the_harm(self, busy: Shop, owner_engine: Engine, harm: str, found: int):
        with owner_engine.begin() as owner:
            owner.execute(text("set session_replication_role = replica"))
            owner.execute(text(harm))
        (verdict,) = verify(busy.sessions, [OFFLINE])
        assert verdict.violations == found, verdict.examples

    @pytest.mark.parametrize(
        "change", ["update offline_redemption set points = 1", "delete from offline_redemption"]
    )
    def test_need_not_look_for_what_the_database_refuses(self, busy: Shop, owner_engine: Engine, change: str):
        with owner_engine.connect() as owner, pytest.raises(Exception, match="append-only"):
            owner.execute(text(change))
