import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import clock
from core.database import Sessions
from core.jobs import Shift
from core.progress import silent
from customers.models import Member
from loyalty.jobs import keep_liability
from loyalty.queries import position_of_account


def hidden(page: str) -> str:
    return re.search(r'name="adjustment_id" value="([^"]+)"', page).group(1)


def ask(visitor, member_id, **given):
    """Fill in the form of a member's page and send it, as a browser does."""
    address = f"/adjustments/new/{member_id}"
    page = visitor.get(address).get_data(as_text=True)
    form = {
        "adjustment_id": hidden(page),
        "direction": "give",
        "points": "700",
        "reason": "goodwill",
        "note": "waited long",
        **given,
    }
    return visitor.post(address, form, page=address)


def waiting(answer) -> str:
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert answer.location.startswith("/adjustments/")
    return answer.location


def available(web_sessions: Sessions, member_id) -> int:
    with web_sessions.begin() as session:
        account_id = session.scalar(select(Member.account_id).where(Member.member_id == member_id))
        return position_of_account(session, account_id=account_id, now=clock.now()).available


class TestAdjustments:
    def test_are_asked_for_by_one_and_approved_by_another(self, house, visit, web_sessions):
        desk, marketing, member = visit("desk"), visit("marketing"), house.members[2]
        before = available(web_sessions, member)
        here = waiting(ask(desk, member))
        own = desk.get(here).get_data(as_text=True)
        assert "somebody else decides" in own
        assert f"{here}/withdraw" in own
        assert f"{here}/approve" not in own
        assert desk.post(f"{here}/approve").status_code == 303
        assert available(web_sessions, member) == before
        page = marketing.get(here).get_data(as_text=True)
        assert "What approving changes" in page
        assert marketing.post(f"{here}/approve", {"decision_note": "as agreed"}).status_code == 303
        assert available(web_sessions, member) == before + 700
        assert marketing.post(f"{here}/approve").status_code == 303
        assert available(web_sessions, member) == before + 700
        statement = marketing.get(f"/members/{member}/statement").get_data(as_text=True)
        assert "Given by desk, approved by marketing: Goodwill" in statement
        assert "waited long" in statement
        assert "Given by desk" in visit("analyst").get(f"/members/{member}/statement").get_data(as_text=True)
        assert "waited long" not in visit("analyst").get(f"/members/{member}/statement").get_data(
            as_text=True
        )

    def test_are_booked_at_once_up_to_the_limit(self, house, visit, web_sessions):
        before = available(web_sessions, house.members[1])
        answer = ask(visit("marketing"), house.members[1], points="30")
        assert answer.location == f"/members/{house.members[1]}"
        assert available(web_sessions, house.members[1]) == before + 30

    def test_can_be_rejected_and_withdrawn(self, house, visit, web_sessions):
        desk, member = visit("desk"), house.members[0]
        before = available(web_sessions, member)
        rejected, withdrawn = waiting(ask(desk, member)), waiting(ask(desk, member))
        visit("marketing").post(f"{rejected}/reject", {"decision_note": "too much"})
        desk.post(f"{withdrawn}/withdraw")
        assert "too much" in desk.get(rejected).get_data(as_text=True)
        assert "Withdrawn" in desk.get(withdrawn).get_data(as_text=True)
        assert available(web_sessions, member) == before

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"points": "many"}, "Enter a whole number"),
            ({"points": "0"}, "Enter a whole number"),
            ({"points": "-5"}, "Enter a whole number"),
            ({"reason": ""}, "Choose a reason"),
            ({"note": ""}, "Say why in a few words"),
            ({"note": "x" * 600}, "At most 500 characters"),
            ({"note": "card 4111 1111 1111 1111"}, "A payment-card number stands here"),
            ({"direction": "take", "points": "100000"}, "point can be taken|points can be taken"),
        ],
    )
    def test_name_the_field_that_is_wrong_and_lose_nothing(self, house, visit, given, words):
        answer = ask(visit("desk"), house.members[0], **given)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert re.search(words, page)
        assert given.get("note", "waited long")[:20] in page

    def test_refuse_payment_cards_in_the_answer_too(self, house, visit):
        here = waiting(ask(visit("desk"), house.members[0]))
        answer = visit("marketing").post(f"{here}/approve", {"decision_note": "5555 5555 5555 4444"})
        assert answer.status_code == 422
        assert "Approve and book" in answer.get_data(as_text=True)

    def test_can_be_narrowed_and_taken_along(self, house, visit):
        waiting(ask(visit("desk"), house.members[0], points="901"))
        desk = visit("desk")
        assert "+901" in desk.get("/adjustments/?state=requested").get_data(as_text=True)
        assert b"901" in desk.get("/adjustments/?state=requested&format=csv").data
        assert desk.get("/adjustments/?format=xlsx").data.startswith(b"PK")


class TestStatement:
    def test_leads_down_to_receipts_and_can_be_taken_along(self, house, visit):
        desk, member = visit("desk"), house.members[0]
        page = desk.get(f"/members/{member}/statement").get_data(as_text=True)
        assert "Earned on receipt" in page
        assert "/receipts/" in page
        taken = desk.get(f"/members/{member}/statement?format=csv&reason=earn").get_data(as_text=True)
        assert "Earned on receipt" in taken
        assert desk.get(f"/members/{member}/statement?since=nonsense&until=2020-01-01").status_code == 200

    def test_of_one_lot_is_reached_from_the_lots(self, house, visit):
        desk, member = visit("desk"), house.members[0]
        page = desk.get(f"/members/{member}/lots").get_data(as_text=True)
        assert "Pending" in page
        way = re.search(r'href="(/members/[^"]+statement\?lot=[^"]+)"', page).group(1)
        assert "Earned on receipt" in desk.get(way).get_data(as_text=True)
        assert desk.get(f"/members/{member}/statement?lot=nonsense").status_code == 200


class TestLiability:
    def test_is_of_this_moment_before_the_first_night_and_of_the_night_after(
        self, house, visit, web_sessions
    ):
        marketing = visit("marketing")
        assert "As of this moment" in marketing.get("/liability/").get_data(as_text=True)
        now = clock.now()
        day = now.date() - timedelta(days=1)
        keep_liability(Shift(web_sessions, Path(), day, now, silent))
        page = marketing.get("/liability/").get_data(as_text=True)
        assert "Kept by the night of" in page
        assert "thirty are needed" in page
        assert "Brno" in page
        assert marketing.get(f"/liability/?day={day}&by=lines&format=xlsx").data.startswith(b"PK")
        assert b"Brno" in marketing.get("/liability/?by=lines&format=csv").data
        assert marketing.get("/liability/?after=9999999&sort=points").status_code == 200
