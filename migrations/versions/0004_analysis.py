"""The analysis in depth: counts by day, quality of runs, edited groups, phases and values, measured decisions."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def _run(name: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def upgrade() -> None:
    _run("0004_analysis.sql")


def downgrade() -> None:
    _run("0004_analysis.down.sql")
