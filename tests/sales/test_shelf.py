from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from sales.models import Article, ArticlePrice, ArticleStock, Store
from sales.shelf import Before, PricePeriod, in_stock, lowest_before, price_in, price_on, prices_before

DAY = date(2026, 11, 21)


@pytest.fixture
def house(shop):
    """The shop with five articles; the first three are sold once in S1."""
    with shop.sessions.begin() as session:
        rows = [
            {"sku": f"sku{number}", "name": f"Article {number}", "unit": "pcs", "tax_rate": Decimal(21)}
            for number in range(1, 6)
        ]
        session.execute(insert(Article), rows)
    shop.post(replace(shop.sale(10_00, ("2", 20_00), 30_00), card_number=None))
    with shop.sessions() as session:
        shop.articles = dict(session.execute(select(Article.sku, Article.article_id)).all())
        shop.stores = dict(session.execute(select(Store.store_code, Store.store_id)).all())
    return shop


def counted(house, sku, quantity, **ago):
    with house.sessions.begin() as session:
        session.execute(
            insert(ArticleStock).values(
                store_id=house.stores["S1"],
                article_id=house.articles[sku],
                quantity=Decimal(quantity),
                counted_at=house.now - timedelta(**ago),
            )
        )


def there(house, store="S1", day=DAY, **asked):
    with house.sessions() as session:
        found = in_stock(session, store_ids=[house.stores[store]], day=day, **asked)
    names = {article_id: sku for sku, article_id in house.articles.items()}
    return {names[article_id] for article_id in found[house.stores[store]]}


class TestInStock:
    def test_is_what_was_sold_lately_where_nothing_was_counted(self, house):
        assert there(house) == {"sku1", "sku2", "sku3"}
        assert there(house, "S2") == set()

    def test_forgets_what_was_sold_long_ago(self, house):
        assert there(house, day=DAY + timedelta(days=27)) == {"sku1", "sku2", "sku3"}
        assert there(house, day=DAY + timedelta(days=28)) == set()

    def test_believes_a_count_more_than_sales(self, house):
        counted(house, "sku1", "0", hours=0)
        counted(house, "sku4", "1", hours=1)
        assert there(house) == {"sku2", "sku3", "sku4"}

    def test_takes_off_what_was_sold_since_the_count(self, house):
        counted(house, "sku2", "2", hours=1)
        counted(house, "sku3", "2", hours=1)
        assert there(house) == {"sku1", "sku3"}

    def test_leaves_what_was_sold_before_the_count(self, house):
        counted(house, "sku2", "2", hours=-1)
        assert "sku2" in there(house)

    def test_tells_of_the_articles_asked_for_only(self, house):
        counted(house, "sku4", "1", hours=1)
        asked = [house.articles[sku] for sku in ("sku1", "sku4", "sku5")]
        assert there(house, article_ids=asked) == {"sku1", "sku4"}


def priced(house, sku, minor, valid_from, valid_to=None, *, store=None):
    with house.sessions.begin() as session:
        session.execute(
            insert(ArticlePrice).values(
                store_id=store and house.stores[store],
                article_id=house.articles[sku],
                price=minor,
                valid_from=valid_from,
                valid_to=valid_to,
            )
        )


def price(house, sku, day=DAY, store="S1"):
    place = (house.stores[store], house.articles[sku])
    with house.sessions() as session:
        listed = price_on(session, store_ids=[place[0]], day=day).get(place)
    return listed and (listed.minor, listed.since)


