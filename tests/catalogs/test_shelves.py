from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from basket_analysis.models import SensitiveWord
from catalogs.queries import Shop
from catalogs.shelves import for_group, read_shelves
from core.money import Money
from rewards.offer_operations import import_document
from sales.models import Article, ArticlePrice, ArticleStock, Store

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
DAY = date(2026, 11, 22)
FIRST, LAST = date(2026, 11, 23), date(2026, 12, 7)
ALL_YEAR = {"from": "2026-11-20T00:00:00+01:00", "to": "2026-12-31T00:00:00+01:00"}


class House:
    """Two stores; tea, coffee and wine lie in the first, tea in the second; all cost 100 since January."""

    def __init__(self, sessions):
        self.sessions = sessions
        with sessions.begin() as session:
            for code in ("S1", "S2"):
                session.add(
                    Store(store_code=code, name=f"Shop {code}", currency="CZK", timezone="Europe/Prague")
                )
            for sku in ("TEA", "COFFEE", "WINE", "RICE"):
                session.add(
                    Article(
                        sku=sku,
                        name=f"{sku} 250 g",
                        category=sku,
                        unit="pcs",
                        tax_rate=Decimal(12),
                        price=100_00,
                    )
                )
            session.flush()
            self.stores = dict(session.execute(select(Store.store_code, Store.store_id)).all())
            self.articles = dict(session.execute(select(Article.sku, Article.article_id)).all())
            for store, sku in (("S1", "TEA"), ("S1", "COFFEE"), ("S1", "WINE"), ("S2", "TEA")):
                self.count(session, store, sku, 5)

    def count(self, session, store, sku, quantity):
        session.execute(
            insert(ArticleStock).values(
                store_id=self.stores[store], article_id=self.articles[sku], quantity=quantity, counted_at=NOW
            )
        )

    def price(self, sku, minor, first, last=None, store=None):
        with self.sessions.begin() as session:
            session.execute(
                insert(ArticlePrice).values(
                    store_id=store and self.stores[store],
                    article_id=self.articles[sku],
                    price=minor,
                    valid_from=first,
                    valid_to=last,
                )
            )

    def offer(self, off, category="TEA", **changes):
        offer = {
            "code": f"OFF{off}",
            "valid": ALL_YEAR,
            "condition": {"kind": "items", "select": {"categories": [category]}, "quantity": "1"},
            "benefit": {"kind": "percent", "off": off},
        } | changes
        with self.sessions.begin() as session:
            import_document(
                session, document={"format": 1, "offers": [offer]}, actor="head office", now=NOW, live=True
            )

    def shelf(self, store="S1"):
        shop = Shop(self.stores[store], store, "CZK")
        with self.sessions() as session:
            shelf = read_shelves(session, [shop], day=DAY, valid_from=FIRST, valid_to=LAST)[shop.store_id]
        return {offer.category: offer for offer in shelf.values()}

    def tea(self, store="S1"):
        return self.shelf(store)["TEA"]


@pytest.fixture
def house(sessions):
    return House(sessions)


def money(minor):
    return Money(minor, "CZK")


