"""Gifts, their stock and vouchers on the screens."""

import re
from dataclasses import replace
from typing import ClassVar

import pytest
from sqlalchemy import text

from core import clock
from core.ids import uuid7
from customers.models import Card
from loyalty.adjustments import Wish, request_adjustment
from rewards.gift_cards.operations import Teller, issue_gift_card, spend
from rewards.models import Reward
from tests.web.house import CARDS

POOR, RICH = CARDS[1:]
BATCH = {
    "batch_code": "THANKS",
    "name_en": "Thank you",
    "value_amount": "49,90",
    "currency": "czk",
    "minimum_amount": "300",
    "valid_days": "30",
    "residual": "keep",
    "symbology": "qr",
    "ean_prefix": "27",
    "stores": "S1",
}


@pytest.fixture(scope="module")
def furnished(web_sessions, house):
    """A mug that costs 60 points, which one member can afford."""
    with web_sessions.begin() as session:
        session.add(Reward(reward_code="MUG", name={"en": "Mug", "cs": "Hrnek"}, points=60))
        session.flush()
        request_adjustment(
            session,
            adjustment_id=uuid7(),
            wish=Wish(session.get_one(Card, RICH).account_id, None, 400, "goodwill", "a gift for the test"),
            actor="test",
            role="desk",
            now=clock.now(),
        )
    return house


