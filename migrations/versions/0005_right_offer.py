"""The right offer: what is offered next, answers, cases, mail, and catalogs in runs."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def _run(name: str) -> None:
    """Run many statements at once, which only the driver's own connection does."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def upgrade() -> None:
    _run("0005_right_offer.sql")


def downgrade() -> None:
    _run("0005_right_offer.down.sql")
