"""Answers in depth: about offers, given without a card, taken back, thanked for; and cases, which quiet."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from contacts.case_lists import cases_of_member, open_cases_of
from contacts.cases import AlreadyResolved, BadCase, NoSuchCase, open_case, resolve_case
from contacts.history import history_of_member
from contacts.operations import AlreadyTakenBack, NoSuchAnswer, record_reaction, take_back
from contacts.queries import refusals_of
from contacts.reaction_lists import answers_of_member
from contacts.reactions import PAUSE, Refusals
from contacts.verification import CHECKS
from core.verification import verify
from customers.models import Card, Member
from sales.models import Article
from tests.shop import CARD, OTHER_CARD, Shop


@pytest.fixture
def tea(shop: Shop) -> int:
    with shop.sessions.begin() as session:
        article = Article(sku="tea", name="Čaj", category="Tea", unit="pcs", tax_rate=12)
        session.add(article)
        session.flush()
        return article.article_id


@pytest.fixture
def zofie(shop: Shop, tea: int) -> UUID:
    shop.enrol(CARD, email="zofie@example.org")
    return member_of(shop, CARD)


def member_of(shop: Shop, card: str) -> UUID:
    with shop.sessions() as session:
        found = session.scalar(select(Card.member_id).where(Card.card_number == card))
        assert found is not None
        return found


def answer(
    shop: Shop, member: UUID, reaction: str, *, scope: str = "item", channel: str = "desk", **what
) -> int:
    with shop.sessions.begin() as session:
        number = record_reaction(
            session,
            member_id=member,
            reaction=reaction,
            scope=scope,
            channel=channel,
            actor="test",
            now=shop.now,
            **({"sku": "tea"} if not what and scope != "all" else what),
        )
    shop.later(seconds=1)
    return number


def take(shop: Shop, member: UUID, number: int) -> None:
    with shop.sessions.begin() as session:
        take_back(
            session, reaction_id=number, member_id=member, channel="account", actor="test", now=shop.now
        )
    shop.later(seconds=1)


def refused(shop: Shop, member: UUID) -> Refusals:
    with shop.sessions() as session:
        account = session.scalars(select(Member.account_id).where(Member.member_id == member)).one()
        return refusals_of(session, {member: account}, now=shop.now).get(member, Refusals())


def mails(shop: Shop) -> list[tuple[str, str]]:
    with shop.sessions() as session:
        rows = session.execute(text("select kind, text from outgoing_mail order by queued_at, mail_id"))
        return [(row.kind, row.text) for row in rows]


def complain(shop: Shop, member: UUID, article_id: int | None, **changes) -> str:
    with shop.sessions.begin() as session:
        return open_case(
            session,
            **{
                "member_id": member,
                "kind": "complaint",
                "text": "It was stale.",
                "article_id": article_id,
                "channel": "desk",
                "actor": "desk",
                "now": shop.now,
                **changes,
            },
        )


def settle(shop: Shop, number: str, resolution: str = "You got a new one.") -> None:
    with shop.sessions.begin() as session:
        resolve_case(
            session, case_number=number, resolution=resolution, channel="desk", actor="desk", now=shop.now
        )


class TestTakeBack:
    def test_lets_it_be_offered_again_and_keeps_the_answer(self, shop: Shop, zofie: UUID, tea: int):
        number = answer(shop, zofie, "never")
        assert refused(shop, zofie).articles == {tea}
        take(shop, zofie, number)
        assert refused(shop, zofie) == Refusals()
        with shop.sessions() as session:
            (kept,) = answers_of_member(session, zofie, shop.now)
            events = history_of_member(session, member_id=zofie, timezone="UTC")
        assert (kept.reaction, kept.standing) == ("never", False)
        said = [event.detail["reaction"] for event in events if event.kind == "reaction"]
        assert said == ["taken_back", "never"]

    def test_frees_the_subject_of_everything_said_before(self, shop: Shop, zofie: UUID, tea: int):
        answer(shop, zofie, "never")
        take(shop, zofie, answer(shop, zofie, "not_now"))
        assert refused(shop, zofie) == Refusals()

    def test_happens_once(self, shop: Shop, zofie: UUID):
        number = answer(shop, zofie, "never")
        take(shop, zofie, number)
        with pytest.raises(AlreadyTakenBack):
            take(shop, zofie, number)

    def test_is_for_the_member_s_own_answers(self, shop: Shop, zofie: UUID):
        shop.enrol(OTHER_CARD, "Karel Novák")
        with pytest.raises(NoSuchAnswer):
            take(shop, member_of(shop, OTHER_CARD), answer(shop, zofie, "never"))

    def test_can_be_followed_by_another_refusal(self, shop: Shop, zofie: UUID, tea: int):
        take(shop, zofie, answer(shop, zofie, "never"))
        answer(shop, zofie, "wrong_product")
        assert refused(shop, zofie).articles == {tea}


class TestAnswersOfMember:
    def test_say_which_stand_and_until_when(self, shop: Shop, zofie: UUID):
        given = shop.now
        answer(shop, zofie, "not_now")
        answer(shop, zofie, "never", offer_code="TEA10")
        answer(shop, zofie, "accepted", sku="coffee")
        with shop.sessions() as session:
            found = answers_of_member(session, zofie, shop.now)
        assert [(one.sku, one.offer_code, one.standing) for one in found] == [
            ("coffee", None, False),
            (None, "TEA10", True),
            ("tea", None, True),
        ]
        assert found[2].until == given + PAUSE
        assert found[2].name == "Čaj"


class TestAnOffer:
    def test_is_refused_by_its_code(self, shop: Shop, zofie: UUID):
        answer(shop, zofie, "never", offer_code="TEA10")
        standing = refused(shop, zofie)
        assert standing == Refusals(offers=frozenset({"TEA10"}))
        assert standing.cover_offer("TEA10")
        assert not standing.cover_offer("TEA20")

    def test_that_names_an_article_is_refused_as_the_article(self, shop: Shop, zofie: UUID, tea: int):
        answer(shop, zofie, "never", offer_code="TEA10", sku="tea")
        assert refused(shop, zofie) == Refusals(articles=frozenset({tea}))


class TestThanks:
    def test_are_queued_once_a_day(self, shop: Shop, zofie: UUID):
        answer(shop, zofie, "never")
        answer(shop, zofie, "wrong_product", scope="category")
        ((kind, words),) = mails(shop)
        assert kind == "answer_thanks"
        assert "Čaj" in words
        shop.later(days=1)
        answer(shop, zofie, "never", scope="all", sku=None)
        assert len(mails(shop)) == 2
        assert "nebudeme nic nabízet" in mails(shop)[1][1]

    @pytest.mark.parametrize(
        ("reaction", "channel"), [("never", "till"), ("not_now", "desk"), ("accepted", "account")]
    )
    def test_are_for_refusals_to_people_who_sit_down_for_it(
        self, shop: Shop, zofie: UUID, reaction: str, channel: str
    ):
        answer(shop, zofie, reaction, channel=channel)
        assert mails(shop) == []

    def test_need_an_address(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, member_of(shop, CARD), "never")
        assert mails(shop) == []


class TestCases:
    def test_quiet_their_article_and_its_category_until_they_are_resolved(
        self, shop: Shop, zofie: UUID, tea: int
    ):
        number = complain(shop, zofie, tea)
        standing = refused(shop, zofie)
        assert (standing.quieted_articles, standing.quieted_categories) == ({tea}, {"Tea"})
        assert standing.cover(tea, "Tea")
        assert standing.cover(tea + 1, "Tea")
        assert not standing.cover(tea + 1, "Honey")
        assert not standing.articles
        settle(shop, number)
        assert refused(shop, zofie) == Refusals()

    def test_do_not_end_by_an_answer(self, shop: Shop, zofie: UUID, tea: int):
        complain(shop, zofie, tea)
        answer(shop, zofie, "accepted")
        assert refused(shop, zofie).cover(tea, "Tea")

    def test_have_numbers_that_people_can_say_and_check(self, shop: Shop, zofie: UUID):
        first, second = (complain(shop, zofie, None) for _ in range(2))
        assert (first, second) == ("1001-7", "1002-5")

    def test_tell_the_member_of_both_ends(self, shop: Shop, zofie: UUID, tea: int):
        number = complain(shop, zofie, tea)
        shop.later(minutes=1)
        settle(shop, number, "Dostala jste nový čaj.")
        (opened, resolved) = mails(shop)
        assert (opened[0], resolved[0]) == ("case_opened", "case_resolved")
        assert number in opened[1]
        assert "Dostala jste nový čaj." in resolved[1]
        assert "Děkujeme" in resolved[1]
        with shop.sessions() as session:
            events = history_of_member(session, member_id=zofie, timezone="UTC")
        assert [event.kind for event in events[:2]] == ["case_resolved", "case_opened"]

    def test_are_resolved_once(self, shop: Shop, zofie: UUID):
        number = complain(shop, zofie, None)
        settle(shop, number)
        with pytest.raises(AlreadyResolved):
            settle(shop, number)
        with pytest.raises(NoSuchCase):
            settle(shop, "7-7")

    @pytest.mark.parametrize("words", ["", "   ", "x" * 2001, "my card 4111 1111 1111 1111"])
    def test_keep_no_nothing_and_no_payment_card(self, shop: Shop, zofie: UUID, words: str):
        with pytest.raises(BadCase):
            complain(shop, zofie, None, text=words)

    def test_are_read_open_ones_first(self, shop: Shop, zofie: UUID, tea: int):
        first = complain(shop, zofie, tea)
        shop.later(minutes=1)
        second = complain(shop, zofie, None, kind="question")
        settle(shop, second)
        with shop.sessions() as session:
            assert [case.case_number for case in cases_of_member(session, zofie)] == [first, second]
            assert [case.case_number for case in open_cases_of(session, [zofie])[zofie]] == [first]


class TestHistoryOfMember:
    def test_joins_what_has_a_table_of_its_own(self, shop: Shop, zofie: UUID, tea: int):
        sale = shop.sale(5000)
        shop.post(sale)
        shop.later(hours=1)
        shop.post(shop.back(sale, {1: "1"}))
        answer(shop, zofie, "never")
        with shop.sessions() as session:
            events = history_of_member(session, member_id=zofie, timezone="Europe/Prague")
        assert [event.kind for event in events] == ["reaction", "return", "joined"]
        assert events[1].detail["what"] == ["sku1"]
        assert events[1].detail["faulty"] is False


class TestVerification:
    def test_finds_who_is_written_to_against_their_will(self, shop: Shop, zofie: UUID, owner_engine):
        assert all(verdict.ok for verdict in verify(shop.sessions, CHECKS))
        with owner_engine.begin() as owner:
            owner.execute(
                text(
                    "insert into outgoing_mail (mail_id, member_id, kind, source, purpose, urgency, language, recipient, subject, "
                    "text, attachments, queued_at, not_before, state, finished_at) values "
                    "(gen_random_uuid(), :member, 'catalog', '1', 'offers', 2, 'cs', 'a@example.org', 's', 't', '[]', :now, :now, 'queued', null), "
                    "(gen_random_uuid(), :member, 'sign_in_code', '1', 'service', 0, 'cs', 'a@example.org', 's', '123', '[]', :now, :now, 'sent', :now)"
                ),
                {"member": zofie, "now": shop.now + timedelta(seconds=1)},
            )
        broken = {verdict.code: verdict.violations for verdict in verify(shop.sessions, CHECKS)}
        assert broken == {"I10": 1, "C1": 1}
