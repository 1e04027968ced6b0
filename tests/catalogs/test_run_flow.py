"""A run from its draft to the letterbox, with real files, real child processes, and people who change their minds."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from io import StringIO
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from catalogs.handovers import (
    HeardMeanwhile,
    NotPrepared,
    ask_for_handover,
    make_stale,
    take_handover,
)
from catalogs.ignored import ignored_articles
from catalogs.models import CatalogCopy, CatalogVoucher
from catalogs.opening import editions_of_run
from catalogs.result_lists import results_of_run
from catalogs.run_jobs import run_job, waiting_jobs
from catalogs.run_lists import handovers_of, read_proof, read_run, run_audience
from catalogs.run_operations import (
    HANDOVER_JOB,
    ChangedSinceProof,
    NotNow,
    OwnRun,
    approve_run,
    ask_for_proof,
    cancel_run,
    draft_run,
    edit_edition,
    send_back,
    start_run,
)
from catalogs.runs import Recipe
from contacts.models import Contact, OutgoingMail
from customers.models import Member
from rewards.models import Voucher
from rewards.voucher_batches import Batch, put_batch
from tests.catalogs.chain import DAY, NOW, Chain

HOSTILE = (
    ("=cmd|'/C calc'!A0", "@SUM(1)"),
    ("../../etc/passwd", "\\..\\x"),
    ("<script>alert(1)</script>", "{{7*7}}"),
    ("Řehoř\u202e", "Ďurčo\x0b"),
)


class Run:
    """A run of the chain's groups in a data folder."""

    def __init__(self, chain: Chain, data: Path, **parts) -> None:
        self.chain, self.data = chain, data
        recipe = {
            "name": "Advent",
            "theme": "trh",
            "size": "A4",
            "channels": ("print", "email"),
            "valid_from": date(2026, 11, 23),
            "valid_to": date(2026, 12, 7),
            "group_ids": ("t1",),
            "hold_out": Decimal(0),
        } | parts
        with chain.sessions.begin() as session:
            self.id = draft_run(session, Recipe(**recipe), day=DAY, actor="mara", now=NOW)

    def do(self, operation, **values):
        with self.chain.sessions.begin() as session:
            return operation(session, run_id=self.id, now=NOW, **values)

    def work(self) -> list[str]:
        """Do what waits, as the scheduler does; returns how each job ended."""
        return [
            run_job(
                self.chain.sessions, data=self.data, job=job, business_day=day, workers=1, wait=False
            ).state
            for job, day in waiting_jobs(self.chain.sessions)
        ]

    def prove(self) -> None:
        self.do(ask_for_proof, actor="mara")
        assert self.work() == ["completed"]

    def approve(self) -> None:
        self.prove()
        self.do(approve_run, actor="adam")

    def make(self) -> None:
        self.approve()
        self.do(start_run, actor="mara")
        assert self.work() == ["completed"]

    @property
    def view(self):
        with self.chain.sessions() as session:
            return read_run(session, run_id=self.id)

    @property
    def audience(self):
        with self.chain.sessions() as session:
            return run_audience(session, run_id=self.id)

    def ask(self, kind: str) -> UUID:
        handover_id = self.do(ask_for_handover, kind=kind, job=HANDOVER_JOB, actor="mara")
        assert self.work() == ["completed"]
        return handover_id

    def take(self, handover_id: UUID) -> Path:
        with self.chain.sessions.begin() as session:
            taken = take_handover(session, handover_id=handover_id, actor="mara", now=NOW)
            return self.data / taken.path

    def handover(self, handover_id: UUID):
        with self.chain.sessions() as session:
            found = handovers_of(session, run_id=self.id)
        return next(one for one in found if one.handover_id == handover_id)