class TestReadShelves:
    def test_has_what_lies_in_each_store_only(self, house):
        assert set(house.shelf("S1")) == {"TEA", "COFFEE", "WINE"}
        assert set(house.shelf("S2")) == {"TEA"}

    def test_takes_the_price_in_force_when_the_period_begins(self, house):
        house.price("TEA", 120_00, date(2026, 1, 1))
        house.price("COFFEE", 130_00, FIRST)
        house.price("WINE", 90_00, FIRST + timedelta(days=1))
        house.price("TEA", 115_00, date(2026, 1, 1), store="S2")
        prices = {name: offer.price for name, offer in house.shelf().items()}
        assert prices == {"TEA": money(120_00), "COFFEE": money(130_00), "WINE": money(100_00)}
        assert house.tea("S2").price == money(115_00)

    def test_prints_no_price_of_another_currency(self, house):
        with house.sessions.begin() as session:
            abroad = Store(store_code="PL1", name="Sklep", currency="PLN", timezone="Europe/Warsaw")
            session.add(abroad)
            session.flush()
            house.stores["PL1"] = abroad.store_id
            for sku in ("TEA", "COFFEE"):
                house.count(session, "PL1", sku, 5)
        house.price("TEA", 90_00, date(2026, 1, 1))
        house.price("COFFEE", 19_90, date(2026, 1, 1), store="PL1")
        shop = Shop(house.stores["PL1"], "PL1", "PLN")
        with house.sessions() as session:
            shelf = read_shelves(session, [shop], day=DAY, valid_from=FIRST, valid_to=LAST)[shop.store_id]
        assert {offer.category: offer.price for offer in shelf.values()} == {
            "TEA": None,
            "COFFEE": Money(19_90, "PLN"),
        }
        assert house.tea().price == money(90_00)

    def test_promises_no_price_that_ends_before_the_period(self, house):
        house.price("TEA", 80_00, FIRST, LAST - timedelta(days=1))
        house.price("COFFEE", 80_00, FIRST, LAST - timedelta(days=3))
        house.price("COFFEE", 90_00, LAST - timedelta(days=3), LAST)
        house.price("WINE", 70_00, FIRST + timedelta(days=1), LAST)
        shelf = house.shelf()
        prices = {name: offer.price for name, offer in shelf.items()}
        assert prices == {"TEA": money(100_00), "COFFEE": money(90_00), "WINE": money(100_00)}
        assert shelf["TEA"].reduced is None

    def test_claims_a_reduction_of_the_list_against_the_lowest_of_thirty_days(self, house):
        house.price("TEA", 95_00, date(2026, 11, 2), date(2026, 11, 5))
        house.price("TEA", 80_00, FIRST, LAST)
        tea = house.tea()
        assert tea.price == money(80_00)
        assert (tea.reduced.old, tea.reduced.lowest) == (money(100_00), money(95_00))

    def test_claims_nothing_that_is_not_below_the_lowest(self, house):
        house.price("TEA", 75_00, date(2026, 11, 2), date(2026, 11, 5))
        house.price("TEA", 80_00, FIRST, LAST)
        assert house.tea().price == money(80_00)
        assert house.tea().reduced is None

    def test_claims_nothing_for_a_price_that_is_old(self, house):
        house.price("TEA", 80_00, FIRST - timedelta(days=30))
        assert house.tea().reduced is None

    def test_lowers_prices_by_what_a_live_offer_takes_off_a_piece(self, house):
        house.offer("20")
        tea = house.tea()
        assert tea.price == money(80_00)
        assert (tea.reduced.old, tea.reduced.lowest) == (money(100_00), money(100_00))
        assert house.shelf()["COFFEE"].price == money(100_00)

    @pytest.mark.parametrize(
        "changes",
        [
            {"valid": {"from": "2026-11-24T00:00:00+01:00", "to": "2026-12-31T00:00:00+01:00"}},
            {"valid": {"from": "2026-11-20T00:00:00+01:00", "to": "2026-12-06T00:00:00+01:00"}},
            {"valid": ALL_YEAR | {"weekdays": [1]}},
            {"limits": {"uses": 100}},
            {"audience": {"tiers": ["GOLD"]}},
            {"stores": ["S2"]},
            {"condition": {"kind": "items", "select": {"categories": ["TEA"]}, "quantity": "2"}},
        ],
        ids=["begins later", "ends sooner", "on Mondays", "limited", "for a tier", "elsewhere", "of two"],
    )
    def test_promises_nothing_that_not_all_get_all_the_time(self, house, changes):
        house.offer("20", **changes)
        assert house.tea().price == money(100_00)

    def test_knows_what_is_too_private_for_a_members_own_page(self, house):
        with house.sessions.begin() as session:
            session.add(
                SensitiveWord(word="coffee", topic="health", sensitive=True, set_by="anna", set_at=NOW)
            )
        assert {name for name, offer in house.shelf().items() if offer.personal} == {"TEA"}

    def test_keeps_prices_of_a_group_for_the_group(self, house):
        house.offer("10")
        house.offer("30", audience={"groups": ["g7"]})
        shelf = house.shelf()
        assert shelf["TEA"].price == money(90_00)
        theirs = for_group({1: shelf["TEA"], 2: shelf["WINE"]}, "g7")
        assert theirs[1].price.minor < 90_00
        assert theirs[1].reduced.old == money(100_00)
        others = {1: shelf["TEA"]}
        assert for_group(others, "g8") is others
