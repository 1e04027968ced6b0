"""All that a quote asks is one question."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def _run(name: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def upgrade() -> None:
    _run("0009_one_look.sql")


def downgrade() -> None:
    _run("0009_one_look.down.sql")
