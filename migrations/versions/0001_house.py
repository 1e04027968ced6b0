"""The house stands: members, sales, ledger, analysis, catalogs, people."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def _run(sql: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(sql)


def upgrade() -> None:
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    _run(sql)


def downgrade() -> None:
    """Drop everything but Alembic's own table; the role stays, other databases may use it."""
    _run(
        """
        DO $$
        DECLARE name text;
        BEGIN
          FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
          LOOP
            EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', name);
          END LOOP;
        END $$;
        DROP FUNCTION ensure_receipt_months(date, date);
        DROP FUNCTION uuid7_at(timestamptz);
        DROP FUNCTION book_earning(uuid, uuid, date, timestamptz, uuid, uuid, timestamptz, timestamptz, bigint,
          bigint[], bigint[]);
        DROP FUNCTION open_receipt(text, integer, integer, date, text, text, timestamptz, timestamptz,
          text[], text[], text, text, text, date, text);
        DROP FUNCTION hold_account(uuid, timestamptz);
        DROP FUNCTION account_sums(uuid, timestamptz);
        DROP FUNCTION refuse_change();
        DROP FUNCTION check_zero_sum();
        """
    )
