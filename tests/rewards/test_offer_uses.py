"""Budgets in the database: what is left, what quotes hold, what receipts use and give back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from core.database import Sessions
from core.driver import driver_of
from core.verification import verify
from rewards.offer_operations import import_document
from rewards.offer_uses import (
    HOLD,
    Place,
    Use,
    Using,
    budgets_left,
    give_back_uses,
    hold_values,
    restore_uses,
    use_offers,
)
from rewards.offer_verification import CHECKS
from rewards.offers import Always, BonusPoints, Limits, Offer
from sales.operations import add_store

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
TODAY = date(2026, 11, 21)
"""A Saturday; its week begins on the 16th."""
HERE, THERE = Place(1, 11, TODAY), Place(1, 12, TODAY)


class Budget:
    """One offer with a budget, told about in few words."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.limits = Limits()
        with sessions.begin() as session:
            add_store(session, store_code="S1", name="S1", currency="CZK", timezone="Europe/Prague")

    def goes_live(self, **limits: int) -> None:
        self.limits = Limits(**limits)
        offer = {
            "code": "O",
            "condition": {"kind": "always"},
            "benefit": {"kind": "points", "points": 5},
            "limits": limits,
        }
        with self.sessions.begin() as session:
            import_document(
                session, document={"format": 1, "offers": [offer]}, actor="test", now=NOW, live=True
            )

    def use_of(self, uses: int, amount: int) -> Use:
        return Use("O", 1, uses, amount, self.limits)

    def hold(
        self, uses: int = 1, amount: int = 0, *, place: Place = HERE, now: datetime = NOW
    ) -> UUID | None:
        quote = uuid4()
        values = hold_values(
            quote_id=quote,
            place=place,
            wanted=[self.use_of(uses, amount)],
            now=now,
            valid_until=now + timedelta(minutes=10),
        )
        with self.sessions.begin() as session:
            row = driver_of(session).execute(f"select {HOLD}", values).fetchone()
        assert row is not None
        return quote if row[0] is None else None

    def use(self, uses: int = 1, amount: int = 0, **told: Any) -> tuple[UUID, set[str]]:
        receipt = uuid4()
        now = told.get("now", NOW)
        using = Using(
            TODAY,
            receipt,
            told.get("place", HERE),
            told.get("person"),
            told.get("quote"),
            told.get("closed", now),
        )
        with self.sessions.begin() as session:
            return receipt, use_offers(session, using=using, uses=[self.use_of(uses, amount)], now=now)

    def left(self, *, now: datetime = NOW, person: UUID | None = None, place: Place = HERE) -> Any:
        offer = Offer("O", Always(), BonusPoints(5), limits=self.limits)
        with self.sessions.begin() as session:
            return budgets_left(session, offers=[offer], place=place, person_id=person, now=now)["O"]

    def broken(self) -> set[str]:
        return {verdict.code for verdict in verify(self.sessions, CHECKS) if not verdict.ok}


@pytest.fixture
def budget(sessions: Sessions) -> Budget:
    return Budget(sessions)


class TestHold:
    def test_is_given_to_one_only_until_it_is_over(self, budget: Budget):
        budget.goes_live(uses=1)
        assert budget.hold() is not None
        assert budget.hold(place=THERE) is None
        later = NOW + timedelta(minutes=10)
        assert budget.left(now=later, place=THERE).uses == 1
        assert budget.hold(place=THERE, now=later) is not None

    def test_is_let_go_with_the_next_quote_of_the_till(self, budget: Budget):
        budget.goes_live(amount=1000)
        assert budget.hold(amount=1000) is not None
        assert budget.hold(amount=1001) is None
        assert budget.hold(amount=1000, place=THERE) is not None

    def test_is_of_a_store_s_day_and_week_too(self, budget: Budget):
        budget.goes_live(per_store_day_uses=1, per_store_week_uses=2)
        budget.use()
        assert budget.hold() is None
        sunday, monday = TODAY + timedelta(days=1), TODAY + timedelta(days=2)
        assert budget.hold(place=Place(1, 11, sunday)) is not None
        assert budget.left(place=Place(1, 12, sunday)).store_week_uses == 0
        assert budget.left(place=Place(1, 12, monday)).store_week_uses == 2
        assert budget.left(place=Place(2, 13, sunday)).store_week_uses == 2


class TestUse:
    def test_of_senseless_amounts_never_fills_a_counter(self, budget: Budget):
        budget.goes_live(amount=10_000)
        for _ in range(2):
            assert budget.use(amount=9 * 10**18)[1] == {"O"}
        assert budget.left().amount == 0
        assert "O1" not in budget.broken()

    def test_says_what_is_beyond_and_what_its_quote_had_held(self, budget: Budget):
        budget.goes_live(uses=1)
        quote = budget.hold()
        later = NOW + timedelta(hours=1)
        # The till was offline: it was paid while the hold lasted, and comes when another has taken the last.
        assert budget.use(place=THERE, now=later)[1] == set()
        _, beyond = budget.use(quote=quote, closed=NOW, now=later)
        assert beyond == set()
        assert budget.use(now=later)[1] == {"O"}
        with budget.sessions.begin() as session:
            covered = session.execute(text("select covered from offer_use order by use_id")).scalars().all()
        assert covered == ["within", "late", "beyond"]
        assert budget.broken() == {"O2"}, "nobody has flagged a receipt here"

    def test_counts_what_was_used_before_there_was_a_budget(self, budget: Budget):
        budget.goes_live()
        person = uuid4()
        budget.use(3, 900, person=person)
        budget.goes_live(uses=5, per_member=4)
        left = budget.left(person=person)
        assert (left.uses, left.member) == (2, 1)
        assert budget.left(person=uuid4()).member == 4
        assert budget.broken() == set()

    def test_comes_back_once_and_can_stand_again(self, budget: Budget):
        budget.goes_live(uses=2, amount=500, per_store_day_uses=2)
        receipt, _ = budget.use(2, 500)
        returned, voided = uuid4(), uuid4()
        sale = {"business_date": TODAY, "receipt_id": receipt, "now": NOW}
        with budget.sessions.begin() as session:
            give_back_uses(session, by_receipt_id=returned, **sale)
            give_back_uses(session, by_receipt_id=uuid4(), **sale)
        left = budget.left()
        assert (left.uses, left.amount, left.store_day_uses) == (2, 500, 2)
        with budget.sessions.begin() as session:
            restore_uses(session, restored_of=returned, by_receipt_id=voided, **sale)
        assert budget.left().uses == 0
        assert budget.broken() == set()


class TestChecks:
    def test_find_counters_and_uses_that_do_not_agree(self, budget: Budget, owner_engine: Engine):
        budget.goes_live(uses=2)
        budget.use(2)
        assert budget.broken() == set()
        for harm, code in (
            ("update offer_counter set uses = uses + 1 where period = 'day'", "O1"),
            ("update offer_use set uses = 3", "O2"),
            ("update offer_use set offer_version = 9", "O3"),
        ):
            with owner_engine.connect() as owner:
                owner.execute(text("set session_replication_role = replica"))
                owner.execute(text(harm))
                owner.commit()
                assert code in budget.broken()
