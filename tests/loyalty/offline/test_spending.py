"""What was spent offline: booked whatever has become of it, and flagged where it was too much."""

from dataclasses import replace
from datetime import timedelta

import pytest

from customers.card_changes import block_card, replace_card
from loyalty.offline.allowances import Signer
from loyalty.offline.signing import current_key, rotate_key
from loyalty.queries import has_entries
from sales.receipts import OfflineRedemption, PostedReceipt, Totals
from tests.shop import CARD, OTHER_CARD, Shop


def allowance(shop: Shop, points: int, card: str = CARD, hours: int = 72) -> str:
    """What a snapshot taken now says that may be spent with a card."""
    with shop.sessions.begin() as session:
        key = current_key(session, now=shop.now)
    return Signer(key, issued_at=shop.now, expires_at=shop.now + timedelta(hours=hours)).sign(card, points)


def offline(shop: Shop, *spent: tuple[int, str], total: int = 20000, **changes) -> PostedReceipt:
    """A sale on which points were spent while the till was offline."""
    value = 10 * sum(points for points, _ in spent)
    sale = shop.sale(
        total,
        offline=True,
        offline_redemptions=tuple(OfflineRedemption(*one) for one in spent),
        totals=Totals(payable_amount=total - value, points_amount=value),
    )
    return replace(sale, **changes)


def over(shop: Shop, posted: PostedReceipt, **options) -> list[str]:
    """Post a sale and return why it was flagged `over_redeemed`."""
    flags = shop.post(posted, **options)["flags"]
    return [flag["detail"] for flag in flags if flag["code"] == "over_redeemed"]


@pytest.fixture
def rich(shop: Shop) -> Shop:
    """A shop whose first card is a member's and holds 1000 points."""
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD)
    shop.post(shop.sale(100000, business_date=shop.today - timedelta(days=60)))
    shop.later(minutes=1)
    return shop


