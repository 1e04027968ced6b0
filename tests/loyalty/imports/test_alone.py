"""POSLog files through the import: the same books as at the till, whatever stands in the file."""

import csv
import gzip
import random
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.database import make_engine, make_sessions
from core.progress import silent
from core.tabular import UnreadableFile
from loyalty.imports import receipts as receipt_import
from loyalty.imports.receipts import import_receipts
from sales import poslog_spool, receipt_spool
from sales.receipts import Tender, Totals
from tests.loyalty.imports.test_receipts import SEED, STATES, counts, furnish, some_return, some_sale
from tests.poslog_files import transaction, write_poslog
from tests.receipt_files import rows_of, write_receipts
from tests.shop import CARD, open_shop

PAID = """
    select receipt_number, receipt.type, mode, rounding_amount, payable_amount, tenders::text
    from receipt
"""


@contextmanager
def unseen(_title):
    yield silent


def imported(shop, path):
    return import_receipts(shop.sessions, path, now=shop.now, show=unseen)


def state(shop):
    with shop.sessions() as session:
        return {
            name: sorted(repr(tuple(row)) for row in session.execute(text(query)))
            for name, query in {**STATES, "paid": PAID}.items()
        }


def refused(path):
    with (path.parent / f"{path.name}.refused.csv").open(encoding="utf-8", newline="") as file:
        return [(row["line"], row["receipt_number"], row["reason"]) for row in csv.DictReader(file)]


@pytest.fixture
def twins(make_database):
    """Two shops with the same cards and articles, each in its own database."""
    engines = [make_engine(make_database()) for _ in range(2)]
    shops = [open_shop(make_sessions(engine)) for engine in engines]
    for shop in shops:
        furnish(shop)
    yield shops
    for shop, engine in zip(shops, engines, strict=True):
        assert shop.broken() == []
        engine.dispose()


def paid_in_some_way(chance, posted):
    """The same receipt, rounded for cash now and then, with what was paid."""
    rounding = chance.choice([0, 0, 18, -23])
    paid = posted.totals.payable_amount + rounding + chance.choice([0] * 15 + [7])
    return replace(
        posted,
        tenders=chance.choice([(), (Tender("cash", paid),), (Tender("card", 1), Tender("cash", paid - 1))])
        if paid > 1
        else (),
        totals=replace(posted.totals, payable_amount=paid, rounding_amount=rounding),
    )


def some_history(chance, shop):
    """Sales, returns, voids, training and suspended receipts, in the order in which they were closed."""
    sales = [paid_in_some_way(chance, some_sale(chance, number)) for number in range(100)]
    modes = [
        replace(some_sale(chance, 900 + n), mode=mode) for n, mode in enumerate(["training", "suspended"])
    ]
    backs = [some_return(chance, shop, sale, n) for n, sale in enumerate(chance.sample(sales, 20))]
    backs = [replace(back, totals=Totals(payable_amount=1)) for back in backs]
    voids = []
    for number, one in enumerate(chance.sample(sales, 8) + chance.sample(backs, 4)):
        moment = one.closed_at + timedelta(days=5)
        void = shop.void(one, closed_at=moment, business_date=moment.date(), card_number=None)
        voids.append(replace(void, receipt_number=f"V{number}"))
    alone = sorted([*backs, *voids, *modes], key=lambda one: (one.closed_at, one.receipt_number))
    return sales, alone


