"""Why a member is in a group, on a real database: counts equal to what the night saw, and words in four languages."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from basket_analysis.analysis_runs import read_served
from basket_analysis.groups.answer_commands import why_member
from basket_analysis.groups.reasons import NoSuchMember, why
from basket_analysis.groups.words import sentences
from core.commandline import Workplace
from core.i18n import LANGUAGES
from core.ids import uuid7
from core.models import AuditEvent
from customers.models import Account, Card, GroupMembership, Member
from sales.models import Receipt
from tests.basket_analysis.groups.test_edit_operations import night
from tests.basket_analysis.shop_made import NOW
from tests.basket_analysis.town_made import TRIPS, build_town

BAKING = set(TRIPS[0])


@pytest.fixture
def town(sessions, tmp_path):
    """Ninety members of three trips and one of few baskets; one objects, one is a company; the night is served."""
    with sessions.begin() as session:
        members = build_town(session, households=91)
        receipts = session.scalars(select(Receipt.receipt_id).where(Receipt.member_id == members[90])).all()
        session.execute(update(Receipt).where(Receipt.receipt_id.in_(receipts[3:])).values(mode="training"))
        session.execute(
            update(Member).where(Member.member_id == members[1]).values(profiling_objected_at=NOW)
        )
        session.execute(update(Member).where(Member.member_id == members[2]).values(company_id="27074358"))
    night(sessions, tmp_path, 0)
    return members


class TestWhy:
    def test_counts_what_the_night_counted(self, sessions, town):
        with sessions() as session:
            place = session.scalars(
                select(GroupMembership).where(
                    GroupMembership.member_id == town[0],
                    GroupMembership.group_id == read_served(session).groups[town[0]],
                )
            ).one()
            found = why(session, member_id=town[0])
        assert (found.kind, found.member_code, found.baskets) == ("theme", "m000", place.baskets)
        assert set(found.fit.group.items) == BAKING
        assert found.fit.strength == place.strength
        assert found.holding > 2 * found.by_chance > 0
        assert {item.item for item in found.items} <= BAKING
        assert all(item.baskets > item.by_chance for item in found.items)
        assert all(
            {*rule.antecedent, *rule.consequent} <= BAKING and rule.baskets > 1 for rule in found.rules
        )
        assert found.second.group is not None

    def test_finds_the_baskets_of_a_member_who_left_a_household_but_none_that_never_counted(
        self, sessions, town
    ):
        with sessions() as session:
            kinds = [why(session, member_id=town[number]).kind for number in (1, 2, 90)]
            with pytest.raises(NoSuchMember):
                why(session, member_code="nobody")
        assert kinds == ["objects", "company", "new"]
        with sessions.begin() as session:
            other = session.scalar(select(Member.account_id).where(Member.member_id == town[5]))
            baskets = why(session, member_id=town[0]).baskets
            session.execute(update(Receipt).where(Receipt.member_id == town[0]).values(account_id=other))
            assert why(session, member_id=town[0]).baskets == baskets == 15
            receipt = session.scalars(select(Receipt).where(Receipt.member_id == town[0])).first()
            receipt.mode = "training"
            session.flush()
            assert why(session, member_id=town[0]).baskets == 14

    def test_knows_that_no_night_was_served(self, sessions):
        with sessions.begin() as session:
            build_town(session, households=1, baskets=1)
            assert why(session, member_code="m000").kind == "unknown_to_run"


class TestSentences:
    def test_give_counts_beside_chance_in_every_language(self, sessions, town):
        with sessions() as session:
            said = sentences(why(session, member_id=town[0]), "en")
            assert " of 15 baskets hold something of " in said[0]
            assert "; by chance " in said[0]
            assert any("times more often than by chance" in sentence for sentence in said)
            assert any(sentence.startswith("Strength ") for sentence in said)
            for member in (town[0], town[1], town[2], town[90]):
                answer = why(session, member_id=member)
                told = {sentences(answer, language) for language in LANGUAGES}
                assert len(told) == len(LANGUAGES)
            objector, newcomer = (sentences(why(session, member_id=town[number]), "en") for number in (1, 90))
        assert "left out of groups" in objector[0]
        assert newcomer == ("Too little data yet: 3 baskets in the last 52 weeks, and 10 are needed.",)


class TestWhyCommand:
    def test_answers_for_a_member_and_records_the_look(self, sessions, tmp_path, town, database_url):
        workplace = Workplace(tmp_path, database_url)
        told = CliRunner().invoke(why_member, ("m000", "--language", "cs"), obj=workplace)
        assert "košíků" in told.stdout
        assert told.stdout.startswith("m000: ")
        document = json.loads(CliRunner().invoke(why_member, ("m001", "--json"), obj=workplace).stdout)
        assert (document["kind"], document["fit"]) == ("objects", None)
        document = json.loads(CliRunner().invoke(why_member, ("m000", "--json"), obj=workplace).stdout)
        assert (document["kind"], document["baskets"], document["fit"]["group_id"][0]) == ("theme", 15, "t")
        assert CliRunner().invoke(why_member, ("nobody",), obj=workplace).exit_code == 2
        workplace.close()
        with sessions() as session:
            looks = session.scalars(
                select(AuditEvent.subject_id)
                .where(AuditEvent.action == "member.view")
                .order_by(AuditEvent.happened_at)
            ).all()
        assert looks == ["m000", "m001", "m000"]

    def test_follows_a_card_to_its_successor_and_knows_nobody_by_a_card_without_a_name(
        self, sessions, tmp_path, town, database_url
    ):
        lost, new, nameless, stock = (f"29900000{number:05}" for number in range(4))
        with sessions.begin() as session:
            account = session.get_one(Member, town[0]).account_id
            own = Account(account_id=uuid7(), opened_at=NOW)
            session.add_all(
                [
                    own,
                    Card(
                        card_number=new, state="active", account_id=account, member_id=town[0], created_at=NOW
                    ),
                    Card(card_number=stock, state="stock", created_at=NOW),
                ]
            )
            session.flush()
            session.add_all(
                [
                    Card(
                        card_number=lost, state="replaced", account_id=account, member_id=town[0],
                        replaced_by=new, created_at=NOW,
                    ),
                    Card(card_number=nameless, state="issued", account_id=own.account_id, created_at=NOW),
                ]
            )  # fmt: skip
        workplace = Workplace(tmp_path, database_url)
        for card in (lost, new):
            told = CliRunner().invoke(why_member, (card, "--json"), obj=workplace)
            assert (told.exit_code, json.loads(told.stdout)["member_code"]) == (0, "m000")
        for card in (nameless, stock, "2990000000999"):
            told = CliRunner().invoke(why_member, (card, "--json"), obj=workplace)
            assert (told.exit_code, told.stdout) == (2, "")
            assert f"there is no member with the code or the card {card}" in told.stderr
        workplace.close()
