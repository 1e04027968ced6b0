"""Sending what waits: once, to whom it may go, and never twice."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from contacts.cases import open_case
from contacts.mail_servers import ServerDown
from contacts.mailer import ATTEMPTS, LEASE
from contacts.operations import record_reaction
from contacts.outbox import Attachment, queue_mail
from contacts.queries import contacts_of_member
from contacts.unsubscribing import PATH, BadLink, unsubscribe
from contacts.verification import CHECKS
from core.database import Sessions
from core.verification import verify
from customers.models import Member
from customers.objections import object_to_profiling
from tests.contacts.mailing import HELLO, PUBLIC, House
from tests.mail_servers import Sink, listening
from tests.shop import CARD, Shop


@pytest.fixture
def house(sessions: Sessions, tmp_path: Path) -> House:
    return House(sessions, tmp_path)


class TestQueueMail:
    def test_keeps_one_of_a_kind_from_a_source(self, house: House):
        anna, bara = house.enrol("anna", "bara")
        assert house.queue(anna)
        assert house.queue(anna) is None
        assert house.queue(bara)
        assert house.queue(anna, kind="case_resolved")
        assert house.queue(anna, source="case 2")

    def test_keeps_one_for_an_address_without_a_member(self, house: House):
        def queue(recipient: str) -> bool:
            with house.sessions.begin() as session:
                wanted = {"kind": "hello", "source": "1", "language": "en", "mail": HELLO, "now": house.now}
                return queue_mail(session, member_id=None, recipient=recipient, **wanted) is not None

        assert [queue(one) for one in ("a@example.org", "b@example.org", "a@example.org")] == [
            True,
            True,
            False,
        ]

    def test_takes_offers_only_for_who_agreed(self, house: House):
        (anna,) = house.enrol("anna")
        assert house.queue(anna, purpose="offers") is None
        house.decide(anna, granted=True)
        assert house.queue(anna, purpose="catalog") is None
        assert house.queue(anna, purpose="offers")

    def test_keeps_what_is_no_address_as_failed(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna, recipient="anna@example.org\r\nBcc: all@example.org")
        (mail,) = house.mails()
        assert (mail.state, mail.answer) == ("failed", "not an e-mail address")


class TestWithdrawal:
    @pytest.fixture
    def anna(self, house: House):
        (anna,) = house.enrol("anna")
        house.decide(anna, granted=True)
        assert house.queue(anna, purpose="offers")
        assert house.queue(anna, source="case 2")
        return anna

    def test_cancels_what_waits(self, house: House, anna):
        house.now += timedelta(minutes=1)
        house.decide(anna, granted=False)
        assert sorted(house.states()) == ["cancelled", "queued"]

    def test_of_something_else_cancels_nothing(self, house: House, anna):
        house.decide(anna, granted=False, purpose="surveys")
        assert house.states() == ["queued", "queued"]

    def test_by_objecting_to_profiling_cancels_too(self, house: House, anna):
        with house.sessions.begin() as session:
            object_to_profiling(session, member_code="Manna", now=house.now, actor="test")
        assert sorted(house.states()) == ["cancelled", "queued"]
        assert house.queue(anna, purpose="offers", source="again") is None

    def test_by_never_about_everything_cancels_too(self, house: House, anna):
        with house.sessions.begin() as session:
            record_reaction(
                session,
                member_id=anna,
                reaction="never",
                scope="all",
                channel="till",
                actor="test",
                now=house.now,
            )
        assert sorted(house.states()) == ["cancelled", "queued"]
        assert house.queue(anna, purpose="offers", source="again") is None

    def test_between_claim_and_hand_over_holds_the_mail_back(self, house: House, anna):
        def withdraw(_recipient: str) -> str:
            house.decide(anna, granted=False)
            return "take"

        with listening(Sink(mood=withdraw)) as sink:
            house.post(sink.server).drain()
            assert [mail["Subject"] for mail in sink.mails] == ["Hello"]
        assert sorted(house.states()) == ["cancelled", "sent"]

    def test_by_one_click_holds_at_once(self, house: House, anna):
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        (offer,) = (mail for mail in sink.mails if mail["List-Unsubscribe"])
        assert offer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = offer["List-Unsubscribe"].strip("<>")
        assert link.startswith(PUBLIC + PATH)
        assert link in offer.get_body(("plain",)).get_content()
        assert house.queue(anna, purpose="offers", source="again")
        house.now += timedelta(seconds=1)
        for _ in range(2):
            with house.sessions.begin() as session:
                assert unsubscribe(session, link.removeprefix(PUBLIC + PATH), now=house.now) == "offers"
        assert house.count("consent where not granted") == 1
        assert "queued" not in house.states()

    @pytest.mark.parametrize("token", ["", "x", "AAAA", "é", "A" * 44, "A" * 5000])
    def test_needs_a_link_of_ours(self, house: House, anna, token: str):
        with house.sessions.begin() as session, pytest.raises(BadLink):
            unsubscribe(session, token, now=house.now)


class TestPost:
    def test_sends_as_a_message_of_two_kinds(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"sent": 1}
        (mail,) = sink.mails
        assert mail["To"] == "anna@example.org"
        assert mail["From"] == "Club <club@example.com>"
        assert mail.get_body(("plain",)).get_content().startswith("Hello there,")
        assert "<p>Hello there</p>" in mail.get_body(("html",)).get_content()
        assert mail["List-Unsubscribe"] is None

    def test_remembers_it_in_the_history(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        with house.sessions() as session:
            (event,) = contacts_of_member(session, member_id=anna)
        assert (event.kind, event.channel, event.direction) == ("mail", "email", "outbound")
        assert event.detail["subject"] == "Hello"

    def test_lets_no_text_become_a_header(self, house: House):
        (anna,) = house.enrol("anna")
        nasty = type(HELLO)("Hi\r\nBcc: all@example.org", "..\n.\nQUIT\n.\r\n", "<p>.</p>")
        house.queue(anna, mail=nasty)
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        (mail,) = sink.mails
        assert mail["Bcc"] is None
        assert sink.taken == {"anna@example.org": 1}
        assert mail.get_body(("plain",)).get_content().splitlines()[:3] == ["..", ".", "QUIT"]

    def test_forgets_a_code_once_it_is_sent_or_too_late(self, house: House):
        anna, bara = house.enrol("anna", "bara")
        for person in (anna, bara):
            soon = house.now + timedelta(minutes=10)
            house.queue(
                person,
                kind="sign_in_code",
                not_after=soon,
                urgent=True,
                not_before=house.now if person == anna else soon,
            )
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"sent": 1}
            house.now += timedelta(minutes=10)
            assert house.post(sink.server).drain() == {}
        assert sorted(house.states()) == ["cancelled", "sent"]
        assert house.count("outgoing_mail where text is not null or html is not null") == 0

    def test_brings_files_along_as_they_were(self, house: House):
        (anna,) = house.enrol("anna")
        (house.data / "copy.pdf").write_bytes(b"%PDF-1.7")
        right, wrong = (hashlib.sha256(content).hexdigest() for content in (b"%PDF-1.7", b"other"))
        house.queue(anna, attachments=[Attachment("copy.pdf", "Katalog\n.pdf", sha256=right)])
        house.queue(anna, source="2", attachments=[Attachment("copy.pdf", "a.pdf", sha256=wrong)])
        house.queue(anna, source="3", attachments=[Attachment("../../../etc/passwd", "a.pdf")])
        house.queue(anna, source="4", attachments=[Attachment("none.pdf", "a.pdf")])
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"sent": 1, "failed": 3}
        (file,) = sink.mails[0].iter_attachments()
        assert (file.get_content(), file.get_filename()) == (b"%PDF-1.7", "Katalog .pdf")

    def test_lets_what_is_urgent_go_first(self, house: House):
        anna, bara = house.enrol("anna", "bara")
        house.decide(anna, granted=True)
        house.queue(anna, purpose="offers", source="offer")
        house.queue(anna)
        house.now += timedelta(seconds=1)
        house.queue(bara, urgent=True)
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        assert next(mail["To"] for mail in sink.mails) == "bara@example.org"
        assert sink.mails[2]["List-Unsubscribe"]

    def test_tries_again_later_each_time_and_then_gives_up(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        pauses = []
        with listening(Sink(mood=lambda _recipient: "later")) as sink:
            for _ in range(ATTEMPTS):
                house.post(sink.server).drain()
                (mail,) = house.mails()
                pauses.append((mail.not_before - house.now) / timedelta(minutes=1))
                assert house.post(sink.server).drain() == {}
                house.now = max(house.now, mail.not_before)
        assert (mail.state, mail.answer) == ("failed", "451 Not now")
        assert pauses[:-1] == [1, 2, 4, 8, 16, 32, 64]

    @pytest.mark.parametrize(
        ("mood", "state", "arrived"),
        [
            ("refuse", "failed", 0),
            ("refuse, all of it", "failed", 0),
            ("later, all of it", "queued", 0),
            ("cut", "queued", 0),
            ("lose", "uncertain", 1),
        ],
    )
    def test_keeps_what_became_of_a_mail(self, house: House, mood: str, state: str, arrived: int):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        with listening(Sink(mood=lambda _recipient: mood)) as sink:
            house.post(sink.server).drain()
            house.now += LEASE
            assert house.states() == [state]
            assert sink.taken.total() == arrived

    def test_counts_no_attempt_while_the_server_is_down(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna)
        sink = Sink()
        with listening(sink):
            pass
        for _ in range(3):
            with pytest.raises(ServerDown):
                house.post(sink.server).drain()
        (mail,) = house.mails()
        assert (mail.state, mail.attempts) == ("queued", 0)
        with listening(sink):
            assert house.post(sink.server).drain() == {"sent": 1}


class TestWhatShowsArticles:
    """A catalog was chosen by what its member had said until then: what they refuse later holds it back."""

    @pytest.fixture
    def anna(self, house: House):
        (anna,) = house.enrol("anna")
        house.decide(anna, granted=True)
        assert house.queue(anna, kind="catalog", purpose="offers", as_of=house.now)
        assert house.queue(anna, purpose="offers")
        house.now += timedelta(minutes=1)
        return anna

    @staticmethod
    def answer(house: House, **changes: Any) -> None:
        with house.sessions.begin() as session:
            wanted = {"reaction": "never", "scope": "item", "sku": "tea", "channel": "till", "actor": "t"}
            record_reaction(session, now=house.now, **(wanted | changes))

    def test_is_cancelled_at_once_by_a_refusal_and_nothing_else_is(self, house: House, anna):
        self.answer(house, member_id=anna, reaction="accepted")
        assert house.states() == ["queued", "queued"]
        self.answer(house, member_id=anna)
        (cancelled,) = (mail for mail in house.mails() if mail.state == "cancelled")
        assert (cancelled.kind, cancelled.answer) == ("catalog", "the member refused something meanwhile")
        assert sorted(house.states()) == ["cancelled", "queued"]

    def test_is_held_back_by_what_the_database_did_not_cancel(self, house: House, anna):
        """An answer of an unregistered card, and a refusal from before the mail was queued and after the choice."""
        with house.sessions.begin() as session:
            session.execute(
                text(
                    "insert into card (card_number, state, account_id, created_at) values ('1', 'active', :a, :now)"
                ),
                {"a": anna, "now": house.now},
            )
        self.answer(house, card_number="1")
        assert house.states() == ["queued", "queued"]
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"sent": 1, "cancelled": 1}
        assert sink.taken.total() == 1

    def test_is_held_back_by_a_case_about_an_article(self, house: House, anna):
        with house.sessions.begin() as session:
            tea = session.scalar(
                text(
                    "insert into article (sku, name, unit, tax_rate) values ('tea', 'Tea', 'pcs', 12) returning article_id"
                )
            )
            wanted = {"kind": "complaint", "text": "It is stale.", "channel": "desk", "actor": "d"}
            open_case(session, member_id=anna, article_id=tea, now=house.now, **wanted)
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        assert {mail.kind: mail.state for mail in house.mails()}["catalog"] == "cancelled"

    def test_is_held_back_by_what_was_brought_back_as_faulty(self, shop: Shop, tmp_path: Path):
        shop.enrol(CARD)
        house = House(shop.sessions, tmp_path, now=shop.now)
        with shop.sessions() as session:
            person = session.scalars(select(Member.member_id)).one()
        house.decide(person, granted=True)
        sale = shop.sale(5000)
        shop.post(sale)
        assert house.queue(
            person, kind="catalog", purpose="offers", recipient="z@example.org", as_of=house.now
        )
        shop.later(hours=1)
        back = shop.back(sale, {1: "1"})
        shop.post(replace(back, lines=tuple(replace(line, reason="faulty") for line in back.lines)))
        house.now = shop.now
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"cancelled": 1}

    def test_goes_out_when_nothing_was_refused_since(self, house: House, anna):
        with listening(Sink()) as sink:
            assert house.post(sink.server).drain() == {"sent": 2}


class TestNotAfter:
    """What comes too late is not sent, however long a drain takes."""

    def test_is_looked_at_when_a_mail_is_taken(self, house: House):
        anna, bara = house.enrol("anna", "bara")
        house.queue(anna, urgent=True)
        house.queue(bara, not_after=house.now + timedelta(minutes=2))

        def slowly(_recipient: str) -> str:
            house.now += timedelta(minutes=3)
            return "take"

        with listening(Sink(mood=slowly)) as sink:
            house.post(sink.server).drain()
        assert sink.taken == {"anna@example.org": 1}
        assert [(mail.state, mail.answer) for mail in house.mails() if mail.member_id == bara] == [
            ("cancelled", "too late")
        ]

    def test_is_looked_at_when_a_mail_is_handed_over(self, house: House):
        (anna,) = house.enrol("anna")
        house.queue(anna, not_after=house.now + timedelta(minutes=2))

        def slowly(_recipient: str) -> str:
            house.now += timedelta(minutes=3)
            return "take"

        with listening(Sink(mood=slowly)) as sink:
            house.post(sink.server).drain()
        assert (sink.taken.total(), house.states()) == (0, ["cancelled"])


class TestVerification:
    """I10: what it finds."""

    @pytest.fixture
    def anna(self, house: House):
        (anna,) = house.enrol("anna")
        house.decide(anna, granted=True)
        assert house.queue(anna, purpose="offers")
        return anna

    @staticmethod
    def found(house: House) -> int:
        return {verdict.code: verdict.violations for verdict in verify(house.sessions, CHECKS)}["I10"]

    @pytest.mark.parametrize(("late", "found"), [(timedelta(milliseconds=300), 0), (timedelta(seconds=5), 1)])
    def test_is_what_was_sent_after_a_withdrawal_but_not_at_the_same_moment(
        self, house: House, anna, late: timedelta, found: int
    ):
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        sent = house.now
        house.now = sent - late
        with house.sessions.begin() as session:
            session.execute(
                text("update consent set recorded_at = :then"), {"then": sent - timedelta(days=1)}
            )
        house.decide(anna, granted=False)
        assert self.found(house) == found

    def test_is_what_was_sent_after_never_about_everything(self, house: House, anna):
        with listening(Sink()) as sink:
            house.post(sink.server).drain()
        assert self.found(house) == 0
        house.now -= timedelta(minutes=1)
        with house.sessions.begin() as session:
            record_reaction(
                session,
                member_id=anna,
                reaction="never",
                scope="all",
                channel="till",
                actor="t",
                now=house.now,
            )
        assert self.found(house) == 1

    def test_is_no_survey_that_waited_when_everything_was_refused(self, house: House, anna):
        house.decide(anna, granted=True, purpose="surveys")
        house.queue(anna, purpose="surveys", source="survey")
        with house.sessions.begin() as session:
            record_reaction(
                session,
                member_id=anna,
                reaction="never",
                scope="all",
                channel="till",
                actor="t",
                now=house.now,
            )
        assert house.states() == ["cancelled", "cancelled"]
        assert self.found(house) == 0
