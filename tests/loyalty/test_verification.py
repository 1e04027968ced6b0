"""A green check counts only if it turns red: every invariant is broken here on purpose."""

import pytest
from sqlalchemy import Engine, select, text

from core.database import Sessions
from core.ids import uuid7
from core.verification import verify
from customers.models import Card
from loyalty.adjustments import Wish, approve_adjustment, request_adjustment
from loyalty.liability.figures import keep_points_days
from loyalty.verification import CHECKS
from tests.shop import CARD, Shop, open_shop

UNLOCKED = "set session_replication_role = replica"
"""No triggers: what the database itself would refuse is done all the same."""

LEG = "insert into ledger_leg (entry_id, leg_number, account_id, book, lot_id, points)"


@pytest.fixture
def busy(sessions: Sessions) -> Shop:
    """A shop in which everything has happened that the checks look at."""
    shop = open_shop(sessions)
    shop.enrol("2990000000019")
    old = shop.sale(50000, 999, business_date=shop.today.replace(year=2025))
    sale = shop.sale(("3", 340), 700)
    back = shop.back(sale, {1: "2"})
    for posted in (old, sale, back, shop.void(back), shop.back(sale, {1: "2"})):
        shop.post(posted)
    shop.post(shop.paid_with(shop.reserve(100)))
    shop.release(shop.reserve(50))
    shop.hand_over(shop.reserve(20))
    shop.reserve(10)
    voided = shop.paid_with(shop.reserve(30))
    shop.post(voided)
    shop.post(shop.void(voided))
    adjust(shop)
    shop.later(minutes=2)
    with sessions.begin() as session:
        keep_points_days(session, now=shop.now)
    assert shop.broken() == []
    return shop


def adjust(shop: Shop) -> None:
    """One adjustment booked alone, one approved by somebody else, one that waits."""
    for points, by in ((40, "ann"), (600, "bob"), (700, "cy")):
        adjustment_id = uuid7()
        with shop.sessions.begin() as session:
            account_id = session.scalar(select(Card.account_id).where(Card.card_number == CARD))
            wish = Wish(account_id, None, points, "goodwill", "so")
            request_adjustment(
                session, adjustment_id=adjustment_id, wish=wish, actor=by, role="desk", now=shop.now
            )
        if by == "bob":
            with shop.sessions.begin() as session:
                approve_adjustment(session, adjustment_id=adjustment_id, actor="cy", now=shop.now)


def broken(sessions: Sessions) -> set[str]:
    return {verdict.code for verdict in verify(sessions, CHECKS) if not verdict.ok}


class TestChecks:
    @pytest.mark.parametrize(
        ("harm", "codes"),
        [
            ("update balance set points = points + 1", {"I1"}),
            ("update balance set reserved = reserved + 1", {"I1"}),
            ("delete from balance", {"I1"}),
            ("update lot set remaining = remaining + 1", {"I1"}),
            ("update lot set line_remaining[1] = line_remaining[1] - 1, remaining = remaining - 1", {"I1"}),
            (
                """update lot set line_remaining[1] = line_remaining[1] - 1, line_remaining[2] = line_remaining[2] + 1
                where cardinality(line_numbers) = 2""",
                {"I1"},
            ),
            (
                """update receipt_line set points = points + 1 from receipt
                where receipt.receipt_id = receipt_line.receipt_id and type = 'return'""",
                {"I2"},
            ),
            ("update receipt set mode = 'training' where type = 'return'", {"I2"}),
            ("delete from receipt where type = 'void'", {"I2"}),
            ("delete from ledger_leg where book = 'issued'", {"I2", "I3"}),
            ("delete from ledger_leg", {"I1", "I2", "I3", "I6"}),
            (
                f"{LEG} select entry_id, 99, account_id, 'adjusted', null, 1 from ledger_entry where reason = 'release'",
                {"I3"},
            ),
            (
                "update ledger_leg set account_id = (select account_id from account order by 1 desc limit 1)",
                {"I1", "I3"},
            ),
            ("update lot set available_at = '2100-01-01'", {"I4", "L5"}),
            ("update redemption set state = 'reserved', resolved_at = null where state = 'posted'", {"I6"}),
            ("update redemption set state = 'posted', resolved_at = now() where state = 'reserved'", {"I6"}),
            ("update redemption set points = points + 1", {"I6"}),
            ("update receipt_line set counted_quantity = 99 where counted_quantity is not null", {"I7"}),
            ("delete from receipt_link where type = 'void'", {"I7"}),
            (
                """insert into ledger_entry select gen_random_uuid(), account_id, reason, business_date, booked_at,
                receipt_id, gen_random_uuid() from ledger_entry where reason = 'adjust'""",
                {"L6", "I3"},
            ),
            ("update adjustment set points = points + 1 where state = 'approved'", {"L6"}),
            (
                """update adjustment set state = 'approved', decided_by = 'eve', decided_at = now()
                where state = 'requested'""",
                {"L6"},
            ),
            (
                """alter table adjustment drop constraint adjustment_second_check;
                update adjustment set decided_by = requested_by where needs_second and state = 'approved'""",
                {"L6"},
            ),
            ("update adjustment set points_limit = 39 where not needs_second", {"L6"}),
            ("update points_day set points = points + 1 where reason = 'earn'", {"L7"}),
            ("update points_owed set points = points + 1, reserved = reserved - 1", {"L7"}),
            ("delete from points_owed", {"L7"}),
            (
                "grant update on ledger_leg to regulars_app; drop trigger ledger_leg_append_only on ledger_leg",
                {"I11"},
            ),
            (
                "grant delete on ledger_entry to regulars_app; drop trigger ledger_entry_append_only on ledger_entry",
                {"I11"},
            ),
        ],
        ids=range(29),
    )
    def test_find_the_harm(self, busy: Shop, owner_engine: Engine, harm: str, codes: set[str]):
        with owner_engine.begin() as owner:
            owner.execute(text(UNLOCKED))
            for statement in harm.split(";"):
                owner.execute(text(statement))
            owner.execute(text("set session_replication_role = origin"))
        found = broken(busy.sessions)
        assert codes <= found
        if codes != {"I7"}:
            assert found - codes <= {"I2", "I3", "I4", "I6", "L5", "L6", "L7"}

    def test_leave_the_books_as_they_were(self, busy: Shop):
        before = busy.stands()
        assert broken(busy.sessions) == set()
        assert busy.stands() == before
