"""Which stores a person can act for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sales.models import Store
from web.state import viewer


def stores_to_choose(session: Session) -> list[tuple[str, str]]:
    """Return code and name of the stores that the reader can choose; none for who belongs to one."""
    if viewer().store_id is not None:
        return []
    rows = session.execute(select(Store.store_code, Store.name).order_by(Store.store_code))
    return [(code, name) for code, name in rows]
