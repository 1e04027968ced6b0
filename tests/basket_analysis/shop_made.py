"""Stores, members and receipts as the tables hold them, put there by hand."""

from datetime import UTC, date, datetime

from sqlalchemy import insert

from core.ids import uuid7
from customers.models import Account, Member
from sales.models import Article, Receipt, ReceiptLine, ReceiptLink, Store, Till

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Shop:
    """Writes stores, articles and members at once, and receipts when told to."""

    def __init__(self, session, store_code="S1"):
        self.session = session
        self.store_id = self._add(
            Store, Store.store_id, store_code=store_code, name="S", currency="CZK", timezone="Europe/Prague"
        )
        self.till_id = self._add(Till, Till.till_id, store_id=self.store_id, till_code="T1")
        self.number = 0
        self.rows = {Receipt: [], ReceiptLine: [], ReceiptLink: []}
        self.days = {}

    def _add(self, table, key, **values):
        return self.session.execute(insert(table).values(**values).returning(key)).scalar_one()

    def article(self, sku, *, department="GROCERY", category="TEA", kind="BLACK TEA"):
        return self._add(
            Article, Article.article_id, sku=sku, name=sku, department=department, category=category, type=kind,
            unit="pcs", tax_rate=12,
        )  # fmt: skip

    def member(self, code, **more):
        account = self._add(Account, Account.account_id, account_id=uuid7(), opened_at=NOW)
        return self._add(
            Member, Member.member_id, member_id=uuid7(), member_code=code, account_id=account, given_name="A",
            family_name="B", language="cs", joined_on=date(2020, 1, 1), **more,
        )  # fmt: skip

    def receipt(self, day, lines, *, member=None, kind="sale", mode="live", of=None):
        self.number += 1
        receipt_id = uuid7()
        self.days[receipt_id] = day
        self.rows[Receipt].append({
            "business_date": day, "receipt_id": receipt_id, "store_id": self.store_id, "till_id": self.till_id,
            "receipt_number": str(self.number), "type": kind, "mode": mode, "offline": False, "closed_at": NOW,
            "received_at": NOW, "member_id": member, "currency": "CZK", "gross_amount": 0, "discount_amount": 0,
            "points_amount": 0, "rounding_amount": 0, "payable_amount": 0, "fingerprint": b"",
        })  # fmt: skip
        for number, (article_id, quantity, price, *original) in enumerate(lines, start=1):
            self.rows[ReceiptLine].append({
                "business_date": day, "receipt_id": receipt_id, "line_number": number, "article_id": article_id,
                "quantity": quantity, "unit_price": price, "discount_amount": 0, "total_amount": quantity * price,
                "original_line_number": original[0] if original else None,
                "counted_quantity": quantity if kind == "return" else None,
            })  # fmt: skip
        if of:
            self.rows[ReceiptLink].append({
                "receipt_id": receipt_id, "business_date": day, "type": kind, "identity": str(self.number),
                "original_identity": "original", "original_business_date": self.days[of],
                "original_receipt_id": of,
            })  # fmt: skip
        return receipt_id

    def write(self):
        """Write the receipts collected so far."""
        for table, rows in self.rows.items():
            if rows:
                self.session.execute(insert(table), rows)
                rows.clear()
