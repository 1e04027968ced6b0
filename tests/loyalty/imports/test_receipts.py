import csv
import random
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text

from core.database import make_engine, make_sessions
from core.progress import silent
from core.tabular import WrongColumns
from customers.models import Card
from loyalty.imports import receipts as receipt_import
from loyalty.imports.receipts import import_receipts
from loyalty.programme.codec import ENDINGS, PAYMENTS
from loyalty.programme.rules import CurrencyRule, Excluded, Programme
from sales import receipt_spool
from sales.models import Article, Receipt
from sales.receipts import PostedLine, PostedReceipt, Totals
from tests.receipt_files import line, rows_of, write_receipts
from tests.shop import CARD, NOON, OTHER_CARD, open_shop

SEED = 20261121
"""Of all that is drawn here, the same in every run."""
BLOCKED = "2990000000033"
STOCK = "2990000000040"
REPLACED = "2990000000057"
EXPIRED = "2990000000064"
UNKNOWN = "2990000000071"
BLOCKED_AT = datetime(2026, 10, 1, 12, tzinfo=UTC)

STATES = {
    "receipts": """
        select store_code, till_code, business_date::text, receipt_number, receipt.type, mode, closed_at,
               operator_code, receipt.card_number, receipt.currency, gross_amount, discount_amount, points_amount,
               payable_amount, owner.cards, member_id is null, programme_version, excluded_lines
        from receipt join store using (store_id) join till using (till_id)
        left join lateral (select min(card_number) as cards from card
                           where card.account_id = receipt.account_id) as owner on true
    """,
    "lines": """
        select receipt_number, line_number, article_id is null, line.sku, line.gtin, line.name, quantity::text, unit,
               unit_price, line.discount_amount, total_amount, tax_rate::text, original_line_number, return_reason,
               points, points_spent, counted_quantity::text
        from receipt_line as line join receipt using (business_date, receipt_id)
    """,
    "flags": """
        select receipt_number, code, line_number, detail
        from receipt_flag join receipt using (business_date, receipt_id)
    """,
    "lots": """
        select receipt_number, owner.cards, lot.business_date::text, booked_at, available_at, expires_at, earned,
               remaining, line_numbers, line_remaining
        from lot left join receipt using (business_date, receipt_id)
        left join lateral (select min(card_number) as cards from card
                           where card.account_id = lot.account_id) as owner on true
    """,
    "legs": """
        select receipt_number, reason, booked_at, entry.business_date::text, leg_number, book, leg.line_number, points,
               lot_id is null
        from ledger_entry as entry join ledger_leg as leg using (entry_id)
        left join receipt using (business_date, receipt_id)
    """,
    "balances": """
        select min(card_number), points, reserved from balance join card using (account_id)
        where points <> 0 or reserved <> 0 group by balance.account_id
    """,
}


def some_programme(chance):
    """Rules of every kind; sku1 and the tea by its GTIN are known articles, sku9 is not."""
    return Programme(
        currencies=chance.choice(
            [{}, {"CZK": CurrencyRule(chance.choice([1, 3]), chance.choice([100, 730]), 10)}]
        ),
        net_of_tax=chance.random() < 0.5,
        earn_on_points=chance.random() < 0.5,
        excluded=chance.choice(
            [
                Excluded(),
                Excluded(articles=frozenset({"sku1", "sku9"})),
                Excluded(categories=frozenset({"tea"}), departments=frozenset({"bottles"})),
            ]
        ),
        pending_days=chance.choice([0, 14, 30]),
        ending=chance.choice(ENDINGS),
        ending_months=chance.choice([12, 18, 24]),
        points_as=chance.choice(PAYMENTS),
    )


def versions_of(shop):
    with shop.sessions() as session:
        return set(session.scalars(select(Receipt.programme_version)))


@contextmanager
def shown(_title):
    yield silent


def imported(shop, path):
    return import_receipts(shop.sessions, path, now=shop.now, show=shown)


def counts(done):
    summary = done.summary
    return summary.read, summary.written, summary.unchanged, summary.refused


def refused(path):
    with (path.parent / f"{path.name}.refused.csv").open(encoding="utf-8", newline="") as file:
        return [(row["receipt_number"], row["line_number"], row["reason"]) for row in csv.DictReader(file)]


def state(shop):
    with shop.sessions() as session:
        return {
            name: sorted(repr(tuple(row)) for row in session.execute(text(query)))
            for name, query in STATES.items()
        }


