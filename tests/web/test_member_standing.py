"""A member's phase, value and history on their page."""

from datetime import date

import pytest
from sqlalchemy import insert, select

from contacts.operations import record_contact
from core import clock
from core.database import Sessions
from core.models import AuditEvent
from customers.models import MemberStanding
from tests.web.house import House

STANDING = {
    "phase": "growing", "phase_since": date(2026, 3, 1), "value_class": "potential", "value_since": date(2026, 4, 2),
    "financial": 1_234_500, "currency": "CZK", "margin": False, "financial_rank": 0.71, "informational": 24,
    "told_profile": 20, "told_consents": 0, "told_answers": 4, "told_redemptions": 0, "reference_value": 2,
    "brought": 1, "household": 1, "visits": 30, "last_visit": date(2026, 5, 1), "silence": 2, "usual_gap": 6,
    "long_gap": 20, "lost_gap": 45, "recent_gap": 14, "earlier_gap": 28,
}  # fmt: skip


@pytest.fixture(scope="module")
def standing(house: House, web_sessions: Sessions) -> str:
    """Let the served run see the first member as growing, and give them a history."""
    member_id = house.members[0]
    events = (
        ("analysis", "internal", "phase", {"from": "peak", "to": "growing"}),
        ("analysis", "internal", "group", {"from": "none", "to": "g1"}),
        (
            "till",
            "inbound",
            "reaction",
            {"reaction": "never", "scope": "category", "sku": "x", "category": "Tea"},
        ),
        ("desk", "outbound", "call_back", {}),
    )
    with web_sessions.begin() as session:
        session.execute(insert(MemberStanding).values(run_id=house.run_id, member_id=member_id, **STANDING))
        for channel, direction, kind, detail in events:
            record_contact(
                session,
                member_id=member_id,
                at=clock.now(),
                channel=channel,
                direction=direction,
                kind=kind,
                detail=detail,
            )
    return f"/members/{member_id}"


class TestTheMemberPage:
    @pytest.mark.parametrize("role", ["desk", "marketing", "analyst"])
    def test_shows_phase_and_value_with_reasons(self, visit, standing: str, role: str):
        page = visit(role).get(standing).get_data(as_text=True)
        for words in (
            "Growing",
            "Mar 1, 2026",
            "Comes about every 14 days now, and came about every 28 days before.",
            "Potential",
            "could bring more: comes ever more often, reaches 2 people",
            "CZK",
            "24 of 100",
            "2 people",
        ):
            assert words in page

    def test_shows_what_happened_newest_first(self, visit, standing: str):
        page = visit("desk").get(f"{standing}?tab=history").get_data(as_text=True)
        places = [
            page.index(words)
            for words in (
                "Call back",
                "Never wants it",
                "No distinct theme → Tea and honey",
                "At the peak → Growing",
            )
        ]
        assert places == sorted(places)

    def test_says_nothing_of_a_phase_where_there_is_none(self, visit, standing: str, house: House):
        page = visit("desk").get(f"/members/{house.members[2]}").get_data(as_text=True)
        assert "Informational value" not in page
        empty = visit("desk").get(f"/members/{house.members[2]}?tab=history").get_data(as_text=True)
        assert "Joined the programme" in empty


class TestTheList:
    def test_can_be_narrowed_to_a_phase_and_a_value(self, visit, standing: str, house: House):
        desk = visit("desk")
        codes = [f"/members/{member}" for member in house.members]
        growing = desk.get("/members/?phase=growing&value=potential").get_data(as_text=True)
        assert [code in growing for code in codes] == [True, False, False]
        assert not any(code in desk.get("/members/?phase=lost").get_data(as_text=True) for code in codes)


class TestAnObjection:
    def test_hides_phase_value_and_group_at_once_and_is_taken_back_the_same_way(
        self, visit, standing: str, house: House, web_sessions: Sessions
    ):
        desk = visit("desk")
        told = ("Informational value", "At the peak → Growing", "Tea and honey")
        assert all(words in desk.get(f"{standing}?tab=history").get_data(as_text=True) for words in told)
        assert desk.post(f"{standing}/profiling", {"decision": "object"}).status_code == 303
        page = desk.get(f"{standing}?tab=history").get_data(as_text=True)
        assert not any(words in page for words in told)
        assert "Never wants it" in page
        assert standing not in desk.get("/members/?phase=growing").get_data(as_text=True)
        profile = desk.get(f"{standing}?tab=profile").get_data(as_text=True)
        assert "Does not want profiling" in profile
        assert desk.post(f"{standing}/profiling", {"decision": "withdraw"}).status_code == 303
        page = desk.get(f"{standing}?tab=history").get_data(as_text=True)
        assert all(words in page for words in told)
        with web_sessions() as session:
            events = session.execute(
                select(AuditEvent.action, AuditEvent.subject_id)
                .where(AuditEvent.action.in_(("member.object", "member.withdraw_objection")))
                .order_by(AuditEvent.happened_at)
            )
            assert [tuple(event) for event in events] == [
                ("member.object", "M0"),
                ("member.withdraw_objection", "M0"),
            ]

    @pytest.mark.parametrize("role", ["marketing", "analyst", "auditor", "store_manager", "cashier"])
    def test_is_noted_by_the_desk_only(self, visit, standing: str, role: str):
        visitor = visit(role)
        token = visitor.token()
        answer = visitor.client.post(
            f"{standing}/profiling", data={"csrf_token": token, "decision": "object"}
        )
        assert answer.status_code == 403
