"""The work queue on screen: explained, decided, linked, compared; each store its own."""

import re

import pytest
from sqlalchemy import select, text, update

from core import clock
from core.database import Sessions, make_engine, make_sessions
from core.i18n import LANGUAGES
from core.models import AuditEvent
from sales.models import QuarantinedReceipt, ReceiptFlag
from tests.web.conftest import Visitor, settings_for
from tests.web.house import CARDS, PASSWORD, furnish
from web.models import Person
from wsgi import create_app

WRONG_CARD = "2990000007777"


@pytest.fixture(scope="module")
def queue_sessions(make_database):
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def queue_app(queue_sessions, tmp_path_factory):
    return create_app(queue_sessions, settings_for(tmp_path_factory.mktemp("queue")))


@pytest.fixture(scope="module")
def queue_house(queue_app, queue_sessions: Sessions):
    return furnish(queue_app, queue_sessions)


@pytest.fixture
def enter(queue_app, queue_house):
    def enter(role: str) -> Visitor:
        visitor = Visitor(queue_app.test_client())
        visitor.sign_in(queue_house.people[role], PASSWORD)
        return visitor

    return enter


class Counter:
    """Posts receipts as a till of a store does."""

    numbers = iter(range(700, 10_000))

    def __init__(self, app, house, store="S1"):
        self.app, self.key = app, house.keys[store]

    def post(self, *, status=201, **changes):
        today = clock.business_day(clock.now(), "Europe/Prague")
        body = {
            "type": "sale",
            "business_date": today.isoformat(),
            "receipt_number": f"Q{next(self.numbers)}",
            "closed_at": clock.now().isoformat(),
            "currency": "CZK",
            "card_number": WRONG_CARD,
            "lines": [
                {
                    "line_number": 1,
                    "sku": "10452",
                    "quantity": "1",
                    "unit_price": 10000,
                    "total_amount": 10000,
                    "tax_rate": "12",
                }
            ],
            "totals": {"payable_amount": 10000},
            **changes,
        }
        answer = self.app.test_client().post(
            "/pos/v1/receipts", json=body, headers={"Authorization": f"Bearer {self.key}"}
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return body


@pytest.fixture
def counter(queue_app, queue_house):
    return Counter(queue_app, queue_house)


def flag_of(sessions, body, code="unknown_card") -> int:
    with sessions() as session:
        return session.scalar(
            text(
                "select flag_id from receipt_flag join receipt using (business_date, receipt_id) "
                "where receipt_number = :number and code = :code"
            ),
            {"number": body["receipt_number"], "code": code},
        )


def state_of(sessions, flag_id):
    with sessions() as session:
        flag = session.get_one(ReceiptFlag, flag_id)
        return flag.state, flag.resolved_by, flag.note


class TestEntry:
    def test_says_what_happened_what_came_what_was_booked_and_what_to_do(
        self, enter, counter, queue_sessions
    ):
        flag = flag_of(queue_sessions, counter.post())
        page = enter("desk").get(f"/queue/{flag}").get_data(as_text=True)
        for words in ("never issued", WRONG_CARD, "without points", "nobody", "Link card and book points"):
            assert words in page

    def test_links_a_card_and_books_its_points(self, enter, counter, queue_sessions, queue_app):
        body = counter.post()
        flag = flag_of(queue_sessions, body)
        desk = enter("desk")
        answer = desk.post(f"/queue/{flag}/card", {"card_number": " 2990000000033 "})
        assert answer.status_code == 303
        assert state_of(queue_sessions, flag) == ("resolved", "desk", "linked to card 2990000000033")
        card = queue_app.test_client().get(
            f"/pos/v1/cards/{CARDS[2]}", headers={"Authorization": f"Bearer {counter.key}"}
        )
        assert card.get_json()["points"]["pending"] == 100
        again = counter.post(status=200, **{key: body[key] for key in ("receipt_number", "closed_at")})
        assert again["receipt_number"] == body["receipt_number"]
        page = desk.get(f"/queue/{flag}").get_data(as_text=True)
        assert "The sale has its account by now" in page
        assert desk.post(f"/queue/{flag}/card", {"card_number": CARDS[0]}).status_code == 422
        assert desk.post(f"/queue/{flag}/reopen").status_code == 409

    @pytest.mark.parametrize(
        ("number", "words"),
        [("12345", "no card number"), ("2990000005551", "ever issued"), ("4111111111111111", "ever issued")],
    )
    def test_says_at_the_field_why_a_card_cannot_be_linked(
        self, enter, counter, queue_sessions, number, words
    ):
        flag = flag_of(queue_sessions, counter.post())
        answer = enter("desk").post(f"/queue/{flag}/card", {"card_number": number})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
        assert state_of(queue_sessions, flag)[0] == "open"

    def test_leads_to_the_member_whose_points_are_meant(self, enter, counter, queue_house, queue_sessions):
        body = counter.post(card_number=CARDS[0], currency="EUR")
        place = f"/queue/{flag_of(queue_sessions, body, 'totals_mismatch')}"
        link = f'href="/members/{queue_house.members[0]}"'
        assert link in enter("desk").get(place).get_data(as_text=True)
        assert link not in enter("store_manager").get(place).get_data(as_text=True)

    def test_is_dismissed_with_a_reason_only(self, enter, counter, queue_sessions):
        flag = flag_of(queue_sessions, counter.post())
        desk = enter("desk")
        assert desk.post(f"/queue/{flag}", {"state": "dismissed"}).status_code == 422
        refused = desk.post(f"/queue/{flag}", {"state": "dismissed", "note": "it was 4111 1111 1111 1111"})
        assert refused.status_code == 422
        assert desk.post(f"/queue/{flag}", {"state": "dismissed", "note": "staff test"}).status_code == 303
        assert state_of(queue_sessions, flag) == ("dismissed", "desk", "staff test")
        assert desk.post(f"/queue/{flag}", {"state": "resolved"}).status_code == 409

    def test_can_be_opened_again_and_tells_its_story(self, enter, counter, queue_sessions):
        flag = flag_of(queue_sessions, counter.post())
        desk = enter("desk")
        desk.post(f"/queue/{flag}", {"state": "resolved", "note": "seen"})
        assert desk.post(f"/queue/{flag}/reopen").status_code == 303
        assert desk.post(f"/queue/{flag}/reopen").status_code == 409
        assert state_of(queue_sessions, flag) == ("open", None, None)
        page = desk.get(f"/queue/{flag}").get_data(as_text=True)
        assert "Accepted or put right" in page
        assert "Opened again" in page
        with queue_sessions() as session:
            actions = session.scalars(
                select(AuditEvent.action).where(
                    AuditEvent.subject_kind == "flag", AuditEvent.subject_id == str(flag)
                )
            )
            assert list(actions) == ["flag.resolved", "flag.reopened"]


class TestChosen:
    def test_entries_are_taken_out_together(self, enter, counter, queue_sessions):
        flags = [flag_of(queue_sessions, counter.post()) for _ in range(3)]
        desk = enter("desk")
        page = desk.get("/queue/?state=open").get_data(as_text=True)
        assert f'name="chosen" value="{flags[0]}" form="chosen"' in page
        form = {"state": "dismissed", "note": "till test", "chosen": flags[:2]}
        assert desk.post("/queue/chosen", form).status_code == 303
        states = [state_of(queue_sessions, flag)[0] for flag in flags]
        assert states == ["dismissed", "dismissed", "open"]
        assert desk.post("/queue/chosen", form).status_code == 409

    def test_nothing_happens_without_a_choice_or_a_reason(self, enter, counter, queue_sessions):
        flag = flag_of(queue_sessions, counter.post())
        desk = enter("desk")
        assert desk.post("/queue/chosen", {"state": "resolved"}).status_code == 303
        assert desk.post("/queue/chosen", {"state": "dismissed", "chosen": [flag]}).status_code == 303
        assert desk.post("/queue/chosen", {"state": "resolved", "chosen": ["x"]}).status_code == 400
        assert state_of(queue_sessions, flag)[0] == "open"


class TestStores:
    def test_manage_their_own_entries_only(self, enter, queue_app, queue_house, queue_sessions):
        body = Counter(queue_app, queue_house, "S2").post()
        flag = flag_of(queue_sessions, body)
        manager = enter("store_manager")
        assert f"/queue/{flag}" not in manager.get("/queue/?state=open").get_data(as_text=True)
        assert manager.get(f"/queue/{flag}").status_code == 404
        assert manager.post(f"/queue/{flag}/card", {"card_number": CARDS[0]}).status_code == 404
        assert manager.post(f"/queue/{flag}", {"state": "resolved"}).status_code == 409
        assert manager.post("/queue/chosen", {"state": "resolved", "chosen": [flag]}).status_code == 409
        assert state_of(queue_sessions, flag)[0] == "open"

    def test_let_the_auditor_look_and_not_decide(self, enter, counter, queue_sessions):
        flag = flag_of(queue_sessions, counter.post())
        auditor = enter("auditor")
        page = auditor.get(f"/queue/{flag}").get_data(as_text=True)
        assert "Accept as it is" not in page
        assert 'name="chosen"' not in auditor.get("/queue/?state=open").get_data(as_text=True)
        assert auditor.post(f"/queue/{flag}", {"state": "resolved"}).status_code == 403


class TestArticles:
    def test_that_became_known_close_their_entries(self, enter, counter, queue_sessions):
        line = {"line_number": 1, "quantity": "1", "unit_price": 100, "total_amount": 100, "tax_rate": "12"}
        totals = {"payable_amount": 100}
        known = counter.post(card_number=CARDS[0], lines=[{**line, "sku": "new-one"}], totals=totals)
        other = counter.post(card_number=CARDS[0], lines=[{**line, "sku": "never"}], totals=totals)
        with queue_sessions.begin() as session:
            session.execute(
                text("insert into article (sku, name, unit, tax_rate) values ('new-one', 'New', 'pcs', 12)")
            )
        desk = enter("desk")
        assert "that is in the article list by now" in desk.get("/queue/?state=open").get_data(as_text=True)
        assert desk.post("/queue/articles").status_code == 303
        assert state_of(queue_sessions, flag_of(queue_sessions, known, "unknown_article"))[0] == "resolved"
        assert state_of(queue_sessions, flag_of(queue_sessions, other, "unknown_article"))[0] == "open"
        with queue_sessions() as session:
            found = session.scalar(
                text(
                    "select article.sku from receipt_line join receipt using (business_date, receipt_id) "
                    "join article using (article_id) where receipt_number = :number"
                ),
                {"number": known["receipt_number"]},
            )
        assert found == "new-one"


class TestBodies:
    @pytest.fixture
    def second(self, counter, queue_sessions):
        first = counter.post(card_number=CARDS[0])
        counter.post(
            status=422,
            receipt_number=first["receipt_number"],
            card_number=CARDS[1],
            totals={"payable_amount": 9000},
        )
        with queue_sessions() as session:
            return session.scalar(
                select(QuarantinedReceipt.quarantine_id).where(
                    QuarantinedReceipt.receipt_number == first["receipt_number"]
                )
            )

    def test_stand_side_by_side_with_what_was_stored(self, enter, second):
        page = enter("desk").get(f"/queue/bodies/{second}").get_data(as_text=True)
        differing = re.findall(
            r'<th scope="row">([^<]+)<span class="second">([^<]+)</span></th><td class="diff', page
        )
        assert differing == [
            ("Closed", "/closed_at"),
            ("Card", "/card_number"),
            ("Paid", "/totals/payable_amount"),
        ]
        assert CARDS[0] in page
        assert CARDS[1] in page
        assert ">9000<" in page

    def test_are_listed_counted_and_dealt_with(self, enter, second):
        desk = enter("desk")
        page = desk.get("/queue/bodies/?state=open").get_data(as_text=True)
        assert f"/queue/bodies/{second}" in page
        assert desk.post(f"/queue/bodies/{second}", {"state": "dismissed"}).status_code == 422
        assert desk.post(f"/queue/bodies/{second}", {"state": "resolved"}).status_code == 303
        assert desk.post(f"/queue/bodies/{second}", {"state": "resolved"}).status_code == 409
        assert desk.post(f"/queue/bodies/{second}/reopen").status_code == 303
        assert desk.post(f"/queue/bodies/{second}/reopen").status_code == 409
        form = {"state": "dismissed", "note": "till was repaired", "chosen": [second]}
        assert desk.post("/queue/bodies/chosen", form).status_code == 303
        assert "till was repaired" in desk.get(f"/queue/bodies/{second}").get_data(as_text=True)

    def test_of_another_store_are_not_there(self, enter, queue_app, queue_house, queue_sessions):
        till = Counter(queue_app, queue_house, "S2")
        first = till.post()
        till.post(status=422, receipt_number=first["receipt_number"], totals={"payable_amount": 1})
        with queue_sessions() as session:
            other = session.scalar(
                select(QuarantinedReceipt.quarantine_id).where(
                    QuarantinedReceipt.receipt_number == first["receipt_number"]
                )
            )
        manager = enter("store_manager")
        assert manager.get(f"/queue/bodies/{other}").status_code == 404
        assert manager.post(f"/queue/bodies/{other}", {"state": "resolved"}).status_code == 409


class TestWords:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_are_there_in_every_language(self, enter, counter, queue_sessions, language):
        flag = flag_of(queue_sessions, counter.post())
        with queue_sessions.begin() as session:
            session.execute(update(Person).where(Person.role == "desk").values(language=language))
        desk = enter("desk")
        try:
            for address in (f"/queue/{flag}", "/queue/?state=open", "/queue/bodies/"):
                page = desk.get(address).get_data(as_text=True)
                assert f'lang="{language}"' in page
                assert ("What happened" in page) == (language == "en" and address.endswith(str(flag)))
        finally:
            with queue_sessions.begin() as session:
                session.execute(update(Person).where(Person.role == "desk").values(language="en"))

    def test_go_into_files(self, enter, counter):
        counter.post()
        for name in ("queue/", "queue/bodies/"):
            answer = enter("desk").get(f"/{name}?format=csv")
            assert answer.mimetype == "text/csv"

    def test_count_what_waits_in_the_navigation(self, enter, counter):
        counter.post()
        page = enter("desk").get("/receipts/").get_data(as_text=True)
        assert re.search(r'data-key="q".*?<span class="count">\d+', page)
