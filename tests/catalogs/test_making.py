"""Copies of a run, with real files."""

from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from catalogs import making
from catalogs.making import Making
from catalogs.models import CatalogVoucher
from catalogs.runs.jobs import work_on_run
from catalogs.runs.operations import cancel_run, start_run
from customers.models import Member
from rewards.models import Voucher
from rewards.vouchers.batches import Batch, put_batch
from tests.catalogs.chain import DAY, NOW, Chain
from tests.catalogs.run import Run


@pytest.mark.usefixtures("at_home", "in_november")
class TestCopies:
    def test_carry_vouchers_of_their_own_once(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            for code, currency in (("C3", "CZK"), ("E3", "EUR")):
                put_batch(
                    session,
                    Batch(code, value_amount=300, currency=currency, valid_days=13),
                    actor="m",
                    now=NOW,
                )
        run = Run(chain, tmp_path, voucher_batches=("C3", "E3"))
        run.make()
        with chain.sessions() as session:
            rows = session.execute(
                select(
                    CatalogVoucher.batch_code, Voucher.account_id, Voucher.bound, Voucher.valid_until
                ).join(Voucher, Voucher.voucher_code == CatalogVoucher.voucher_code)
            ).all()
            assert session.scalar(select(func.count()).select_from(Voucher)) == 4
        assert {row.batch_code for row in rows} == {"C3"}
        assert len({row.account_id for row in rows}) == 4
        assert all(row.bound and row.valid_until == date(2026, 12, 6) for row in rows)

    def test_go_by_the_channel_that_was_agreed_to(self, chain: Chain, tmp_path: Path):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        chain.join("nowhere", "t1", consent=("offers", "email"))
        run = Run(chain, tmp_path)
        run.make()
        channels = {code: copy.channel for code, copy in chain.copies().items()}
        assert channels.pop("mail") == "email"
        assert "nowhere" not in channels
        assert set(channels.values()) == {"print"}

    def test_are_not_made_for_those_held_out(self, chain: Chain, tmp_path: Path):
        for number in range(10, 30):
            chain.join(f"t1-{number}", "t1")
        run = Run(chain, tmp_path, hold_out=Decimal("0.5"))
        run.make()
        audience = run.audience
        assert audience.held_out + audience.made == 24
        # Near the share of what is drawn is held by the tests of `held_out`; here somebody is, and not everybody.
        assert 1 <= audience.held_out <= 23

    def test_lie_in_many_folders_exactly_as_archived(self, run: Run):
        run.make()
        for copy in run.chain.copies().values():
            assert sha256((run.data / copy.path).read_bytes()).digest() == copy.sha256
            assert len(Path(copy.path).parts) == 4

    def test_stop_after_a_first_part_and_go_on(self, chain: Chain, tmp_path: Path):
        run = Run(chain, tmp_path, first_part=1)
        run.approve()
        run.do(start_run, actor="mara")
        assert run.work() == ["stopped"]
        assert (run.view.state, run.audience.made) == ("stopped", 1)
        run.do(start_run, actor="mara")
        assert run.work() == ["completed"]
        assert (run.view.state, run.audience.made) == ("finished", 4)


@pytest.mark.usefixtures("at_home", "in_november")
class TestEndedRuns:
    """What is not sent leaves no voucher behind that somebody could redeem."""

    @pytest.fixture
    def run(self, chain: Chain, tmp_path: Path) -> Run:
        with chain.sessions.begin() as session:
            put_batch(session, Batch("C3", value_amount=300, currency="CZK"), actor="m", now=NOW)
        run = Run(chain, tmp_path, voucher_batches=("C3",))
        run.approve()
        run.do(start_run, actor="mara")
        return run

    def work(self, run: Run, **more) -> str:
        return work_on_run(
            run.chain.sessions, run_id=run.id, data=run.data, day=DAY, now=NOW, workers=1, **more
        ).state

    def interrupt(self, run: Run, monkeypatch) -> None:
        """Let the maker die when the vouchers of a round are issued and none of its copies is archived."""

        def die(_making, _orders):
            raise KeyboardInterrupt

        with monkeypatch.context() as once:
            once.setattr(Making, "archive", die)
            with pytest.raises(KeyboardInterrupt):
                self.work(run)
        assert self.vouchers(run) == {"issued": 4}

    def vouchers(self, run: Run) -> dict[str, int]:
        with run.chain.sessions() as session:
            return dict(session.execute(select(Voucher.state, func.count()).group_by(Voucher.state)).all())

    def test_are_not_gone_on_with(self, run: Run, monkeypatch):
        monkeypatch.setattr(making, "ROUND", 1)
        cancelled = []

        def report(done: int, _total: int | None) -> None:
            if done == 1 and not cancelled:
                cancelled.append(run.do(cancel_run, reason="wrong prices", actor="mara"))

        assert self.work(run, report=report) == "cancelled"
        assert run.view.state == "cancelled"
        assert [copy.state for copy in run.chain.copies().values()] == ["dropped"]
        assert self.vouchers(run) == {"cancelled": 1}

    def test_take_back_the_vouchers_of_a_round_that_was_interrupted(self, run: Run, monkeypatch):
        self.interrupt(run, monkeypatch)
        run.do(cancel_run, reason="wrong prices", actor="mara")
        assert self.vouchers(run) == {"cancelled": 4}

    def test_take_back_the_voucher_of_who_objects_before_the_round_goes_on(self, run: Run, monkeypatch):
        self.interrupt(run, monkeypatch)
        with run.chain.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_code == "t1-0").values(profiling_objected_at=NOW)
            )
        run.do(start_run, actor="mara")
        assert run.work() == ["completed"]
        assert run.audience.made == 3
        assert self.vouchers(run) == {"issued": 3, "cancelled": 1}
