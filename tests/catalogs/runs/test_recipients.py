"""Whose turn it is in a run: what a store has is read once, so its members follow each other."""

from datetime import timedelta
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import select, text

from catalogs.opening import editions_of_run
from catalogs.orders import OrderDesk
from catalogs.runs.operations import start_run
from catalogs.runs.recipients import audience_by_country, next_recipients
from sales.models import Article, Store, Till
from tests.catalogs.chain import DAY, Chain
from tests.catalogs.run import Run

pytestmark = pytest.mark.usefixtures("in_november", "at_home")
STORES, GROUPS = ("S1", "S2", "S3"), ("t1", "t2")


@pytest.fixture
def spread(chain: Chain) -> Chain:
    """The chain with its members spread over three stores and two languages, none of them together."""
    home = chain.store, chain.till
    for code in STORES[1:]:
        with chain.sessions.begin() as session:
            chain.store = Store(store_code=code, name=code, currency="CZK", timezone="Europe/Prague")
            session.add(chain.store)
            session.flush()
            chain.till = Till(store_id=chain.store.store_id, till_code="T1")
            session.add(chain.till)
        # What was sold there is what it has.
        chain.buy("none-1", chain.articles, DAY - timedelta(days=3))
    chain.store, chain.till = home
    for number in range(12):
        chain.join(f"more-{number}", GROUPS[number % 2], language=("cs", "en")[number // 2 % 2])
    with chain.sessions.begin() as session:
        for number, code in enumerate(sorted(chain.members)):
            session.execute(
                text("update member set home_store_code = :store where member_code = :code"),
                {"store": STORES[number % 3], "code": code},
            )
    return chain


def settled(run: Run) -> list[tuple]:
    """Return store, edition and language of everybody in the run, in their turn."""
    with run.chain.sessions() as session:
        found = session.execute(
            text(
                "select who.store_id, who.edition_id, member.language from catalog_recipient as who"
                " join member using (member_id) order by who.turn"
            )
        )
        return [tuple(row) for row in found]


class TestTurns:
    def test_take_store_by_store_then_edition_then_language(
        self, spread: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        ordered: list[int] = []
        write = OrderDesk.write

        def seen(desk, session, readers, **options):
            ordered.extend(reader.store_id for reader in readers)
            return write(desk, session, readers, **options)

        run = Run(spread, tmp_path, group_ids=GROUPS)
        run.approve()
        run.do(start_run, actor="mara")
        monkeypatch.setattr(OrderDesk, "write", seen)
        # Small rounds: the order must hold across them as well.
        monkeypatch.setattr("catalogs.making.ROUND", 3)
        assert run.work() == ["completed"]
        turns = settled(run)
        assert len(turns) == run.audience.made == 20
        assert len({store for store, _edition, _language in turns}) == len(STORES)
        for depth in (1, 2, 3):
            blocks = [key for key, _block in groupby(turn[:depth] for turn in turns)]
            assert len(blocks) == len(set(blocks)), "nobody comes back to what was left"
        assert ordered == [store for store, _edition, _language in turns]

    def test_alternate_groups_where_a_first_part_is_to_be_looked_at(self, spread: Chain, tmp_path: Path):
        run = Run(spread, tmp_path, group_ids=GROUPS, first_part=4)
        run.approve()
        run.do(start_run, actor="mara")
        run.work()
        turns = settled(run)
        assert run.audience.made == 4
        for at in range(0, len(turns), 2):
            assert len({edition for _store, edition, _language in turns[at : at + 2]}) == len(GROUPS)
        with spread.sessions() as session:
            following = next_recipients(session, catalog_run_id=run.id, limit=100)
        assert [(one.store_id, one.edition_id, one.language) for one in following] == turns[4:]


def readers_of(run: Run) -> set[str]:
    """Return the codes of the members whom a run's audience is."""
    with run.chain.sessions() as session:
        return set(
            session.scalars(text("select member_code from catalog_recipient join member using (member_id)"))
        )


T1 = ("t1-0", "t1-1", "t1-2", "t1-3")


def buy_in_poland(abroad: Chain, code: str, articles: list[Article]) -> None:
    """Let a member buy in the second store."""
    home = abroad.store
    with abroad.sessions() as session:
        abroad.store = session.scalars(select(Store).where(Store.store_code == "S2")).one()
    abroad.buy(code, articles, DAY - timedelta(days=2))
    abroad.store = home


class TestCountries:
    @pytest.fixture
    def abroad(self, spread: Chain) -> Chain:
        """The spread chain with its second store in Poland and its third in no country that is known."""
        with spread.sessions.begin() as session:
            for code, country in (("S1", "CZ"), ("S2", "PL")):
                session.execute(
                    text("update store set country = :country where store_code = :code"),
                    {"country": country, "code": code},
                )
        return spread

    def test_settle_who_gets_a_copy_by_the_store(self, abroad: Chain, tmp_path: Path):
        with abroad.sessions.begin() as session:
            # Nobody knows the home store of one: the store where they shop stands for it.
            session.execute(
                text("update member set home_store_code = null where member_code in ('t1-0', 't1-1')")
            )
            session.execute(
                text(
                    "update receipt set store_id = (select store_id from store where store_code = 'S2')"
                    " where member_id = (select member_id from member where member_code = 't1-1')"
                )
            )
            at_home = set(
                session.scalars(
                    text(
                        "select member_code from member join group_membership using (member_id)"
                        " where home_store_code = 'S2' and group_id in ('t1', 't2')"
                    )
                )
            )
        run = Run(abroad, tmp_path, group_ids=GROUPS, countries=("PL",))
        run.make()
        assert readers_of(run) == at_home | {"t1-1"}
        assert run.audience.made == len(at_home) + 1
        with abroad.sessions() as session:
            assert audience_by_country(session, catalog_run_id=run.id) == {"PL": len(at_home) + 1}

    def test_may_be_several_and_none_chosen_means_all(self, abroad: Chain, tmp_path: Path):
        both, everywhere = (
            Run(abroad, tmp_path, group_ids=GROUPS, countries=chosen) for chosen in (("CZ", "PL"), ())
        )
        counts = []
        for run in (both, everywhere):
            run.make()
            with abroad.sessions() as session:
                counts.append(audience_by_country(session, catalog_run_id=run.id))
        assert counts[0].keys() == {"CZ", "PL"}
        assert counts[1].keys() == {"CZ", "PL", None}
        assert {key: counts[1][key] for key in ("CZ", "PL")} == counts[0]

    def test_have_a_proof_of_their_own_readers(self, abroad: Chain, tmp_path: Path):
        run = Run(abroad, tmp_path, group_ids=GROUPS, countries=("PL",))
        run.prove()
        with abroad.sessions() as session:
            homes = session.scalars(
                text("select distinct home_store_code from catalog_proof_copy join member using (member_id)")
            ).all()
        assert homes == ["S2"]

    def test_are_what_the_pages_are_planned_from(self, abroad: Chain, tmp_path: Path):
        bought = abroad.articles[:3]
        for code in T1:
            buy_in_poland(abroad, code, bought)
        planned = {}
        for countries in (("PL",), ()):
            run = Run(abroad, tmp_path, group_ids=("t1",), countries=countries)
            with abroad.sessions() as session:
                (edition,) = editions_of_run(session, run.id)
            planned[countries] = set(edition.plan.ranking)
        assert planned["PL",] == {article.article_id for article in bought}
        assert planned["PL",] < planned[()]

    def test_set_buyers_against_who_shops_there_in_the_order_of_articles(self, abroad: Chain, tmp_path: Path):
        own, common = abroad.articles[2], abroad.articles[0]
        with abroad.sessions.begin() as session:
            # Most of the other group never come to Poland: against a thousand of them everything would lean to the first.
            session.execute(text("update shopper_group set members = 1000 where group_id = 't2'"))
        for code in T1:
            buy_in_poland(abroad, code, [common] if code == "t1-3" else [own, common])
        for number in range(4):
            buy_in_poland(abroad, f"t2-{number}", [common])
            buy_in_poland(abroad, f"none-{number}", [common])
        run = Run(abroad, tmp_path, group_ids=("t1",), countries=("PL",))
        with abroad.sessions() as session:
            (edition,) = editions_of_run(session, run.id)
        assert edition.plan.ranking == (own.article_id, common.article_id)
