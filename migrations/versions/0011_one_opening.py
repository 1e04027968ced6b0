"""All that a live sale must know before it is booked is one question."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def _run(name: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def upgrade() -> None:
    _run("0011_one_opening.sql")


def downgrade() -> None:
    _run("0011_one_opening.down.sql")
