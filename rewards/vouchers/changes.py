"""What people do with vouchers: they cancel unused ones and print one again; both are written down."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from core.audit import record_event
from core.driver import driver_of
from core.errors import Refused
from rewards.vouchers.reservations import VoucherNotFound


class NoReasonGiven(Refused):
    """Vouchers are cancelled for a reason."""


_CANCEL = """
    with changed as (
        update voucher set state = 'cancelled', reserved_until = null, redemption_id = null
        where {which} and state in ('issued', 'reserved', 'expired')
        returning voucher_code
    ), resolved as (
        update voucher_reservation set state = 'released', resolved_at = %(now)s
        from changed where voucher_reservation.voucher_code = changed.voucher_code and state = 'reserved'
    ), noted as (
        insert into voucher_event (voucher_code, event, happened_at, actor, note)
        select voucher_code, 'cancelled', %(now)s, %(actor)s, %(reason)s from changed
    )
    select voucher_code from changed order by voucher_code
"""


def cancel_vouchers(
    session: Session,
    *,
    codes: Collection[str] | None = None,
    batch_code: str | None = None,
    reason: str,
    actor: str,
    now: datetime,
) -> list[str]:
    """
    Cancel those of the vouchers, or of a batch, that nobody has used; returns their codes.

    Used and cancelled ones stay as they are. Raises `NoReasonGiven`, and `VoucherNotFound` for a code
    that nobody issued: then none is cancelled.
    """
    if not reason.strip():
        raise NoReasonGiven("say why the vouchers are cancelled")
    which, subject = (
        ("batch_code = %(batch_code)s", ("voucher_batch", batch_code))
        if batch_code is not None
        else ("voucher_code = any(%(codes)s)", ("voucher", ", ".join(sorted(codes or ())[:5])))
    )
    if codes is not None:
        _know(session, codes)
    values = {
        "codes": list(codes or ()),
        "batch_code": batch_code,
        "reason": reason,
        "actor": actor,
        "now": now,
    }
    rows = driver_of(session).execute(_CANCEL.format(which=which), values).fetchall()
    cancelled = [row[0] for row in rows]
    if cancelled:
        record_event(
            session,
            now=now,
            actor=actor,
            action="voucher.cancel",
            subject_kind=subject[0],
            subject_id=str(subject[1]),
            detail={"count": len(cancelled), "reason": reason},
        )
    return cancelled


def _know(session: Session, codes: Collection[str]) -> None:
    found = driver_of(session).execute(
        "select voucher_code from voucher where voucher_code = any(%s)", (list(codes),)
    )
    unknown = set(codes) - {row[0] for row in found.fetchall()}
    if unknown:
        raise VoucherNotFound(f"nobody issued the voucher {min(unknown)}")


def note_reprint(session: Session, *, codes: Collection[str], actor: str, now: datetime) -> None:
    """Note that vouchers were printed, which changes nothing about them; raises `VoucherNotFound`."""
    _know(session, codes)
    driver_of(session).execute(
        """
        insert into voucher_event (voucher_code, event, happened_at, actor)
        select voucher_code, 'reprinted', %s, %s from unnest(%s::text[]) as voucher_code
        """,
        (now, actor, list(codes)),
    )
    record_event(
        session,
        now=now,
        actor=actor,
        action="voucher.print",
        subject_kind="voucher",
        subject_id=", ".join(sorted(codes)[:5]),
        detail={"count": len(codes)},
    )
