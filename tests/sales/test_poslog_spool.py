from dataclasses import replace

from core.progress import silent
from sales.poslog_spool import PoslogSpool
from sales.poslog_transactions import Place
from tests.poslog_files import transaction, write_poslog
from tests.shop import Shop


def spooled(shop: Shop, path, receipts):
    write_poslog(path, [transaction(one, shop.till) for one in receipts])
    spool = PoslogSpool({"S1": Place("CZK", "Europe/Prague")}.get)
    spool.read(path, own=lambda numbers: set(), report=silent)
    return spool


class TestPoslogSpool:
    def test_parts_plain_sales_from_what_goes_alone(self, shop: Shop, tmp_path):
        sales = [shop.sale(100, 200), shop.sale(300)]
        back, training = shop.back(sales[0], {1: "1"}), shop.sale(100, mode="training")
        with spooled(shop, tmp_path / "a.xml", [back, *sales, training]) as spool:
            rows = list(spool.sales())
            alone = list(spool.alone())
        assert sum(batch.num_rows for batch in rows) == 3
        assert [kept.posted.type for kept in alone] == ["return", "sale"]
        assert [kept.posted.mode for kept in alone] == ["live", "training"]
        assert (spool.rows_read, spool.alone_count()) == (4, 2)

    def test_hands_on_what_goes_alone_by_the_time_it_was_closed(self, shop: Shop, tmp_path):
        sale = shop.sale(100)
        first = shop.void(sale)
        shop.later(hours=1)
        second = shop.void(sale)
        with spooled(shop, tmp_path / "a.xml", [second, first]) as spool:
            numbers = [kept.posted.receipt_number for kept in spool.alone()]
        assert numbers == [first.receipt_number, second.receipt_number]

    def test_keeps_the_first_of_two_with_one_identity(self, shop: Shop, tmp_path):
        sale = shop.sale(100)
        other = replace(sale, lines=(replace(sale.lines[0], unit_price=1),))
        with spooled(shop, tmp_path / "a.xml", [sale, sale, other]) as spool:
            assert sum(batch.num_rows for batch in spool.sales()) == 1
            assert (spool.unchanged, spool.refusals.unreadable) == (1, 1)
