import pytest

from customers.cardnumbers import BadCardNumber
from customers.queries import CardNotFound
from sales.staff_cards import (
    AlreadyStaffCard,
    BadStaffCard,
    NoSuchStaffCard,
    NoSuchStore,
    end_staff_card,
    register_staff_card,
    staff_cards,
)
from tests.shop import CARD, NOON, OTHER_CARD, Shop, open_shop


@pytest.fixture
def shop(sessions) -> Shop:
    return open_shop(sessions)


def register(shop: Shop, card: str = CARD, **changes: str) -> None:
    words = {"store_code": "S1", "operator_code": "17", "name": "Jana K.", **changes}
    with shop.sessions.begin() as session:
        register_staff_card(session, card_number=card, now=shop.now, actor="boss", **words)


class TestRegistering:
    def test_binds_a_card_once(self, shop: Shop):
        register(shop)
        with pytest.raises(AlreadyStaffCard):
            register(shop, operator_code="18")
        with shop.sessions() as session:
            (row,) = staff_cards(session)
        assert (row.card_number, row.store_code, row.operator_code, row.ended_at) == (CARD, "S1", "17", None)

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"card": "2990000000018"}, BadCardNumber),
            ({"card": "2990000009999"}, CardNotFound),
            ({"store_code": "S9"}, NoSuchStore),
            ({"operator_code": " "}, BadStaffCard),
            ({"name": ""}, BadStaffCard),
        ],
    )
    def test_refuses_what_names_nobody(self, shop: Shop, changes: dict[str, str], refusal: type[Exception]):
        with pytest.raises(refusal):
            register(shop, **changes)


class TestEnding:
    def test_lets_the_card_be_bound_again(self, shop: Shop):
        register(shop)
        with shop.sessions.begin() as session:
            (row,) = staff_cards(session)
            for _ in range(2):
                end_staff_card(session, staff_card_id=row.staff_card_id, now=NOON, actor="boss")
        register(shop, operator_code="18")
        with shop.sessions() as session:
            assert [row.operator_code for row in staff_cards(session, card_number=CARD)] == ["18", "17"]

    def test_of_another_store_is_refused(self, shop: Shop):
        register(shop, card=OTHER_CARD)
        other = shop.tills["T3"].store_id
        with shop.sessions.begin() as session:
            (row,) = staff_cards(session)
            assert staff_cards(session, store_id=other) == []
            with pytest.raises(NoSuchStaffCard):
                end_staff_card(
                    session, staff_card_id=row.staff_card_id, now=NOON, actor="boss", store_id=other
                )
