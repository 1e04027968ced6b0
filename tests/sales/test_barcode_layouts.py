from dataclasses import replace

import pytest
from sqlalchemy import insert, text

from loyalty.imports.receipts import import_receipts
from sales.barcode_layouts import (
    LayoutNotFound,
    OnePlace,
    all_layouts,
    codes_to_look_up,
    decoded_in_store,
    remove_layout,
    set_layout,
)
from sales.barcodes import Layout
from sales.models import Article
from tests.loyalty.imports.test_receipts import shown
from tests.receipt_files import rows_of, write_receipts
from tests.sales.test_barcodes import BASE, WEIGHT, coded
from tests.shop import Shop

SCANNED = coded("281234500754")
BASE_CODE = coded("291234500000")


@pytest.fixture
def scales(shop: Shop) -> Shop:
    """A shop that weighs cheese by SKU and ham by the code with a value of zero."""
    with shop.sessions.begin() as session:
        for sku, gtin in (("12345", None), ("ham", "0" + BASE_CODE)):
            session.execute(
                insert(Article).values(sku=sku, gtin=gtin, name=sku, unit="kg", tax_rate=12, type=sku)
            )
        set_layout(session, WEIGHT, store_code="S1", now=shop.now, actor="test")
        set_layout(session, BASE, now=shop.now, actor="test")
    return shop


def weighed(shop: Shop, code: str):
    sale = shop.sale(9900)
    return replace(sale, lines=(replace(sale.lines[0], sku=None, gtin=code),))


def articles(shop: Shop) -> dict[str, str | None]:
    with shop.sessions() as session:
        rows = session.execute(
            text(
                "select receipt_number, article.sku from receipt_line "
                "join receipt using (business_date, receipt_id) left join article using (article_id)"
            )
        )
        return {row[0]: row[1] for row in rows}


class TestScannedAtATill:
    def test_is_kept_as_the_article_it_stands_for(self, scales: Shop):
        cheese, ham = weighed(scales, SCANNED), weighed(scales, coded("291234500754"))
        assert [scales.post(sale)["flags"] for sale in (cheese, ham)] == [[], []]
        assert articles(scales) == {cheese.receipt_number: "12345", ham.receipt_number: "ham"}

    def test_is_unknown_where_the_layout_does_not_hold(self, scales: Shop):
        flags = scales.post(weighed(scales, SCANNED), till="T3")["flags"]
        assert [flag["code"] for flag in flags] == ["unknown_article"]

    def test_leaves_the_line_s_own_sku_alone(self, scales: Shop):
        sale = weighed(scales, SCANNED)
        with scales.sessions() as session:
            lines = (replace(sale.lines[0], sku="ham"),)
            assert codes_to_look_up(session, lines, store_id=scales.till.store_id)[0] == ["ham"]


class TestImported:
    def test_is_the_same_article_as_at_the_till(self, scales: Shop, tmp_path):
        sales = [weighed(scales, SCANNED), weighed(scales, coded("291234500111")), scales.sale(100)]
        rows = [row for sale in sales for row in rows_of(sale, scales.till)]
        path = write_receipts(tmp_path / "receipts.csv", rows)
        import_receipts(scales.sessions, path, now=scales.now, show=shown)
        assert list(articles(scales).values()) == ["12345", "ham", None]


class TestLayouts:
    def test_of_a_store_come_before_those_of_its_country(self, scales: Shop):
        other = Layout("28IIIIIVVVVVC", "price", 2, "sku")
        with scales.sessions.begin() as session:
            session.execute(text("update store set country = 'CZ'"))
            set_layout(session, other, country="cz", now=scales.now, actor="test")
        with scales.sessions() as session:
            own = decoded_in_store(session, SCANNED, store_id=scales.till.store_id)
            country = decoded_in_store(session, SCANNED, store_id=scales.tills["T3"].store_id)
        assert (own and own.holds, country and country.holds) == ("weight", "price")

    def test_can_be_replaced_and_removed(self, scales: Shop):
        with scales.sessions.begin() as session:
            set_layout(session, replace(WEIGHT, decimals=2), store_code="S1", now=scales.now, actor="test")
            assert [one.layout.decimals for one in all_layouts(session) if one.store_code] == [2]
            remove_layout(session, WEIGHT.pattern, store_code="S1", now=scales.now, actor="test")
            with pytest.raises(LayoutNotFound):
                remove_layout(session, WEIGHT.pattern, store_code="S1", now=scales.now, actor="test")
        with scales.sessions() as session:
            assert decoded_in_store(session, SCANNED, store_id=scales.till.store_id) is None
            actions = session.scalars(text("select action from audit_event where action like 'barcode%'"))
            assert sorted(actions) == ["barcode.remove", *["barcode.set"] * 3]

    def test_hold_in_one_place(self, scales: Shop):
        with scales.sessions.begin() as session, pytest.raises(OnePlace):
            set_layout(session, WEIGHT, store_code="S1", country="CZ", now=scales.now, actor="test")
