"""Editions and copies on a real database, with files made by real child processes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from basket_analysis.models import AnalysisRun, ServedRun, ShopperGroup
from catalogs.jobs import due_catalogs, make_copies
from catalogs.making import AlreadyMaking
from catalogs.models import CatalogCopy, CatalogRun, Edition
from catalogs.opening import NothingServed, open_editions
from catalogs.run_operations import approve_order, draft_run
from catalogs.runs import Recipe
from contacts.operations import record_reaction
from core.database import Sessions
from core.ids import uuid7
from core.jobs import Shift
from core.progress import silent
from customers.models import Account, Card, Consent, GroupMembership, Member
from sales.models import Article, Receipt, ReceiptLine, Store, Till

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KINDS = (
    "Čaj",
    "Sýry",
    "Těstoviny",
    "Chléb",
    "Mléko",
    "Banány",
    "Káva",
    "Rýže",
    "Med",
    "Vejce",
    "Máslo",
    "Jogurty",
)
GROUPS = {"t1": "theme", "t2": "theme", "none": "none"}


class Chain:
    """Three groups of members who all shop in one store that sells twelve kinds of things."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.members: dict[str, Member] = {}
        self.run_id = uuid7()
        with sessions.begin() as session:
            self.store = Store(store_code="S1", name="Náměstí", currency="CZK", timezone="Europe/Prague")
            session.add(self.store)
            session.flush()
            self.till = Till(store_id=self.store.store_id, till_code="T1")
            self.articles = [
                Article(sku=f"a{n}", name=f"{kind} 250 g", category=kind, unit="pcs", tax_rate=12)
                for n, kind in enumerate(KINDS)
            ]
            session.add_all([self.till, *self.articles])
            session.add(
                AnalysisRun(
                    run_id=self.run_id, business_day=DAY, state="completed", started_at=NOW, version="1",
                    parameters={}, inputs={}, timings={},
                )
            )  # fmt: skip
            session.flush()
            session.add(ServedRun(run_id=self.run_id, served_at=NOW))
        for group, kind in GROUPS.items():
            for number in range(4):
                self.join(f"{group}-{number}", group)
            self._serve(group, kind)

    def _serve(self, group: str, kind: str) -> None:
        with self.sessions.begin() as session:
            session.add(
                ShopperGroup(
                    run_id=self.run_id, group_id=group, kind=kind, name=group, items=["Sýry", "Máslo"], members=4,
                    baskets=40, colour=list(GROUPS).index(group), detail={},
                )
            )  # fmt: skip

    def join(
        self,
        code: str,
        group: str,
        *,
        language: str = "cs",
        consent: tuple[str, str] | None = ("catalog", "print"),
    ):
        """Enrol a member who has bought everything but the last two kinds three times lately."""
        account, member = uuid7(), uuid7()
        with self.sessions.begin() as session:
            session.add(Account(account_id=account, opened_at=NOW))
            session.flush()
            row = Member(
                member_id=member, member_code=code, account_id=account, given_name="Jana", family_name="Nováková",
                language=language, home_store_code="S1", joined_on=DAY,
            )  # fmt: skip
            session.add(row)
            session.flush()
            number = f"70{len(self.members):08}"
            session.add(
                Card(
                    card_number=number,
                    state="active",
                    account_id=account,
                    member_id=member,
                    created_at=NOW,
                    issued_at=NOW,
                )
            )
            session.add(
                GroupMembership(
                    run_id=self.run_id, member_id=member, group_id=group, strength=3.0, baskets=12
                )
            )
            self.members[code] = row
        if consent:
            self.decide(code, *consent, granted=True)
        for back in (3, 10, 17):
            self.buy(
                code, self.articles[:10] if code.endswith("0") else self.articles, DAY - timedelta(days=back)
            )

    def decide(
        self, code: str, purpose: str, channel: str, *, granted: bool, at: datetime = NOW - timedelta(days=9)
    ) -> None:
        with self.sessions.begin() as session:
            session.add(
                Consent(
                    member_id=self.members[code].member_id, purpose=purpose, channel=channel, granted=granted,
                    text_version="1", source="desk", recorded_at=at,
                )
            )  # fmt: skip

    def buy(
        self, code: str, articles: list[Article], day: date, *, price: int = 1990, kind: str = "sale"
    ) -> None:
        member, receipt = self.members[code], uuid7()
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        with self.sessions.begin() as session:
            session.add(
                Receipt(
                    business_date=day, receipt_id=receipt, store_id=self.store.store_id, till_id=self.till.till_id,
                    receipt_number=str(receipt), type=kind, mode="live", offline=False, closed_at=moment,
                    received_at=moment, account_id=member.account_id, member_id=member.member_id, currency="CZK",
                    gross_amount=1, discount_amount=0, points_amount=0, rounding_amount=0, payable_amount=1,
                    fingerprint=b"x",
                )
            )  # fmt: skip
            session.flush()
            session.add_all(
                ReceiptLine(
                    business_date=day, receipt_id=receipt, line_number=number, article_id=article.article_id,
                    quantity=1, unit_price=price, discount_amount=0, total_amount=price,
                )
                for number, article in enumerate(articles, start=1)
            )  # fmt: skip

    def answer(self, code: str, reaction: str, article: Article | None, *, scope: str = "item") -> None:
        """Let a member react at the till."""
        with self.sessions.begin() as session:
            number = session.scalar(
                select(Card.card_number).where(Card.member_id == self.members[code].member_id)
            )
            record_reaction(
                session, card_number=number, reaction=reaction, scope=scope, sku=article and article.sku,
                channel="till", actor="test", now=NOW,
            )  # fmt: skip

    def make(self, data: Path, **options):
        return make_copies(self.sessions, data=data, day=DAY, now=NOW, workers=1, **options)

    def copies(self) -> dict[str, CatalogCopy]:
        with self.sessions() as session:
            rows = session.execute(select(Member.member_code, CatalogCopy).join(CatalogCopy)).all()
        return dict(rows)


