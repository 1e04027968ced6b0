from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.progress import silent
from demo.journey import last_day_of, weeks_to_last_week, write_files

PRODUCTS = pd.DataFrame(
    {
        "product_id": [1, 2, 3],
        "department": ["GROCERY", "FUEL", "PRODUCE"],
        "brand": ["National", "Private", "National"],
        "product_category": ["BAG SNACKS", "COUPON/MISC ITEMS", None],
        "product_type": ["POTATO CHIPS", "GASOLINE-REG UNLEADED", None],
        "package_size": ["16 OZ", None, None],
    }
)
TRANSACTIONS = pd.DataFrame(
    [
        # household, store, basket, product, quantity, paid, loyalty discount, coupon, coupon match, moment (UTC)
        (7, 406, 101, 1, 2, 5.01, 0.99, 0.0, 0.0, "2017-03-10 15:00:00"),
        (7, 406, 101, 2, 10000, 25.0, 0.0, 0.0, 0.0, "2017-03-10 15:00:00"),
        (7, 406, 101, 3, 0, 0.0, 0.0, 0.0, 0.0, "2017-03-10 15:00:00"),
        (8, 31, 103, 9, 1, 1.0, 0.0, 0.5, 0.25, "2018-01-01 04:01:20"),
    ],
    columns=[
        "household_id",
        "store_id",
        "basket_id",
        "product_id",
        "quantity",
        "sales_value",
        "retail_disc",
        "coupon_disc",
        "coupon_match_disc",
        "transaction_timestamp",
    ],
).astype({"transaction_timestamp": "datetime64[ns]"})


def source(name):
    return {"products": PRODUCTS, "transactions": TRANSACTIONS}[name]


@pytest.fixture(params=[0, 463])
def weeks(request):
    return request.param


@pytest.fixture
def written(tmp_path, weeks):
    counts = write_files(tmp_path, source=source, weeks=weeks, report=silent)
    tables = {
        name: pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        for name in ("stores", "articles", "members", "receipts")
    }
    return counts, tables, tmp_path


class TestWriteFiles:
    def test_leaves_out_what_was_not_sold_and_says_so(self, written):
        counts, tables, folder = written
        assert (counts.lines, counts.left_out, counts.receipts) == (3, 1, 2)
        assert "no quantity was sold" in (folder / "left_out.csv").read_text()
        assert len(tables["receipts"]) == 3

    def test_states_lines_whose_sums_are_what_was_paid(self, written):
        for row in written[1]["receipts"]:
            thousandths = int(row["quantity"].replace(".", ""))
            gross = (thousandths * row["unit_price"] + 500) // 1000
            assert gross - row["discount_amount"] == row["total_amount"]

    def test_counts_fuel_in_litres(self, written):
        fuel = written[1]["receipts"][1]
        assert (fuel["quantity"], fuel["unit"], fuel["total_amount"]) == ("37.854", "l", 2500)

    def test_keeps_the_hour_and_the_weekday_of_the_store(self, written, weeks):
        first = written[1]["receipts"][0]
        local = first["closed_at"].astimezone(ZoneInfo("America/New_York"))
        assert (local.hour, local.weekday()) == (10, 4)
        assert first["business_date"] == date(2017, 3, 10) + pd.Timedelta(weeks=weeks)

    def test_takes_the_business_date_from_the_clock_of_the_store(self, written, weeks):
        assert written[1]["receipts"][2]["business_date"] == date(2017, 12, 31) + pd.Timedelta(weeks=weeks)

    def test_gives_every_household_a_member_at_home_where_it_shops(self, written):
        homes = {row["member_code"]: row["home_store_code"] for row in written[1]["members"]}
        assert homes == {"7": "406", "8": "31"}


class TestWeeksToLastWeek:
    @pytest.mark.parametrize(
        ("today", "moved"),
        [
            (date(2026, 11, 22), date(2026, 11, 15)),
            (date(2026, 11, 23), date(2026, 11, 22)),
            (date(2026, 11, 16), date(2026, 11, 15)),
        ],
    )
    def test_ends_the_data_in_the_week_before_this_one(self, today, moved):
        last = last_day_of(source)
        assert last == date(2017, 12, 31)
        assert last + pd.Timedelta(weeks=weeks_to_last_week(last, today)) == moved
