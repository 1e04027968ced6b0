import threading
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.ids import uuid7
from customers.models import Card
from rewards.codes import has_its_check
from rewards.vouchers import issue as voucher_issue
from rewards.vouchers import reservations as held
from rewards.vouchers.batches import BadBatch, Batch, BatchNotFound, batch_of, imported_batch, put_batch
from rewards.vouchers.issue import CodeTaken, OfReceipt, TooMany, issue_vouchers, take_codes
from rewards.vouchers.redeeming import presented_vouchers, redeem_vouchers
from rewards.vouchers.returns import cancel_issued, give_back_vouchers, take_again, vouchers_of_sale
from tests.shop import CARD, OTHER_CARD, Shop

CONTENDERS = 16


class Counterfoil:
    """What tests say of vouchers in a shop: each call is a transaction of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def batch(self, code: str = "NEXT50", **parts) -> Batch:
        wish = Batch(code, **{"value_amount": 5000, "currency": "CZK", "valid_days": 30} | parts)
        with self.shop.sessions.begin() as session:
            put_batch(session, wish, actor="test", now=self.shop.now)
        return wish

    def issue(self, code: str = "NEXT50", count: int = 1, **more) -> list[str]:
        with self.shop.sessions.begin() as session:
            issued = issue_vouchers(
                session,
                batch_code=code,
                count=count,
                today=self.shop.today,
                now=self.shop.now,
                actor="test",
                **more,
            )
        return [voucher.voucher_code for voucher in issued]

    def look(self, *codes: str, till: str = "T1", account_id: UUID | None = None):
        with self.shop.sessions.begin() as session:
            return presented_vouchers(
                session,
                codes=codes,
                till=self.shop.tills[till],
                account_id=account_id,
                today=self.shop.today,
                now=self.shop.now,
            )

    def reason(self, code: str, **more) -> str | None:
        (found,) = self.look(code, **more)
        return found.reason

    def redeem(
        self,
        *codes: str,
        receipt: OfReceipt | None = None,
        till: str = "T1",
        account_id=None,
        asked: Collection[str] = (),
        **used,
    ):
        """Pay with codes; a receipt that says nothing of any batch says here that all of them took off what they could."""
        if not used and not asked:
            for found in self.look(*codes, till=till):
                used[found.batch_code] = used.get(found.batch_code, 0) + (found.value_amount or 0)
        with self.shop.sessions.begin() as session:
            return redeem_vouchers(
                session,
                codes=codes,
                used=used,
                asked=asked,
                till=self.shop.tills[till],
                account_id=account_id,
                receipt=receipt or self.receipt(),
                today=self.shop.today,
            )

    def receipt(self) -> OfReceipt:
        return OfReceipt(self.shop.today, uuid7(), self.shop.now)

    def reserve(self, code: str, till: str = "T1") -> held.VoucherHold:
        with self.shop.sessions.begin() as session:
            return held.reserve_voucher(
                session,
                till=self.shop.tills[till],
                voucher_code=code,
                today=self.shop.today,
                now=self.shop.now,
                until=self.shop.now + timedelta(minutes=10),
            )

    def resolve(self, act: Callable, hold: held.VoucherHold, till: str = "T1") -> held.VoucherHold:
        with self.shop.sessions.begin() as session:
            return act(
                session, till=self.shop.tills[till], redemption_id=hold.redemption_id, now=self.shop.now
            )

    def account(self, card: str) -> UUID:
        with self.shop.sessions() as session:
            return session.get_one(Card, card).account_id

    def events(self, code: str) -> list[str]:
        with self.shop.sessions() as session:
            return list(
                session.scalars(
                    text("select event from voucher_event where voucher_code = :code order by event_id"),
                    {"code": code},
                )
            )


@pytest.fixture(scope="class")
def foil(shared_shop: Shop) -> Counterfoil:
    return Counterfoil(shared_shop)


def contend(attempt: Callable[[], object]) -> Counter[str]:
    """Let sixteen try the same thing at once and return how often each outcome came."""
    start = threading.Barrier(CONTENDERS)

    def run(_: int) -> str:
        start.wait()
        try:
            return str(attempt())
        except held.VoucherTaken:
            return "taken"

    with ThreadPoolExecutor(CONTENDERS) as pool:
        return Counter(pool.map(run, range(CONTENDERS)))


class TestBatch:
    def test_is_changed_for_vouchers_to_come_only(self, foil):
        foil.batch("CHANGES")
        (before,) = foil.issue("CHANGES")
        foil.batch("CHANGES", value_amount=7000)
        (after,) = foil.issue("CHANGES")
        assert [found.value_amount for found in foil.look(before, after)] == [5000, 7000]

    def test_that_says_the_same_changes_nothing(self, foil):
        wish = foil.batch("SAME")
        with foil.shop.sessions.begin() as session:
            assert not put_batch(session, wish, actor="test", now=foil.shop.now)

    def test_keeps_at_import_what_the_format_does_not_say(self, foil):
        foil.batch("IMPORTED", residual="keep", symbology="qr", names={"cs": "Poukázka"})
        with foil.shop.sessions.begin() as session:
            imported_batch(
                session,
                batch_code="IMPORTED",
                value_amount=100,
                currency="CZK",
                minimum_amount=0,
                valid_days=None,
                actor="test",
                now=foil.shop.now,
            )
            batch = batch_of(session, "IMPORTED")
        assert (batch.value_amount, batch.residual, batch.symbology) == (100, "keep", "qr")
        assert batch.name("cs") == "Poukázka"
        assert batch.name("pl") == "IMPORTED"

    @pytest.mark.parametrize(
        ("part", "content"),
        [
            ("batch_code", "small"),
            ("value_amount", -1),
            ("currency", None),
            ("valid_days", -1),
            ("residual", "lost"),
            ("symbology", "runes"),
            ("ean_prefix", "99"),
            ("store_ids", (12345,)),
        ],
    )
    def test_that_cannot_be_is_refused_by_its_part(self, foil, part, content):
        with pytest.raises(BadBatch) as refusal:
            foil.batch(**{"code": "BAD"} | {part if part != "batch_code" else "code": content})
        assert refusal.value.field == part

    def test_that_is_only_a_key_leaves_no_rest(self, foil):
        with pytest.raises(BadBatch):
            foil.batch("KEYREST", value_amount=None, residual="keep")

    def test_that_there_is_not_is_not_found(self, foil):
        with pytest.raises(BatchNotFound):
            foil.issue("NOBODY")


class TestIssuing:
    def test_gives_each_its_own_code_with_a_check(self, foil):
        foil.batch("MANY")
        codes = foil.issue("MANY", 500)
        assert len(set(codes)) == 500
        assert all(map(has_its_check, codes))

    def test_makes_numbers_that_every_till_scans_where_the_batch_says_so(self, foil):
        foil.batch("SHORT", symbology="ean13", ean_prefix="28")
        assert {(len(code), code[:2]) for code in foil.issue("SHORT", 20)} == {(13, "28")}

    def test_ends_after_the_last_day_of_the_store(self, foil):
        foil.batch("WEEK", valid_days=7)
        (code,) = foil.issue("WEEK")
        (found,) = foil.look(code)
        assert found.valid_until == foil.shop.today + timedelta(days=7)

    def test_is_not_endless(self, foil):
        foil.batch("TOOMANY")
        with pytest.raises(TooMany):
            foil.issue("TOOMANY", 0)

    def test_makes_long_codes_for_a_paid_sale_when_numbers_run_short(self, foil, monkeypatch):
        with foil.shop.sessions() as session:
            short = "select count(*) from voucher where length(voucher_code) = 13 and state in ('issued', 'reserved')"
            open_now = session.scalar(text(short))
        monkeypatch.setattr(voucher_issue, "MOST_SHORT_CODES", open_now + 2)
        foil.batch("SCARCE", symbology="ean13", residual="reissue")
        with pytest.raises(TooMany):
            foil.issue("SCARCE", 5)
        codes = foil.issue("SCARCE", 5, receipt=foil.receipt())
        assert sorted(map(len, codes)) == [13, 13, 16, 16, 16]
        assert all(map(has_its_check, codes))
        (rest,) = foil.redeem(codes[-1], SCARCE=1000).issued
        assert len(rest.voucher_code) == 16

    def test_takes_codes_from_elsewhere_as_they_are(self, foil):
        foil.batch("PRINTED")
        foil.batch("PRINTED2")
        with foil.shop.sessions.begin() as session:
            more = {"today": foil.shop.today, "actor": "test", "now": foil.shop.now}
            assert take_codes(session, batch_code="PRINTED", codes=["AB-12", "CD-34"], **more) == 2
            assert take_codes(session, batch_code="PRINTED", codes=["AB-12", "EF-56"], **more) == 1
            with pytest.raises(CodeTaken):
                take_codes(session, batch_code="PRINTED2", codes=["AB-12"], **more)
        assert foil.reason(" ab-12 ") is None

    def test_never_gives_out_the_number_of_a_card(self, foil):
        foil.batch("CARDS")
        with foil.shop.sessions.begin() as session, pytest.raises(CodeTaken):
            take_codes(
                session,
                batch_code="CARDS",
                codes=[CARD],
                today=foil.shop.today,
                actor="test",
                now=foil.shop.now,
            )


class TestPresented:
    def test_says_why_a_code_is_not_good(self, foil):
        foil.batch("HERE", store_ids=(foil.shop.till.store_id,))
        foil.batch("EURO", currency="EUR")
        foil.batch("DAY", valid_days=0)
        foil.batch("ITS")
        (here,), (euro,), (day,) = foil.issue("HERE"), foil.issue("EURO"), foil.issue("DAY")
        (its,) = foil.issue("ITS", account_id=foil.account(CARD), bound=True)
        assert foil.reason("NEVER-SEEN") == "unknown"
        assert (foil.reason(here), foil.reason(here, till="T3")) == (None, "other_store")
        assert foil.reason(euro) == "currency"
        assert foil.reason(its) == "other_member"
        assert foil.reason(its, account_id=foil.account(OTHER_CARD)) == "other_member"
        assert foil.reason(its, account_id=foil.account(CARD)) is None
        foil.batch("ITSEURO", currency="EUR")
        assert foil.reason(*foil.issue("ITSEURO", account_id=foil.account(CARD), bound=True)) == "currency"
        assert foil.reason(day) is None
        foil.shop.later(days=1)
        assert foil.reason(day) == "expired"

    def test_follows_an_account_that_was_joined_to_another(self, foil):
        foil.batch("FOLLOWS")
        (code,) = foil.issue("FOLLOWS", account_id=foil.account(CARD), bound=True)
        joined = foil.account(OTHER_CARD)
        with foil.shop.sessions.begin() as session:
            for account in (foil.account(CARD), joined):
                session.execute(
                    text("insert into balance values (:a) on conflict do nothing"), {"a": account}
                )
            moved = text("update balance set moved_to = :b where account_id = :a")
            session.execute(moved, {"a": foil.account(CARD), "b": joined})
        assert foil.reason(code, account_id=joined) is None
        with foil.shop.sessions.begin() as session:
            session.execute(moved, {"a": foil.account(CARD), "b": None})


class TestRedeeming:
    def test_happens_once_and_is_flagged_the_second_time(self, foil):
        foil.batch("ONCE")
        (code,) = foil.issue("ONCE")
        receipt = foil.receipt()
        assert foil.redeem(code, receipt=receipt).flags == []
        assert foil.redeem(code, receipt=receipt).flags == []
        again = foil.redeem(code)
        assert [flag for flag, _ in again.flags] == ["over_redeemed"]
        assert again.codes == []
        assert foil.events(code) == ["issued", "redeemed", "redeemed_again"]
        assert foil.reason(code) == "redeemed"

    def test_is_done_for_exactly_one_of_sixteen_receipts(self, foil):
        foil.batch("RACE")
        (code,) = foil.issue("RACE")
        told = contend(lambda: [flag for flag, _ in foil.redeem(code).flags])
        assert told == {"[]": 1, "['over_redeemed']": 15}
        assert Counter(foil.events(code)) == {"issued": 1, "redeemed": 1, "redeemed_again": 15}

    def test_never_refuses_what_was_paid_with(self, foil):
        foil.batch("OVER", valid_days=0)
        foil.batch("MINE")
        (over,) = foil.issue("OVER")
        (mine,) = foil.issue("MINE", account_id=foil.account(CARD), bound=True)
        foil.shop.later(days=2)
        told = foil.redeem(over, mine, "NOBODYS")
        assert sorted(flag for flag, _ in told.flags) == [
            "offer_not_valid",
            "offer_not_valid",
            "unknown_offer",
        ]
        assert sorted(told.codes) == sorted([over, mine])

    def test_forfeits_the_rest_unless_the_batch_says_otherwise(self, foil):
        foil.batch("FORFEIT")
        (code,) = foil.issue("FORFEIT")
        assert foil.redeem(code, FORFEIT=3000).issued == []
        assert foil.reason(code) == "redeemed"

    def test_keeps_the_rest_on_the_voucher_until_it_is_used_up(self, foil):
        foil.batch("KEEP", residual="keep")
        (code,) = foil.issue("KEEP")
        foil.redeem(code, KEEP=3000)
        (found,) = foil.look(code)
        assert (found.reason, found.value_amount) == (None, 2000)
        foil.redeem(code, KEEP=2000)
        assert foil.reason(code) == "redeemed"

    def test_issues_the_rest_anew_with_the_same_end(self, foil):
        foil.batch("ANEW", residual="reissue")
        (code,) = foil.issue("ANEW")
        foil.shop.later(days=3)
        (rest,) = foil.redeem(code, ANEW=1000).issued
        assert (rest.value_amount, rest.valid_until) == (4000, foil.look(code)[0].valid_until)
        assert foil.reason(rest.voucher_code) is None

    def test_shares_what_a_batch_took_off_over_its_vouchers(self, foil):
        foil.batch("TWO", residual="keep")
        codes = foil.issue("TWO", 2)
        foil.redeem(*codes, TWO=7000)
        assert sorted(found.value_amount for found in foil.look(*codes)) == [0, 3000]

    def test_leaves_one_alone_that_the_receipt_says_nothing_of(self, foil):
        foil.batch("UNSAID")
        (code,) = foil.issue("UNSAID")
        told = foil.redeem(code, OTHER=5000)
        assert (told.codes, told.flags, foil.reason(code)) == ([], [], None)

    def test_leaves_one_alone_whose_bill_was_covered_before_it(self, foil):
        foil.batch("COVERED")
        codes = sorted(foil.issue("COVERED", 2))
        told = foil.redeem(*codes, COVERED=4000)
        assert (told.codes, [foil.reason(code) for code in codes]) == (codes[:1], ["redeemed", None])

    def test_takes_the_good_ones_first(self, foil):
        foil.batch("GOODONES")
        first, last = sorted(foil.issue("GOODONES", 2))
        foil.reserve(first, till="T2")
        assert foil.redeem(first, last, GOODONES=5000).codes == [last]
        assert (foil.reason(first, till="T2"), foil.reason(last)) == (None, "redeemed")

    def test_needs_an_offer_that_asks_for_a_key(self, foil):
        foil.batch("KEYS", value_amount=None)
        (code,) = foil.issue("KEYS")
        assert (foil.redeem(code, OTHER=100).codes, foil.reason(code)) == ([], None)
        assert (foil.redeem(code, asked={"KEYS"}).codes, foil.reason(code)) == ([code], "redeemed")


class TestReservation:
    def test_is_one_till_s_alone_until_its_time_is_over(self, foil):
        foil.batch("HELD")
        (code,) = foil.issue("HELD")
        hold = foil.reserve(code)
        assert hold.document(foil.shop.now) == {
            "redemption_id": str(hold.redemption_id),
            "state": "reserved",
            "expires_at": (foil.shop.now + timedelta(minutes=10)).isoformat(),
            "points": 0,
            "value_amount": 5000,
        }
        assert foil.reason(code) is None
        assert foil.reason(code, till="T2") == "reserved"
        with pytest.raises(held.VoucherTaken):
            foil.reserve(code, till="T2")
        foil.shop.later(minutes=11)
        with pytest.raises(held.VoucherOver):
            foil.resolve(held.post_voucher, hold)
        other = foil.reserve(code, till="T2")
        assert foil.resolve(held.post_voucher, other, till="T2").state == "posted"
        assert foil.resolve(held.post_voucher, other, till="T2").state == "posted"
        with pytest.raises(held.VoucherTaken):
            foil.resolve(held.release_voucher, other)

    def test_goes_to_exactly_one_of_sixteen(self, foil):
        foil.batch("SIXTEEN")
        (code,) = foil.issue("SIXTEEN")
        assert contend(lambda: foil.reserve(code).state) == {"reserved": 1, "taken": 15}

    def test_that_is_released_lets_others_have_it(self, foil):
        foil.batch("FREED")
        (code,) = foil.issue("FREED")
        hold = foil.reserve(code)
        assert foil.resolve(held.release_voucher, hold).state == "released"
        assert foil.resolve(held.release_voucher, hold).state == "released"
        with pytest.raises(held.VoucherReleased):
            foil.resolve(held.post_voucher, hold)
        foil.reserve(code, till="T3")
        with pytest.raises(held.NotTakenHere):
            foil.resolve(held.release_voucher, foil.reserve(*foil.issue("FREED"), till="T3"))

    def test_gives_way_to_a_receipt_that_paid_with_the_voucher(self, foil):
        foil.batch("PAID")
        (code,) = foil.issue("PAID")
        hold = foil.reserve(code)
        assert [flag for flag, _ in foil.redeem(code, till="T2").flags] == ["over_redeemed"]
        with pytest.raises(held.VoucherReleased):
            foil.resolve(held.post_voucher, hold)

    def test_of_what_nobody_issued_or_somebody_used_is_refused(self, foil):
        foil.batch("USED")
        (code,) = foil.issue("USED")
        foil.redeem(code)
        with pytest.raises(held.VoucherTaken):
            foil.reserve(code)
        with pytest.raises(held.VoucherNotFound):
            foil.reserve("NOTHING")

    def pay(self, foil, hold: held.VoucherHold, *, till: str = "T1", account_id=None):
        with foil.shop.sessions.begin() as session:
            paid = held.post_with_receipt(
                session, hold, till=foil.shop.tills[till], account_id=account_id, receipt=foil.receipt()
            )
        return paid.redeemed, paid.flags

    def test_of_another_till_is_given_up_and_not_posted_with_this_one(self, foil):
        foil.batch("LAPSED")
        (code,) = foil.issue("LAPSED")
        lapsed = foil.reserve(code)
        foil.shop.later(minutes=11)
        other = foil.reserve(code, till="T2")
        redeemed, odd = self.pay(foil, lapsed)
        assert (redeemed, [flag for flag, _ in odd]) == (True, ["over_redeemed", "over_redeemed"])
        with foil.shop.sessions() as session:
            found = held.read_holds(session, [lapsed.redemption_id, other.redemption_id])
        assert found[lapsed.redemption_id].state == "posted"
        assert found[other.redemption_id].state == "released"

    def test_of_another_member_s_voucher_is_paid_with_and_flagged(self, foil):
        foil.batch("BOUND")
        own, other = foil.issue("BOUND", 2, account_id=foil.account(CARD), bound=True)
        assert self.pay(foil, foil.reserve(own), account_id=foil.account(CARD)) == (True, [])
        redeemed, odd = self.pay(foil, foil.reserve(other), account_id=foil.account(OTHER_CARD))
        assert (redeemed, odd) == (
            True,
            [("offer_not_valid", f"the voucher {other} belongs to another member")],
        )


class TestUndoing:
    @pytest.fixture
    def sale(self, foil) -> OfReceipt:
        return foil.receipt()

    def test_gives_spent_ones_back_once(self, foil, sale):
        foil.batch("BACK")
        (code,) = foil.issue("BACK")
        foil.redeem(code, receipt=sale)
        with foil.shop.sessions.begin() as session:
            assert give_back_vouchers(session, sale=sale, by=uuid7(), actor="test") == [code]
            assert give_back_vouchers(session, sale=sale, by=uuid7(), actor="test") == []
        assert foil.reason(code) is None
        assert foil.redeem(code).flags == []

    def test_gives_back_what_was_used_of_one_that_keeps_its_rest(self, foil, sale):
        foil.batch("KEPT", residual="keep")
        (code,) = foil.issue("KEPT")
        foil.redeem(code, receipt=sale, KEPT=2000)
        with foil.shop.sessions.begin() as session:
            (spent,) = vouchers_of_sale(session, sale.receipt_id).spent
            assert (spent.voucher_code, spent.amount) == (code, 2000)
            give_back_vouchers(session, sale=sale, by=uuid7(), actor="test")
        assert foil.look(code)[0].value_amount == 5000

    def test_leaves_one_redeemed_whose_rest_was_used(self, foil, sale):
        foil.batch("RESTS", residual="reissue")
        used, unused = foil.issue("RESTS", 2)
        (rest,) = foil.redeem(used, receipt=sale, RESTS=1000).issued
        (other,) = foil.redeem(unused, receipt=sale, RESTS=1000).issued
        foil.redeem(rest.voucher_code)
        with foil.shop.sessions.begin() as session:
            assert give_back_vouchers(session, sale=sale, by=uuid7(), actor="test") == [unused]
        assert (foil.reason(used), foil.reason(unused)) == ("redeemed", None)
        assert foil.reason(other.voucher_code) == "cancelled"

    def test_cancels_those_that_the_sale_issued_and_nobody_used(self, foil, sale):
        foil.batch("ISSUED")
        unused, used = foil.issue("ISSUED", 2, receipt=sale)
        foil.redeem(used)
        with foil.shop.sessions.begin() as session:
            assert cancel_issued(session, sale=sale, by=uuid7(), actor="test") == [unused]
        assert foil.reason(unused) == "cancelled"
        assert [flag for flag, _ in foil.redeem(unused).flags] == ["offer_not_valid"]

    def test_can_be_undone_itself(self, foil, sale):
        foil.batch("INVERSE")
        (spent,) = foil.issue("INVERSE")
        (issued,) = foil.issue("INVERSE", receipt=sale)
        foil.redeem(spent, receipt=sale)
        back = uuid7()
        with foil.shop.sessions.begin() as session:
            give_back_vouchers(session, sale=sale, by=back, actor="test")
            cancel_issued(session, sale=sale, by=back, actor="test")
            take_again(session, sale=sale, by=back, actor="test")
        assert (foil.reason(spent), foil.reason(issued)) == ("redeemed", None)
        with foil.shop.sessions.begin() as session:
            assert [spent] == [
                found.voucher_code for found in vouchers_of_sale(session, sale.receipt_id).spent
            ]

    def undo(self, foil, sale: OfReceipt, back: UUID) -> None:
        with foil.shop.sessions.begin() as session:
            give_back_vouchers(session, sale=sale, by=back, actor="test")

    def undo_that(self, foil, sale: OfReceipt, back: UUID) -> None:
        with foil.shop.sessions.begin() as session:
            take_again(session, sale=sale, by=back, actor="test")

    def test_takes_again_of_one_that_was_used_in_part_before(self, foil, sale):
        foil.batch("PARTS", residual="keep")
        (code,) = foil.issue("PARTS")
        foil.redeem(code, PARTS=1000)
        foil.redeem(code, receipt=sale, PARTS=1500)
        back = uuid7()
        self.undo(foil, sale, back)
        assert foil.look(code)[0].value_amount == 4000
        self.undo_that(foil, sale, back)
        assert (foil.look(code)[0].value_amount, foil.reason(code)) == (2500, None)

    def test_restores_no_rest_of_one_that_is_not_taken_again(self, foil, sale):
        foil.batch("RESTED", residual="reissue")
        used, free = foil.issue("RESTED", 2)
        (rest,) = foil.redeem(used, receipt=sale, RESTED=1000).issued
        (other,) = foil.redeem(free, receipt=sale, RESTED=1000).issued
        back = uuid7()
        self.undo(foil, sale, back)
        foil.redeem(used, RESTED=5000)
        self.undo_that(foil, sale, back)
        assert (foil.reason(rest.voucher_code), foil.reason(other.voucher_code)) == ("cancelled", None)
        assert foil.reason(free) == "redeemed"

    def test_gives_back_what_was_used_of_one_that_a_till_holds(self, foil, sale):
        foil.batch("ATTILL", residual="keep")
        (code,) = foil.issue("ATTILL")
        foil.redeem(code, receipt=sale, ATTILL=3000)
        hold = foil.reserve(code, till="T2")
        self.undo(foil, sale, uuid7())
        assert (foil.reason(code), foil.look(code)[0].value_amount) == ("reserved", 5000)
        foil.resolve(held.post_voucher, hold, till="T2")
        assert (foil.reason(code), foil.look(code)[0].value_amount) == (None, 3000)


class TestTheDatabase:
    def test_lets_no_voucher_be_redeemed_again(self, foil):
        foil.batch("HARD")
        (code,) = foil.issue("HARD")
        foil.redeem(code)
        with foil.shop.sessions.begin() as session, pytest.raises(IntegrityError, match="cannot become"):
            session.execute(
                text("update voucher set state = 'cancelled', redeemed_at = null where voucher_code = :code"),
                {"code": code},
            )

    def test_lets_no_value_be_changed(self, foil):
        foil.batch("VALUE")
        (code,) = foil.issue("VALUE")
        with (
            foil.shop.sessions.begin() as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(
                text("update voucher set value_amount = 9 where voucher_code = :code"), {"code": code}
            )

    def test_lets_no_event_be_forgotten(self, foil):
        with (
            foil.shop.sessions.begin() as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(text("delete from voucher_event"))


def test_a_batch_counts_days_from_the_day_of_issue():
    assert Batch("X", valid_days=30).last_day(date(2026, 11, 21)) == date(2026, 12, 21)
    assert Batch("X").last_day(date(2026, 11, 21)) is None
