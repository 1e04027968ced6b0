"""
R13 without erasure: what `pg_dump` takes along and `pg_restore` brings back is the whole house, equal table by table.

After it every invariant holds, a receipt that was answered before is answered so again, and the application may change as little as ever.
"""

import subprocess
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from core.database import make_engine, make_sessions
from core.postgres_programs import find_programs
from pos_api.transactions import EXTENSION
from tests.reliability.crowds import card_of, gather, said
from tests.reliability.rotation import SOAK_TIMEOUT, TIMES

WHOLE = 100_000
EVERY_COMMIT = 100


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def contents(url: str) -> dict[str, tuple[int, str]]:
    """Return of every table, partitions too, how many rows it has and what all of them together are."""
    with psycopg.connect(plain(url)) as connection:
        names = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {
            f"{schema}.{table}": connection.execute(
                sql.SQL(
                    "select count(*), coalesce(md5(string_agg(md5(one::text), '' order by md5(one::text))), '') from only {} as one"
                ).format(sql.Identifier(schema, table))
            ).fetchone()
            for schema, table in names
        }


def call(program: str, *words: str) -> None:
    subprocess.run([find_programs().program(program), *words], check=True, capture_output=True)


def live(crowd, receipts: int) -> dict:
    """Let the house have members with points, reservations, returns, a void; returns the last sale."""
    till = crowd.chain.till
    cards = [crowd.member(700_000 + number, 1000) for number in range(3)]
    sale = {}
    for number in range(receipts):
        sale = till.sale(card_number=cards[number % 3])
        assert said(till.post("/receipts", sale)) == "201"
        if number % 5 == 0:
            original = {"store_code": "S1", "till_code": "T1", "business_date": sale["business_date"]}
            original["receipt_number"] = sale["receipt_number"]
            void = {name: sale[name] for name in ("business_date", "closed_at", "currency")}
            void |= {"type": "void", "receipt_number": f"v{number}", "original": original}
            assert said(till.post("/receipts", void)) == "201"
    for card in cards:
        assert said(till.post("/redemptions", {"card_number": card, "points": 10})) == "201"
    assert said(till.post("/receipts", {**sale, "operator_code": "other"})) == "422 receipt_conflict"
    assert said(till.post("/receipts", till.sale(card_number=card_of(1)))) == "201"
    return sale


class TestARestoredBackup:
    def is_the_whole_house(self, make_database, tmp_path, publish, receipts: int) -> None:
        url = make_database()
        for crowd in gather(url):
            sale = live(crowd, receipts)
            before = contents(url)
            call("pg_dump", "--format=custom", f"--file={tmp_path / 'backup'}", plain(url))
            other = f"{urlsplit(plain(url)).path.strip('/')}_restored"
            restored = make_url(url).set(database=other).render_as_string(hide_password=False)
            with psycopg.connect(plain(url), autocommit=True) as connection:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(other)))
            try:
                call("pg_restore", "--exit-on-error", f"--dbname={plain(restored)}", str(tmp_path / "backup"))
                after = contents(restored)
                assert after == before
                engine = make_engine(restored)
                here = crowd.chain.sessions
                try:
                    crowd.chain.sessions = crowd.chain.app.extensions[EXTENSION] = make_sessions(engine)
                    assert crowd.broken() == []
                    again = crowd.chain.till.post("/receipts", sale)
                    assert (said(again), again.get_json()["replayed"]) == ("200", True)
                    assert said(crowd.chain.till.post("/receipts", crowd.chain.till.sale())) == "201"
                finally:
                    crowd.chain.sessions = crowd.chain.app.extensions[EXTENSION] = here
                    engine.dispose()
            finally:
                with psycopg.connect(plain(url), autocommit=True) as connection:
                    connection.execute(
                        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(other))
                    )
            rows = sum(count for count, _ in before.values())
            publish(
                f"R13: {len(before)} tables with {rows} rows are equal after dump and restore of {receipts} sales"
            )

    def test_is_the_whole_house(self, make_database, tmp_path, publish):
        self.is_the_whole_house(make_database, tmp_path, publish, EVERY_COMMIT)

    @pytest.mark.soak
    @pytest.mark.timeout(SOAK_TIMEOUT)
    def test_is_the_whole_house_at_full_size(self, make_database, tmp_path, publish):
        self.is_the_whole_house(
            make_database, tmp_path, publish, max(EVERY_COMMIT, round(WHOLE * TIMES / 10))
        )