@pytest.fixture
def chain(sessions: Sessions) -> Chain:
    return Chain(sessions)


class TestOpenEditions:
    def test_open_one_per_group_for_two_weeks_from_monday(self, chain: Chain):
        with chain.sessions.begin() as session:
            editions = open_editions(session, day=DAY, now=NOW)
        assert {edition.plan.group_id for edition in editions} == set(GROUPS)
        assert {(edition.valid_from, edition.valid_to) for edition in editions} == {
            (date(2026, 11, 23), date(2026, 12, 7))
        }

    def test_stand_until_their_period_is_over(self, chain: Chain):
        with chain.sessions.begin() as session:
            first = open_editions(session, day=DAY, now=NOW)
            same = open_editions(session, day=DAY + timedelta(days=8), now=NOW)
            next_ones = open_editions(session, day=DAY + timedelta(days=15), now=NOW)
        assert same == first
        assert {edition.valid_from for edition in next_ones} == {date(2026, 12, 7)}

    def test_are_refused_before_there_are_groups(self, sessions: Sessions):
        with sessions.begin() as session, pytest.raises(NothingServed):
            open_editions(session, day=DAY, now=NOW)


class TestMakeCopies:
    def test_archives_exactly_what_lies_on_disk(self, chain: Chain, tmp_path: Path):
        run = chain.make(tmp_path)
        copies = chain.copies()
        assert run.made == len(copies) == 12
        for copy in copies.values():
            content = (tmp_path / copy.path).read_bytes()
            assert sha256(content).digest() == copy.sha256
            assert len(content) == copy.size
            assert copy.pages >= 3
        assert len(list(tmp_path.rglob("*.pdf"))) == 12
        assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".pdf"}

    def test_covers_all_groups_with_any_first_part(self, chain: Chain, tmp_path: Path):
        assert chain.make(tmp_path, limit=3).by_group == {"none": 1, "t1": 1, "t2": 1}

    def test_makes_nothing_twice_and_goes_on_where_it_was(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, limit=5)
        before = {code: (copy.copy_id, copy.sha256) for code, copy in chain.copies().items()}
        assert chain.make(tmp_path).made == 7
        after = {code: (copy.copy_id, copy.sha256) for code, copy in chain.copies().items()}
        assert before.items() <= after.items()
        assert chain.make(tmp_path).made == 0

    def test_writes_a_file_again_that_was_not_archived(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, member_code="t1-1")
        other = tmp_path / "elsewhere"
        (other / "catalogs").mkdir(parents=True)
        lost = chain.copies()["t1-1"]
        (tmp_path / lost.path).replace(other / "kept.pdf")
        chain.make(tmp_path, member_code="t1-2")
        assert len(list(tmp_path.glob("catalogs/**/*.pdf"))) == 1
        assert not (tmp_path / lost.path).exists()

    def test_asks_every_member_before(self, chain: Chain, tmp_path: Path):
        chain.join("silent", "t1", consent=None)
        chain.join("by-mail", "t1", consent=("offers", "email"))
        chain.join("sms-only", "t1", consent=("offers", "sms"))
        chain.join("changed-mind", "t1")
        chain.decide("changed-mind", "catalog", "print", granted=False, at=NOW - timedelta(days=1))
        chain.join("objector", "t1")
        with chain.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_code == "objector").values(profiling_objected_at=NOW)
            )
        chain.make(tmp_path)
        got = set(chain.copies())
        assert "by-mail" in got
        assert not got & {"silent", "sms-only", "changed-mind", "objector"}

    def test_says_what_each_pick_is_and_what_it_cost_last(self, chain: Chain, tmp_path: Path):
        chain.buy("t1-1", chain.articles[:1], DAY, price=2490)
        chain.make(tmp_path, member_code="t1-0")
        copy = chain.copies()["t1-0"]
        own = [pick for pick in copy.picks if pick["page"] == copy.pages]
        assert {pick["why"] for pick in own} == {"often", "new"}
        tea = next(pick for pick in own if pick["article_id"] == chain.articles[0].article_id)
        assert (tea["price"], tea["currency"], tea["listed"]) == (2490, "CZK", False)
        new = {pick["article_id"] for pick in own if pick["why"] == "new"}
        assert new == {article.article_id for article in chain.articles[10:]}

    def test_prefers_the_price_list(self, chain: Chain, tmp_path: Path):
        with chain.sessions.begin() as session:
            session.execute(update(Article).values(price=777))
        chain.make(tmp_path, member_code="t1-1")
        assert {(pick["price"], pick["listed"]) for pick in chain.copies()["t1-1"].picks} == {(777, True)}

    def test_offers_nobody_what_they_brought_back(self, chain: Chain, tmp_path: Path):
        chain.buy("t1-1", chain.articles[:1], DAY, kind="return")
        chain.make(tmp_path, member_code="t1-1")
        copy = chain.copies()["t1-1"]
        own = {pick["article_id"] for pick in copy.picks if pick["page"] == copy.pages}
        assert chain.articles[0].article_id not in own

    def test_offers_nobody_what_they_refused_on_any_page(self, chain: Chain, tmp_path: Path):
        chain.answer("t1-1", "never", chain.articles[0])
        chain.answer("t1-1", "wrong_product", chain.articles[1], scope="category")
        chain.make(tmp_path)
        refused = {article.article_id for article in chain.articles[:2]}
        shown = {code: {pick["article_id"] for pick in copy.picks} for code, copy in chain.copies().items()}
        assert shown["t1-1"]
        assert not shown["t1-1"] & refused
        assert shown["t1-2"] & refused

    def test_hears_a_refusal_until_the_file_is_made(self, chain: Chain, tmp_path: Path):
        chain.make(tmp_path, limit=1)
        (early,) = chain.copies()
        late = next(code for code in chain.members if code != early)
        chain.answer(late, "never", chain.articles[2])
        chain.make(tmp_path, member_code=late)
        assert chain.articles[2].article_id not in {pick["article_id"] for pick in chain.copies()[late].picks}

    def test_makes_no_copy_for_those_who_refuse_all_until_they_take_it_back(
        self, chain: Chain, tmp_path: Path
    ):
        chain.answer("t1-1", "never", None, scope="all")
        chain.make(tmp_path)
        assert set(chain.copies()) == set(chain.members) - {"t1-1"}
        chain.answer("t1-1", "accepted", None, scope="all")
        assert chain.make(tmp_path).made == 1

    def test_shows_nothing_that_was_not_sold_there_for_four_weeks(self, chain: Chain, tmp_path: Path):
        late = DAY + timedelta(days=40)
        run = make_copies(chain.sessions, data=tmp_path, day=late, now=NOW, workers=1)
        assert run.made == 0

    def test_keeps_what_was_archived_when_it_is_stopped(self, chain: Chain, tmp_path: Path):
        class StoppedError(Exception):
            pass

        def report(done: int, _total: int | None) -> None:
            if done:
                raise StoppedError

        with pytest.raises(StoppedError):
            chain.make(tmp_path, limit=4, report=report)
        assert len(chain.copies()) == 4
        assert chain.make(tmp_path).made == 8

    def test_is_done_by_one_process_at_a_time(self, chain: Chain, tmp_path: Path):
        def report(_done: int, _total: int | None) -> None:
            with pytest.raises(AlreadyMaking):
                chain.make(tmp_path)

        assert chain.make(tmp_path, limit=1, report=report).made == 1


