"""What was missing for the issues of the first six revisions to be closed."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def _run(name: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def upgrade() -> None:
    _run("0007_finish.sql")


def downgrade() -> None:
    _run("0007_finish.down.sql")
