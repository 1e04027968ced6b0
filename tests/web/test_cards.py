"""Cards, households, claims and alerts at the desk, through real requests."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from core import clock
from core.database import Sessions, make_engine, make_sessions
from core.models import AuditEvent
from customers.models import Card
from loyalty.models import Alert
from tests.web.conftest import settings_for
from tests.web.house import House, furnish
from wsgi import create_app

STOCK = ("2990000001009", "2990000001054")


@pytest.fixture(scope="module")
def web_sessions(make_database: Callable[[], str]) -> Iterator[Sessions]:
    """A database of their own: what is done here would be in everybody's lists."""
    engine = make_engine(make_database())
    yield make_sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def app(web_sessions: Sessions, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(web_sessions, settings_for(tmp_path_factory.mktemp("cards")))


@pytest.fixture(scope="module")
def house(app: Flask, web_sessions: Sessions) -> House:
    return furnish(app, web_sessions)


def receipt(app, house: House, number: str, **changes) -> dict:
    today = clock.business_day(clock.now(), "Europe/Prague")
    line = {
        "line_number": 1,
        "sku": "10452",
        "quantity": "1",
        "unit_price": 10000,
        "total_amount": 10000,
        "tax_rate": "12",
    }
    body = {
        "type": "sale",
        "business_date": today.isoformat(),
        "receipt_number": number,
        "closed_at": clock.now().isoformat(),
        "currency": "CZK",
        "lines": [line],
        "totals": {"payable_amount": 10000},
        **changes,
    }
    answer = app.test_client().post(
        "/pos/v1/receipts", json=body, headers={"Authorization": f"Bearer {house.keys['S1']}"}
    )
    assert answer.status_code == 201
    return answer.get_json()


def state(web_sessions, number: str) -> str:
    with web_sessions() as session:
        return session.get_one(Card, number).state


class TestACard:
    def test_goes_from_stock_to_its_end_at_the_desk(self, house, visit, web_sessions):
        desk = visit("desk")
        assert desk.post("/cards/stock", {"first": STOCK[0], "last": STOCK[1]}).status_code == 303
        first, second, third = "2990000001009", "2990000001016", "2990000001023"
        assert state(web_sessions, first) == "stock"
        desk.post(f"/cards/{first}/issue")
        assert state(web_sessions, first) == "issued"
        person = {
            "given_name": "Eva",
            "family_name": "Malá",
            "email": "eva@example.org",
            "phone": "",
            "language": "cs",
        }
        assert desk.post(f"/cards/{first}/activate", {**person, "email": ""}).status_code == 422
        assert desk.post(f"/cards/{first}/activate", person).status_code == 303
        assert state(web_sessions, first) == "active"
        assert desk.post(f"/cards/{first}/block", {"block_reason": ""}).status_code == 422
        desk.post(f"/cards/{first}/block", {"block_reason": "lost"})
        assert state(web_sessions, first) == "blocked"
        wrong = {"new_card_number": "2990000001017", "replace_reason": "lost"}
        assert desk.post(f"/cards/{first}/replace", wrong).status_code == 422
        desk.post(f"/cards/{first}/replace", {"new_card_number": second, "replace_reason": "lost"})
        assert (state(web_sessions, first), state(web_sessions, second)) == ("replaced", "active")
        page = desk.get(f"/cards/{first}").get_data(as_text=True)
        assert second in page
        story = page.partition("Its story")[2]
        assert re.search(r"Enrolled with it: M-[A-Z0-9]{10}", story)
        assert story.index("Replaced: lost") < story.index("Enrolled with it") < story.index("Issued")
        desk.post(f"/cards/{third}/expire", {"expire_reason": "misprinted"})
        assert state(web_sessions, third) == "expired"
        with web_sessions() as session:
            done = session.scalars(
                select(AuditEvent.action)
                .where(AuditEvent.subject_id == first, AuditEvent.action != "card.view")
                .order_by(AuditEvent.event_id)
            ).all()
        assert done == ["cards.stock", "card.issue", "card.block", "card.replace"]

    def test_is_refused_a_payment_card_s_number_as_a_reason(self, house, visit, web_sessions):
        answer = visit("desk").post("/cards/2990000000019/block", {"block_reason": "4111 1111 1111 1111"})
        assert answer.status_code == 422
        assert state(web_sessions, "2990000000019") == "active"

    def test_is_never_a_payment_card_that_somebody_scanned(self, house, visit, web_sessions):
        desk, pan = visit("desk"), "5105105105105100"
        answers = [
            desk.post("/cards/stock", {"first": pan, "last": pan}),
            desk.post(
                "/cards/2990000000019/replace",
                {"new_card_number": "5105 1051 0510 5100", "replace_reason": "lost"},
            ),
        ]
        for answer in answers:
            assert answer.status_code == 422
            assert "looks like the number of a payment card" in answer.get_data(as_text=True)
        assert state(web_sessions, "2990000000019") == "active"
        with web_sessions() as session:
            assert session.get(Card, pan) is None

    def test_numbers_that_are_none_are_told(self, house, visit):
        answer = visit("desk").post("/cards/stock", {"first": "123", "last": "456"})
        assert answer.status_code == 422
        assert "check digits" in answer.get_data(as_text=True)

    def test_file_is_taken_in(self, house, visit, web_sessions):
        desk = visit("desk")
        token = desk.token("/cards/stock")
        for name, content, status in (
            ("cards.csv", b"card_number\n2990000001207\n", 303),
            ("cards.csv", b"number\n5\n", 422),
            ("cards.exe", b"card_number\n", 422),
        ):
            form = {"csrf_token": token, "file": (BytesIO(content), name)}
            answer = desk.client.post("/cards/file", data=form, content_type="multipart/form-data")
            assert answer.status_code == status, name
        assert state(web_sessions, "2990000001207") == "stock"


class TestAHousehold:
    def test_is_made_joined_and_left_at_the_desk(self, app, house, visit):
        desk = visit("desk")
        owner, other = house.members[0], house.members[1]
        page = desk.post(f"/members/{owner}/household/invite", {"role": "earner"}).get_data(as_text=True)
        code = re.search(r'id="invitation">([^<]+)<', page).group(1)
        assert desk.post(f"/members/{other}/household/join", {"code": "NO"}).status_code == 422
        assert desk.post(f"/members/{other}/household/join", {"code": code}).status_code == 303
        assert "Łukasz" in desk.get(f"/members/{owner}/household").get_data(as_text=True)
        taken = app.test_client().post(
            "/pos/v1/redemptions",
            json={"card_number": "2990000000026", "points": 1},
            headers={"Authorization": f"Bearer {house.keys['S1']}"},
        )
        assert (taken.status_code, taken.get_json()["type"].rsplit("/", 1)[-1]) == (409, "not_enough_points")
        changed = {"member": str(other), "role": "spender"}
        assert desk.post(f"/members/{owner}/household/role", changed).status_code == 303
        assert desk.post(f"/members/{owner}/household/role", {**changed, "role": "x"}).status_code == 422
        assert desk.post(f"/members/{owner}/household/leave").status_code == 422
        assert desk.post(f"/members/{other}/household/leave", {"points": "1000000"}).status_code == 422
        assert desk.post(f"/members/{other}/household/leave").status_code == 303


class TestAClaim:
    def test_answers_alike_until_it_is_right(self, app, house, visit):
        receipt(app, house, "C1")
        desk, member = visit("desk"), house.members[2]
        today = clock.business_day(clock.now(), "Europe/Prague").isoformat()
        form = {"code": f"S1/T1/{today}/C1", "amount": "99.00"}
        wrong = desk.post(f"/members/{member}/claim", form).get_data(as_text=True)
        unknown = desk.post(f"/members/{member}/claim", {**form, "code": f"S1/T1/{today}/C9"})
        assert "No such receipt can be claimed" in wrong
        assert "No such receipt can be claimed" in unknown.get_data(as_text=True)
        parts = {
            "code": "",
            "store_code": "S1",
            "till_code": "T1",
            "day": today,
            "receipt_number": "C1",
            "amount": "100,00",
        }
        answers = [desk.post(f"/members/{member}/claim", parts) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert "theirs already" in desk.get(answers[1].location).get_data(as_text=True)


class TestAnAlert:
    def make(self, app, house: House, web_sessions, prefix: str, card: str) -> int:
        for number in range(4):
            receipt(app, house, f"{prefix}{number}", card_number=card)
        with web_sessions() as session:
            return session.scalars(select(Alert.alert_id).where(Alert.card_number == card)).one()

    def issued(self, visit, number: str) -> None:
        desk = visit("desk")
        desk.post("/cards/stock", {"first": number, "last": number})
        desk.post(f"/cards/{number}/issue")

    def test_waits_for_a_person_who_says_why(self, app, house, visit, web_sessions):
        self.issued(visit, "2990000001108")
        alert_id = self.make(app, house, web_sessions, "V", "2990000001108")
        manager = visit("store_manager")
        page = manager.get(f"/alerts/{alert_id}").get_data(as_text=True)
        assert all(f"V{number}" in page for number in range(4))
        assert state(web_sessions, "2990000001108") == "issued"
        assert f"/alerts/{alert_id}" in manager.get("/alerts/?state=open").get_data(as_text=True)
        address = f"/alerts/{alert_id}"
        assert manager.post(address, {"decision": "dismissed", "reason": ""}).status_code == 422
        assert visit("auditor").post(address, {"decision": "confirmed"}).status_code == 403
        assert manager.post(address, {"decision": "dismissed", "reason": "a club"}).status_code == 303
        with web_sessions() as session:
            alert = session.get_one(Alert, alert_id)
            assert (alert.state, alert.reason, alert.decided_by) == ("dismissed", "a club", "store.manager")

    def test_may_end_with_the_card_blocked(self, app, house, visit, web_sessions):
        self.issued(visit, "2990000001115")
        alert_id = self.make(app, house, web_sessions, "W", "2990000001115")
        desk = visit("desk")
        address = f"/alerts/{alert_id}"
        assert desk.post(address, {"decision": "block", "reason": ""}).status_code == 422
        assert desk.post(address, {"decision": "block", "reason": "sold online"}).status_code == 303
        assert state(web_sessions, "2990000001115") == "blocked"

    def test_of_another_store_is_not_there(self, app, house, visit, web_sessions):
        with web_sessions.begin() as session:
            today = clock.business_day(clock.now(), "Europe/Prague")
            alert = Alert(
                kind="blind_returns",
                store_id=2,
                day=today,
                operator_code="5",
                receipts=3,
                business_date=today,
                receipt_id=UUID(int=1),
                raised_at=clock.now(),
            )
            session.add(alert)
            session.flush()
            alert_id = alert.alert_id
        assert visit("store_manager").get(f"/alerts/{alert_id}").status_code == 404
        assert visit("auditor").get(f"/alerts/{alert_id}").status_code == 200


class TestStaffCards:
    def test_are_bound_in_the_own_store_only(self, house, visit, web_sessions):
        manager = visit("store_manager")
        form = {"card_number": "2990000000026", "operator_code": "7", "name": "Jana", "store_code": "S2"}
        assert manager.post("/staff-cards/", form).status_code == 303
        assert "Brno" in manager.get("/staff-cards/").get_data(as_text=True)
        assert manager.post("/staff-cards/", form).status_code == 422
        assert manager.post("/staff-cards/", {**form, "name": ""}).status_code == 422
        assert manager.post("/staff-cards/1/end").status_code == 303
