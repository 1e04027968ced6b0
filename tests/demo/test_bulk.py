"""Loading without indexes leaves the tables as they were: with all their keys, also when the load fails."""

from contextlib import suppress

import psycopg
import pytest
from sqlalchemy.engine import make_url

from demo.bulk import unindexed
from demo.crowd import FILLED_MOST

KEPT = """
    select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where conrelid = any(%s::regclass[])
    union all
    select indrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
    from pg_index where indrelid = any(%s::regclass[]) order by 1, 2
"""


class TestUnindexed:
    @pytest.mark.parametrize("fails", [False, True], ids=["that succeeds", "that fails"])
    def test_puts_everything_back_after_a_load(self, make_database, fails):
        url = make_database()
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:

            def kept():
                return connection.execute(KEPT, (FILLED_MOST, FILLED_MOST)).fetchall()

            before = kept()
            with suppress(ZeroDivisionError), unindexed(url, FILLED_MOST):
                during = kept()
                assert 1 / (not fails)
            assert not [
                one for one in during if one[1].startswith(("CREATE", "PRIMARY", "UNIQUE", "FOREIGN"))
            ]
            assert kept() == before