def words_of(path: Path) -> str:
    return subprocess.run(
        [shutil.which("pdftotext") or "pdftotext", "-layout", path, "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture
def run(chain: Chain, tmp_path: Path) -> Run:
    return Run(chain, tmp_path)


@pytest.mark.usefixtures("at_home", "in_november")
class TestStates:
    def test_go_from_draft_over_proof_and_approval_to_copies(self, run: Run):
        assert run.view.state == "draft"
        run.prove()
        assert run.view.state == "proofed"
        run.do(approve_run, actor="adam")
        run.do(start_run, actor="mara")
        assert run.view.state == "running"
        assert run.work() == ["completed"]
        assert run.view.state == "finished"
        assert (run.audience.made, run.audience.waiting) == (4, 0)
        assert run.work() == []

    def test_need_another_person_than_the_maker(self, run: Run):
        run.prove()
        with pytest.raises(OwnRun):
            run.do(approve_run, actor="mara")
        assert run.view.state == "proofed"

    def test_are_held_by_the_database_as_well(self, run: Run):
        for change in ("state = 'approved'", "approved_by = made_by, state = 'approved'"):
            with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
                session.execute(text(f"update catalog_run set {change}"))

    def test_start_nothing_that_was_not_approved(self, run: Run):
        with pytest.raises(NotNow):
            run.do(start_run, actor="mara")
        run.prove()
        with pytest.raises(NotNow):
            run.do(start_run, actor="mara")

    def test_go_back_to_the_maker_with_a_word(self, run: Run):
        run.prove()
        run.do(send_back, comment="Too much cheese", actor="adam")
        assert (run.view.state, run.view.comment, run.view.comment_by) == ("draft", "Too much cheese", "adam")
        with pytest.raises(NotNow):
            run.do(approve_run, actor="adam")

    def test_need_another_proof_after_a_change(self, run: Run):
        run.prove()
        with run.chain.sessions.begin() as session:
            (edition,) = editions_of_run(session, run.id)
            edit_edition(session, edition_id=edition.edition_id, plan=edition.plan, actor="mia", now=NOW)
        assert run.view.state == "draft"
        run.prove()
        with pytest.raises(OwnRun):
            run.do(approve_run, actor="mia")
        with pytest.raises(ChangedSinceProof):
            run.do(approve_run, actor="adam", proof=1)
        run.do(approve_run, actor="adam", proof=2)
        with pytest.raises(NotNow), run.chain.sessions.begin() as session:
            edit_edition(session, edition_id=edition.edition_id, plan=edition.plan, actor="mia", now=NOW)

    def test_end_with_a_cancelled_run_that_never_leaves(self, run: Run):
        run.make()
        handover_id = run.ask("print")
        run.do(cancel_run, reason="Wrong prices", actor="mara")
        assert {copy.state for copy in run.chain.copies().values()} == {"dropped"}
        with pytest.raises(NotPrepared):
            run.take(handover_id)


@pytest.mark.usefixtures("at_home", "in_november")
class TestProof:
    def test_shows_real_copies_of_members_who_differ_and_issues_nothing(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            put_batch(
                session, Batch("C3", value_amount=300, currency="CZK", valid_days=13), actor="m", now=NOW
            )
        chain.join("long", "t1", name=("Maximiliana", "Wolfeschlegelsteinhausenberger"), language="pl")
        run = Run(chain, tmp_path, voucher_batches=("C3",), group_ids=("t1", "t2"))
        run.prove()
        with chain.sessions() as session:
            proof = read_proof(session, run_id=run.id, number=1)
            assert session.scalar(select(func.count()).select_from(Voucher)) == 0
            assert session.scalar(select(func.count()).select_from(CatalogCopy)) == 0
        assert len(proof.copies) == 9
        assert "long" in {copy.member_code for copy in proof.copies}
        assert {copy.group_name for copy in proof.copies} == {"t1", "t2"}
        for copy in proof.copies:
            assert sha256((tmp_path / copy.path).read_bytes()).digest() == copy.sha256
        assert "SAMPLE" in words_of(tmp_path / proof.copies[0].path).replace(" ", "")


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
        assert 4 <= audience.held_out <= 20

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
class TestArchive:
    def test_never_gives_a_copy_away(self, run: Run):
        run.make()
        with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
            session.execute(text("delete from catalog_copy"))

    def test_keeps_what_was_sent_as_it_was(self, run: Run):
        run.make()
        run.take(run.ask("print"))
        for change in ("path = 'x', version = version + 1", "sha256 = ''", "state = 'made', sent_at = null"):
            with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
                session.execute(text(f"update catalog_copy set {change}"))

    def test_lets_unsent_copies_only_become_their_next_version(self, run: Run):
        run.make()
        with pytest.raises(DBAPIError), run.chain.sessions.begin() as session:
            session.execute(text("update catalog_copy set sha256 = 'x'"))


@pytest.mark.usefixtures("at_home", "in_november")
class TestHandOver:
    def test_writes_one_file_for_the_printer_with_a_manifest(self, run: Run):
        run.make()
        path = run.take(run.ask("print"))
        with pikepdf.open(path) as pdf:
            pages = len(pdf.pages)
        rows = list(csv.DictReader(StringIO(path.with_suffix(".csv").read_text())))
        assert {row["copy_code"] for row in rows} == {copy.copy_code for copy in run.chain.copies().values()}
        assert pages == sum(copy.pages for copy in run.chain.copies().values())
        assert all(copy.state == "sent" for copy in run.chain.copies().values())

    def test_tells_each_members_history_once(self, run: Run):
        run.make()
        handover_id = run.ask("print")
        run.take(handover_id)
        run.take(handover_id)
        with run.chain.sessions() as session:
            told = session.execute(select(Contact.kind, Contact.channel, Contact.direction)).all()
        assert told == [("catalog", "print", "outbound")] * 4

    def test_puts_hostile_names_into_no_file_name_and_no_formula(self, chain: Chain, tmp_path: Path):
        for number, name in enumerate(HOSTILE):
            chain.join(f"odd-{number}", "t2", name=name)
        run = Run(chain, tmp_path, group_ids=("t2",))
        run.make()
        with zipfile.ZipFile(run.take(run.ask("zip"))) as archive:
            names = archive.namelist()
            rows = list(csv.DictReader(StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
            for row in rows:
                assert sha256(archive.read(row["file"])).hexdigest() == row["sha256"]
        assert len(names) == 9
        assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-W.v") for name in names)
        assert not [row for row in rows if row["name"].startswith(("=", "@", "+", "-"))]

    def test_mails_a_copy_to_who_agreed_by_mail_only(self, chain: Chain, tmp_path: Path):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        found = run.handover(run.ask("email"))
        assert (found.state, found.copies) == ("handed", 1)
        with chain.sessions() as session:
            (mail,) = session.scalars(select(OutgoingMail)).all()
        copy = chain.copies()["mail"]
        assert (mail.recipient, mail.state, copy.state) == ("mail@example.com", "queued", "sent")
        assert mail.attachments[0]["path"] == copy.path
        assert mail.attachments[0]["sha256"] == copy.sha256.hex()

    def test_leaves_out_what_was_refused_after_the_approval(self, run: Run):
        """The journey of the issue: approved and made, then "never" at the desk, then handed over."""
        run.make()
        before = run.chain.copies()["t1-1"]
        refused = run.chain.articles[0]
        assert refused.article_id in {pick["article_id"] for pick in before.picks}
        assert "Čaj" in words_of(run.data / before.path)
        run.chain.answer("t1-1", "never", refused)
        handover_id = run.ask("print")
        assert (run.handover(handover_id).remade, run.handover(handover_id).dropped) == (1, 0)
        path = run.take(handover_id)
        after = run.chain.copies()["t1-1"]
        assert (after.version, after.state) == (2, "sent")
        assert refused.article_id not in {pick["article_id"] for pick in after.picks}
        assert "Čaj" not in words_of(run.data / after.path)
        assert not (run.data / before.path).exists()
        rows = {
            row["copy_code"]: row for row in csv.DictReader(StringIO(path.with_suffix(".csv").read_text()))
        }
        with pikepdf.open(path) as pdf, pikepdf.new() as own:
            first = int(rows[after.copy_code]["first_page"])
            own.pages.extend(pdf.pages[first - 1 : int(rows[after.copy_code]["last_page"])])
            own.save(run.data / "own.pdf")
        assert "Čaj" not in words_of(run.data / "own.pdf")
        assert "Čaj" in words_of(path)

    def test_drops_copies_of_who_objected_withdrew_or_refuses_all_and_cancels_their_vouchers(
        self, chain: Chain, tmp_path: Path
    ):
        with chain.sessions.begin() as session:
            put_batch(session, Batch("C3", value_amount=300, currency="CZK"), actor="m", now=NOW)
        run = Run(chain, tmp_path, voucher_batches=("C3",))
        run.make()
        with chain.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_code == "t1-0").values(profiling_objected_at=NOW)
            )
        chain.decide("t1-1", "catalog", "print", granted=False, at=NOW + timedelta(hours=1))
        chain.answer("t1-2", "never", None, scope="all")
        with zipfile.ZipFile(run.take(run.ask("zip"))) as archive:
            assert len(archive.namelist()) == 2
        found = chain.copies()
        assert {code: copy.dropped_why for code, copy in found.items() if copy.state == "dropped"} == {
            "t1-0": "objected",
            "t1-1": "withdrew",
            "t1-2": "refuses",
        }
        with chain.sessions() as session:
            states = session.execute(select(Voucher.state, func.count()).group_by(Voucher.state)).all()
        assert dict(map(tuple, states)) == {"cancelled": 3, "issued": 1}

    def test_can_be_asked_for_again_where_a_file_of_the_archive_was_damaged(self, run: Run):
        run.make()
        copy = run.chain.copies()["t1-1"]
        content = (run.data / copy.path).read_bytes()
        (run.data / copy.path).write_bytes(content + b" ")
        run.do(ask_for_handover, kind="zip", job=HANDOVER_JOB, actor="mara")
        assert run.work() == ["failed"]
        (run.data / copy.path).write_bytes(content)
        assert run.handover(run.ask("zip")).state == "prepared"

    def test_is_refused_where_something_is_heard_before_it_is_taken(self, run: Run):
        run.make()
        handover_id = run.ask("print")
        run.chain.answer("t1-1", "never", run.chain.articles[0])
        with pytest.raises(HeardMeanwhile):
            run.take(handover_id)
        with run.chain.sessions.begin() as session:
            make_stale(session, handover_id=handover_id)
        with pytest.raises(NotPrepared):
            run.take(handover_id)
        again = run.ask("print")
        run.take(again)
        assert run.chain.copies()["t1-1"].version == 2


@pytest.mark.usefixtures("in_november")
class TestKilledRuns:
    COPIES = 100

    def test_go_on_without_a_copy_lost_or_made_twice(self, chain: Chain, tmp_path: Path, server_url: str):
        with chain.sessions.begin() as session:
            put_batch(session, Batch("C3", value_amount=300, currency="CZK"), actor="m", now=NOW)
            _multiply(session, self.COPIES)
        run = Run(chain, tmp_path, voucher_batches=("C3",))
        run.approve()
        run.do(start_run, actor="mara")
        url = chain.sessions.kw["bind"].url.render_as_string(hide_password=False)
        seen: dict[str, bytes] = {}
        for least in (1, self.COPIES // 2):
            _kill_when(run, url, least)
            found = {copy.copy_code: copy.sha256 for copy in _copies(chain)}
            assert least <= len(found) < self.COPIES + 4
            assert seen.items() <= found.items()
            seen = found
        assert run.work() == ["completed"]
        copies = _copies(chain)
        assert run.view.state == "finished"
        assert len(copies) == len({copy.member_id for copy in copies}) == self.COPIES + 4
        assert seen.items() <= {copy.copy_code: copy.sha256 for copy in copies}.items()
        for copy in copies:
            assert sha256((tmp_path / copy.path).read_bytes()).digest() == copy.sha256
        with chain.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Voucher)) == self.COPIES + 4
            assert session.scalar(select(func.count()).select_from(CatalogVoucher)) == self.COPIES + 4


def _copies(chain: Chain) -> list[CatalogCopy]:
    with chain.sessions() as session:
        return list(session.scalars(select(CatalogCopy)))


def _multiply(session, count: int) -> None:
    """Enrol `count` more members of the first group, who bought nothing yet."""
    session.execute(
        text(
            "with made as (insert into account (account_id, opened_at) select gen_random_uuid(), now()"
            " from generate_series(1, :count) returning account_id),"
            " joined as (insert into member (member_id, member_code, account_id, given_name, family_name, language,"
            " home_store_code, joined_on) select gen_random_uuid(), 'x' || row_number() over (), account_id, 'Eva',"
            " 'Malá', 'cs', 'S1', now() from made returning member_id),"
            " agreed as (insert into consent (member_id, purpose, channel, granted, text_version, source, recorded_at)"
            " select member_id, 'catalog', 'print', true, '1', 'desk', timestamptz '2026-11-01' from joined)"
            " insert into group_membership (run_id, member_id, group_id, strength, baskets)"
            " select run_id, member_id, 't1', 3, 12 from joined, served_run"
        ),
        {"count": count},
    )


_WORKER = """
import sys
from datetime import date
from pathlib import Path
from catalogs.run_jobs import run_job
from core.database import make_engine, make_sessions
import time_machine
from tests.catalogs.chain import NOW
if __name__ == "__main__":
    time_machine.travel(NOW, tick=True).start()
    sessions = make_sessions(make_engine(sys.argv[1], role=None))
    run_job(sessions, data=Path(sys.argv[2]), job=sys.argv[3], business_day=date.fromisoformat(sys.argv[4]), workers=1)
"""


def _kill_when(run: Run, url: str, least: int) -> None:
    """Let a process of its own work on the run, and kill it when so many copies are archived."""
    script = run.data / "worker.py"
    script.write_text(_WORKER)
    ((job, day),) = waiting_jobs(run.chain.sessions)
    child = subprocess.Popen(
        [sys.executable, script, url, run.data, job, day.isoformat()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(_copies(run.chain)) < least:
        assert child.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 30
    while not waiting_jobs(run.chain.sessions):
        assert time.monotonic() < deadline, "the killed process' lock is still held"
        time.sleep(0.02)


@pytest.mark.usefixtures("at_home", "in_november")
class TestResults:
    def test_count_who_bought_what_from_which_page_against_those_held_out(self, chain: Chain, tmp_path: Path):
        for number in range(4, 24):
            chain.join(f"t1-{number}", "t1", language="cs")
        run = Run(chain, tmp_path, hold_out=Decimal("0.4"))
        run.make()
        run.take(run.ask("print"))
        tea = chain.articles[0]
        readers = [code for code, copy in chain.copies().items() if _page_of(copy, tea.article_id)]
        assert len(readers) >= 10
        for code in readers[:10]:
            chain.buy(code, [tea], date(2026, 11, 25), price=2000)
        chain.buy(readers[0], [tea], date(2026, 12, 7))
        with chain.sessions() as session:
            found = results_of_run(session, run_id=run.id, today=date(2026, 12, 8))
            ignored = ignored_articles(
                session, [chain.members[readers[-1]].member_id], now=NOW + timedelta(days=20)
            )
        assert (found.sent, found.over, found.currency) == (run.audience.sent, True, "CZK")
        (item,) = [one for one in found.items if one.page]
        assert (item.article_id, item.buyers, item.minor) == (tea.article_id, 10, 20_000)
        assert {cell.buyers for cell in found.cells if cell.page == item.page} <= {0, 10}
        assert found.effect.share is None
        if len(readers) > 10:
            assert ignored[chain.members[readers[-1]].member_id][tea.article_id] == 1


def _page_of(copy: CatalogCopy, article_id: int) -> int:
    return next(
        (pick["page"] for pick in copy.picks if pick["article_id"] == article_id and pick["why"] == "group"),
        0,
    )
