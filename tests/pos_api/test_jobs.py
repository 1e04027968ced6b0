"""What the night forgets about tills."""

from datetime import UTC, date, datetime

from sqlalchemy import text

import pos_api.jobs
from core.jobs import Shift
from pos_api.jobs import clear_answers

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


class TestClearAnswers:
    def test_forgets_answers_older_than_a_week_batch_by_batch(self, sessions, tmp_path, monkeypatch):
        monkeypatch.setattr(pos_api.jobs, "BATCH", 4)
        with sessions.begin() as session:
            session.execute(
                text(
                    "with place as (insert into store (store_code, name, currency, timezone) "
                    "values ('S', 'S', 'CZK', 'UTC') returning store_id), register as (insert into till (store_id, till_code) "
                    "select store_id, 'T' from place returning till_id) "
                    "insert into idempotency_record select till_id, n::text, '', 201, '{}', "
                    ":now - n * interval '1 day' from register, generate_series(0, 17) n"
                ),
                {"now": NOW},
            )
        reports = []
        shift = Shift(sessions, tmp_path, date(2026, 11, 21), NOW, lambda *done: reports.append(done))
        assert clear_answers(shift) == {"answers": 10}
        assert reports == [(4, None), (8, None), (10, None)]
        with sessions() as session:
            assert session.scalar(text("select max(key::int) from idempotency_record")) == 7
