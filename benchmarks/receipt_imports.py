"""
The same receipts posted one by one through the production server, and imported as CSV and as POSLog; in one run, in turn.

    python3 dev bench receipt_imports [--receipts 10000] [--rounds 1] [--members 20000]

The till posts on one open connection and waits for each answer, as a till does; the server, its checks and the durable
commit of each receipt are those of `python3 dev serve`. The imports read, check, store and book the same sales from
a file on the same database; each side has tills of its own, so that nobody finds what another stored. The points
that each side booked are compared in the end.
"""

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from frame import Rounds, console, cpu_seconds, database, progress, record, show
from till_parts.house import STORE, House, furnish, owner, serving

from core.clock import now
from core.database import Sessions, make_engine, make_sessions
from core.progress import Report, silent
from loyalty.imports.receipts import import_receipts
from sales.operations import add_till
from sales.poslog import NAMESPACE
from sales.receipt_rows import COLUMNS

LINES = 9
POSTED, CSV, POSLOG = "posted one by one", "imported from CSV", "imported from POSLog"


def sales(house: House, count: int, seed: int) -> list[dict[str, Any]]:
    """Return sales of nine lines as a till posts them."""
    chance, moment = random.Random(seed), now() - timedelta(hours=2)
    made = []
    for number in range(count):
        lines = []
        for line in range(1, LINES + 1):
            sku, price = chance.choice(house.articles)
            quantity = chance.choice((1, 1, 1, 2))
            lines.append(
                {
                    "line_number": line,
                    "sku": sku,
                    "name": f"Made-up article {line}",
                    "quantity": str(quantity),
                    "unit": "pcs",
                    "unit_price": price,
                    "total_amount": quantity * price,
                    "tax_rate": "12",
                }
            )
        paid = sum(line["total_amount"] for line in lines)
        made.append(
            {
                "type": "sale",
                "business_date": moment.date().isoformat(),
                "receipt_number": f"{number:06}",
                "closed_at": (moment + timedelta(milliseconds=number)).isoformat(),
                "operator_code": "17",
                "card_number": chance.choice(house.cards),
                "currency": "CZK",
                "lines": lines,
                "tenders": [{"type": "cash", "amount": paid}],
                "totals": {"payable_amount": paid},
            }
        )
    return made


def post(port: int, key: str, receipts: list[dict[str, Any]]) -> int:
    """Post receipts one after the other, each when the one before was answered."""
    connection = HTTPConnection("127.0.0.1", port)
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for receipt in receipts:
        connection.request("POST", "/pos/v1/receipts", json.dumps(receipt), head)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise SystemExit(f"status {answer.status}: {body.decode()[:500]}")
    connection.close()
    return len(receipts)


def write_csv(path: Path, till: str, receipts: list[dict[str, Any]]) -> Path:
    """Write receipts as rows of a receipts file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS.all, restval="", extrasaction="ignore")
        writer.writeheader()
        for receipt in receipts:
            writer.writerows(
                {**receipt, **line, "store_code": STORE, "till_code": till} for line in receipt["lines"]
            )
    return path


def write_poslog(path: Path, till: str, receipts: list[dict[str, Any]]) -> Path:
    """Write receipts as transactions of a POSLog."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<POSLog xmlns="{NAMESPACE}" MajorVersion="6">\n')
        for one in receipts:
            lines = "".join(
                f'<LineItem><SequenceNumber>{line["line_number"]}</SequenceNumber><Sale ItemType="Stock">'
                f"<ItemID>{line['sku']}</ItemID><Description>{line['name']}</Description>"
                f'<Quantity UnitOfMeasureCode="EA">{line["quantity"]}</Quantity>'
                f"<RegularSalesUnitPrice>{_major(line['unit_price'])}</RegularSalesUnitPrice>"
                f"<ExtendedAmount>{_major(line['total_amount'])}</ExtendedAmount>"
                f'<Tax TaxType="VAT"><Percent>{line["tax_rate"]}</Percent></Tax></Sale></LineItem>\n'
                for line in one["lines"]
            )
            paid = _major(one["totals"]["payable_amount"])
            file.write(
                f"<Transaction><RetailStoreID>{STORE}</RetailStoreID><WorkstationID>{till}</WorkstationID>"
                f"<SequenceNumber>{one['receipt_number']}</SequenceNumber>"
                f"<BusinessDayDate>{one['business_date']}</BusinessDayDate>"
                f"<EndDateTime>{one['closed_at']}</EndDateTime><OperatorID>17</OperatorID>"
                f"<CurrencyCode>CZK</CurrencyCode><RetailTransaction>"
                f"<LoyaltyAccount><LoyaltyID>{one['card_number']}</LoyaltyID></LoyaltyAccount>{lines}"
                f'<LineItem><Tender TenderType="Cash"><Amount>{paid}</Amount></Tender></LineItem>'
                f'<Total TotalType="TransactionGrandAmount">{paid}</Total></RetailTransaction></Transaction>\n'
            )
        file.write("</POSLog>\n")
    return path


