import pytest
from sqlalchemy import select

from core.database import Sessions
from core.models import AuditEvent
from customers.card_stock import MOST, BadRange, numbers_from, stock_cards
from customers.cardnumbers import BadCardNumber, LooksLikePaymentCard, is_card_number
from customers.enrolment import hold_card
from customers.models import Card
from customers.operations import issue_cards
from tests.shop import CARD, NOON, OTHER_CARD


class TestARange:
    @pytest.mark.parametrize(("first", "last"), [(CARD, "2990000001009"), ("00000018", "00000109")])
    def test_has_every_number_once_with_its_check_digit(self, first: str, last: str):
        numbers = list(numbers_from(first, last))
        assert (numbers[0], numbers[-1]) == (first, last)
        assert len(set(numbers)) == len(numbers) == int(last[:-1]) - int(first[:-1]) + 1
        assert all(map(is_card_number, numbers))

    @pytest.mark.parametrize(
        ("first", "last", "refusal"),
        [
            (OTHER_CARD, CARD, BadRange),
            ("00000018", CARD, BadRange),
            ("2990000000018", CARD, BadCardNumber),
            (CARD, "2999000000012", BadRange),
        ],
    )
    def test_is_refused_when_it_is_none(self, first: str, last: str, refusal: type[Exception]):
        with pytest.raises(refusal):
            numbers_from(first, last)

    def test_may_not_be_too_long(self):
        assert MOST == 100_000


class TestNumbersLikePaymentCards:
    """A chain may have had some printed; then it says so before the first is handed out."""

    PAN, LAST = "5105105105105100", "5105105105105209"

    def test_are_taken_in_by_the_range_and_handed_out_then(self, sessions: Sessions):
        with sessions.begin() as session, pytest.raises(LooksLikePaymentCard):
            issue_cards(session, card_numbers=[self.PAN], now=NOON, actor="t")
        with sessions.begin() as session:
            stock_cards(session, first=self.PAN, last=self.LAST, now=NOON, actor="t")
            (issued,) = issue_cards(session, card_numbers=[self.PAN], now=NOON, actor="t")
        assert issued.state == "issued"

    def test_are_not_taken_for_one_card(self, sessions: Sessions):
        with sessions.begin() as session:
            with pytest.raises(LooksLikePaymentCard):
                stock_cards(session, first=self.PAN, last=self.PAN, now=NOON, actor="t")
            with pytest.raises(LooksLikePaymentCard):
                hold_card(session, card_number=self.PAN, now=NOON)
        with sessions() as session:
            assert session.scalars(select(Card)).all() == []


class TestStock:
    def test_takes_what_is_new_and_leaves_what_is_known(self, sessions: Sessions):
        with sessions.begin() as session:
            issue_cards(session, card_numbers=[OTHER_CARD], now=NOON, actor="t")
        for expected in ((3, 1), (0, 4)):
            with sessions.begin() as session:
                stocked = stock_cards(session, first=CARD, last="2990000000040", now=NOON, actor="t")
            assert (stocked.added, stocked.known) == expected
        with sessions() as session:
            states = session.scalars(select(Card.state).order_by(Card.card_number)).all()
            actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.event_id)).all()
        assert states == ["stock", "issued", "stock", "stock"]
        assert actions == ["card.issue", "cards.stock", "cards.stock"]
