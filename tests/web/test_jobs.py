"""What the night forgets about sign-in."""

from datetime import UTC, date, datetime

from sqlalchemy import text

from core.jobs import Shift
from core.progress import silent
from web.jobs import clear_sessions

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


class TestClearSessions:
    def test_forgets_dead_sessions_and_old_attempts_only(self, sessions, tmp_path):
        with sessions.begin() as session:
            session.execute(
                text(
                    "with somebody as (insert into person (person_id, login, name, password_hash, role, created_at) "
                    "values (gen_random_uuid(), 'eva', 'Eva', '', 'analyst', :now) returning person_id) "
                    "insert into web_session select sha256(n::text::bytea), person_id, '', :now, "
                    ":now - n * interval '10 hours' from somebody, generate_series(0, 5) n"
                ),
                {"now": NOW},
            )
            session.execute(
                text(
                    "insert into sign_in_attempt (login, attempted_at, succeeded) "
                    "select 'eva', :now - n * interval '10 days', false from generate_series(0, 5) n"
                ),
                {"now": NOW},
            )
            session.execute(
                text(
                    "with somebody as (insert into account (account_id, opened_at) values (gen_random_uuid(), :now) "
                    "returning account_id), enrolled as (insert into member (member_id, member_code, account_id, "
                    "given_name, family_name, language, joined_on) select gen_random_uuid(), 'M1', account_id, 'Eva', "
                    "'', 'cs', :now from somebody returning member_id), "
                    "open as (insert into customer_session (token_sha256, member_id, csrf_token, created_at, seen_at) "
                    "select sha256(n::text::bytea), member_id, '', :now, :now - n * interval '10 hours' "
                    "from enrolled, generate_series(0, 5) n) "
                    "insert into sign_in_code (browser_sha256, account_key, code_sha256, pass_sha256, sent_at, "
                    "expires_at, pass_expires_at) select sha256(n::text::bytea), '', '', sha256(n::text::bytea), "
                    ":now - n * interval '10 hours', :now, :now from generate_series(0, 5) n"
                ),
                {"now": NOW},
            )
        forgotten = clear_sessions(Shift(sessions, tmp_path, date(2026, 11, 21), NOW, silent))
        assert forgotten == {"sessions": 6, "codes": 3, "attempts": 2}
        with sessions() as session:
            assert session.scalar(text("select count(*) from web_session")) == 3
            assert session.scalar(text("select count(*) from customer_session")) == 3
            assert session.scalar(text("select count(*) from sign_in_code")) == 3
            assert session.scalar(text("select count(*) from sign_in_attempt")) == 4
