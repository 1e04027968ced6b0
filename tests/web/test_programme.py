"""The programme's pages: drafted by one person, shown in words with an example, decided by another."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.models import AuditEvent
from loyalty.programme.codec import read_rules
from loyalty.programme.rules import CurrencyRule
from loyalty.programme.versions import find_version
from loyalty.stored_versions import AHEAD

FIRST_DAY = AHEAD + 1


def form(**changes):
    start = clock.now().date() + timedelta(days=FIRST_DAY)
    entered = {
        "note": "Double points for Advent",
        "valid_from": start.isoformat(),
        "currencies": "CZK",
        "points_CZK": "2",
        "per_CZK": "1,00",
        "value_CZK": "0.10",
        "net_of_tax": "",
        "earn_on_points": "",
        "excluded_departments": "",
        "excluded_categories": "Tea",
        "excluded_articles": "",
        "pending_days": "14",
        "ending": "year_end",
        "ending_months": "12",
        "points_as": "tender",
        "minimum": "100",
        "step": "10",
        "share_percent": "50",
        "hold_minutes": "10",
    }
    return {**entered, **changes}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def drafted(visit):
    """The address of a draft of marketing's."""
    answer = visit("marketing").post("/programme/new", form())
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["Location"]


def seen(visitor, address):
    found = re.search(r'name="seen" value="([^"]+)"', visitor.get(address).get_data(as_text=True))
    return found.group(1) if found else ""


def decide(visitor, address, decision, **more):
    return visitor.post(f"{address}/decision", {"seen": seen(visitor, address), "decision": decision, **more})


class TestProgrammePage:
    def test_says_what_holds_in_words(self, visit):
        page = text_of(visit("store_manager").get("/programme/"))
        assert "The till contract's own" in page or "since" in page
        assert "for every CZK" in page

    def test_can_be_taken_away_as_a_file_with_every_rule(self, visit, drafted):
        answer = visit("analyst").get("/programme/?format=csv&columns=number&columns=ending")
        assert answer.content_type.startswith("text/csv")
        assert "with the year that it is in 12 months after the purchase" in answer.get_data(as_text=True)

    def test_lets_only_those_draft_who_may(self, visit):
        assert "/programme/new" in visit("marketing").get("/programme/").get_data(as_text=True)
        assert "/programme/new" not in visit("desk").get("/programme/").get_data(as_text=True)


class TestDrafting:
    def test_shows_the_effect_before_anything_is_kept(self, visit):
        visitor = visit("marketing")
        page = text_of(visitor.post("/programme/preview", form()))
        assert "2 points for every CZK" in page
        assert "a means of payment: tax is due on the whole bill" in page
        assert "categories: Tea" in page
        # 777.90 less 50.00 by points; what earns nothing carries its own part of the points.
        assert "Points earned" in page

    def test_keeps_what_was_entered_and_names_what_is_wrong(self, visit):
        answer = visit("marketing").post(
            "/programme/new",
            form(
                note="",
                per_CZK="nothing",
                pending_days="999",
                excluded_categories="Tee",
                points_CZK="0",
                valid_from=clock.now().date().isoformat(),
            ),
        )
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        for field in ("note", "per_CZK", "excluded_categories", "pending_days", "points_CZK", "valid_from"):
            assert f'href="#{field}"' in page, field
        assert "No article has this: Tee" in page
        assert 'value="nothing"' in page
        for words in ("Enter 0 to 365 days", "Enter 1 to 1000 points", "Enter an amount above zero"):
            assert words in page
        assert "at the earliest" in page

    def test_refuses_a_day_for_which_sales_may_be_booked(self, visit):
        tomorrow = clock.now().date() + timedelta(days=1)
        answer = visit("marketing").post("/programme/new", form(valid_from=tomorrow.isoformat()))
        assert answer.status_code == 422
        assert "at the earliest" in text_of(answer)

    def test_writes_down_exactly_what_was_entered(self, visit, drafted, web_sessions):
        with web_sessions() as session:
            version = find_version(session, version=int(drafted.rpartition("/")[2]))
        rules = version.rules
        assert rules.currencies == {"CZK": CurrencyRule(2, 100, 10)}
        assert (rules.points_as, rules.minimum, rules.step, rules.share_percent) == ("tender", 100, 10, 50)
        assert rules.excluded.categories == {"Tea"}
        document = json.loads(visit("auditor").get(f"{drafted}/rules.json").get_data(as_text=True))
        assert read_rules(document["rules"], version=version.number) == rules

    def test_can_be_changed_until_it_is_decided(self, visit, drafted):
        visitor = visit("administrator")
        changed = form(points_CZK="3", seen=seen(visitor, f"{drafted}/edit"))
        assert visitor.post(f"{drafted}/edit", changed).status_code == 303
        page = text_of(visitor.get(drafted))
        assert "3 points for every" in page
        assert "You drafted this" in page
        assert visitor.post(f"{drafted}/edit", changed).status_code == 409


class TestDeciding:
    def test_is_not_for_the_author(self, visit, drafted):
        visitor = visit("marketing")
        answer = decide(visitor, drafted, "approve")
        assert answer.status_code == 422
        assert "a second person approves it" in text_of(answer)

    def test_shows_what_changes_and_holds_it_once_approved(self, visit, drafted, web_sessions):
        visitor = visit("administrator")
        page = text_of(visitor.get(drafted))
        assert "What changes" in page
        assert "2 points for every" in page
        assert decide(visitor, drafted, "approve", reason="as agreed").status_code == 303
        assert "Planned" in text_of(visitor.get(drafted))
        with web_sessions() as session:
            actions = session.scalars(
                select(AuditEvent.action).where(
                    AuditEvent.subject_kind == "programme_version",
                    AuditEvent.subject_id == drafted.rpartition("/")[2],
                )
            ).all()
        assert actions == ["programme.draft", "programme.approve"]
        answer = visitor.post(
            f"{drafted}/decision", {"seen": clock.now().isoformat(), "decision": "withdraw"}
        )
        assert answer.status_code == 409

    def test_needs_a_reason_for_a_no(self, visit, drafted):
        visitor = visit("administrator")
        assert decide(visitor, drafted, "reject").status_code == 422
        assert decide(visitor, drafted, "reject", reason="too dear").status_code == 303
        assert "too dear" in text_of(visitor.get(drafted))

    def test_can_be_left_to_the_author_by_withdrawing(self, visit, drafted):
        visitor = visit("marketing")
        assert decide(visitor, drafted, "withdraw").status_code == 303
        assert "Withdrawn" in text_of(visitor.get(drafted))
