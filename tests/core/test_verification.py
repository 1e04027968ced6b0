"""Checks of what must always hold."""

from core.database import Sessions
from core.verification import QueryCheck, verify

HOLDS = QueryCheck("I1", "nothing is wrong", "select 1 where false")
BROKEN = QueryCheck(
    "I2", "no number exceeds three", "select 'number ' || n from generate_series(4, 103) as n order by n"
)


class TestVerify:
    def test_gives_a_verdict_for_each_check_in_order(self, sessions: Sessions):
        verdicts = verify(sessions, (HOLDS, BROKEN))
        assert [(verdict.code, verdict.ok, verdict.violations) for verdict in verdicts] == [
            ("I1", True, 0),
            ("I2", False, 100),
        ]

    def test_names_the_first_few_violations(self, sessions: Sessions):
        assert verify(sessions, (BROKEN,))[0].examples == tuple(f"number {n}" for n in range(4, 9))

    def test_looks_at_one_moment_with_all_checks(self, sessions: Sessions):
        class Meddler:
            code = "I0"
            promise = "another process writes between two checks"

            def look(self, session):
                found = QueryCheck("", "", "select 1 from store").look(session)
                with sessions.begin() as other:
                    other.connection().exec_driver_sql(
                        "insert into store (store_code, name, currency, timezone) "
                        "values (gen_random_uuid()::text, 'S', 'CZK', 'Europe/Prague')"
                    )
                return found

        assert [verdict.violations for verdict in verify(sessions, (Meddler(), Meddler(), Meddler()))] == [
            0,
            0,
            0,
        ]
