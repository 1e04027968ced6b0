"""Table: answers kept under a till's Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class IdempotencyRecord(Base):
    """The answer that a till's key got; a repeated key with the same body gets it again for at least a day."""

    __tablename__ = "idempotency_record"

    till_id: Mapped[int] = mapped_column(ForeignKey("till.till_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)
