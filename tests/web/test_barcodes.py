"""The screen of bar codes: layouts are seen, tried, set and taken away, and say what they were before."""

import pytest
from sqlalchemy import text
from stdnum import ean

from core.database import make_engine, make_sessions
from tests.web.conftest import Visitor, settings_for
from tests.web.house import CARDS, PASSWORD, furnish
from tests.web.test_queue import Counter
from wsgi import create_app

PATTERN = "2712345VVVVVC".replace("12345", "IIIII")
WEIGHED = "271045200754"


@pytest.fixture(scope="module")
def sessions_here(make_database):
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def app_here(sessions_here, tmp_path_factory):
    return create_app(sessions_here, settings_for(tmp_path_factory.mktemp("barcodes")))


@pytest.fixture(scope="module")
def house_here(app_here, sessions_here):
    return furnish(app_here, sessions_here)


@pytest.fixture
def enter(app_here, house_here):
    def enter(role: str) -> Visitor:
        visitor = Visitor(app_here.test_client())
        visitor.sign_in(house_here.people[role], PASSWORD)
        return visitor

    return enter


def code_of_weight():
    return WEIGHED + ean.calc_check_digit(WEIGHED)


def read(visitor, scanned, store="S1"):
    return visitor.get(f"/bar-codes/?scanned={scanned}&store={store}").get_data(as_text=True)


FORM = {"pattern": PATTERN, "place": "store:S1", "holds": "weight", "decimals": "3", "article_by": "sku"}


class TestALayout:
    def test_is_set_read_sold_by_and_taken_away_again(self, enter, app_here, house_here, sessions_here):
        marketing = enter("marketing")
        assert "A till understands nothing by it" not in read(marketing, code_of_weight())
        assert "Goods from the scales" in marketing.get("/bar-codes/").get_data(as_text=True)
        assert marketing.post("/bar-codes/", FORM).status_code == 303
        page = read(marketing, code_of_weight())
        assert "0.754 kg" in page
        assert "10452" in page
        assert "0.754 kg" not in read(marketing, code_of_weight(), store="S2")
        line = {
            "line_number": 1,
            "gtin": code_of_weight(),
            "quantity": "0.754",
            "unit": "kg",
            "unit_price": 10000,
            "total_amount": 7540,
            "tax_rate": "12",
        }
        body = Counter(app_here, house_here).post(
            card_number=CARDS[0], lines=[line], totals={"payable_amount": 7540}
        )
        with sessions_here() as session:
            sku = session.scalar(
                text(
                    "select article.sku from receipt_line join receipt using (business_date, receipt_id) "
                    "join article using (article_id) where receipt_number = :number"
                ),
                {"number": body["receipt_number"]},
            )
        assert sku == "10452"
        gone = {"pattern": PATTERN, "place": "store:S1"}
        assert marketing.post("/bar-codes/remove", gone).status_code == 303
        assert "0.754 kg" not in read(marketing, code_of_weight())
        marketing.post("/bar-codes/remove", gone)
        page = marketing.get("/bar-codes/").get_data(as_text=True)
        assert "This layout was taken away already" in page

    def test_tells_its_versions(self, enter):
        administrator = enter("administrator")
        for decimals in ("2", "3"):
            administrator.post("/bar-codes/", {**FORM, "place": "", "decimals": decimals})
        administrator.post("/bar-codes/remove", {"pattern": PATTERN, "place": ""})
        versions = administrator.get("/bar-codes/").get_data(as_text=True).partition("Versions</h2>")[2]
        places = [versions.index(words) for words in ("taken away", "3 decimals", "2 decimals")]
        assert places == sorted(places)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"pattern": "28IIIIVVVVVC"}, "Thirteen places"),
            ({"pattern": "19IIIIIVVVVVC"}, "Thirteen places"),
            ({"place": "store:none"}, "Choose where it holds"),
            ({"holds": "colour"}, "Choose one"),
            ({"decimals": "9"}, "Choose one"),
        ],
    )
    def test_is_refused_at_the_field(self, enter, wrong, words):
        answer = enter("marketing").post("/bar-codes/", {**FORM, **wrong})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)

    def test_is_seen_and_not_set_by_a_store(self, enter):
        manager = enter("store_manager")
        assert "Set a layout" not in manager.get("/bar-codes/").get_data(as_text=True)
        assert manager.post("/bar-codes/", FORM).status_code == 403


class TestACode:
    def test_may_be_a_card_an_article_or_nothing(self, enter):
        desk = enter("desk")
        assert "A card of ours: active" in read(desk, CARDS[0])
        assert "none was ever seen" in read(desk, "2990000005557")
        assert "10452" in read(desk, "10452")
        assert "after 859400102151 stands 2, not 3" in read(desk, "8594001021513")
        assert "has this form" in read(desk, "x!")

    def test_with_two_meanings_is_told(self, enter, sessions_here):
        marketing = enter("marketing")
        item = CARDS[0][2:7]
        with sessions_here.begin() as session:
            session.execute(
                text("insert into article (sku, name, unit, tax_rate) values (:sku, 'Ham', 'kg', 12)"),
                {"sku": item},
            )
        marketing.post("/bar-codes/", {**FORM, "pattern": "29IIIIIVVVVVC", "place": ""})
        assert "More than one meaning" in read(marketing, CARDS[0])
        marketing.post("/bar-codes/remove", {"pattern": "29IIIIIVVVVVC", "place": ""})
        assert "More than one meaning" not in read(marketing, CARDS[0])