class TestPriceOn:
    def test_is_the_stores_before_the_chains_before_the_articles(self, house):
        with house.sessions.begin() as session:
            session.execute(Article.__table__.update().values(price=50_00))
        priced(house, "sku2", 40_00, date(2026, 1, 1))
        priced(house, "sku3", 40_00, date(2026, 11, 1))
        priced(house, "sku3", 45_00, date(2026, 1, 1), store="S1")
        assert price(house, "sku1") == (50_00, None)
        assert price(house, "sku2") == (40_00, date(2026, 1, 1))
        assert price(house, "sku3") == (45_00, date(2026, 1, 1))
        assert price(house, "sku3", store="S2") == (40_00, date(2026, 11, 1))

    def test_is_the_one_that_began_last_and_the_standing_one_again_after_it(self, house):
        priced(house, "sku1", 40_00, date(2026, 1, 1))
        priced(house, "sku1", 30_00, date(2026, 11, 16), date(2026, 11, 23))
        assert price(house, "sku1", date(2026, 11, 15)) == (40_00, date(2026, 1, 1))
        assert price(house, "sku1", date(2026, 11, 16)) == (30_00, date(2026, 11, 16))
        assert price(house, "sku1", date(2026, 11, 22)) == (30_00, date(2026, 11, 16))
        assert price(house, "sku1", date(2026, 11, 23)) == (40_00, date(2026, 1, 1))

    def test_is_not_there_where_nothing_is_listed(self, house):
        assert price(house, "sku1") is None

    def test_of_the_chain_holds_where_the_currency_of_its_first_store_is_paid(self, house):
        abroad(house, "PL1", "PLN")
        with house.sessions.begin() as session:
            session.execute(Article.__table__.update().values(price=50_00))
        priced(house, "sku2", 40_00, date(2026, 1, 1))
        priced(house, "sku3", 9_90, date(2026, 1, 1), store="PL1")
        assert price(house, "sku1", store="S2") == (50_00, None)
        assert price(house, "sku2", store="S2") == (40_00, date(2026, 1, 1))
        assert [price(house, sku, store="PL1") for sku in ("sku1", "sku2")] == [None, None]
        assert price(house, "sku3", store="PL1") == (9_90, date(2026, 1, 1))


def abroad(house, code, currency):
    """Open a store that sells in another currency."""
    with house.sessions.begin() as session:
        house.stores[code] = session.scalar(
            insert(Store)
            .values(store_code=code, name=code, currency=currency, timezone="Europe/Warsaw")
            .returning(Store.store_id)
        )


class TestPricesBefore:
    def test_of_the_chain_say_nothing_of_stores_that_sell_in_another_currency(self, house):
        abroad(house, "PL1", "PLN")
        with house.sessions.begin() as session:
            session.execute(Article.__table__.update().values(price=50_00))
        priced(house, "sku1", 40_00, date(2026, 1, 1))
        priced(house, "sku2", 9_90, date(2026, 1, 1), store="PL1")
        began = [
            (house.stores[store], house.articles[sku], DAY)
            for store in ("S1", "PL1")
            for sku in ("sku1", "sku2")
        ]
        with house.sessions() as session:
            found = prices_before(session, began)
        assert [(found[one].last, found[one].lowest) for one in began] == [
            (40_00, 40_00),
            (50_00, 50_00),
            (None, None),
            (9_90, 9_90),
        ]

    def test_looks_at_the_thirty_days_before_and_at_the_store(self, house):
        priced(house, "sku1", 40_00, date(2026, 1, 1))
        priced(house, "sku1", 30_00, date(2026, 10, 20), date(2026, 10, 27))
        priced(house, "sku1", 35_00, date(2026, 11, 3), date(2026, 11, 4), store="S2")
        places = {(house.stores[code], house.articles["sku1"]): code for code in ("S1", "S2")}

        def lowest(begin):
            with house.sessions() as session:
                found = prices_before(session, [(*place, begin) for place in places])
            return {places[store, article]: before.lowest for (store, article, _), before in found.items()}

        assert lowest(date(2026, 11, 25)) == {"S1": 30_00, "S2": 30_00}
        assert lowest(date(2026, 11, 26)) == {"S1": 40_00, "S2": 35_00}

    def test_says_nothing_where_nothing_is_known(self, house):
        with house.sessions() as session:
            began = (house.stores["S1"], house.articles["sku1"], DAY)
            assert prices_before(session, [began]) == {began: Before(None, None)}
            assert prices_before(session, []) == {}


class TestLowestBefore:
    def test_counts_the_standing_price_on_days_that_no_period_covers(self):
        dear = PricePeriod(50_00, date(2026, 11, 1), None, own=False)
        assert lowest_before(DAY, [dear], standing=40_00) == 40_00
        assert lowest_before(date(2026, 12, 1), [dear], standing=40_00) == 50_00


class TestPriceIn:
    def test_prefers_what_began_last_of_the_store(self):
        periods = [
            PricePeriod(50_00, date(2026, 1, 1), None, own=True),
            PricePeriod(40_00, date(2026, 11, 1), DAY, own=True),
            PricePeriod(10_00, date(2026, 11, 20), None, own=False),
        ]
        assert price_in(periods, DAY, standing=None) == 50_00
        assert price_in(periods, DAY - timedelta(days=1), standing=None) == 40_00
        assert price_in(periods[2:], date(2026, 1, 1), standing=7) == 7
