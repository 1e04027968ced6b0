"""Importing documents of offers: as drafts or live at once, all or nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from cli import regulars
from core.database import Sessions
from rewards.codec import OffersRefused
from rewards.live_book import live_book
from rewards.offer_decisions import AlreadyDecided, stop_offer
from rewards.offer_operations import Imported, SameContent, change_draft, draft_offer, import_document
from rewards.offer_queries import choice_of, export_document, offer_list, versions_of
from sales.operations import add_store

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)


def tea(off: str = "10", **changes: Any) -> dict[str, Any]:
    return {
        "code": "TEA10",
        "condition": {"kind": "items", "select": {"categories": ["TEA"]}, "quantity": "1"},
        "benefit": {"kind": "percent", "off": off},
    } | changes


def document(*offers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"format": 1, "offers": list(offers)} | rest


@pytest.fixture
def head_office(sessions: Sessions) -> Sessions:
    with sessions.begin() as session:
        for store_code, currency in (("S1", "CZK"), ("S2", "CZK"), ("E1", "EUR")):
            add_store(
                session, store_code=store_code, name=store_code, currency=currency, timezone="Europe/Prague"
            )
    return sessions


def bring(sessions: Sessions, *offers: dict[str, Any], live: bool = True, **rest: Any) -> Imported:
    with sessions.begin() as session:
        return import_document(
            session, document=document(*offers, **rest), actor="head office", now=NOW, live=live
        )


def states(sessions: Sessions) -> list[tuple[str, int, str]]:
    with sessions.begin() as session:
        return [(one.offer.code, one.offer.version, one.state) for one in versions_of(session)]


class TestImport:
    def test_makes_drafts_that_no_till_sees(self, head_office: Sessions):
        done = bring(head_office, tea(), live=False)
        assert (done.versions, done.generation_changed) == ({"TEA10": 1}, False)
        assert states(head_office) == [("TEA10", 1, "draft")]
        with head_office.begin() as session:
            assert not live_book(session)

    def test_lets_tills_see_what_goes_live_at_once(self, head_office: Sessions):
        with head_office.begin() as session:
            before = live_book(session).generation
        bring(head_office, tea())
        with head_office.begin() as session:
            book = live_book(session)
        assert book.generation != before
        assert [(code, offer.version) for code, offer in book.offers.items()] == [("TEA10", 1)]

    def test_leaves_the_same_content_as_it_is_however_it_is_written(self, head_office: Sessions):
        bring(head_office, tea())
        again = bring(head_office, tea("10.00", priority=100, stores=[]))
        assert (again.versions, again.unchanged, again.generation_changed) == ({}, ("TEA10",), False)

    def test_gives_other_content_the_next_version_and_ends_the_one_before(self, head_office: Sessions):
        bring(head_office, tea())
        bring(head_office, tea("15"))
        assert states(head_office) == [("TEA10", 1, "replaced"), ("TEA10", 2, "live")]

    def test_makes_a_draft_of_this_content_live_as_it_stands(self, head_office: Sessions):
        bring(head_office, tea(), live=False)
        bring(head_office, tea())
        assert states(head_office) == [("TEA10", 1, "live")]

    def test_makes_a_stopped_offer_live_again_as_a_new_version(self, head_office: Sessions):
        bring(head_office, tea())
        with head_office.begin() as session:
            stop_offer(session, offer_code="TEA10", actor="somebody", now=NOW, reason="enough")
        bring(head_office, tea())
        assert states(head_office) == [("TEA10", 1, "stopped"), ("TEA10", 2, "live")]

    def test_does_all_or_nothing(self, head_office: Sessions):
        gift = tea(code="GIFT", benefit={"kind": "gift", "reward": "MUG", "quantity": 1})
        with pytest.raises(OffersRefused):
            bring(
                head_office,
                tea(),
                gift,
                vouchers=[{"batch": "NEXT", "value_amount": 100, "currency": "CZK"}],
            )
        assert states(head_office) == []
        with head_office.begin() as session:
            assert session.execute(text("select count(*) from voucher_batch")).scalar() == 0

    @pytest.mark.parametrize(
        ("offer", "pointer"),
        [
            (tea(condition={"kind": "some"}), "/offers/0/condition/kind"),
            (tea(stores=["S2", "S9"]), "/offers/0/stores/1"),
            (tea(benefit={"kind": "gift", "reward": "MUG", "quantity": 1}), "/offers/0/benefit/reward"),
            (tea(benefit={"kind": "voucher", "batch": "NEXT"}), "/offers/0/benefit/batch"),
            (
                tea(condition={"kind": "any", "of": [{"kind": "always"}, {"kind": "voucher", "batch": "X"}]}),
                "/offers/0/condition/of/1/batch",
            ),
            (tea(benefit={"kind": "amount", "off": 100, "per": "unit"}), "/offers/0/stores"),
            (tea(colour="red"), "/offers/0/colour"),
        ],
    )
    def test_says_where_it_refuses(self, head_office: Sessions, offer: dict[str, Any], pointer: str):
        with pytest.raises(OffersRefused) as refusal:
            bring(head_office, offer)
        assert refusal.value.pointer == pointer

    def test_takes_articles_and_categories_that_nobody_knows(self, head_office: Sessions):
        bring(head_office, tea(condition={"kind": "items", "select": {"skus": ["9999"]}, "quantity": "1"}))
        assert states(head_office) == [("TEA10", 1, "live")]

    def test_takes_amounts_where_the_stores_named_share_a_currency(self, head_office: Sessions):
        bring(
            head_office,
            tea(stores=["S1", "S2"], benefit={"kind": "amount", "off": 100, "per": "application"}),
        )
        assert states(head_office) == [("TEA10", 1, "live")]

    def test_brings_rewards_whose_stock_it_sets_only_once(self, head_office: Sessions):
        gift = tea(benefit={"kind": "gift", "reward": "MUG", "quantity": 1})
        mug = {"code": "MUG", "name": {"en": "Mug"}, "points": 500, "stock": {"S1": 20}}
        bring(head_office, gift, rewards=[mug])
        bring(head_office, gift, rewards=[mug | {"points": 400, "stock": {"S1": 5}}])
        with head_office.begin() as session:
            assert session.execute(text("select points from reward")).scalar() == 400
            assert session.execute(text("select on_hand from reward_stock")).all() == [(20,)]

    def test_sets_how_groups_choose_only_when_it_is_live(self, head_office: Sessions):
        bring(head_office, tea(), choice="best", live=False)
        with head_office.begin() as session:
            assert choice_of(session) == "first"
        bring(head_office, tea(), choice="best")
        with head_office.begin() as session:
            assert choice_of(session) == "best"
            assert live_book(session).book.choice == "best"


class TestExport:
    def test_gives_what_an_import_reads_back_as_unchanged(self, head_office: Sessions):
        bring(
            head_office,
            tea(stores=["S1"], benefit={"kind": "voucher", "batch": "NEXT"}),
            tea(code="SOAP", priority=7),
            vouchers=[{"batch": "NEXT", "value_amount": 5000, "currency": "CZK", "minimum_amount": 30000}],
            rewards=[{"code": "MUG", "name": {"en": "Mug"}, "points": 500, "stock": {"S1": 20}}],
            choice="best",
        )
        with head_office.begin() as session:
            exported = export_document(session, now=NOW)
        assert exported["choice"] == "best"
        with head_office.begin() as session:
            again = import_document(session, document=exported, actor="head office", now=NOW, live=True)
        assert (again.versions, again.unchanged) == ({}, ("SOAP", "TEA10"))

    def test_names_only_codes_that_anybody_can_use_now(self, head_office: Sessions):
        batch = {"batch": "NEXT", "value_amount": 5000, "currency": "CZK", "codes": ["FREE1", "HELD1"]}
        bring(head_office, vouchers=[batch])
        reserve = (
            "update voucher set state = 'reserved', reserved_until = :now, redemption_id = gen_random_uuid()"
            " where voucher_code = 'HELD1'"
        )
        with head_office.begin() as session:
            session.execute(text(reserve), {"now": NOW})
            (exported,) = export_document(session, now=NOW)["vouchers"]
            (without,) = export_document(session, now=NOW, with_codes=False)["vouchers"]
        assert exported["codes"] == ["FREE1"]
        assert not without.get("codes")


class TestDrafts:
    def test_get_the_next_number(self, head_office: Sessions):
        bring(head_office, tea())
        with head_office.begin() as session:
            assert draft_offer(session, document=tea("20"), actor="somebody", now=NOW) == 2

    def test_are_not_made_of_what_is_there(self, head_office: Sessions):
        bring(head_office, tea())
        with head_office.begin() as session, pytest.raises(SameContent):
            draft_offer(session, document=tea(), actor="somebody", now=NOW)

    def test_are_not_changed_by_two_at_once(self, head_office: Sessions):
        bring(head_office, tea(), live=False)
        seen = {"offer_code": "TEA10", "version": 1, "seen": NOW, "actor": "somebody"}
        with head_office.begin() as session:
            change_draft(session, document=tea("20"), now=NOW.replace(hour=12), **seen)
        with head_office.begin() as session, pytest.raises(AlreadyDecided):
            change_draft(session, document=tea("30"), now=NOW.replace(hour=13), **seen)

    def test_stay_as_they_were_decided_whoever_tries(self, head_office: Sessions):
        bring(head_office, tea())
        with pytest.raises(Exception, match="is refused"), head_office.begin() as session:
            session.execute(text("update offer_version set document = document || '{\"priority\": 1}'"))


class TestCommands:
    def run(self, database_url: str, *arguments: str) -> Any:
        return CliRunner().invoke(regulars, arguments, env={"DATABASE_URL": database_url})

    @pytest.mark.usefixtures("head_office")
    def test_import_list_export_and_stop(self, database_url: str, tmp_path: Path):
        file = tmp_path / "offers.json"
        file.write_text(json.dumps(document(tea())), encoding="utf-8")
        done = self.run(database_url, "offers", "import", str(file), "--live", "--json")
        assert json.loads(done.stdout)["versions"] == {"TEA10": 1}
        listed = json.loads(self.run(database_url, "offers", "list", "--json").stdout)["offers"]
        assert [(one["offer_code"], one["state"]) for one in listed] == [("TEA10", "live")]
        exported = json.loads(self.run(database_url, "offers", "export", "--json").stdout)
        assert [one["code"] for one in exported["offers"]] == ["TEA10"]
        stopped = self.run(database_url, "offers", "stop", "TEA10", "NONE", "--json")
        assert json.loads(stopped.stdout) == {"stopped": 1}

    @pytest.mark.usefixtures("head_office")
    def test_exit_with_2_and_the_pointer_when_refused(self, database_url: str, tmp_path: Path):
        file = tmp_path / "offers.json"
        file.write_text(json.dumps(document(tea(condition={"kind": "some"}))), encoding="utf-8")
        refused = self.run(database_url, "offers", "import", str(file))
        assert refused.exit_code == 2
        assert "/offers/0/condition/kind: " in refused.output


class TestList:
    def test_shows_what_is_used_of_budgets(self, head_office: Sessions):
        bring(head_office, tea(limits={"uses": 5}), tea(code="FREE"))
        with head_office.begin() as session:
            listed = {one["offer_code"]: one["uses"] for one in offer_list(session)}
        assert listed == {"TEA10": 0, "FREE": None}
