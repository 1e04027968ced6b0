"""What is changed while a sale waits to be booked: its points land where the card belongs then."""

from collections.abc import Callable
from uuid import UUID

import pytest
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.card_changes import block_card, replace_card
from customers.households import invite
from customers.models import Card, Member
from loyalty.checkout import Outcome, Quarantined, settle
from loyalty.handing_out import hand_out_cards
from loyalty.households import join_household
from loyalty.models import LedgerEntry
from loyalty.queries import has_entries
from sales.models import Receipt
from sales.receipts import PostedReceipt
from tests.shop import CARD, NOON, OTHER_CARD, Shop, shop
from tests.waiting import waiting_for_a_lock

__all__ = ["shop"]

STOCK, SPARE = "2990000000033", "2990000000057"
Change = Callable[[Session], object]


@pytest.fixture
def people(shop: Shop) -> dict[str, UUID]:
    """Žofie with CARD and Karel with OTHER_CARD, each on an account of their own."""
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Karel Novák")
    with shop.sessions() as session:
        return dict(session.execute(select(Member.given_name, Member.member_id)).all())


@pytest.fixture
def karel_joins(shop: Shop, people: dict[str, UUID]) -> Change:
    def change(session: Session) -> None:
        code = invite(session, owner_id=people["Žofie"], role="spender", now=shop.now, actor="desk")
        join_household(
            session, member_id=people["Karel"], code=code, place=shop.till, now=shop.now, actor="desk"
        )

    return change


def settle_as_tills_do(shop: Shop, posted: PostedReceipt) -> Outcome | Quarantined:
    """Settle a receipt, again when it collided."""
    for _ in range(5):
        try:
            return shop.settle(posted)
        except (SerializationFailure, DeadlockDetected):
            continue
    raise AssertionError("it never went through")


def change_first(shop: Shop, posted: PostedReceipt, change: Change) -> None:
    """Settle a receipt that must wait for a change which is under way, and is committed meanwhile."""
    with shop.sessions() as session:
        change(session)
        with waiting_for_a_lock(shop.sessions, lambda: settle_as_tills_do(shop, posted)):
            session.commit()


def sell_first(shop: Shop, posted: PostedReceipt, change: Change) -> None:
    """Make a change that must wait for a receipt which is being booked."""

    def make() -> None:
        with shop.sessions.begin() as session:
            change(session)

    with shop.sessions() as session:
        settle(session, till=shop.till, posted=posted, now=shop.now)
        with waiting_for_a_lock(shop.sessions, make):
            session.commit()


def booked_on(shop: Shop, posted: PostedReceipt) -> tuple[UUID | None, list[UUID]]:
    """Return the account of a receipt, and those of what is booked because of it."""
    with shop.sessions() as session:
        number = Receipt.receipt_number == posted.receipt_number
        account, receipt_id = session.execute(
            select(Receipt.account_id, Receipt.receipt_id).where(number)
        ).one()
        entries = select(LedgerEntry.account_id).where(LedgerEntry.receipt_id == receipt_id)
        return account, list(session.scalars(entries))


def account_of(shop: Shop, card: str) -> UUID | None:
    with shop.sessions() as session:
        return session.get_one(Card, card).account_id


class TestAnAccountThatIsJoined:
    def test_before_the_sale_could_hold_it_leaves_its_points_to_the_household(
        self, shop: Shop, karel_joins: Change
    ):
        shop.post(shop.sale(30000, card_number=OTHER_CARD))
        sale = shop.sale(10000, card_number=OTHER_CARD)
        change_first(shop, sale, karel_joins)
        household = account_of(shop, CARD)
        assert account_of(shop, OTHER_CARD) == household
        assert booked_on(shop, sale) == (household, [household])
        assert shop.stands(CARD) == shop.stands(OTHER_CARD) == (0, 400, 0)

    def test_while_the_sale_is_being_booked_waits_and_takes_its_points_along(
        self, shop: Shop, karel_joins: Change
    ):
        sale = shop.sale(10000, card_number=OTHER_CARD)
        sell_first(shop, sale, karel_joins)
        assert booked_on(shop, sale)[0] == account_of(shop, CARD)
        assert shop.stands(CARD) == shop.stands(OTHER_CARD) == (0, 100, 0)

    def test_pays_for_somebody_else_s_sale_from_the_household(self, shop: Shop, karel_joins: Change):
        """Points that were let go of and paid with all the same: not from an account that is closed."""
        shop.post(shop.sale(50000, card_number=OTHER_CARD))
        shop.later(days=20)
        held = shop.reserve(200, OTHER_CARD)
        shop.release(held)
        sale = shop.paid_with(held, totals=(30000,), card_number=None)
        change_first(shop, sale, karel_joins)
        assert booked_on(shop, sale) == (None, [account_of(shop, CARD)])
        assert shop.stands(CARD) == (300, 0, 0)

    def test_has_the_return_of_an_older_sale_taken_from_the_household(self, shop: Shop, karel_joins: Change):
        sale = shop.sale(30000, 10000, card_number=OTHER_CARD)
        shop.post(sale)
        back = shop.back(sale, {2: "1"})
        change_first(shop, back, karel_joins)
        assert booked_on(shop, back) == (account_of(shop, CARD), [account_of(shop, CARD)])
        assert shop.stands(CARD) == (0, 300, 0)