def _major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


@contextmanager
def _unseen(_title: str) -> Iterator[Report]:
    yield silent


def take(sessions: Sessions, path: Path) -> int:
    """Import a file whole."""
    done = import_receipts(sessions, path, now=now(), show=_unseen)
    if done.summary.refused:
        raise SystemExit(f"refused: see {done.summary.refused_file}")
    return done.receipts


def points_of(url: str, tills: str) -> int:
    """Return what the receipts of the tills whose codes begin so have earned."""
    with owner(url) as connection:
        row = connection.execute(
            "select coalesce(sum(lot.earned), 0)::bigint from lot "
            "join receipt using (business_date, receipt_id) join till using (till_id) "
            "where till.till_code like %s",
            (f"{tills}%",),
        ).fetchone()
    return int(row[0]) if row else 0


def run(
    url: str, house: House, folder: Path, known: argparse.Namespace, watched: Callable[[], list[int]]
) -> None:
    """Run the sides in turn, and report them."""
    sides = {name: Rounds(name, known.receipts) for name in (POSTED, CSV, POSLOG)}
    engine = make_engine(url)
    sessions = make_sessions(engine)
    with serving(url, folder) as (port, process):
        post(port, house.key, sales(house, 200, seed=0))
        for number in range(known.rounds):
            receipts = sales(house, known.receipts, seed=number + 1)
            with sessions.begin() as session:
                key = add_till(
                    session, store_code=STORE, till_code=f"H{number}", now=now(), actor="benchmark"
                )
            table = write_csv(folder / "receipts.csv", f"C{number}", receipts)
            log = write_poslog(folder / "receipts.xml", f"P{number}", receipts)
            work: dict[str, Callable[[], int]] = {
                POSTED: lambda key=key, receipts=receipts: post(port, key, receipts),  # type: ignore[misc]
                CSV: lambda path=table: take(sessions, path),  # type: ignore[misc]
                POSLOG: lambda path=log: take(sessions, path),  # type: ignore[misc]
            }
            for name, do in work.items():
                cpu, started = cpu_seconds([process, *watched()]), time.perf_counter()
                do()
                sides[name].seconds.append(time.perf_counter() - started)
                sides[name].cpu_seconds.append(cpu_seconds([process, *watched()]) - cpu)
                progress(f"round {number + 1} of {known.rounds}: {name}, {sides[name].seconds[-1]:.1f} s")
    engine.dispose()
    documents = [side.document for side in sides.values()]
    show("receipt imports", documents)
    earned = {name: points_of(url, tills) for name, tills in ((POSTED, "H"), (CSV, "C"), (POSLOG, "P"))}
    console.print(f"points booked by each side: {', '.join(f'{points:,}' for points in earned.values())}")
    if len(set(earned.values())) > 1:
        raise SystemExit("the sides booked different points")
    sizes = {**house.sizes, "lines": LINES, "rounds": known.rounds}
    record("receipt imports", {"sizes": sizes, "sides": documents, "points": earned})


def main() -> None:
    """Make a house and let the sides run in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--receipts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--members", type=int, default=20_000)
    known = parser.parse_args()
    with database() as (url, watched), tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        progress("making a crowd")
        house = furnish(url, members=known.members, receipts=0)
        run(url, house, Path(folder), known, watched)


if __name__ == "__main__":
    main()