class TestSpendingOffline:
    def test_is_booked_without_a_word_within_its_allowance(self, rich: Shop):
        sale = offline(rich, (300, allowance(rich, 1000)))
        answer = rich.post(sale)
        assert {flag["code"] for flag in answer["flags"]} == {"unknown_article"}
        assert answer["points"]["spent"] == 300
        assert answer["points"]["earned"] == 170
        assert rich.stands() == (700, 170, 0)

    def test_is_flagged_when_the_balance_went_elsewhere_meanwhile(self, rich: Shop):
        signed = allowance(rich, 1000)
        rich.post(rich.paid_with(rich.reserve(900)))
        assert over(rich, offline(rich, (300, signed))) == [
            "the account had 200 points too few for what was spent offline"
        ]
        assert rich.stands()[0] == -200

    @pytest.mark.parametrize("changed", ["", "x", "made.up"])
    def test_is_booked_and_flagged_with_a_signature_that_does_not_hold(self, rich: Shop, changed: str):
        sale = offline(rich, (300, changed + allowance(rich, 1000)[1:]))
        assert len(over(rich, sale)) == 1
        assert rich.stands()[0] == 700

    def test_is_flagged_with_the_allowance_of_another_card(self, rich: Shop):
        sale = offline(rich, (300, allowance(rich, 1000, OTHER_CARD)))
        assert over(rich, sale) == ["the allowance does not hold: we never signed it for this card"]

    def test_is_flagged_beyond_what_was_allowed(self, rich: Shop):
        assert over(rich, offline(rich, (300, allowance(rich, 200)))) == [
            "the allowance is for 200 points, not 300"
        ]
        assert rich.stands()[0] == 700

    @pytest.mark.parametrize(("hours", "odd"), [(71, False), (73, True), (-1, True)])
    def test_is_judged_by_when_the_receipt_was_closed(self, rich: Shop, hours: int, odd: bool):
        signed = allowance(rich, 1000)
        closed = rich.now + timedelta(hours=hours)
        rich.later(days=300)
        sale = offline(rich, (300, signed), closed_at=closed, business_date=closed.date())
        assert bool(over(rich, sale)) is odd
        assert rich.stands()[0] == 700 + 170

    def test_holds_with_a_key_that_was_changed_since_but_not_with_one_that_was_revoked(self, rich: Shop):
        signed = allowance(rich, 1000)
        for revoke in (False, True):
            with rich.sessions.begin() as session:
                rotate_key(session, now=rich.now, actor="test", revoke=revoke)
            assert bool(over(rich, offline(rich, (100, signed)))) is revoke

    def test_is_flagged_when_one_allowance_is_spent_twice(self, rich: Shop):
        signed = allowance(rich, 400)
        assert over(rich, offline(rich, (300, signed))) == []
        assert over(rich, offline(rich, (100, signed)), till="T2") == []
        (why,) = over(rich, offline(rich, (1, signed)), till="T3")
        assert "400 were spent offline before" in why

    def test_is_flagged_when_two_tills_spend_what_was_allowed_each(self, rich: Shop):
        """Two snapshots, seconds apart, promise the same points."""
        first = allowance(rich, 400)
        rich.later(seconds=5)
        second = allowance(rich, 400)
        assert over(rich, offline(rich, (300, first))) == []
        assert len(over(rich, offline(rich, (300, second)), till="T2")) == 1

    def test_is_no_reproach_to_an_older_promise(self, rich: Shop):
        """What a later snapshot allowed of later points says nothing about an earlier one."""
        early = allowance(rich, 100)
        rich.later(minutes=30)
        rich.post(rich.sale(500000, business_date=rich.today - timedelta(days=30)))
        late = allowance(rich, 6000)
        assert over(rich, offline(rich, (3000, late), total=50000)) == []
        assert over(rich, offline(rich, (100, early)), till="T2") == []

    def test_may_be_done_again_after_the_sale_was_voided(self, rich: Shop):
        signed = allowance(rich, 400)
        sale = offline(rich, (400, signed))
        rich.post(sale)
        rich.post(rich.void(sale))
        assert rich.stands() == (1000, 0, 0)
        assert over(rich, offline(rich, (400, signed))) == []

    def test_can_use_several_allowances_on_one_receipt(self, rich: Shop):
        signed = allowance(rich, 400)
        assert over(rich, offline(rich, (200, signed), (200, signed))) == []
        assert len(over(rich, offline(rich, (1, signed)))) == 1
        assert rich.stands()[0] == 599

    def test_comes_back_with_what_is_returned(self, rich: Shop):
        sale = offline(rich, (1300, "x"), total=20000)
        rich.post(sale)
        assert rich.stands() == (-300, 70, 0)
        assert rich.points(rich.void(sale))["returned"] == 1300
        assert rich.stands() == (1000, 0, 0)

    def test_takes_from_the_account_of_a_card_that_was_blocked_meanwhile(self, rich: Shop):
        signed = allowance(rich, 1000)
        with rich.sessions.begin() as session:
            block_card(session, card_number=CARD, reason="lost", now=rich.now, actor="test")
        rich.later(minutes=1)
        answer = rich.post(offline(rich, (300, signed)))
        assert answer["points"]["earned"] == 0
        assert answer["points"]["spent"] == 300
        assert "blocked_card" in {flag["code"] for flag in answer["flags"]}
        assert rich.stands()[0] == 700

    def test_takes_from_the_account_of_the_successor_of_a_replaced_card(self, rich: Shop):
        signed = allowance(rich, 1000)
        with rich.sessions.begin() as session:
            replace_card(
                session,
                card_number=CARD,
                new_card_number="2990000000057",
                reason="worn",
                now=rich.now,
                actor="test",
                has_history=lambda account_id: has_entries(session, account_id=account_id),
            )
        assert over(rich, offline(rich, (300, signed))) == []
        assert rich.stands("2990000000057")[0] == 700

    @pytest.mark.parametrize("card", [None, "2990000000095"])
    def test_is_flagged_and_cannot_be_booked_without_an_account(self, rich: Shop, card: str | None):
        answer = rich.post(offline(rich, (300, "x"), card_number=card))
        assert answer["points"]["spent"] == 0
        assert "over_redeemed" in {flag["code"] for flag in answer["flags"]}

    def test_counts_only_on_a_live_sale(self, rich: Shop):
        signed = allowance(rich, 1000)
        rich.post(offline(rich, (300, signed), mode="training"))
        assert rich.stands()[0] == 1000

    def test_is_booked_once_however_often_the_receipt_comes(self, rich: Shop):
        sale = offline(rich, (300, allowance(rich, 1000)))
        rich.post(sale)
        assert rich.settle(replace(sale, offline=False)).replayed
        assert rich.stands()[0] == 700

    def test_comes_to_the_same_when_it_is_imported(self, rich: Shop):
        signed = allowance(rich, 1000)
        told = rich.settle(offline(rich, (300, signed)), imported=True).answer
        assert (told["points"]["spent"], rich.stands()) == (300, (700, 170, 0))

    def test_is_booked_before_a_return_that_waited_for_the_sale(self, rich: Shop):
        sale = offline(rich, (300, allowance(rich, 1000)))
        rich.post(rich.back(sale, {1: "1"}))
        rich.post(sale)
        assert rich.stands() == (1000, 0, 0)
