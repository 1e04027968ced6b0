from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.progress import silent
from customers.card_import import import_cards
from customers.models import Card
from customers.operations import issue_cards

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
CARD = "2990000000019"
OTHER = "2990000000026"


@pytest.fixture
def cards(sessions, tmp_path):
    def take(*rows):
        path = tmp_path / "cards.csv"
        path.write_text("card_number,state,member_code\n" + "\n".join(rows) + "\n", encoding="utf-8")
        with sessions.begin() as session:
            summary = import_cards(session, path, now=NOW, actor="test", report=silent)
        return summary.read, summary.written, summary.unchanged, summary.refused

    return take


def states(sessions):
    with sessions() as session:
        return dict(session.execute(select(Card.card_number, Card.state)).all())


class TestImportCards:
    def test_adds_cards_to_stock_once(self, cards, sessions):
        assert cards(f"{CARD},,", f"{OTHER},,") == (2, 2, 0, 0)
        assert cards(f"{CARD},,", f"{OTHER},stock,") == (2, 0, 2, 0)
        assert states(sessions) == {CARD: "stock", OTHER: "stock"}

    def test_opens_an_account_for_cards_in_hands(self, cards, sessions):
        assert cards(f"{CARD},issued,", f"{OTHER},blocked,") == (2, 2, 0, 0)
        with sessions() as session:
            found = session.scalars(select(Card)).all()
        assert all(card.account_id for card in found)
        assert {card.blocked_reason for card in found} == {None, "import"}

    def test_follows_a_card_from_stock_to_its_end(self, cards, sessions):
        for state in ("stock", "issued", "blocked"):
            assert cards(f"{CARD},{state},") == (1, 1, 0, 0)
        assert cards(f"{CARD},stock,") == (1, 0, 0, 1)
        assert states(sessions) == {CARD: "blocked"}

    def test_keeps_the_state_of_a_known_card_when_none_is_given(self, cards, sessions):
        with sessions.begin() as session:
            issue_cards(session, card_numbers=[CARD], now=NOW, actor="test")
        assert cards(f"{CARD},,") == (1, 0, 1, 0)

    @pytest.mark.parametrize(
        "row",
        ["2990000000018,,", f"{CARD},lost,", f"{CARD},replaced,", f"{CARD},active,", f"{CARD},,nobody", ",,"],
    )
    def test_refuses_what_no_card_can_be(self, cards, row):
        assert cards(row) == (1, 0, 0, 1)