def said(visitor, address, form):
    """Return what the page after a form says."""
    answer = visitor.post(address, form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return visitor.get(answer.headers["Location"]).get_data(as_text=True)


def held(sessions, number):
    """Return what a gift card holds."""
    with sessions() as session:
        return session.scalar(
            text("select balance from gift_card where gift_card_number = :number"), {"number": number}
        )


class TestStock:
    def test_is_delivered_counted_and_told_of_when_low(self, furnished, visit):
        manager = visit("store_manager")
        page = said(manager, "/rewards/deliver", {"reward_code": "MUG", "pieces": "5", "note": "DL 17"})
        assert "delivery is noted" in page
        assert "DL 17" in page
        here = "/rewards/MUG/S1"
        assert "agree with the count" in said(manager, f"{here}/count", {"counted": "4", "seen": "5"})
        stale = manager.post(f"{here}/count", {"counted": "9", "seen": "5"})
        assert (stale.status_code, "count again" in stale.get_data(as_text=True)) == (409, True)
        said(manager, f"{here}/warn", {"low_at": "4"})
        assert "1 gift runs low" in manager.get("/rewards/").get_data(as_text=True)

    def test_of_another_store_stays_closed(self, furnished, visit):
        administrator, manager = visit("administrator"), visit("store_manager")
        said(administrator, "/rewards/deliver", {"reward_code": "MUG", "store_code": "S2", "pieces": "1"})
        assert manager.get("/rewards/MUG/S2").status_code == 403
        assert manager.post("/rewards/MUG/S2/count", {"counted": "0", "seen": "1"}).status_code == 403
        assert "Ostrava" not in manager.get("/rewards/").get_data(as_text=True)


class TestAPickUp:
    def test_is_reserved_at_the_desk_and_handed_over_for_its_code(self, furnished, visit):
        desk, manager = visit("desk"), visit("store_manager")
        said(
            visit("administrator"),
            "/rewards/deliver",
            {"reward_code": "MUG", "store_code": "S1", "pieces": "3"},
        )
        wish = {"card_number": RICH, "reward_code": "MUG", "store_code": "S1"}
        code = re.search(r"pick it up is (\w{6})\.", said(desk, "/pickups/reserve", wish))[1]
        assert code in manager.get("/pickups/").get_data(as_text=True)
        assert "No gift lies aside" in said(manager, "/pickups/hand-over", {"pickup_code": "ZZZZZZ"})
        assert "Handed over." in said(manager, "/pickups/hand-over", {"pickup_code": code.lower()})
        assert "No gift lies aside" in said(manager, "/pickups/hand-over", {"pickup_code": code})

    def test_is_given_up_with_its_points(self, furnished, visit, web_sessions):
        desk = visit("desk")
        wish = {"card_number": RICH, "reward_code": "MUG", "store_code": "S1"}
        code = re.search(r"pick it up is (\w{6})\.", said(desk, "/pickups/reserve", wish))[1]
        with web_sessions() as session:
            held = session.scalar(
                text("select redemption_id from redemption where pickup_code = :code"), {"code": code}
            )
        shown = desk.get(f"/pickups/{held}").get_data(as_text=True)
        assert code in shown
        held_until = shown.partition("Held until")[2].partition("</dd>")[0]
        assert not re.search(r"\d:\d\d", held_until), "its last day, not the midnight after it"
        assert "points are back" in said(desk, f"/pickups/{held}/give-up", {})
        assert visit("cashier").post(f"/pickups/{held}/give-up").status_code == 403
        assert desk.get(f"/pickups/{held}").status_code == 404

    def test_is_refused_in_words(self, furnished, visit):
        desk = visit("desk")
        wish = {"card_number": POOR, "reward_code": "MUG", "store_code": "S1"}
        assert "not enough points" in said(desk, "/pickups/reserve", wish)
        assert "never seen" in said(desk, "/pickups/reserve", wish | {"card_number": "2990000077777"})
        assert "Choose a store" in said(desk, "/pickups/reserve", wish | {"store_code": ""})


class TestVouchers:
    def test_are_worth_an_amount_of_the_stores_currency_unless_another_is_entered(self, furnished, visit):
        page = visit("marketing").get("/vouchers/new").get_data(as_text=True)
        assert re.search(r'id="currency"[^>]*value="CZK"', page)

    def test_are_made_issued_printed_found_and_cancelled(self, furnished, visit):
        marketing = visit("marketing")
        page = said(marketing, "/vouchers/new", BATCH)
        assert "CZK 49.90" in page.replace("\N{NO-BREAK SPACE}", " ")
        assert "The rest stays on the voucher" in page
        here = "/vouchers/batches/THANKS"
        to_do = [f'action="{here}/print"', f'action="{here}/cancel"']
        assert not any(action in marketing.get(here).get_data(as_text=True) for action in to_do)
        assert "issued: 3." in said(marketing, f"{here}/issue", {"count": "3"})
        assert "issued: 1." in said(marketing, f"{here}/issue", {"count": "1", "member_code": "M0"})
        assert "no member" in said(marketing, f"{here}/issue", {"count": "1", "member_code": "M99"})
        assert all(action in marketing.get(here).get_data(as_text=True) for action in to_do)
        sheet = marketing.post(f"{here}/print")
        assert (sheet.mimetype, sheet.data[:5]) == ("application/pdf", b"%PDF-")
        codes = re.findall(r"/vouchers/codes/(\w{16})", marketing.get(here).get_data(as_text=True))
        shown = marketing.get(f"/vouchers/codes/{codes[0]}").get_data(as_text=True)
        assert "Printed" in shown
        assert "A voucher of Thank you" in shown
        assert visit("desk").post(f"/vouchers/codes/{codes[0]}/print").data[:5] == b"%PDF-"
        assert "Cancelled." in said(marketing, f"/vouchers/codes/{codes[0]}/cancel", {"reason": "misprint"})
        assert "already" in said(marketing, f"/vouchers/codes/{codes[0]}/cancel", {"reason": "misprint"})
        assert "This is needed" in said(marketing, f"{here}/cancel", {"reason": ""})
        assert "cancelled: 3." in said(marketing, f"{here}/cancel", {"reason": "over"})
        assert "is open" in said(marketing, f"{here}/print", {})
        found = marketing.get(f"/vouchers/codes/?q={codes[0][:6]}").get_data(as_text=True)
        assert codes[0] in found

    @pytest.mark.parametrize(
        ("field", "content"),
        [
            ("batch_code", "small"),
            ("value_amount", "much"),
            ("value_amount", "1.234"),
            ("currency", ""),
            ("valid_days", "-1"),
            ("ean_prefix", "99"),
        ],
    )
    def test_of_a_batch_that_cannot_be_are_refused_at_the_field(self, furnished, visit, field, content):
        wish = BATCH | {"batch_code": "BAD"} | {field: content}
        answer = visit("marketing").post("/vouchers/new", wish)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.get_data(as_text=True)

    def test_keep_what_they_were_when_their_batch_changes(self, furnished, visit):
        marketing = visit("marketing")
        said(marketing, "/vouchers/new", BATCH | {"batch_code": "CHANGE"})
        assert visit("desk").get("/vouchers/batches/CHANGE/edit").status_code == 403
        assert 'value="49.90"' in marketing.get("/vouchers/batches/CHANGE/edit").get_data(as_text=True)
        page = said(marketing, "/vouchers/batches/CHANGE/edit", BATCH | {"value_amount": "60"})
        assert "CZK 60.00" in page.replace("\N{NO-BREAK SPACE}", " ")
        twice = marketing.post("/vouchers/new", BATCH | {"batch_code": "CHANGE"})
        assert twice.status_code == 422


class TestGiftCards:
    @pytest.fixture
    def number(self, web_sessions, house):
        with web_sessions.begin() as session:
            teller = Teller(clock.now(), "test")
            card = issue_gift_card(session, amount=50_000, currency="CZK", teller=teller)
            spend(
                session,
                number=card.gift_card_number,
                amount=12_000,
                teller=replace(teller, receipt_number="000777"),
            )
        return card.gift_card_number

    def test_are_found_by_number_and_tell_their_story(self, number, visit):
        desk = visit("desk")
        assert number in desk.get(f"/gift-cards/?q={number[:6].lower()}").get_data(as_text=True)
        page = desk.get(f"/gift-cards/{number.lower()}").get_data(as_text=True)
        assert re.search(r"380\.00", page)
        assert "Receipt 000777" in page
        assert desk.get("/gift-cards/GNOBODY").status_code == 404

    def test_are_loaded_with_a_reason_that_is_audited(self, number, visit, web_sessions):
        desk, here = visit("desk"), f"/gift-cards/{number}"
        assert desk.post(f"{here}/load", {"amount": "120,50", "reason": ""}).status_code == 422
        assert desk.post(f"{here}/load", {"amount": "-5", "reason": "x"}).status_code == 422
        assert desk.post(f"{here}/load", {"amount": "10000,01", "reason": "x"}).status_code == 422
        page = said(desk, f"{here}/load", {"amount": "120,50", "reason": "till was down"})
        assert "500.50" in page
        assert "till was down" in page
        with web_sessions() as session:
            audited = (
                "select detail from audit_event where action = 'gift_card.load' and subject_id = :number"
            )
            told = session.execute(text(audited), {"number": number}).scalar_one()
        assert told == {"amount": 12_050, "currency": "CZK", "reason": "till was down"}

    def test_are_loaded_once_however_often_the_form_is_sent(self, number, visit, web_sessions):
        desk, here = visit("desk"), f"/gift-cards/{number}"
        entry_id = re.search(r'name="entry_id" value="([^"]+)"', desk.get(here).get_data(as_text=True))[1]
        form = {"entry_id": entry_id, "amount": "7", "reason": "sent twice"}
        booked = "select count(*) from gift_card_entry where note = 'sent twice'"
        audited = "select count(*) from audit_event where detail ->> 'reason' = 'sent twice'"
        before = held(web_sessions, number)
        assert "Loaded." in said(desk, f"{here}/load", form)
        assert "nothing more was booked" in said(desk, f"{here}/load", form)
        with web_sessions() as session:
            assert (session.scalar(text(booked)), session.scalar(text(audited))) == (1, 1)
        assert held(web_sessions, number) == before + 700
        assert entry_id not in desk.get(here).get_data(as_text=True).split("What was booked")[0]

    def test_are_blocked_and_take_no_money_then(self, number, visit):
        desk, here = visit("desk"), f"/gift-cards/{number}"
        page = said(desk, f"{here}/block", {"why": "lost"})
        assert "Blocked" in page
        assert f"{here}/load" not in page
        assert desk.post(f"{here}/load", {"amount": "1", "reason": "x"}).status_code == 409

    def test_are_not_everybody_s(self, number, visit):
        for role in ("cashier", "store_manager", "marketing", "analyst"):
            assert visit(role).get(f"/gift-cards/{number}").status_code == 403
        auditor = visit("auditor")
        assert auditor.get(f"/gift-cards/{number}").status_code == 200
        assert auditor.post(f"/gift-cards/{number}/load", {"amount": "1", "reason": "x"}).status_code == 403


class TestRewards:
    FORM: ClassVar[dict[str, str]] = {"reward_code": "tote", "name_en": "Tote bag", "name_cs": "Taška", "points": "250", "pickup_days": "5",
            "stock_S1": "12"}  # fmt: skip

    def test_are_made_with_stock_and_changed(self, visit, web_sessions):
        marketing = visit("marketing")
        page = said(marketing, "/rewards/kinds/", self.FORM)
        assert "Tote bag" in page
        stock = marketing.get("/rewards/TOTE/S1").get_data(as_text=True)
        assert "Delivery" in stock
        again = marketing.post("/rewards/kinds/", self.FORM)
        assert (again.status_code, "no other reward" in again.get_data(as_text=True)) == (422, True)
        changed = {"name_en": "Big bag", "points": "300", "pickup_days": "7"}
        assert "Out of use" in said(marketing, "/rewards/kinds/TOTE", changed)
        with web_sessions() as session:
            found = session.get_one(Reward, "TOTE")
            audited = session.execute(
                text("select action, detail from audit_event where subject_id = 'TOTE' order by event_id")
            ).all()
        assert (found.name, found.points, found.active, found.pickup_days) == (
            {"en": "Big bag"},
            300,
            False,
            7,
        )
        assert [row.action for row in audited] == ["reward.create", "reward.change"]
        assert audited[1].detail["before"]["points"] == 250

    @pytest.mark.parametrize(
        "wrong",
        [
            {"reward_code": "a b"},
            {"name_en": "", "name_cs": ""},
            {"points": "-1"},
            {"pickup_days": "61"},
            {"stock_S1": "many"},
        ],
    )
    def test_are_refused_whole_with_the_field_that_is_wrong(self, visit, web_sessions, wrong):
        form = self.FORM | {"reward_code": "NOREWARD"} | wrong
        assert visit("marketing").post("/rewards/kinds/", form).status_code == 422
        with web_sessions() as session:
            assert session.get(Reward, "NOREWARD") is None

    def test_are_made_by_who_makes_offers(self, visit):
        assert visit("store_manager").get("/rewards/kinds/").status_code == 200
        for role in ("store_manager", "desk", "auditor"):
            assert visit(role).post("/rewards/kinds/", self.FORM).status_code == 403
