"""Vouchers as the screens list and print them."""

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.pdf.voucher_sheets import Leaf, voucher_sheets
from core.money import Money
from rewards.models import Voucher
from rewards.vouchers.batches import batches
from rewards.vouchers.changes import note_reprint
from rewards.vouchers.lists import VoucherRow, list_vouchers
from sales.models import Store
from web import gift_words
from web.state import now, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import gettext as _
from web.words import language


def open_codes(session: Session, *, batch_code: str, most: int) -> list[str]:
    """Return the codes of a batch that nobody has used, the latest first, at most so many."""
    return list(
        session.scalars(
            select(Voucher.voucher_code)
            .where(Voucher.batch_code == batch_code, Voucher.state == "issued")
            .order_by(Voucher.issued_at.desc(), Voucher.voucher_code)
            .limit(most)
        )
    )


def printed(session: Session, codes: list[str]) -> bytes:
    """Return sheets with these vouchers in the reader's language, and write down that they were printed."""
    rows = session.scalars(
        select(Voucher).where(Voucher.voucher_code.in_(codes)).order_by(Voucher.voucher_code)
    ).all()
    known = batches(session, {row.batch_code for row in rows})
    stores = {row.store_id: row.name for row in session.execute(select(Store.store_id, Store.name))}
    leaves = [
        Leaf(
            voucher_code=row.voucher_code,
            name=known[row.batch_code].name(language()),
            value=_money(row.left_amount, row.currency),
            minimum=_money(row.minimum_amount, row.currency),
            valid_until=row.valid_until,
            symbology=known[row.batch_code].symbology,
            stores=", ".join(stores[store_id] for store_id in known[row.batch_code].store_ids),
        )
        for row in rows
    ]
    note_reprint(session, codes=[leaf.voucher_code for leaf in leaves], actor=viewer().login, now=now())
    return voucher_sheets(leaves, language=language())


def _money(amount: int | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def table_of_vouchers(session: Session, *, batch: str | None = None) -> Table[VoucherRow]:
    """Return the list of vouchers, of one batch or of all."""
    return Table(
        name="vouchers",
        find=_("Code"),
        default_sort="-issued_at",
        columns=_columns(own=batch is not None),
        filters=(
            Filter(
                key="state",
                label=_("State"),
                choices=tuple(
                    Choice(state, words) for state, (words, _meaning) in gift_words.voucher_states().items()
                ),
            ),
        ),
        fetch=lambda ask: list_vouchers(session, ask, batch=batch),
        href=lambda row: url_for("vouchers.show", voucher_code=row.voucher_code),
        empty=Empty(
            _("No vouchers yet"),
            _("Offers issue them with receipts; or issue some here, print them and hand them out."),
            "ticket-percent",
        ),
    )


def _state(row: VoucherRow) -> Markup:
    return gift_words.voucher_state(row.state)


def _columns(*, own: bool) -> tuple[Column[VoucherRow], ...]:
    return (
        Column(
            key="voucher_code", title=_("Code"), value=lambda row: row.voucher_code, kind="code", sort=True
        ),
        Column(
            key="batch_code",
            title=_("Batch"),
            value=lambda row: row.batch_code,
            kind="code",
            sort=True,
            shown=not own,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: gift_words.voucher_states()[row.state][0],
            figure=_state,
            sort=True,
        ),
        Column(
            key="left_amount",
            title=_("Worth"),
            value=lambda row: row.left_amount,
            kind="money",
            currency=lambda row: row.currency or "EUR",
            sort=True,
        ),
        Column(
            key="member",
            title=_("Member"),
            value=lambda row: row.member_name or None,
            second=lambda row: row.member_code,
            personal=True,
        ),
        Column(
            key="valid_until",
            title=_("Valid until"),
            value=lambda row: row.valid_until,
            kind="date",
            sort=True,
        ),
        Column(key="issued_at", title=_("Issued"), value=lambda row: row.issued_at, kind="moment", sort=True),
    )
