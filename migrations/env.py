"""What Alembic runs: it knows every package's tables, which no package below the roots may."""

from alembic import context
from sqlalchemy import create_engine, pool, text

import basket_analysis.models  # noqa: F401 - its tables
import catalogs.models  # noqa: F401 - its tables
import contacts.models  # noqa: F401 - its tables
import core.models  # noqa: F401 - its tables
import customers.models  # noqa: F401 - its tables
import loyalty.models  # noqa: F401 - its tables
import pos_api.models  # noqa: F401 - its tables
import rewards.models  # noqa: F401 - its tables
import sales.models  # noqa: F401 - its tables
import web.models  # noqa: F401 - its tables
from core.database import Base

LOCK = 7_260_413_918
"""Advisory lock under which one process at a time migrates; the number only has to be ours."""


def run() -> None:
    """Migrate the database that `core.database.upgrade` named, one process at a time."""
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()
    engine.dispose()


run()
