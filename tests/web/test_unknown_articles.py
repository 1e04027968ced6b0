"""Unknown articles on screen: one row for each code, decided once for all its lines."""

import pytest
from sqlalchemy import select, text

from core.database import make_engine, make_sessions
from core.models import AuditEvent
from tests.web.conftest import Visitor, settings_for
from tests.web.house import CARDS, PASSWORD, furnish
from tests.web.test_queue import Counter
from wsgi import create_app

LINE = {"line_number": 1, "quantity": "1", "unit_price": 100, "total_amount": 100, "tax_rate": "12"}
OWN = "10452"


@pytest.fixture(scope="module")
def queue_sessions(make_database):
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def queue_app(queue_sessions, tmp_path_factory):
    return create_app(queue_sessions, settings_for(tmp_path_factory.mktemp("queue")))


@pytest.fixture(scope="module")
def queue_house(queue_app, queue_sessions):
    return furnish(queue_app, queue_sessions)


@pytest.fixture
def enter(queue_app, queue_house):
    def enter(role: str) -> Visitor:
        visitor = Visitor(queue_app.test_client())
        visitor.sign_in(queue_house.people[role], PASSWORD)
        return visitor

    return enter


@pytest.fixture
def sell(queue_app, queue_house):
    """Sell something under a code that no article has, at the till of a store."""

    def sell(store="S1", **codes):
        line = {**LINE, "name": "Mystery tea", **codes}
        till = Counter(queue_app, queue_house, store)
        return till.post(card_number=CARDS[0], lines=[line], totals={"payable_amount": 100})

    return sell


def states(sessions, *bodies):
    with sessions() as session:
        return [
            tuple(row)
            for row in session.execute(
                text(
                    "select flag.state, article.sku from receipt_flag as flag join receipt using (business_date, receipt_id) "
                    "join receipt_line as line using (business_date, receipt_id, line_number) "
                    "left join article using (article_id) "
                    "where receipt_number = any(:numbers) and flag.code = 'unknown_article' order by receipt_number"
                ),
                {"numbers": [body["receipt_number"] for body in bodies]},
            )
        ]


def deeds(sessions, code):
    with sessions() as session:
        found = select(AuditEvent.action).where(
            AuditEvent.subject_kind == "article_code", AuditEvent.subject_id == code
        )
        return list(session.scalars(found.order_by(AuditEvent.event_id)))