class TestPoslog:
    @pytest.mark.parametrize("seed", range(2))
    def test_comes_to_the_same_as_the_till(self, twins, tmp_path, monkeypatch, seed):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 150)
        monkeypatch.setattr(poslog_spool, "ROWS", 60)
        chance = random.Random(SEED + seed)
        at_till, by_file = twins
        sales, alone = some_history(chance, at_till)
        for posted in [*sales, *alone]:
            at_till.settle(posted, imported=True)
        whole = [*sales, *alone]
        chance.shuffle(whole)
        path = write_poslog(tmp_path / "log.xml", [transaction(one, by_file.till) for one in whole])
        assert counts(imported(by_file, path)) == (len(whole), len(whole), 0, 0)
        expected, found = state(at_till), state(by_file)
        for name in expected:
            assert found[name] == expected[name], (name, seed)

    def test_changes_nothing_the_second_time(self, twins, tmp_path):
        shop, chance = twins[0], random.Random(SEED)
        sales, alone = some_history(chance, shop)
        whole = [*sales, *alone]
        path = write_poslog(tmp_path / "log.xml", [transaction(one, shop.till) for one in whole])
        imported(shop, path)
        before = state(shop)
        assert counts(imported(shop, path)) == (len(whole), 0, len(whole), 0)
        assert state(shop) == before

    def test_takes_what_a_till_posted_for_the_same_receipts(self, twins, tmp_path):
        shop, chance = twins[0], random.Random(SEED + 5)
        sales, alone = some_history(chance, shop)
        whole = [*sales, *alone]
        for posted in whole:
            shop.settle(posted, imported=True)
        path = write_poslog(tmp_path / "log.xml", [transaction(one, shop.till) for one in whole])
        assert counts(imported(shop, path)) == (len(whole), 0, len(whole), 0)

    def test_agrees_with_the_same_receipts_as_csv(self, twins, tmp_path):
        shop, chance = twins[0], random.Random(SEED + 6)
        sales = [some_sale(chance, number) for number in range(40)]
        rows = [row for sale in sales for row in rows_of(sale, shop.till)]
        path = write_poslog(tmp_path / "log.xml.gz", [transaction(one, shop.till) for one in sales])
        path.write_bytes(gzip.compress(path.read_bytes()))
        assert counts(imported(shop, path)) == (40, 40, 0, 0)
        again = imported(shop, write_receipts(tmp_path / "receipts.csv", rows))
        assert counts(again) == (len(rows), 0, len(rows), 0)

    def test_finishes_after_it_was_killed(self, twins, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 100)
        monkeypatch.setattr(receipt_import, "SINGLY", 5)
        chance = random.Random(SEED + 7)
        whole, killed = twins
        sales, alone = some_history(chance, whole)
        path = write_poslog(tmp_path / "log.xml", [transaction(one, whole.till) for one in [*sales, *alone]])
        imported(whole, path)
        for name, calls in (("store_and_book", 2), ("settle_alone", 3)):
            take, left = getattr(receipt_import, name), iter(range(calls))

            def dies(*arguments, take=take, left=left, **named):
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return take(*arguments, **named)

            monkeypatch.setattr(receipt_import, name, dies)
            with pytest.raises(KeyboardInterrupt):
                imported(killed, path)
            monkeypatch.setattr(receipt_import, name, take)
        imported(killed, path)
        assert state(killed) == state(whole)


