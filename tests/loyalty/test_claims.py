import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from customers.card_changes import block_card
from customers.models import Member
from loyalty.claims import (
    AlreadyTheirs,
    BadReceiptCode,
    Claimed,
    NoCardToClaimWith,
    NotClaimed,
    TooManyClaims,
    claim_receipt,
    parse_receipt_code,
)
from loyalty.models import Alert, LedgerEntry, ReceiptClaim
from sales.models import ReceiptFlag
from sales.receipts import Original, PostedReceipt
from sales.staff_cards import register_staff_card
from tests.shop import CARD, OTHER_CARD, Shop

UNKNOWN = "2990000000057"


@pytest.fixture
def members(shop: Shop) -> dict[str, UUID]:
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Karel Novák")
    with shop.sessions() as session:
        return dict(session.execute(select(Member.given_name, Member.member_id)).all())


def claim(
    shop: Shop, member: UUID, posted: PostedReceipt, amount: int | None = None, **changes: str
) -> Claimed | NotClaimed:
    receipt = replace(shop.name_of(posted), **changes)
    paid = posted.totals.payable_amount if amount is None else amount
    with shop.sessions.begin() as session:
        return claim_receipt(
            session, member_id=member, receipt=receipt, amount=paid, now=shop.now, actor="desk"
        )


class TestAClaim:
    @pytest.mark.parametrize("card", [None, UNKNOWN])
    def test_gives_the_member_what_the_card_would_have(
        self, shop: Shop, members: dict[str, UUID], card: str | None
    ):
        sale = shop.sale(10000, 550, card_number=card)
        shop.post(sale)
        shop.later(days=20)
        claimed = claim(shop, members["Žofie"], sale)
        assert isinstance(claimed, Claimed)
        assert claimed.points == 105
        # Pending ended with the fourteenth day after the purchase, not after the claim.
        assert shop.stands() == (105, 0, 0)
        assert shop.points(shop.back(sale, {1: "1"}))["reversed"] == 100
        assert shop.broken() == []
        with shop.sessions() as session:
            open_flags = select(ReceiptFlag.code).where(
                ReceiptFlag.state == "open", ReceiptFlag.code == "unknown_card"
            )
            assert session.scalars(open_flags).all() == []

    def test_brings_nothing_for_what_was_returned_meanwhile(self, shop: Shop, members: dict[str, UUID]):
        sale = shop.sale(10000, 5000, card_number=None)
        shop.post(sale)
        shop.post(shop.back(sale, {2: "1"}, card_number=None))
        claimed = claim(shop, members["Žofie"], sale)
        assert isinstance(claimed, Claimed)
        assert claimed.points == 100
        assert shop.stands() == (0, 100, 0)
        assert shop.broken() == []

    def test_happens_once(self, shop: Shop, members: dict[str, UUID]):
        sale = shop.sale(10000, card_number=None)
        shop.post(sale)
        assert isinstance(claim(shop, members["Žofie"], sale), Claimed)
        assert isinstance(claim(shop, members["Karel"], sale), NotClaimed)
        assert (shop.stands(CARD), shop.stands(OTHER_CARD)) == ((0, 100, 0), (0, 0, 0))

    def test_that_is_sent_twice_is_no_wrong_guess(self, shop: Shop, members: dict[str, UUID]):
        sale, with_card = shop.sale(10000, card_number=None), shop.sale(5000)
        for posted in (sale, with_card):
            shop.post(posted)
        claim(shop, members["Žofie"], sale)
        for theirs in (sale, with_card) * 3:
            with pytest.raises(AlreadyTheirs):
                claim(shop, members["Žofie"], theirs)
        assert claim(shop, members["Žofie"], sale, 10001) == NotClaimed(4)
        assert shop.stands(CARD) == (0, 150, 0)

    def test_happens_once_when_many_try_at_the_same_moment(self, shop: Shop, members: dict[str, UUID]):
        sale = shop.sale(10000, card_number=None)
        shop.post(sale)
        start = threading.Barrier(4)

        def attempt(name: str) -> bool:
            start.wait()
            try:
                return isinstance(claim(shop, members[name], sale), Claimed)
            except AlreadyTheirs:
                return False

        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(attempt, ["Žofie", "Karel"] * 2))
        assert won.count(True) == 1
        with shop.sessions() as session:
            assert session.scalar(select(func.count()).where(LedgerEntry.reason == "earn")) == 1
        assert shop.broken() == []


class TestNothing:
    def test_is_told_alike_for_whatever_cannot_be_claimed(self, shop: Shop, members: dict[str, UUID]):
        taken, free = shop.sale(10000, card_number=OTHER_CARD), shop.sale(10000, card_number=None)
        training = shop.sale(10000, card_number=None, mode="training")
        old = shop.sale(10000, card_number=None, business_date=shop.today - timedelta(days=31))
        for posted in (taken, free, training, old):
            shop.post(posted)
        answers = [
            claim(shop, members["Žofie"], taken),
            claim(shop, members["Žofie"], free, 10001),
            claim(shop, members["Žofie"], free, store_code="S2"),
            claim(shop, members["Žofie"], training),
            claim(shop, members["Žofie"], old),
        ]
        assert answers == [NotClaimed(left) for left in (4, 3, 2, 1, 0)]

    def test_can_be_asked_five_times_a_day_by_one_account(self, shop: Shop, members: dict[str, UUID]):
        sale = shop.sale(10000, card_number=None)
        shop.post(sale)
        for guess in range(5):
            claim(shop, members["Žofie"], sale, guess)
        with pytest.raises(TooManyClaims):
            claim(shop, members["Žofie"], sale)
        assert isinstance(claim(shop, members["Karel"], sale, 1), NotClaimed)
        shop.later(hours=24, seconds=1)
        assert isinstance(claim(shop, members["Žofie"], sale), Claimed)

    def test_is_there_for_a_blocked_card_s_purchase(self, shop: Shop, members: dict[str, UUID]):
        with shop.sessions.begin() as session:
            block_card(session, card_number=CARD, reason="stolen", now=shop.now, actor="t")
        shop.later(hours=1)
        sale = shop.sale(10000)
        shop.post(sale)
        assert isinstance(claim(shop, members["Karel"], sale), NotClaimed)
        with pytest.raises(NoCardToClaimWith):
            claim(shop, members["Žofie"], sale)

    def test_is_there_for_who_rang_it(self, shop: Shop, members: dict[str, UUID]):
        with shop.sessions.begin() as session:
            register_staff_card(
                session,
                card_number=CARD,
                store_code="S1",
                operator_code="17",
                name="Žofie",
                now=shop.now,
                actor="boss",
            )
        sale = shop.sale(10000, card_number=None, operator_code="17")
        shop.post(sale)
        assert isinstance(claim(shop, members["Žofie"], sale), NotClaimed)
        with shop.sessions() as session:
            assert session.scalars(select(Alert.kind)).all() == ["own_card"]
            assert session.scalars(select(ReceiptClaim.outcome)).all() == ["refused"]


class TestACode:
    def test_names_store_till_day_and_number(self):
        assert parse_receipt_code(" B01/1 /2026-11-21/000123") == Original(
            "B01", "1", date(2026, 11, 21), "000123"
        )

    @pytest.mark.parametrize("text", ["", "B01/1/2026-11-21", "B01/1/21.11.2026/5", "B01//2026-11-21/5"])
    def test_is_refused_when_it_names_nothing(self, text: str):
        with pytest.raises(BadReceiptCode):
            parse_receipt_code(text)