class TestDueCatalogs:
    def shift(self, chain: Chain, data: Path) -> Shift:
        return Shift(chain.sessions, data, DAY, NOW, silent)

    def order(self, chain: Chain, **parts) -> UUID:
        recipe = Recipe(
            "Every two weeks", "trh", "A4", ("print", "email"), DAY, DAY + timedelta(days=14), (), **parts
        )
        with chain.sessions.begin() as session:
            run_id = draft_run(session, recipe, day=DAY, actor="mara", now=NOW, standing=True)
            approve_order(session, run_id=run_id, actor="adam", now=NOW)
        return run_id

    def test_make_nothing_that_nobody_approved(self, chain: Chain, tmp_path: Path):
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0
        recipe = Recipe("Draft", "trh", "A4", ("print",), DAY, DAY + timedelta(days=14), ("t1",))
        with chain.sessions.begin() as session:
            draft_run(session, recipe, day=DAY, actor="mara", now=NOW)
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0

    def test_make_what_a_standing_order_asks_for_once(self, chain: Chain, tmp_path: Path):
        self.order(chain, hold_out=Decimal(0))
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 12
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0
        with chain.sessions() as session:
            run = session.scalars(select(CatalogRun).where(CatalogRun.order_id.is_not(None))).one()
        assert (run.state, run.made_by, run.approved_by) == ("finished", "mara", "adam")
        assert (run.valid_from, run.valid_to) == (date(2026, 11, 23), date(2026, 12, 7))

    def test_stop_after_a_first_part_of_all_groups(self, chain: Chain, tmp_path: Path):
        self.order(chain, hold_out=Decimal(0), first_part=3)
        done = due_catalogs(self.shift(chain, tmp_path))
        assert done["by_group"] == {"none": 1, "t1": 1, "t2": 1}
        assert done["waiting"] == 9
        assert due_catalogs(self.shift(chain, tmp_path))["copies"] == 0

    def test_has_nothing_to_do_before_there_are_groups(self, sessions: Sessions, tmp_path: Path):
        done = due_catalogs(Shift(sessions, tmp_path, DAY, NOW, silent))
        assert done == {"runs": 0, "copies": 0, "by_group": {}, "waiting": 0}
        with sessions() as session:
            assert session.scalars(select(Edition)).all() == []