class TestACardFromStock:
    @pytest.fixture(autouse=True)
    def stock(self, shop: Shop) -> None:
        with shop.sessions.begin() as session:
            session.add_all(Card(card_number=card, state="stock", created_at=NOON) for card in (STOCK, SPARE))

    def test_that_is_handed_to_a_member_earns_for_them(self, shop: Shop, people: dict[str, UUID]):
        sale = shop.sale(10000, card_number=STOCK)
        change_first(
            shop,
            sale,
            lambda session: hand_out_cards(
                session, card_numbers=[STOCK], member_code=f"M{CARD}", now=shop.now, actor="desk"
            ),
        )
        assert booked_on(shop, sale) == (account_of(shop, CARD), [account_of(shop, CARD)])
        assert shop.stands(CARD) == (0, 100, 0)

    def test_that_is_replaced_earns_for_its_successor(self, shop: Shop):
        sale = shop.sale(10000, card_number=STOCK)
        change_first(shop, sale, lambda session: replace(session, shop, STOCK, SPARE))
        assert booked_on(shop, sale) == (account_of(shop, SPARE), [account_of(shop, SPARE)])
        assert shop.stands(STOCK) == shop.stands(SPARE) == (0, 100, 0)

    @pytest.mark.parametrize(("minutes", "points"), [(-1, 100), (1, 0)])
    def test_that_is_blocked_earns_for_what_was_closed_before(self, shop: Shop, minutes: int, points: int):
        shop.later(minutes=2)
        sale = shop.sale(10000, card_number=STOCK)
        blocked_at = sale.closed_at - minutes * (sale.closed_at - NOON) / 2
        change_first(
            shop,
            sale,
            lambda session: block_card(
                session, card_number=STOCK, reason="lost", now=blocked_at, actor="desk"
            ),
        )
        assert shop.stands(STOCK) == (0, points, 0)
        with shop.sessions() as session:
            assert session.get_one(Card, STOCK).state == "blocked"


def replace(session: Session, shop: Shop, old: str, new: str) -> None:
    replace_card(
        session,
        card_number=old,
        new_card_number=new,
        reason="lost",
        now=shop.now,
        actor="desk",
        has_history=lambda account_id: has_entries(session, account_id=account_id),
    )


class TestACardInUse:
    """Its account stays, so a sale need not wait for what is made of the card: it is as if it had come first, or after."""

    def test_that_is_replaced_while_a_sale_waits_earns_for_its_successor(
        self, shop: Shop, people: dict[str, UUID]
    ):
        account = account_of(shop, CARD)
        sale = shop.sale(10000)
        with shop.sessions() as busy:
            settle(busy, till=shop.till, posted=shop.sale(500), now=shop.now)
            with waiting_for_a_lock(shop.sessions, lambda: settle_as_tills_do(shop, sale)):
                with shop.sessions.begin() as session:
                    replace(session, shop, CARD, SPARE)
                busy.commit()
        assert booked_on(shop, sale) == (account, [account])
        assert account_of(shop, SPARE) == account
        assert shop.stands(SPARE) == (0, 105, 0)

    def test_that_is_blocked_while_a_sale_waits_earns_for_what_was_closed_before(
        self, shop: Shop, people: dict[str, UUID]
    ):
        sale = shop.sale(10000)
        shop.later(minutes=1)
        with shop.sessions() as busy:
            settle(busy, till=shop.till, posted=shop.sale(500), now=shop.now)
            with waiting_for_a_lock(shop.sessions, lambda: settle_as_tills_do(shop, sale)):
                with shop.sessions.begin() as session:
                    block_card(session, card_number=CARD, reason="lost", now=shop.now, actor="desk")
                busy.commit()
        assert shop.stands() == (0, 105, 0)
        after = shop.sale(10000, closed_at=shop.now.replace(second=30))
        assert shop.flags(after) == [("blocked_card", None)]
        assert shop.stands() == (0, 105, 0)
