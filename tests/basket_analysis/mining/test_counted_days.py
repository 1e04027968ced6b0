"""Counts kept by day against a count of everything, over random histories on a real database."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, text, update

from basket_analysis.mining.counted_days import stand_of_days, update_counts
from basket_analysis.mining.pair_counts import pair_counts
from basket_analysis.mining.tallies import added, tally_of, unpack
from basket_analysis.models import CountedDay, CountedDayLevel, CountedItem, CountedWindow
from basket_analysis.reading import read_sold_lines
from customers.models import Member
from sales.models import Article
from tests.basket_analysis.shop_made import Shop

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
FIRST = date(2026, 9, 7)
WINDOW = timedelta(days=9)
LEVELS = ("article", "type", "category", "brand")
KINDS = ("TEA", "MILK", "ROLLS", "SOAP")
LEAST = 3
CAP = 5


def count(session, following, *, full=False):
    first = following - WINDOW
    standing = stand_of_days(session, first_day=first, following_day=following)
    sold = read_sold_lines(session, first_day=first, following_day=following)
    levels = dict.fromkeys(LEVELS, lambda _baskets: LEAST)
    return update_counts(session, sold, standing, levels=levels, max_basket=CAP, now=NOW, full=full)


def assert_as_counted_anew(session, counts):
    """Compare the sum, and the kept days, with a count of the window's baskets."""
    for level, window in counts.windows.items():
        anew = tally_of(window.table, window.numbers, window.table.item_counts >= window.least)
        kept, fresh = (pair_counts(tally, window.numbers, LEAST) for tally in (window.tally, anew))
        assert kept.sizes.items.tolist() == fresh.sizes.items.tolist()
        assert kept.sizes.baskets.tolist() == window.table.stratum_sizes.tolist()
        assert (kept.keys.tolist(), kept.strata.tolist()) == (fresh.keys.tolist(), fresh.strata.tolist())
        days = session.scalars(select(CountedDayLevel.counts).where(CountedDayLevel.level == level))
        assert added([unpack(day) for day in days]).same_as(window.tally)
        stored = session.scalar(select(CountedWindow.counts).where(CountedWindow.level == level))
        assert unpack(stored).same_as(window.tally)


class Chain:
    """A shop in which anything may happen on any day up to today."""

    def __init__(self, session, seed):
        self.chance = random.Random(seed)
        self.session = session
        self.shop = Shop(session)
        self.articles = [
            self.shop.article(
                f"a{number}", category=self.chance.choice(KINDS), kind=self.chance.choice(KINDS)
            )
            for number in range(12)
        ]
        self.members = [self.shop.member(f"m{number}") for number in range(6)]
        self.sales, self.returns = [], []
        self.today = FIRST

    def sell(self, day=None):
        chosen = self.chance.sample(self.articles, self.chance.randint(1, 8))
        day = day or self.today
        member = self.chance.choice([None, *self.members])
        lines = [(article, self.chance.randint(1, 3), 100) for article in chosen]
        self.sales.append((self.shop.receipt(day, lines, member=member), lines))

    def sell_late(self):
        self.sell(self.today - timedelta(days=self.chance.randint(1, 12)))

    def take_back(self):
        if self.sales:
            sale, lines = self.chance.choice(self.sales)
            number = self.chance.randrange(len(lines))
            article, quantity, price = lines[number]
            part = self.chance.randint(1, quantity)
            self.returns.append(
                self.shop.receipt(self.today, [(article, part, price, number + 1)], kind="return", of=sale)
            )

    def void(self):
        if self.sales:
            self.shop.receipt(
                self.today, [], kind="void", of=self.sales.pop(self.chance.randrange(len(self.sales)))[0]
            )

    def void_return(self):
        if self.returns:
            self.shop.receipt(self.today, [], kind="void", of=self.returns.pop())

    def object(self):
        self._change(Member, Member.member_id == self.chance.choice(self.members), profiling_objected_at=NOW)

    def found_company(self):
        value = self.chance.choice([None, "Firm"])
        self._change(Member, Member.member_id == self.chance.choice(self.members), company_name=value)

    def refile(self):
        name = self.chance.choice(["department", "category", "type", "brand"])
        value = self.chance.choice([*KINDS, None, *(["FUEL"] if name == "department" else [])])
        self._change(Article, Article.article_id == self.chance.choice(self.articles), **{name: value})

    def launch(self):
        self.articles.append(self.shop.article(f"a{len(self.articles)}", category="NEW", kind=None))

    def _change(self, table, which, **values):
        self.session.execute(update(table).where(which).values(**values))

    def live(self):
        """Let a day go by."""
        for _ in range(self.chance.randint(0, 8)):
            self.sell()
        happenings = (
            self.sell_late, self.take_back, self.void, self.void_return, self.object, self.found_company,
            self.refile, self.launch,
        )  # fmt: skip
        for happening in self.chance.choices(happenings, k=self.chance.randint(0, 3)):
            happening()
        self.shop.write()
        self._assign_accounts()

    def _assign_accounts(self):
        self.session.execute(
            text(
                "update receipt set account_id = member.account_id from member where receipt.member_id = member.member_id"
            )
        )


