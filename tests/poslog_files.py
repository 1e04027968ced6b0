"""POSLog files for tests: posted receipts written as transactions."""

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from sales.poslog import NAMESPACE
from sales.receipts import Original, PostedLine, PostedReceipt, TillIdentity

CODES = {"kg": "KGM", "l": "LTR", "pcs": "EA"}


def write_poslog(path: Path, transactions: Iterable[str]) -> Path:
    """Write the transactions into one document."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<POSLog xmlns="{NAMESPACE}" MajorVersion="6">\n')
        file.writelines(transactions)
        file.write("</POSLog>\n")
    return path


def transaction(posted: PostedReceipt, till: TillIdentity, *, extra: str = "") -> str:
    """Return what a POSLog says of a posted receipt; `extra` goes beside the retail transaction."""
    attributes = ' TrainingModeFlag="true"' if posted.mode == "training" else ""
    status = ' TransactionStatus="Suspended"' if posted.mode == "suspended" else ""
    void = ""
    if posted.type == "void" and posted.original:
        void = f'<TransactionLink ReasonCode="Voided">{_named(posted.original)}</TransactionLink>'
    card = f"<LoyaltyAccount><LoyaltyID>{posted.card_number}</LoyaltyID></LoyaltyAccount>"
    operator = f"<OperatorID>{escape(posted.operator_code)}</OperatorID>" if posted.operator_code else ""
    lines = "".join(_line(line, posted) for line in posted.lines)
    tenders = "".join(
        f'<LineItem><Tender TenderType="{one.type.capitalize()}"><Amount>{_major(one.amount)}</Amount></Tender></LineItem>'
        for one in posted.tenders
    )
    rounding = posted.totals.rounding_amount
    rounded = f"<LineItem><Rounding>{_major(rounding)}</Rounding></LineItem>" if rounding else ""
    paid = posted.totals.payable_amount
    total = f'<Total TotalType="TransactionGrandAmount">{_major(paid)}</Total>' if paid is not None else ""
    return (
        f"<Transaction{attributes}><RetailStoreID>{till.store_code}</RetailStoreID>"
        f"<WorkstationID>{till.till_code}</WorkstationID><SequenceNumber>{posted.receipt_number}</SequenceNumber>"
        f"<BusinessDayDate>{posted.business_date}</BusinessDayDate>"
        f"<EndDateTime>{posted.closed_at.isoformat()}</EndDateTime>{operator}"
        f"<CurrencyCode>{posted.currency}</CurrencyCode>{extra}"
        f"<RetailTransaction{status}>{card if posted.card_number else ''}{lines}{tenders}{rounded}{total}{void}"
        "</RetailTransaction></Transaction>\n"
    )


def _line(line: PostedLine, posted: PostedReceipt) -> str:
    kind = "Return" if posted.type == "return" else "Sale"
    parts = [f"<{kind}>"]
    parts += [f"<ItemID>{escape(line.sku)}</ItemID>"] if line.sku else []
    parts += [f"<POSIdentity><POSItemID>{line.gtin}</POSItemID></POSIdentity>"] if line.gtin else []
    parts += [f"<Description>{escape(line.name)}</Description>"] if line.name else []
    unit = f" UnitOfMeasureCode={quoteattr(CODES.get(line.unit, line.unit))}" if line.unit else ""
    parts.append(f"<Quantity{unit}>{line.quantity}</Quantity>")
    parts.append(f"<RegularSalesUnitPrice>{_major(line.unit_price)}</RegularSalesUnitPrice>")
    parts.append(f"<ExtendedAmount>{_major(line.total_amount)}</ExtendedAmount>")
    if line.discount_amount:
        parts.append(f"<ExtendedDiscountAmount>{_major(line.discount_amount)}</ExtendedDiscountAmount>")
    if line.tax_rate is not None:
        parts.append(f'<Tax TaxType="VAT"><Percent>{line.tax_rate}</Percent></Tax>')
    if line.reason:
        parts.append(f"<Reason>{line.reason}</Reason>")
    if posted.type == "return" and posted.original:
        number = line.original_line_number
        named = f"<LineItemSequenceNumber>{number}</LineItemSequenceNumber>" if number else ""
        parts.append(
            f'<TransactionLink ReasonCode="Return">{_named(posted.original)}{named}</TransactionLink>'
        )
    parts.append(f"</{kind}>")
    return f"<LineItem><SequenceNumber>{line.line_number}</SequenceNumber>{''.join(parts)}</LineItem>"


def _named(original: Original) -> str:
    return (
        f"<BusinessUnit><UnitID>{original.store_code}</UnitID></BusinessUnit>"
        f"<WorkstationID>{original.till_code}</WorkstationID>"
        f"<SequenceNumber>{original.receipt_number}</SequenceNumber>"
        f"<BusinessDayDate>{original.business_date}</BusinessDayDate>"
    )


def _major(minor: int) -> str:
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{minor // 100}.{minor % 100:02}"