class TestOneCode:
    def test_is_one_row_however_often_and_wherever_it_was_sold(self, enter, sell):
        for store in ("S1", "S1", "S2"):
            sell(store, sku="tea-old")
        desk = enter("desk")
        page = desk.get("/queue/unknown-articles/?q=tea-old").get_data(as_text=True)
        assert page.count("Mystery tea") == 1
        csv = desk.get("/queue/unknown-articles/?q=tea-old&format=csv").get_data(as_text=True)
        assert "tea-old" in csv
        assert [field.strip('"') for field in csv.splitlines()[1].split(",")[1:4]] == ["3", "3", "2"]
        assert "Mystery tea" not in desk.get("/queue/?state=open").get_data(as_text=True)
        shown = desk.get("/queue/unknown-articles/code?code=tea-old").get_data(as_text=True)
        for words in ("3 lines", "3 receipts", "2 stores", "Give it the article", "Dismiss all of them"):
            assert words in shown

    def test_is_given_to_an_article_with_all_its_lines_and_those_to_come(self, enter, sell, queue_sessions):
        before = [sell("S1", sku="given"), sell("S2", sku="given")]
        desk = enter("desk")
        form = {"code": "given", "article": OWN}
        assert desk.post("/queue/unknown-articles/give", form).status_code == 303
        assert states(queue_sessions, *before) == [("resolved", OWN)] * 2
        assert states(queue_sessions, sell("S1", sku="given")) == []
        assert desk.post("/queue/unknown-articles/give", form).status_code == 404
        assert "Take back" in desk.get("/queue/unknown-articles/").get_data(as_text=True)
        assert desk.post("/queue/unknown-articles/take-back", {"code": "given"}).status_code == 303
        assert states(queue_sessions, sell("S1", sku="given")) == [("open", None)]
        assert deeds(queue_sessions, "given") == ["article_code.link", "article_code.withdraw"]
        assert desk.post("/queue/unknown-articles/take-back", {"code": "given"}).status_code == 404

    @pytest.mark.parametrize("gtin", ["8594001029990", "08594001029990"])
    def test_may_be_a_gtin(self, enter, sell, queue_sessions, gtin):
        body = sell(gtin=gtin)
        form = {"code": gtin.zfill(14), "article": OWN}
        assert enter("desk").post("/queue/unknown-articles/give", form).status_code == 303
        assert states(queue_sessions, body) == [("resolved", OWN)]
        assert states(queue_sessions, sell(gtin=gtin.lstrip("0"))) == []
        enter("desk").post("/queue/unknown-articles/take-back", {"code": gtin.zfill(14)})

    def test_with_a_wrong_check_digit_is_given_to_what_waits_and_asks_again(
        self, enter, sell, queue_sessions
    ):
        body = sell(gtin="8594001029992")
        form = {"code": "08594001029992", "article": OWN}
        assert enter("desk").post("/queue/unknown-articles/give", form).status_code == 303
        assert states(queue_sessions, body) == [("resolved", OWN)]
        assert states(queue_sessions, sell(gtin="8594001029992")) == [("open", None)]

    def test_means_an_article_of_its_own_once_there_is_one(self, enter, sell, queue_sessions):
        sell(sku="soon")
        enter("desk").post("/queue/unknown-articles/give", {"code": "soon", "article": OWN})
        with queue_sessions.begin() as session:
            session.execute(
                text("insert into article (sku, name, unit, tax_rate) values ('soon', 'Soon', 'pcs', 12)")
            )
        other = sell(sku="other-code")
        enter("desk").post("/queue/unknown-articles/give", {"code": "other-code", "article": "soon"})
        assert states(queue_sessions, other) == [("resolved", "soon")]
        body = sell(sku="soon")
        with queue_sessions() as session:
            found = session.scalar(
                text(
                    "select article.sku from receipt_line join receipt using (business_date, receipt_id) "
                    "join article using (article_id) where receipt_number = :number"
                ),
                {"number": body["receipt_number"]},
            )
        assert found == "soon"

    def test_is_given_to_no_article_that_is_not_there(self, enter, sell, queue_sessions):
        body = sell(sku="lost")
        answer = enter("desk").post("/queue/unknown-articles/give", {"code": "lost", "article": "tea"})
        assert answer.status_code == 422
        assert "No article has this SKU or GTIN" in answer.get_data(as_text=True)
        assert states(queue_sessions, body) == [("open", None)]

    def test_is_dismissed_with_a_reason_only(self, enter, sell, queue_sessions):
        bodies = [sell("S1", sku="deposit"), sell("S2", sku="deposit")]
        desk = enter("desk")
        path = "/queue/unknown-articles/dismiss"
        assert desk.post(path, {"code": "deposit"}).status_code == 422
        assert desk.post(path, {"code": "deposit", "note": "4111 1111 1111 1111"}).status_code == 422
        assert desk.post(path, {"code": "deposit", "note": "old deposits"}).status_code == 303
        assert states(queue_sessions, *bodies) == [("dismissed", None)] * 2
        assert desk.post(path, {"code": "deposit", "note": "old deposits"}).status_code == 409
        assert deeds(queue_sessions, "deposit") == ["article_code.dismiss"]


class TestAStore:
    def test_dismisses_its_own_lines_and_gives_nothing(self, enter, sell, queue_sessions):
        own, other = sell("S1", sku="both"), sell("S2", sku="both")
        elsewhere = sell("S2", sku="elsewhere")
        manager = enter("store_manager")
        assert "1 store" in manager.get("/queue/unknown-articles/code?code=both").get_data(as_text=True)
        assert manager.get("/queue/unknown-articles/code?code=elsewhere").status_code == 404
        give = {"code": "both", "article": OWN}
        assert manager.post("/queue/unknown-articles/give", give).status_code == 403
        form = {"code": "both", "note": "seen"}
        assert manager.post("/queue/unknown-articles/dismiss", form).status_code == 303
        assert states(queue_sessions, own) == [("dismissed", None)]
        assert states(queue_sessions, other, elsewhere) == [("open", None)] * 2
