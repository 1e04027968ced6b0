"""What somebody needs who wants to look at the demonstration: addresses, sign-ins, a till key and a receipt to post."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import zone
from demo.journey import CURRENCY, TIMEZONE
from demo.loading import PEOPLE
from demo.record import DemoRecord

_ARTICLES = """
    select line.sku, article.name, max(line.unit_price) as unit_price
    from receipt
    join store using (store_id)
    join receipt_line as line using (business_date, receipt_id)
    join article using (article_id)
    where store.store_code = :store_code and receipt.business_date > cast(:last_day as date) - 28
      and line.unit = 'pcs' and line.unit_price > 0 and line.discount_amount = 0
    group by line.sku, article.name
    order by count(*) desc, line.sku
    limit 2
"""
_CARD = """
    select card.card_number
    from card
    join member using (member_id)
    join balance on balance.account_id = card.account_id
    where member.home_store_code = :store_code and member.language = 'cs' and card.state = 'active'
    order by balance.points desc, card.card_number
    limit 1
"""


_CUSTOMER = """
    select card.card_number
    from card
    join member using (member_id)
    join balance on balance.account_id = card.account_id
    where member.email is not null and card.state = 'active'
    order by exists (select from catalog_copy as copy where copy.member_id = member.member_id) desc,
             member.language = 'en' desc, balance.points desc, card.card_number
    limit 1
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the receipt to be posted is made of, and a customer whose own page is worth a look."""

    card_number: str | None
    articles: tuple[tuple[str, str, int], ...]
    """Sku, name and price in minor units."""
    customer_card: str | None
    """Of somebody with an address, who has a catalog if anybody has."""


def read_sample(session: Session, record: DemoRecord) -> Sample:
    """Return a card and articles of the store that has the till key."""
    asked = {"store_code": record.till["store_code"], "last_day": record.last_day}
    articles = tuple((row.sku, row.name, row.unit_price) for row in session.execute(text(_ARTICLES), asked))
    card = session.scalar(text(_CARD), {"store_code": record.till["store_code"]})
    return Sample(card, articles, session.scalar(text(_CUSTOMER)))


def receipt_body(sample: Sample, *, now: datetime) -> dict[str, object]:
    """Return a sale of this moment; its number is the time of day, so that each line printed posts a new receipt."""
    local = now.astimezone(zone(TIMEZONE)).replace(microsecond=0)
    lines = [
        {
            "line_number": number,
            "sku": sku,
            "name": name,
            "quantity": "1",
            "unit": "pcs",
            "unit_price": price,
            "total_amount": price,
            "tax_rate": "0",
        }
        for number, (sku, name, price) in enumerate(sample.articles, 1)
    ]
    total = sum(price for _, _, price in sample.articles)
    card = {"card_number": sample.card_number, "card_entry_mode": "scanned"} if sample.card_number else {}
    return {
        "type": "sale",
        "business_date": local.date().isoformat(),
        "receipt_number": f"demo-{local:%H%M%S}",
        "closed_at": local.isoformat(),
        **card,
        "currency": CURRENCY,
        "lines": lines,
        "tenders": [{"type": "cash", "amount": total}],
        "totals": {"payable_amount": total},
    }


def curl_line(record: DemoRecord, body: dict[str, object], *, port: int) -> str:
    """Return a line for a shell that posts `body` as the till of the demonstration."""
    # Inside single quotes a shell takes everything as it is, but for the single quote itself.
    quoted = json.dumps(body, ensure_ascii=False).replace("'", "\\u0027")
    return (
        f"curl -sS -X POST http://127.0.0.1:{port}/pos/v1/receipts "
        f"-H 'Authorization: Bearer {record.till['key']}' -H 'Content-Type: application/json' -d '{quoted}'"
    )


def guide(record: DemoRecord, sample: Sample, *, now: datetime, port: int) -> Iterator[str]:
    """Yield the lines that are printed when the demonstration is ready."""
    store_code = record.till["store_code"]
    yield f"Regulars with the Complete Journey baskets, {_period(record.last_day)}."
    yield f"Open http://127.0.0.1:{port} and sign in as one of:"
    yield ""
    for login, role, name, language in PEOPLE:
        password = record.passwords[login]
        yield f"  {login:10} {password}   {role.replace('_', ' '):14} {name}, {language}"
    yield ""
    if sample.customer_card:
        yield f"Customers have their own page: http://127.0.0.1:{port}/my/ with the card {sample.customer_card};"
        yield "the mail with the code is kept in the folder mail of the data folder."
        yield ""
    yield f"Till {store_code}/{record.till['till_code']} has the key {record.till['key']}"
    yield "This posts a receipt of that till, once the server runs:"
    yield ""
    yield curl_line(record, receipt_body(sample, now=now), port=port)


def _period(last_day: date) -> str:
    return f"the last of them of {last_day:%A, %d %B %Y}"