def furnish(shop):
    """Add cards in every state and two articles."""
    shop.enrol(CARD)
    shop.issue([BLOCKED, EXPIRED])
    with shop.sessions.begin() as session:
        session.execute(
            insert(Article),
            [
                {
                    "sku": f"sku{number}",
                    "name": "tea",
                    "unit": "pcs",
                    "tax_rate": 21,
                    "gtin": gtin,
                    "department": department,
                    "category": category,
                }
                for number, gtin, department, category in (
                    (1, None, "bottles", None),
                    (2, None, None, None),
                    (3, "08594001021512", "food", "tea"),
                )
            ],
        )
        session.execute(insert(Card).values(card_number=STOCK, state="stock", created_at=NOON))
        blocked = session.get_one(Card, BLOCKED)
        blocked.state, blocked.blocked_reason, blocked.blocked_at = "blocked", "lost", BLOCKED_AT
        session.get_one(Card, EXPIRED).state = "expired"
        account_id = session.get_one(Card, OTHER_CARD).account_id
        session.execute(
            insert(Card).values(
                card_number=REPLACED,
                state="replaced",
                replaced_by=OTHER_CARD,
                account_id=account_id,
                created_at=NOON,
            )
        )


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


def some_line(chance, number):
    quantity = chance.choice(["1", "2", "3", "0.754", "12.5"])
    price = chance.choice([0, 1, 99, 1990, 5990, -300, 123456])
    gross = int((abs(price) * Decimal(quantity)).to_integral_value("ROUND_HALF_UP")) * (
        1 if price >= 0 else -1
    )
    discount = chance.choice([0, 0, 0, min(50, max(gross, 0))])
    slip = chance.choice([0] * 20 + [1])
    return PostedLine(
        line_number=number,
        quantity=Decimal(quantity),
        unit_price=price,
        total_amount=gross - discount + slip,
        tax_rate=chance.choice([None, Decimal(21), Decimal("12.5")]),
        sku=chance.choice(["sku1", "sku2", "sku9", None]),
        gtin=None,
        name=chance.choice([None, "Čaj 40 g", "paid with 4111 1111 1111 1111", "=cmd"]),
        unit=chance.choice([None, "pcs", "kg"]),
        discount_amount=discount,
    )


def some_sale(chance, number):
    closed_at = NOON - timedelta(minutes=chance.randrange(60 * 24 * 200))
    lines = [some_line(chance, position) for position in chance.sample(range(1, 40), chance.randint(1, 9))]
    lines = [one if one.sku else replace(one, gtin="8594001021512") for one in lines]
    return PostedReceipt(
        type="sale",
        business_date=closed_at.date(),
        receipt_number=f"{number:06}",
        closed_at=closed_at,
        currency=chance.choice(["CZK"] * 9 + ["EUR"]),
        operator_code=chance.choice([None, "17"]),
        card_number=chance.choice([CARD, CARD, OTHER_CARD, BLOCKED, STOCK, REPLACED, EXPIRED, UNKNOWN, None]),
        lines=tuple(lines),
        totals=Totals(
            payable_amount=sum(one.total_amount for one in lines),
            discount_amount=sum(one.discount_amount for one in lines),
        ),
    )


def some_return(chance, shop, sale, number):
    line = chance.choice(sale.lines)
    posted = shop.back(sale, {line.line_number: chance.choice(["1", "0.5", "3"])})
    closed_at = sale.closed_at + timedelta(hours=chance.randint(1, 99))
    return replace(
        posted,
        receipt_number=f"R{number:05}",
        closed_at=closed_at,
        business_date=closed_at.date(),
        card_number=sale.card_number,
        lines=tuple(replace(one, reason="unwanted") for one in posted.lines),
    )


