"""What a copy says of its vouchers."""

from datetime import date

from catalogs.personal_vouchers import CopyVoucher
from rewards.vouchers.batches import Batch


def printed(**batch):
    voucher = CopyVoucher("HP4CXEKBDVPG29X4", Batch("KAT50", **batch), date(2026, 12, 30))
    return voucher.printed("cs", date(2026, 11, 30)).name


def test_a_code_of_the_house_is_no_name_for_customers():
    assert not printed(value_amount=5000, currency="CZK")
    assert printed(value_amount=5000, currency="CZK", names={"cs": "Poukázka"}) == "Poukázka"
    assert printed() == "KAT50", "a voucher without a value must say something"