class TestUpdateCounts:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_is_a_count_of_everything_whatever_happens(self, sessions, seed):
        print("seed", seed)  # noqa: T201 - read when it fails
        counted_days = recounts = 0
        with sessions.begin() as session:
            chain = Chain(session, seed)
            for _ in range(25):
                chain.live()
                counts = count(session, chain.today + timedelta(days=1))
                assert_as_counted_anew(session, counts)
                counted_days += counts.days_counted
                recounts += sum(reason != "nothing was kept" for reason in counts.recounted.values())
                assert "the sum disagreed with the baskets" not in counts.recounted.values()
                chain.today += timedelta(days=1)
        assert counted_days < 25 * WINDOW.days * 0.8
        assert recounts < 25 * len(LEVELS) / 2

    @pytest.fixture
    def settled(self, sessions):
        """Nine days of a shop, counted."""
        with sessions.begin() as session:
            chain = Chain(session, 7)
            for _ in range(9):
                for _ in range(12):
                    chain.sell()
                chain.shop.write()
                chain._assign_accounts()
                chain.today += timedelta(days=1)
            count(session, chain.today)
            yield chain, session

    def test_counts_nothing_where_nothing_happened(self, settled):
        chain, session = settled
        counts = count(session, chain.today)
        assert (counts.days_counted, counts.days_left, dict(counts.recounted)) == (0, 0, {})

    def test_counts_the_new_day_and_forgets_the_oldest(self, settled):
        chain, session = settled
        chain.sell()
        chain.shop.write()
        counts = count(session, chain.today + timedelta(days=1))
        assert (counts.days_counted, counts.days_left) == (1, 1)
        assert (
            session.scalar(select(CountedDay.business_date).order_by(CountedDay.business_date).limit(1))
            > FIRST
        )

    @pytest.mark.parametrize(
        ("happening", "days"),
        [("sell_late", 1), ("take_back", 2), ("void", 2), ("object", 0)],
    )
    def test_counts_only_the_days_that_something_happened_to(self, settled, happening, days):
        """A return's own day holds one receipt more too."""
        chain, session = settled
        chain.today -= timedelta(days=1)
        chain.chance.seed(3)
        getattr(chain, happening)()
        chain.shop.write()
        counts = count(session, chain.today + timedelta(days=1))
        assert counts.days_counted <= days
        assert (counts.days_counted > 0) == (days > 0)
        assert_as_counted_anew(session, counts)

    def test_counts_everything_when_asked(self, settled):
        chain, session = settled
        counts = count(session, chain.today, full=True)
        assert dict(counts.recounted) == dict.fromkeys(LEVELS, "asked for")
        assert counts.days_counted == 9
        assert_as_counted_anew(session, counts)

    def test_mends_a_sum_that_is_wrong(self, settled):
        chain, session = settled
        wrong = session.scalar(select(CountedDayLevel.counts).limit(1))
        session.execute(update(CountedWindow).where(CountedWindow.level == "type").values(counts=wrong))
        counts = count(session, chain.today)
        assert dict(counts.recounted) == {"type": "the sum disagreed with the baskets"}
        assert_as_counted_anew(session, counts)

    def test_counts_anew_when_an_item_becomes_frequent_whose_pairs_were_not_kept(self, settled):
        chain, session = settled
        new = chain.shop.article("new", category="NEW", kind="TEA")
        for _ in range(LEAST):
            chain.shop.receipt(chain.today, [(new, 1, 100), (chain.articles[0], 1, 100)])
        chain.shop.write()
        counts = count(session, chain.today + timedelta(days=1))
        assert counts.recounted["article"] == "1 items became frequent"
        assert_as_counted_anew(session, counts)

    def test_counts_anew_under_another_cap(self, settled, monkeypatch):
        chain, session = settled
        monkeypatch.setattr("tests.basket_analysis.mining.test_counted_days.CAP", 4)
        assert set(count(session, chain.today).recounted.values()) == {"the cap of baskets changed"}

    def test_keeps_a_name_for_ever(self, settled):
        chain, session = settled
        before = dict(session.execute(select(CountedItem.name, CountedItem.item_number)).all())
        count(session, chain.today, full=True)
        assert dict(session.execute(select(CountedItem.name, CountedItem.item_number)).all()) == before

    def test_is_quiet_in_a_chain_without_sales(self, sessions):
        with sessions.begin() as session:
            for _ in range(2):
                counts = count(session, FIRST)
                assert_as_counted_anew(session, counts)
                assert all(len(window.table) == 0 for window in counts.windows.values())

    def test_stands_days_with_nothing_but_returns(self, settled):
        chain, session = settled
        for _ in range(3):
            chain.shop.receipt(
                chain.today, [(chain.articles[0], 1, 100, 1)], kind="return", of=chain.sales[0][0]
            )
        chain.shop.write()
        assert_as_counted_anew(session, count(session, chain.today + timedelta(days=1)))

    def test_cuts_long_baskets_by_their_own_day(self, settled):
        chain, session = settled
        articles = [chain.shop.article(f"long{number:03}", category=None, kind=None) for number in range(300)]
        chain.shop.receipt(chain.today, [(article, 1, 100) for article in articles])
        chain.shop.write()
        counts = count(session, chain.today + timedelta(days=1))
        assert counts.windows["article"].table.cap.baskets_cut >= 1
        assert np.diff(counts.windows["article"].table.offsets).max() == CAP
        assert_as_counted_anew(session, counts)
