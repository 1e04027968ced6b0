from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tabular import TEXT
from sales.receipt_rows import _CHECKS, COLUMNS, check_rows
from tests.receipt_files import line


def checked(*rows, own=frozenset()):
    columns = [pa.array([row.get(name) for row in rows], pa.string()).cast(TEXT) for name in COLUMNS.all]
    batch = pa.RecordBatch.from_arrays(columns, names=list(COLUMNS.all))
    return check_rows(batch, first_row=10, own=lambda numbers: numbers & own)


def reason(**changes):
    bad = checked(line(**changes)).bad
    return bad[0][1] if bad else None


class TestCheckRows:
    def test_types_what_can_be_taken(self):
        good = checked(line(quantity="0.754", tax_rate="21", discount_amount="5")).good.to_pylist()[0]
        assert good["identity"] == "S1/T1/2026-11-21/000001"
        assert good["head"].split("\x1f")[:5] == ["sale", "1795258800000000", "2990000000019", "", "CZK"]
        assert (str(good["quantity"]), str(good["tax_rate"])) == ("0.754", "21.00")
        assert (good["row_number"], good["discount_amount"], good["masked"]) == (10, 5, False)

    @pytest.mark.parametrize(
        "moment",
        [
            "2026-11-21T11:00:00Z",
            "2026-11-21t11:00:00z",
            "2026-11-21T16:30:00+05:30",
            "2026-11-21T11:00:00.000Z",
        ],
    )
    def test_takes_one_instant_in_every_offset(self, moment):
        good = checked(line(closed_at=moment)).good.to_pylist()[0]
        assert good["head"].split("\x1f")[1] == "1795258800000000"

    def test_cuts_fractions_finer_than_a_microsecond(self):
        good = checked(line(closed_at="2026-11-21T11:00:00.1234567891Z")).good.to_pylist()[0]
        assert good["head"].split("\x1f")[1] == "1795258800123456"

    @pytest.mark.parametrize(
        ("column", "cell"),
        [
            ("store_code", "a/b"),
            ("store_code", None),
            ("till_code", "x" * 41),
            ("business_date", "2026-02-30"),
            ("business_date", "1999-12-31"),
            ("business_date", "21.11.2026"),
            ("receipt_number", "čtyři"),
            ("type", "Sale"),
            ("closed_at", "2026-11-21T12:00:00"),
            ("closed_at", "2026-11-21T25:00:00Z"),
            ("closed_at", "2026-02-30T12:00:00Z"),
            ("closed_at", "0000-01-01T00:00:00Z"),
            ("currency", "CZ"),
            ("currency", "QQQ"),
            ("line_number", "-1"),
            ("line_number", "2147483648"),
            ("gtin", "8594001021513"),
            ("gtin", "123"),
            ("quantity", "0"),
            ("quantity", "0.000"),
            ("quantity", "-1"),
            ("quantity", "1.2345"),
            ("quantity", "1,5"),
            ("quantity", "1e3"),
            ("unit", "x" * 21),
            ("unit_price", "10.5"),
            ("unit_price", "100000000000001"),
            ("discount_amount", "-1"),
            ("total_amount", None),
            ("total_amount", " 1"),
            ("tax_rate", "21%"),
            ("original_line_number", "x"),
            ("return_reason", "ugly"),
        ],
    )
    def test_names_the_column_that_cannot_be_taken(self, column, cell):
        assert column in reason(**{column: cell})

    def test_wants_one_code_of_the_article(self):
        assert reason(sku=None) == "neither sku nor gtin"
        assert reason(sku=None, gtin="8594001021512") is None

    def test_wants_all_of_the_original_or_nothing(self):
        original = {
            "original_store_code": "S1",
            "original_till_code": "T1",
            "original_business_date": "2026-11-20",
            "original_receipt_number": "1",
        }
        assert reason(type="return", **original) is None
        assert "original" in reason(type="return", **{**original, "original_till_code": None})

    def test_takes_negative_prices_for_deposits(self):
        assert reason(unit_price="-300", total_amount="-300") is None

    def test_keeps_the_good_rows_among_bad_ones(self):
        rows = checked(
            line(receipt_number="1"), line(receipt_number="2", quantity="x"), line(receipt_number="3")
        )
        assert rows.good.column("row_number").to_pylist() == [10, 12]
        assert rows.bad == [(11, "quantity is no number with at most three decimals", "S1/T1/2026-11-21/2")]

    def test_masks_payment_cards_but_not_our_own(self):
        card = "4111111111111111"
        row = line(name=f"paid {card}", card_number=card)
        masked = checked(row).good.to_pylist()[0]
        assert masked["name"] == "paid ************1111"
        assert masked["masked"]
        spared = checked(row, own={card}).good.to_pylist()[0]
        assert spared["name"] == f"paid {card}"
        assert not spared["masked"]


class TestPatternsOfWhatIsSurelyFine:
    @pytest.mark.parametrize(
        ("names", "sure", "accept"), [(names, sure, accept) for names, sure, accept, _ in _CHECKS if sure]
    )
    def test_are_never_surer_than_who_knows(
        self, names: tuple[str, ...], sure: str, accept: Callable[[str], bool]
    ):
        @settings(deadline=None)
        @given(st.from_regex(sure, fullmatch=True))
        def check(text: str) -> None:
            assert accept(text), names

        check()