class TestImportReceipts:
    def test_comes_to_the_same_as_the_till(self, twins, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 150)
        chance = random.Random(SEED)
        at_till, by_file = twins
        sales = [some_sale(chance, number) for number in range(120)]
        returns = [
            some_return(chance, at_till, sale, number) for number, sale in enumerate(chance.sample(sales, 25))
        ]
        ordered = sorted(returns, key=lambda one: (one.closed_at, one.receipt_number))
        for posted in [*sales, *ordered]:
            at_till.settle(posted, imported=True)
        rows = [row for posted in [*sales, *returns] for row in rows_of(posted, by_file.till)]
        path = write_receipts(tmp_path / "receipts.csv", rows)
        assert counts(imported(by_file, path)) == (len(rows), len(rows), 0, 0)
        expected, found = state(at_till), state(by_file)
        for name in STATES:
            assert found[name] == expected[name], name

    @pytest.mark.parametrize("seed", range(3))
    def test_comes_to_the_same_as_the_till_under_every_version_of_the_programme(
        self, twins, tmp_path, monkeypatch, seed
    ):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 150)
        chance = random.Random(SEED + seed)
        at_till, by_file = twins
        for days in sorted(chance.sample(range(200), 3), reverse=True):
            programme = some_programme(chance)
            for shop in twins:
                shop.approve(programme, shop.today - timedelta(days=days))
        sales = [some_sale(chance, number) for number in range(80)]
        for posted in sales:
            at_till.settle(posted, imported=True)
        rows = [row for posted in sales for row in rows_of(posted, by_file.till)]
        imported(by_file, write_receipts(tmp_path / "receipts.csv", rows))
        expected, found = state(at_till), state(by_file)
        for name in STATES:
            assert found[name] == expected[name], f"{name}, seed {seed}"
        assert {version for version in versions_of(by_file) if version}

    def test_changes_nothing_the_second_time(self, shop, tmp_path):
        sale = shop.sale(10000, 5000)
        path = write_receipts(tmp_path / "r.csv", rows_of(sale, shop.till))
        assert counts(imported(shop, path)) == (2, 2, 0, 0)
        before = state(shop)
        assert counts(imported(shop, path)) == (2, 0, 2, 0)
        assert state(shop) == before
        assert list(tmp_path.iterdir()) == [path]

    def test_takes_what_a_till_posted_for_the_same_receipt(self, shop, tmp_path):
        sale = shop.sale(10000, 5000)
        back = shop.back(sale, {1: "1"})
        for posted in (sale, back):
            shop.post(posted)
        path = write_receipts(tmp_path / "r.csv", rows_of(sale, shop.till) + rows_of(back, shop.till))
        assert counts(imported(shop, path)) == (3, 0, 3, 0)

    def test_refuses_another_content_for_a_stored_identity(self, shop, tmp_path):
        sale = shop.sale(10000)
        shop.post(sale)
        other = replace(sale, lines=(replace(sale.lines[0], quantity=Decimal(2)),))
        path = write_receipts(tmp_path / "r.csv", rows_of(other, shop.till))
        before = state(shop)
        assert counts(imported(shop, path)) == (1, 0, 0, 1)
        assert refused(path) == [
            (sale.receipt_number, "1", "another receipt of this identity is stored already")
        ]
        assert state(shop) == before

    def test_finishes_after_it_was_killed_between_two_chunks(self, twins, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 50)
        chance = random.Random(SEED + 1)
        whole, killed = twins
        rows = [row for number in range(80) for row in rows_of(some_sale(chance, number), whole.till)]
        path = write_receipts(tmp_path / "r.csv", rows)
        imported(whole, path)
        take, calls = receipt_import.store_and_book, []

        def dies(*arguments, **named):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return take(*arguments, **named)

        monkeypatch.setattr(receipt_import, "store_and_book", dies)
        with pytest.raises(KeyboardInterrupt):
            imported(killed, path)
        monkeypatch.setattr(receipt_import, "store_and_book", take)
        done = imported(killed, path)
        assert done.summary.unchanged > 0
        assert done.summary.written + done.summary.unchanged == len(rows)
        assert state(killed) == state(whole)

    def test_does_not_mind_the_order_of_rows(self, twins, tmp_path, monkeypatch):
        monkeypatch.setattr(receipt_spool, "CHUNK_ROWS", 40)
        monkeypatch.setattr(receipt_spool, "BUCKET_ROWS", 60)
        chance = random.Random(SEED + 2)
        in_order, shuffled = twins
        rows = [row for number in range(60) for row in rows_of(some_sale(chance, number), in_order.till)]
        imported(in_order, write_receipts(tmp_path / "a.csv", rows))
        chance.shuffle(rows)
        done = imported(shuffled, write_receipts(tmp_path / "b.csv", rows))
        assert counts(done) == (len(rows), len(rows), 0, 0)
        assert state(shuffled) == state(in_order)
        again = imported(shuffled, tmp_path / "a.csv")
        assert counts(again) == (len(rows), 0, len(rows), 0)

    def test_books_a_return_that_a_till_posted_before_its_sale_was_imported(self, shop, tmp_path):
        sale = shop.sale(10000, 5000)
        assert shop.flags(shop.back(sale, {1: "1"})) == [("original_missing", None)]
        rows = rows_of(sale, shop.till) + rows_of(shop.sale(700), shop.till)
        assert counts(imported(shop, write_receipts(tmp_path / "r.csv", rows))) == (3, 3, 0, 0)
        assert shop.stands() == (0, 57, 0)

    def test_refuses_a_whole_receipt_for_one_bad_row(self, shop, tmp_path):
        rows = [
            line(receipt_number="1", line_number="1"),
            line(receipt_number="2", line_number="1"),
            line(receipt_number="1", line_number="2", quantity="0"),
        ]
        path = write_receipts(tmp_path / "r.csv", rows)
        assert counts(imported(shop, path)) == (3, 1, 0, 2)
        assert refused(path) == [
            ("1", "1", "another row of this receipt is refused"),
            ("1", "2", "quantity is zero"),
        ]

    def test_refuses_unknown_stores_repeated_lines_and_rows_that_disagree(self, shop, tmp_path):
        rows = [
            line(receipt_number="1", store_code="S9"),
            line(receipt_number="2"),
            line(receipt_number="2"),
            line(receipt_number="3"),
            line(receipt_number="3", line_number="2", card_number=OTHER_CARD),
            line(receipt_number="4"),
            line(receipt_number="4", line_number="2", type="return"),
        ]
        path = write_receipts(tmp_path / "r.csv", rows)
        assert counts(imported(shop, path)) == (7, 0, 0, 7)
        reasons = [reason for _, _, reason in refused(path)]
        assert reasons[0] == "there is no store of this code"
        assert set(reasons[1:3]) == {"two rows of this receipt have one line number"}
        assert len(set(reasons[3:])) == 1
        assert "differ in type" in reasons[3]

    def test_makes_tills_that_nobody_knew_without_a_key(self, shop, tmp_path):
        path = write_receipts(tmp_path / "r.csv", [line(till_code="99")])
        assert counts(imported(shop, path)) == (1, 1, 0, 0)
        with shop.sessions() as session:
            keys = "select count(key_id) from till left join till_key using (till_id) where till_code = '99'"
            assert session.scalar(text(keys)) == 0

    def test_makes_the_months_that_it_needs_and_no_others(self, shop, tmp_path):
        rows = [
            line(business_date="2001-01-31", closed_at="2001-01-31T12:00:00Z"),
            line(business_date="2098-12-31", closed_at="2098-12-31T12:00:00Z"),
        ]
        imported(shop, write_receipts(tmp_path / "r.csv", rows))
        with shop.sessions() as session:
            months = "select relname from pg_class where relname ~ '^receipt_[0-9]{6}$' order by 1"
            assert session.scalars(text(months)).all() == ["receipt_200101", "receipt_209812"]

    @pytest.mark.parametrize("net_of_tax", [False, True])
    def test_counts_amounts_that_64_bits_cannot_multiply(self, twins, tmp_path, net_of_tax):
        at_till, by_file = twins
        for shop in twins:
            shop.approve(Programme(net_of_tax=net_of_tax), shop.today)
        lines = tuple(
            PostedLine(number, Decimal("9000.001"), price, price, Decimal("12.5"), sku="sku1")
            for number, price in ((1, 10**14), (2, 10**14 - 1), (3, -(10**14)))
        )
        sale = replace(
            at_till.sale(), lines=lines, totals=Totals(payable_amount=sum(one.total_amount for one in lines))
        )
        at_till.settle(sale, imported=True)
        imported(by_file, write_receipts(tmp_path / "r.csv", rows_of(sale, by_file.till)))
        assert state(by_file) == state(at_till)

    def test_refuses_amounts_that_cannot_be_stored(self, shop, tmp_path):
        rows = [line(quantity="999999999", unit_price="100000000000000"), line(receipt_number="2")]
        path = write_receipts(tmp_path / "r.csv", rows)
        assert counts(imported(shop, path)) == (2, 1, 0, 1)
        assert "more than can be stored" in refused(path)[0][2]

    def test_writes_nothing_for_a_file_with_unknown_columns(self, shop, tmp_path):
        path = write_receipts(tmp_path / "r.csv", [line(colour="red")])
        with pytest.raises(WrongColumns, match="colour"):
            imported(shop, path)
        assert not any(state(shop)[name] for name in ("receipts", "lots"))

    def test_reads_an_empty_file(self, shop, tmp_path):
        path = tmp_path / "r.csv"
        path.write_text(",".join(line()) + "\n")
        assert counts(imported(shop, path)) == (0, 0, 0, 0)
