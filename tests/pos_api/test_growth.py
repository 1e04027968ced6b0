"""What a till asks costs the same in an empty house and once its first day is over, whatever was planned while it was empty."""

import time

from sqlalchemy import Engine, text

from core.database import make_engine, make_sessions
from pos_api import examples
from pos_api.transactions import EXTENSION
from tests.pos_api.conftest import Chain, enrol_with_points
from tests.waiting import PATIENCE

SALES = 120
READ = """
    select relname, seq_tup_read, n_tup_ins from pg_stat_user_tables
"""


class TestAFirstDay:
    def test_is_never_read_from_end_to_end_at_the_till(
        self, chain: Chain, database_url: str, owner_engine: Engine
    ) -> None:
        with owner_engine.begin() as owner:
            # As after an import, or by whoever looks after the database at night: that a table is empty is known then.
            owner.execute(text("analyze"))
            before = {name: (read, made) for name, read, made in owner.execute(text(READ))}
        engine = make_engine(database_url, pool_size=2, lock_timeout=5, by_index=True)
        chain.app.extensions[EXTENSION] = make_sessions(engine)
        card = enrol_with_points(chain)
        till = chain.till
        for _ in range(SALES):
            quote = till.post("/quotes", {**examples.QUOTE, "card_number": card})
            assert quote.status_code == 200, quote.get_json()
            sale = till.post("/receipts", till.sale(card_number=card))
            assert sale.status_code == 201, sale.get_json()
            assert till.get(f"/cards/{card}").status_code == 200
        engine.dispose()
        seen: dict[str, tuple[int, int]] = {}

        def told() -> bool:
            with owner_engine.begin() as owner:
                for name, read, made in owner.execute(text(READ)):
                    was = before.get(name, (0, 0))
                    seen[name] = read - was[0], made - was[1]
            return all(seen[name][1] >= SALES for name in ("ledger_entry", "quote"))

        # A server process tells what it read when it ends: one that wrote receipts, and one that kept quotes.
        until = time.monotonic() + PATIENCE
        while not told():
            assert time.monotonic() < until
            time.sleep(0.05)
        growing = {name: read for name, (read, made) in seen.items() if made >= SALES}
        assert {"lot", "ledger_leg", "quote"} <= growing.keys(), "what is looked at here grew"
        assert any(name.startswith("receipt_line") for name in growing)
        # Once for what is read when the table is new would be SALES times half of SALES.
        assert {name: read for name, read in growing.items() if read > SALES} == {}
