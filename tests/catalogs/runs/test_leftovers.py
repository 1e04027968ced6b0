"""What interrupted, stale and held back work leaves behind is gone when somebody works on."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from catalogs.models import CatalogHandover, CatalogVoucher
from catalogs.runs.handovers import make_stale
from catalogs.runs.leftovers import cancel_held_back_vouchers, remove_leftovers, remove_stale_files
from catalogs.runs.operations import cancel_run, start_run
from contacts.models import OutgoingMail
from rewards.models import Voucher
from rewards.vouchers.batches import Batch, put_batch
from tests.catalogs.chain import NOW, Chain
from tests.catalogs.run import Run


def files_in(data: Path, folder: str) -> set[str]:
    return {path.relative_to(data).as_posix() for path in (data / folder).rglob("*") if path.is_file()}


def leave(run: Run) -> None:
    with run.chain.sessions.begin() as session:
        remove_leftovers(session, data=run.data, now=NOW)


@pytest.mark.usefixtures("at_home", "in_november")
class TestStrays:
    def test_of_a_killed_process_go_when_the_run_is_worked_on(self, run: Run):
        run.approve()
        folder = run.data / "catalogs" / "2026-W48-t1-trh-r1" / "ab"
        folder.mkdir(parents=True)
        (folder / "2026-W48-t1-trh-r1-abcdefghij.4711.part").write_bytes(b"Jana")
        (folder / "2026-W48-t1-trh-r1-abcdefghij.pdf").write_bytes(b"Jana")
        run.do(start_run, actor="mara")
        assert run.work() == ["completed"]
        archived = {copy.path for copy in run.chain.copies().values()}
        assert {path.split("/")[1] for path in archived} == {"2026-W48-t1-trh-r1"}
        assert files_in(run.data, "catalogs") == archived

    def test_of_a_cancelled_run_go_by_night_and_its_archive_stays(self, run: Run):
        run.make()
        archived = {copy.path for copy in run.chain.copies().values()}
        stray = run.data / f"{min(archived)}.4711.part"
        stray.write_bytes(b"Jana")
        run.do(cancel_run, reason="wrong prices", actor="mara")
        leave(run)
        assert files_in(run.data, "catalogs") == archived


@pytest.mark.usefixtures("at_home", "in_november")
class TestFilesOfHandovers:
    def test_go_when_another_takes_their_place(self, run: Run):
        run.make()
        first = run.handover(run.ask("print")).path
        second = run.handover(run.ask("print")).path
        assert first != second
        assert files_in(run.data, "catalogs/handovers") == {second, second.replace(".pdf", ".csv")}

    def test_go_when_they_are_stale_and_stay_when_they_were_handed_over(self, run: Run):
        run.make()
        stale, handed = run.ask("zip"), run.ask("print")
        path = run.take(handed).relative_to(run.data).as_posix()
        with run.chain.sessions.begin() as session:
            make_stale(session, handover_id=stale)
        leave(run)
        assert files_in(run.data, "catalogs/handovers") == {path, path.replace(".pdf", ".csv")}

    def test_go_when_the_run_is_cancelled(self, run: Run):
        run.make()
        run.ask("print")
        run.do(cancel_run, reason="wrong prices", actor="mara")
        leave(run)
        assert files_in(run.data, "catalogs/handovers") == set()
        with run.chain.sessions() as session:
            assert session.scalars(select(CatalogHandover.state)).all() == ["stale"]

    def test_stay_when_it_was_not_committed_that_they_are_stale(self, run: Run):
        run.make()
        handed = run.ask("print")
        path = run.handover(handed).path
        with run.chain.sessions() as session:
            make_stale(session, handover_id=handed)
            assert remove_stale_files(session, data=run.data)
            session.rollback()
        assert (run.data / path).exists()
        leave(run)
        assert (run.data / path).exists()

    def test_stay_while_one_is_being_prepared(self, run: Run):
        run.make()
        handover = run.handover(run.ask("print"))
        with run.chain.sessions.begin() as session:
            session.execute(update(CatalogHandover).values(state="waiting", path=None))
        half = run.data / f"{handover.path}.4711.part"
        half.write_bytes(b"half")
        leave(run)
        assert half.exists()


@pytest.mark.usefixtures("at_home", "in_november")
class TestVouchers:
    def test_of_mails_that_were_held_back_are_cancelled(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            put_batch(session, Batch("C3", value_amount=300, currency="CZK"), actor="m", now=NOW)
        for name in ("gone", "got"):
            chain.join(name, "t1", consent=("offers", "email"), email=f"{name}@example.com")
        run = Run(chain, tmp_path, voucher_batches=("C3",), hold_out=Decimal(0))
        run.make()
        run.ask("email")
        gone = chain.members["gone"].member_id
        with chain.sessions.begin() as session:
            session.execute(
                update(OutgoingMail)
                .where(OutgoingMail.member_id == gone)
                .values(state="cancelled", finished_at=NOW)
            )
            assert cancel_held_back_vouchers(session, now=NOW + timedelta(hours=1)) == 1
            assert cancel_held_back_vouchers(session, now=NOW + timedelta(hours=2)) == 0
        with chain.sessions() as session:
            states = session.execute(
                select(CatalogVoucher.member_id, Voucher.state).join(
                    Voucher, Voucher.voucher_code == CatalogVoucher.voucher_code
                )
            ).all()
        assert {row.member_id for row in states if row.state == "cancelled"} == {gone}
        assert len(states) == 6