class TestOddFiles:
    def test_count_a_repeated_transaction_once(self, shop, tmp_path):
        sale, back = shop.sale(10000), None
        back = shop.back(sale, {1: "1"})
        other = replace(sale, lines=(replace(sale.lines[0], total_amount=1),))
        texts = [transaction(one, shop.till) for one in (sale, back, sale, back, other)]
        path = write_poslog(tmp_path / "log.xml", texts)
        assert counts(imported(shop, path)) == (5, 2, 2, 1)
        assert refused(path) == [
            ("7", sale.receipt_number, "another receipt of this identity is stored already")
        ]
        assert shop.stands() == (0, 0, 0)

    def test_tell_line_and_reason_of_what_is_refused_and_take_the_rest(self, shop, tmp_path):
        good = shop.sale(10000)
        sale = transaction(shop.sale(100), shop.till)
        texts = [
            transaction(good, shop.till),
            sale.replace("<RetailStoreID>S1", "<RetailStoreID>S9"),
            sale.replace("<Quantity>1<", "<Quantity>x<"),
            sale.replace("<ItemID>sku1</ItemID>", ""),
            sale.replace(">1.00<", ">1.001<"),
            sale.replace("<BusinessDayDate>2026-11-21", "<BusinessDayDate>2026-02-30"),
            sale.replace("<Sale>", "<Tender>")
            .replace("</Sale>", "</Tender>")
            .replace("ExtendedAmount", "Amount"),
            sale.replace(
                "</LineItem>",
                "</LineItem>"
                + sale[sale.index("<LineItem>") : sale.index("</LineItem>") + 11]
                .replace("Sale>", "Return>")
                .replace(">1<", ">2<"),
                1,
            ),
            transaction(shop.void(good, receipt_number="no spaces"), shop.till),
        ]
        path = write_poslog(tmp_path / "log.xml", texts)
        assert counts(imported(shop, path)) == (9, 1, 0, 8)
        reasons = {line: reason for line, _, reason in refused(path)}
        assert reasons == {
            "4": "there is no store of this code",
            "5": "the quantity is no number",
            "6": "neither sku nor gtin",
            "7": "ExtendedAmount has more decimals than CZK has",
            "8": "business_date is no day of the calendar",
            "9": "neither sale nor return lines",
            "10": "sale and return lines in one transaction",
            "11": "receipt_number is not 1 to 40 of A-Z, a-z, 0-9, dot, hyphen, underscore",
        }

    def test_pass_over_what_is_no_receipt(self, shop, tmp_path):
        sale = transaction(shop.sale(10000), shop.till)
        texts = [
            sale,
            sale.replace("<Transaction>", '<Transaction CancelFlag="true">').replace("000001", "000002"),
            "<Transaction><RetailStoreID>S1</RetailStoreID><ControlTransaction/></Transaction>",
        ]
        path = write_poslog(tmp_path / "log.xml", texts)
        done = imported(shop, path)
        assert counts(done) == (1, 1, 0, 0)
        assert done.as_json()["skipped"] == 2

    def test_leave_out_lines_that_were_voided(self, shop, tmp_path):
        sale = transaction(shop.sale(10000, 5000), shop.till).replace(
            "<LineItem>", '<LineItem VoidFlag="true">', 1
        )
        sale = sale.replace("150.00", "50.00")
        path = write_poslog(tmp_path / "log.xml", [sale])
        imported(shop, path)
        assert shop.stands() == (0, 50, 0)

    def test_are_read_in_the_store_s_own_time_where_they_say_none(self, shop, tmp_path):
        sale = shop.sale(10000)
        local = transaction(sale, shop.till).replace("T11:00:00+00:00", "T12:00:00")
        path = write_poslog(tmp_path / "log.xml", [local])
        imported(shop, path)
        with shop.sessions() as session:
            assert session.scalar(text("select closed_at from receipt")) == sale.closed_at

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            ('<!DOCTYPE POSLog [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>', "declares a document type"),
            ('<!DOCTYPE POSLog SYSTEM "file:///etc/passwd">', "declares a document type"),
            ("<other/>", "not well-formed"),
        ],
    )
    def test_are_refused_as_a_whole_before_anything_is_written(self, shop, tmp_path, start, words):
        path = write_poslog(tmp_path / "log.xml", [transaction(shop.sale(100), shop.till)])
        path.write_text(path.read_text().replace("\n", f"\n{start}", 1))
        with pytest.raises(UnreadableFile, match=words):
            imported(shop, path)

    def test_that_end_too_soon_write_nothing(self, shop, tmp_path):
        texts = [transaction(shop.sale(100), shop.till) for _ in range(3)]
        path = write_poslog(tmp_path / "log.xml", texts)
        path.write_text(path.read_text()[:-40])
        with pytest.raises(UnreadableFile, match="not well-formed"):
            imported(shop, path)
        assert shop.stands(CARD) == (0, 0, 0)
