"""The till simulator's articles: each at the price of the store in which the till stands."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from core import clock
from core.database import make_engine, make_sessions
from sales.models import Article, ArticlePrice, Store
from sales.operations import add_store
from tests.web.conftest import Visitor, settings_for
from tests.web.house import PASSWORD, furnish
from wsgi import create_app

TEA = "10452"


@pytest.fixture(scope="module")
def till_sessions(make_database):
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def till_app(till_sessions, tmp_path_factory):
    return create_app(till_sessions, settings_for(tmp_path_factory.mktemp("till")))


@pytest.fixture(scope="module")
def house(till_app, till_sessions):
    house, now = furnish(till_app, till_sessions), clock.now()
    with till_sessions.begin() as session:
        add_store(session, store_code="S3", name="Wien", currency="EUR", timezone="Europe/Vienna")
        stores = dict(session.execute(select(Store.store_code, Store.store_id)).all())
        listed = {"article_id": house.articles[TEA], "valid_from": now.date() - timedelta(days=3)}
        prices = [(stores["S2"], 5490), (stores["S3"], 259)]
        session.execute(
            insert(ArticlePrice), [{"store_id": store, "price": price, **listed} for store, price in prices]
        )
    return house


@pytest.fixture
def enter(till_app, house):
    def enter(role: str) -> Visitor:
        visitor = Visitor(till_app.test_client())
        visitor.sign_in(house.people[role], PASSWORD)
        return visitor

    return enter


def price(visitor: Visitor, store: str, sku: str = TEA) -> int | None:
    (article,) = visitor.get(f"/till/articles?q={sku}&store={store}").get_json()
    return article["price"]


class TestArticles:
    def test_cost_what_the_store_charges_today(self, enter):
        visitor = enter("administrator")
        assert (price(visitor, "S1"), price(visitor, "S2"), price(visitor, "S3")) == (5990, 5490, 259)

    def test_have_no_price_in_a_currency_that_no_list_states(self, enter):
        visitor = enter("administrator")
        assert price(visitor, "S1", "20311") == 12990
        assert price(visitor, "S3", "20311") is None

    def test_without_a_list_cost_what_was_last_paid_in_the_same_currency(self, enter, till_sessions):
        with till_sessions.begin() as session:
            session.execute(update(Article).where(Article.sku == "30777").values(price=None))
        visitor = enter("administrator")
        assert (price(visitor, "S2", "30777"), price(visitor, "S3", "30777")) == (3490, None)

    def test_are_those_of_the_own_store_for_its_people(self, enter):
        assert price(enter("store_manager"), "S2") == 5990

    def test_of_a_store_that_is_none_are_not_there(self, enter):
        assert enter("administrator").get(f"/till/articles?q={TEA}&store=none").status_code == 404
