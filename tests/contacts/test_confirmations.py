"""Mail that is agreed to twice: asked of the mailbox, confirmed by its link, and nothing sent before."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from contacts.confirmations import PATH, Question, ask_to_confirm, confirm, open_questions, read_question
from contacts.consents import decide_consent
from contacts.models import OutgoingMail
from contacts.unsubscribing import BadLink, signing_key, unsubscribe, unsubscribe_path
from core.i18n import LANGUAGES
from customers.consents import agrees
from customers.models import Consent, Member
from tests.shop import CARD, Shop

EMAIL = "zofie@example.org"


@pytest.fixture
def zofie(shop: Shop) -> UUID:
    shop.enrol(CARD, email=EMAIL)
    with shop.sessions() as session:
        return session.scalars(select(Member.member_id)).one()


def ask(shop: Shop, *purposes: str) -> UUID | None:
    with shop.sessions.begin() as session:
        return ask_to_confirm(
            session,
            member_code=f"M{CARD}",
            purposes=purposes or ("offers",),
            source="till S1/T1",
            text_version="till",
            actor="till S1/T1",
            now=shop.now,
        )


def mails(shop: Shop) -> list[OutgoingMail]:
    with shop.sessions() as session:
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.queued_at)))


def link(mail: OutgoingMail) -> str:
    """Return the last part of the link in a mail."""
    (found,) = set(re.findall(re.escape(PATH) + r"([\w-]+)", mail.text or ""))
    return found


def click(shop: Shop, token: str) -> Question:
    with shop.sessions.begin() as session:
        return confirm(session, token, now=shop.now)


def agreed(shop: Shop, member: UUID, purpose: str = "offers") -> bool:
    with shop.sessions() as session:
        return agrees(session, member_id=member, purpose=purpose, channel="email")


def decide(shop: Shop, member: UUID, *, granted: bool) -> None:
    with shop.sessions.begin() as session:
        decide_consent(
            session,
            member_id=member,
            purpose="offers",
            channel="email",
            granted=granted,
            source="desk",
            text_version="1",
            actor="test",
            now=shop.now,
        )


class TestAsking:
    def test_agrees_to_nothing_and_sends_one_mail_of_service(self, shop: Shop, zofie: UUID):
        assert ask(shop, "offers", "catalog") is not None
        (mail,) = mails(shop)
        assert (mail.kind, mail.purpose, mail.recipient) == ("consent_confirmation", "service", EMAIL)
        assert not agreed(shop, zofie)
        with shop.sessions() as session:
            assert set(open_questions(session, member_id=zofie, now=shop.now)) == {"offers", "catalog"}

    def test_is_not_repeated_within_a_day(self, shop: Shop, zofie: UUID):
        assert ask(shop) is not None
        assert ask(shop) is None
        assert ask(shop, "surveys") is not None, "something else may be asked"
        shop.later(days=1, seconds=1)
        assert ask(shop) is not None

    def test_happens_once_when_two_counters_ask_at_once(self, shop: Shop, zofie: UUID):
        with ThreadPoolExecutor(4) as pool:
            asked = list(pool.map(lambda _: ask(shop), range(4)))
        assert len([one for one in asked if one]) == len(mails(shop)) == 1

    def test_needs_an_address_and_a_purpose(self, shop: Shop):
        shop.enrol(CARD)
        assert ask(shop) is None
        assert mails(shop) == []

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_names_what_is_asked_in_the_member_s_language(self, shop: Shop, zofie: UUID, language: str):
        with shop.sessions.begin() as session:
            session.execute(update(Member).values(language=language))
        ask(shop, "offers", "catalog", "surveys")
        (mail,) = mails(shop)
        words = {
            "en": "mail: your own catalog, offers that fit what you buy and short surveys.",
            "cs": "e-maily: váš vlastní katalog, nabídky podle toho, co nakupujete a krátké průzkumy.",
            "sk": "e-maily: váš vlastný katalóg, ponuky podľa toho, čo nakupujete a krátke prieskumy.",
            "pl": "e-maile: własny katalog, oferty dopasowane do Państwa zakupów i krótkie ankiety.",
        }
        assert mail.language == language
        assert words[language] in (mail.text or "")
        assert link(mail)


class TestConfirming:
    def test_agrees_with_the_words_and_the_moment_kept(self, shop: Shop, zofie: UUID):
        ask(shop, "offers", "catalog")
        token = link(mails(shop)[0])
        asked_at = shop.now
        shop.later(days=2)
        assert click(shop, token).state == "confirmed"
        assert agreed(shop, zofie)
        assert agreed(shop, zofie, "catalog")
        assert not agreed(shop, zofie, "surveys")
        with shop.sessions() as session:
            consent = session.scalars(select(Consent).where(Consent.purpose == "offers")).one()
            question = read_question(session, token, now=shop.now)
        assert (consent.source, consent.text_version, consent.recorded_at) == (
            "confirmation",
            "till",
            shop.now,
        )
        assert (question.asked_at, question.confirmed_at, question.source) == (
            asked_at,
            shop.now,
            "till S1/T1",
        )

    def test_happens_once_however_often_it_is_clicked(self, shop: Shop, zofie: UUID):
        ask(shop)
        token = link(mails(shop)[0])
        with ThreadPoolExecutor(4) as pool:
            assert {one.state for one in pool.map(lambda _: click(shop, token), range(4))} == {"confirmed"}
        with shop.sessions() as session:
            assert len(session.scalars(select(Consent)).all()) == 1

    def test_does_not_agree_again_for_who_has_unsubscribed_since(self, shop: Shop, zofie: UUID):
        ask(shop)
        token = link(mails(shop)[0])
        click(shop, token)
        shop.later(hours=1)
        with shop.sessions.begin() as session:
            path = unsubscribe_path(signing_key(session), member_id=zofie, purpose="offers")
            unsubscribe(session, path.rpartition("/")[2], now=shop.now)
        shop.later(hours=1)
        assert click(shop, token).state == "confirmed"
        assert not agreed(shop, zofie)

    def test_leaves_out_what_was_decided_meanwhile(self, shop: Shop, zofie: UUID):
        ask(shop, "offers", "catalog")
        shop.later(hours=1)
        decide(shop, zofie, granted=False)
        shop.later(hours=1)
        assert click(shop, link(mails(shop)[0])).purposes == ("catalog", "offers")
        assert not agreed(shop, zofie)
        assert agreed(shop, zofie, "catalog")

    def test_is_over_after_a_week(self, shop: Shop, zofie: UUID):
        ask(shop)
        shop.later(days=7)
        assert click(shop, link(mails(shop)[0])).state == "over"
        assert not agreed(shop, zofie)

    def test_is_over_when_everything_was_decided_otherwise(self, shop: Shop, zofie: UUID):
        ask(shop)
        shop.later(hours=1)
        decide(shop, zofie, granted=False)
        assert click(shop, link(mails(shop)[0])).state == "over"

    def test_proves_no_other_mailbox(self, shop: Shop, zofie: UUID):
        ask(shop)
        with shop.sessions.begin() as session:
            session.execute(update(Member).values(email="other@example.org"))
        assert click(shop, link(mails(shop)[0])).state == "over"
        assert not agreed(shop, zofie)

    @pytest.mark.parametrize("wrong", ["", "x", "A" * 43, "\N{SNOWMAN}", "é" * 20, "=" * 8])
    def test_takes_no_link_of_another_make(self, shop: Shop, zofie: UUID, wrong: str):
        ask(shop)
        with pytest.raises(BadLink):
            click(shop, wrong)

    def test_takes_no_link_to_unsubscribe(self, shop: Shop, zofie: UUID):
        with shop.sessions() as session:
            path = unsubscribe_path(signing_key(session), member_id=zofie, purpose="offers")
        with pytest.raises(BadLink):
            click(shop, path.rpartition("/")[2])


class TestEvidence:
    def test_cannot_be_changed_by_the_application(self, shop: Shop, zofie: UUID):
        ask(shop)
        with shop.sessions() as session, pytest.raises(Exception, match="permission denied"):
            session.execute(text("update consent_request set asked_at = now() - interval '1 year'"))
        with shop.sessions() as session, pytest.raises(Exception, match="permission denied"):
            session.execute(text("delete from consent_request"))

    def test_is_in_the_trail(self, shop: Shop, zofie: UUID):
        ask(shop)
        click(shop, link(mails(shop)[0]))
        with shop.sessions() as session:
            actions = session.scalars(
                text("select action from audit_event where action like 'consent.%' order by event_id")
            ).all()
        assert actions == ["consent.ask", "consent.give"]

    def test_holds_for_a_week_from_being_asked(self, shop: Shop, zofie: UUID):
        ask(shop)
        with shop.sessions() as session:
            question = open_questions(session, member_id=zofie, now=shop.now)["offers"]
        assert question.valid_until - question.asked_at == timedelta(days=7)
