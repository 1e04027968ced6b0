"""Copies on their way out, with real files, and people who change their minds."""

import csv
import zipfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pikepdf
import pytest
from sqlalchemy import func, select, update

from basket_analysis.offers.reasons import Reason
from catalogs.copy_lists import list_copies, read_copy
from catalogs.ignored import ignored_articles
from catalogs.models import Edition
from catalogs.runs.handovers import (
    HeardMeanwhile,
    NotPrepared,
    ask_for_handover,
    make_stale,
)
from catalogs.runs.operations import (
    HANDOVER_JOB,
)
from catalogs.runs.result_lists import results_of_run
from contacts.models import Contact, OutgoingMail
from contacts.operations import record_reaction
from core.keyset import Ask
from customers.models import Member
from rewards.models import Voucher
from rewards.vouchers.batches import Batch, put_batch
from sales.models import Article
from tests.catalogs.chain import DAY, NOW, Chain
from tests.catalogs.run import Run, words_of
from tests.contacts.mailing import House
from tests.mail_servers import Sink, listening

HOSTILE = (
    ("=cmd|'/C calc'!A0", "@SUM(1)"),
    ("../../etc/passwd", "\\..\\x"),
    ("<script>alert(1)</script>", "{{7*7}}"),
    ("Řehoř\u202e", "Ďurčo\x0b"),
)


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

    def test_tells_in_no_subject_and_no_name_of_a_file_which_group_a_member_is_in(
        self, chain: Chain, tmp_path: Path
    ):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        with chain.sessions.begin() as session:
            session.execute(update(Edition).values(group_name="Baby foods & diapers"))
        run.ask("email")
        with chain.sessions() as session:
            (mail,) = session.scalars(select(OutgoingMail)).all()
        assert mail.subject == "Váš katalog od 23. 11. 2026 do 6. 12. 2026"
        assert mail.attachments[0]["name"] == "katalog-2026-11-23.pdf"
        assert "Baby" not in f"{mail.text} {mail.html}"

    def test_tells_of_a_mailed_copy_once_it_is_mailed_and_of_no_other_way(self, chain: Chain, tmp_path: Path):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        run.ask("email")
        history = select(Contact.kind, Contact.channel).where(
            Contact.member_id == chain.members["mail"].member_id
        )
        with chain.sessions() as session:
            assert session.execute(history).all() == []
        with listening(Sink()) as sink:
            House(chain.sessions, tmp_path, now=NOW + timedelta(hours=1)).post(sink.server).drain()
        assert sink.taken == {"mail@example.com": 1}
        with chain.sessions() as session:
            assert session.execute(history).all() == [("mail", "email")]

    def test_sends_no_mail_whose_member_refused_something_since_and_says_so(
        self, chain: Chain, tmp_path: Path
    ):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        run.ask("email")
        copy = chain.copies()["mail"]
        ids = [chain.members["mail"].member_id]
        over = NOW + timedelta(days=20)
        with chain.sessions() as session:
            assert read_copy(session, copy_id=copy.copy_id).state == "sent"
            assert ignored_articles(session, ids, now=over)
            (mail,) = session.scalars(select(OutgoingMail)).all()
        assert mail.not_after == datetime(2026, 12, 6, 23, tzinfo=UTC)
        with chain.sessions.begin() as session:
            record_reaction(
                session,
                member_id=ids[0],
                reaction="never",
                scope="item",
                sku=chain.articles[0].sku,
                channel="till",
                actor="test",
                now=NOW + timedelta(minutes=1),
            )
        with listening(Sink()) as sink:
            House(chain.sessions, tmp_path, now=NOW + timedelta(hours=1)).post(sink.server).drain()
        assert sink.taken.total() == 0
        assert run.audience.sent == 0
        with chain.sessions() as session:
            assert read_copy(session, copy_id=copy.copy_id).state == "held_back"
            found = {
                state: list_copies(
                    session, Ask(sort="copy_code", filters={"state": state}), edition_id=copy.edition_id
                ).total
                for state in ("sent", "held_back")
            }
            assert found == {"sent": 0, "held_back": 1}
            assert results_of_run(session, run_id=run.id).sent == 0
            assert ignored_articles(session, ids, now=over) == {}

    def test_tells_of_a_copy_for_mail_that_left_in_a_file_as_of_any_other(self, chain: Chain, tmp_path: Path):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        run.take(run.ask("zip"))
        history = select(Contact.kind, Contact.channel).where(
            Contact.member_id == chain.members["mail"].member_id
        )
        with chain.sessions() as session:
            assert session.execute(history).all() == [("catalog", "email")]

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

    def test_leaves_out_what_is_called_just_as_what_was_refused(self, run: Run):
        """Two kinds of tea in one pack each: nobody who reads the catalog can tell which of them it was."""
        first, twin = run.chain.articles[:2]
        with run.chain.sessions.begin() as session:
            session.get_one(Article, twin.article_id).name = first.name
        run.make()
        assert "Čaj" in words_of(run.data / run.chain.copies()["t1-1"].path)
        run.chain.answer("t1-1", "never", first)
        assert run.handover(run.ask("print")).remade == 1
        after = run.chain.copies()["t1-1"]
        assert not {first.article_id, twin.article_id} & {pick["article_id"] for pick in after.picks}
        assert "Čaj" not in words_of(run.data / after.path)

    @pytest.mark.parametrize("scope", ["item", "category"])
    def test_gives_nothing_as_a_reason_that_was_refused_after_the_approval(self, run: Run, scope: str):
        """The store is out of tea, so that only the reason of something else speaks of it."""
        tea, milk = run.chain.articles[0], run.chain.articles[4]
        run.chain.run_out_of(tea)
        run.chain.rank("t1-1", milk, Reason("goes_with", tea.article_id, "Čaj"))
        run.make()
        before = run.chain.copies()["t1-1"]
        assert [pick["article_id"] for pick in before.picks if "tied_article" in pick] == [milk.article_id]
        assert "čaj" in words_of(run.data / before.path).lower()
        run.chain.answer("t1-1", "never", tea, scope=scope)
        assert run.handover(run.ask("print")).remade == 1
        after = run.chain.copies()["t1-1"]
        assert milk.article_id in {pick["article_id"] for pick in after.picks}
        assert not [pick for pick in after.picks if "tied_article" in pick or "tied_category" in pick]
        assert "čaj" not in words_of(run.data / after.path).lower()

    def test_drops_the_copy_of_whom_nothing_may_be_mailed_by_now(
        self, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        chain.join("mail", "t1", consent=("offers", "email"), email="mail@example.com")
        run = Run(chain, tmp_path)
        run.make()
        monkeypatch.setattr("catalogs.runs.handover_preparing.queue_mail", lambda *_args, **_values: None)
        run.ask("email")
        copy = chain.copies()["mail"]
        assert (copy.state, copy.dropped_why) == ("dropped", "withdrew")

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

    def test_leaves_out_what_was_brought_back_before_the_copy_was_made_and_heard_of_after(self, run: Run):
        run.make()
        back = run.chain.articles[0]
        assert back.article_id in {pick["article_id"] for pick in run.chain.copies()["t1-1"].picks}
        # A till that was offline for three days.
        run.chain.buy("t1-1", [back], DAY - timedelta(days=3), kind="return", received=NOW)
        handover = run.handover(run.ask("print"))
        assert handover.remade == 1
        assert back.article_id not in {pick["article_id"] for pick in run.chain.copies()["t1-1"].picks}
