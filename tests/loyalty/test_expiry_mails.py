from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import text

from core.jobs import Shift
from core.progress import silent
from loyalty.expiry_mails import tell_of_expiry
from tests.loyalty.test_jobs import earn_long_ago
from tests.loyalty.test_warnings import LAST_DAY, warn
from tests.shop import CARD, OTHER_CARD, Shop


def tell(shop: Shop, today: date) -> int:
    warn(shop, today)
    shift = Shift(shop.sessions, Path(), today - timedelta(days=1), shop.now, silent)
    return tell_of_expiry(shift)["mails"]


class TestTellOfExpiry:
    def test_writes_to_each_member_once_for_each_distance(self, shop: Shop):
        shop.enrol(CARD, email="zofie@example.org")
        earn_long_ago(shop, 10000)
        days = [31, 30, 29, 8, 7, 6, 0]
        assert [tell(shop, LAST_DAY - timedelta(days=days_left)) for days_left in days] == [
            0,
            1,
            0,
            0,
            1,
            0,
            0,
        ]
        with shop.sessions() as session:
            words = session.scalars(text("select text from outgoing_mail order by queued_at")).all()
        assert all("Dobrý den, Žofie" in mail and "31. prosince 2026" in mail for mail in words)
        assert all("Počet bodů: 100" in mail and "10,00\N{NO-BREAK SPACE}Kč" in mail for mail in words)

    def test_leaves_out_who_has_no_address_or_may_not_spend(self, shop: Shop):
        shop.enrol(CARD)
        shop.enrol(OTHER_CARD, email="dite@example.org", role="earner")
        earn_long_ago(shop, 10000)
        earn_long_ago(shop, 10000, card_number=OTHER_CARD)
        assert tell(shop, LAST_DAY - timedelta(days=30)) == 0
