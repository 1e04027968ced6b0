import os
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from core.progress import silent
from core.tabular import UnreadableFile
from sales.models import Article, ArticlePrice, ArticleStock
from sales.operations import add_store
from sales.shelf_importing import import_prices, import_stock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(sessions):
    with sessions.begin() as session:
        for code in ("S1", "S2"):
            add_store(session, store_code=code, name=code, currency="CZK", timezone="Europe/Prague")
        session.execute(
            insert(Article),
            [{"sku": f"A{n}", "name": f"A{n}", "unit": "pcs", "tax_rate": Decimal(21)} for n in (1, 2)],
        )
    return sessions


def file(folder, text):
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (NOW.timestamp() - 3600, NOW.timestamp() - 3600))
    return path


def counts(summary):
    return summary.read, summary.written, summary.unchanged, summary.refused


def reasons(folder):
    lines = (folder / "file.csv.refused.csv").read_text(encoding="utf-8").splitlines()
    return [line.split(",", line.count(",") and lines[0].count(","))[-1].strip('"') for line in lines[1:]]


class TestImportStock:
    @pytest.fixture
    def take(self, house, tmp_path):
        def take(text):
            with house.begin() as session:
                return counts(import_stock(session, file(tmp_path, text), now=NOW, report=silent))

        return take

    def test_changes_nothing_the_second_time(self, take, house):
        text = "store_code,sku,quantity,counted_at\nS1,A1,5,2026-11-22T06:00:00+01:00\nS1,A2,2.5,\n"
        assert take(text) == (2, 2, 0, 0)
        assert take(text) == (2, 0, 2, 0)
        with house() as session:
            rows = session.execute(select(ArticleStock.quantity, ArticleStock.counted_at)).all()
        assert sorted(rows) == [
            (Decimal("2.5"), datetime(2026, 11, 22, 11, tzinfo=UTC)),
            (Decimal(5), datetime(2026, 11, 22, 5, tzinfo=UTC)),
        ]

    def test_takes_newer_counts_and_leaves_older_ones(self, take, house):
        head = "store_code;sku;quantity;counted_at\n"
        take(f"{head}S1;A1;5;2026-11-22T06:00:00Z\n")
        assert take(f"{head}S1;A1;9;2026-11-21T06:00:00Z\n") == (1, 0, 1, 0)
        assert take(f"{head}S1;A1;4;2026-11-22T07:00:00Z\n") == (1, 1, 0, 0)
        with house() as session:
            assert session.scalar(select(ArticleStock.quantity)) == 4

    def test_refuses_what_it_cannot_take_and_takes_the_rest(self, take, tmp_path):
        head = "store_code,sku,quantity,counted_at\n"
        rows = [
            "S9,A1,1,", "S1,A9,1,", "S1,A1,much,", "S1,A1,1,yesterday", "S1,A1,1,2027-01-01T00:00:00Z",
            "S1,A1,-2,", "S1,A1,7,",
        ]  # fmt: skip
        assert take(head + "\n".join(rows) + "\n") == (7, 1, 0, 6)
        assert sorted(reasons(tmp_path)) == [
            "'S1/A1' stands further up in this file with other content",
            "counted_at is in the future",
            "counted_at is no moment with an offset, such as 2026-11-22T06:00:00+01:00",
            "quantity is no number with at most three decimals",
            "there is no article A9",
            "there is no store S9",
        ]

    @pytest.mark.parametrize("name", ["nothing.csv", "x" * 3000 + ".csv"], ids=["missing", "too long"])
    def test_refuses_a_file_that_is_not_there(self, house, tmp_path, name):
        with pytest.raises(UnreadableFile), house.begin() as session:
            import_stock(session, tmp_path / name, now=NOW, report=silent)


class TestImportPrices:
    @pytest.fixture
    def take(self, house, tmp_path):
        def take(text):
            with house.begin() as session:
                return counts(import_prices(session, file(tmp_path, text), report=silent))

        return take

    def test_changes_nothing_the_second_time(self, take, house):
        text = (
            "store_code,sku,price,valid_from,valid_to\n,A1,2990,2026-01-01,\n"
            ",A1,1990,2026-11-23,2026-12-07\nS1,A1,2490,2026-01-01,\n"
        )
        assert take(text) == (3, 3, 0, 0)
        assert take(text) == (3, 0, 3, 0)
        assert take(text.replace("1990", "1890")) == (3, 1, 2, 0)
        with house() as session:
            stored = session.execute(
                select(ArticlePrice.price, ArticlePrice.valid_to).order_by(ArticlePrice.price)
            ).all()
        assert stored == [(1890, date(2026, 12, 7)), (2490, None), (2990, None)]

    def test_needs_no_column_for_stores_and_ends(self, take):
        assert take("sku,price,valid_from\nA1,2990,2026-01-01\nA2,100,2026-01-01\n") == (2, 2, 0, 0)

    def test_refuses_what_it_cannot_take_and_takes_the_rest(self, take, tmp_path):
        head = "store_code,sku,price,valid_from,valid_to\n"
        rows = [
            "S9,A1,1,2026-01-01,", ",A9,1,2026-01-01,", ",A1,1.5,2026-01-01,", ",A1,,2026-01-01,",
            ",A1,1,2026-02-30,", ",A1,1,2026-01-02,2026-01-02", "S2,A1,1,2026-01-01,",
        ]  # fmt: skip
        assert take(head + "\n".join(rows) + "\n") == (7, 1, 0, 6)
        assert len(reasons(tmp_path)) == 6
