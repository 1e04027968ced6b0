"""The ceiling: pgbench doing the least SQL that a receipt can mean, one statement and one round trip each."""

import re
import subprocess
from pathlib import Path

# Cards of the ceiling's own, so that what it adds to balances disturbs nobody. The receipt's identity is
# held by its unique index.
STATEMENT = """
\\set card random(1, {cards})
\\set till random(1, {tills})
\\set number random(1, 9000000000)
\\set article random(1, {articles} - 9)
with scanned as (
    select card.card_number, card.account_id, card.member_id, member.given_name,
           gen_random_uuid() as receipt_id, gen_random_uuid() as entry_id, gen_random_uuid() as lot_id
    from card left join member on member.member_id = card.member_id
    where card.card_number = 'ceiling' || :card
), held as (
    update balance set points = balance.points + 100
    from scanned where balance.account_id = scanned.account_id
    returning balance.points
), stored as (
    insert into receipt (
        business_date, receipt_id, store_id, till_id, receipt_number, type, mode, offline, closed_at, received_at,
        card_number, account_id, member_id, currency, gross_amount, discount_amount, points_amount,
        rounding_amount, payable_amount, fingerprint)
    select current_date, receipt_id, {store}, :till, :number::text, 'sale', 'live', false, now(), now(),
           card_number, account_id, member_id, 'CZK', 9000, 0, 0, 0, 9000, '\\x00'
    from scanned
), lines as (
    insert into receipt_line (
        business_date, receipt_id, line_number, article_id, sku, name, quantity, unit, unit_price,
        discount_amount, total_amount, tax_rate, points)
    select current_date, receipt_id, line, :article + line, 'CROWD', 'Made-up article', 1, 'pcs', 1000, 0, 1000, 12, 10
    from scanned, generate_series(1, 9) as line
), entry as (
    insert into ledger_entry (entry_id, account_id, reason, business_date, booked_at, receipt_id)
    select entry_id, account_id, 'earn', current_date, now(), receipt_id from scanned
), legs as (
    insert into ledger_leg (entry_id, leg_number, account_id, book, lot_id, points)
    select entry_id, leg, account_id, case leg when 1 then 'points' else 'issued' end,
           case leg when 1 then lot_id end, case leg when 1 then 100 else -100 end
    from scanned, generate_series(1, 2) as leg
)
select held.points, scanned.given_name from held, scanned;
"""

CARDS = """
    with opened as (
        insert into account (account_id, opened_at)
        select gen_random_uuid(), now() from generate_series(1, {cards}) returning account_id
    ), numbered as (
        select account_id, row_number() over () as number from opened
    ), balances as (
        insert into balance (account_id) select account_id from opened
    )
    insert into card (card_number, state, account_id, created_at, issued_at)
    select 'ceiling' || number, 'issued', account_id, now(), now() from numbered
"""


class Ceiling:
    """pgbench on one database."""

    def __init__(
        self, program: Path, folder: Path, *, socket: Path, port: int, user: str, database: str
    ) -> None:
        self._command = [str(program), "-h", str(socket), "-p", str(port), "-U", user, "-n", "-M", "prepared"]
        self._database = database
        self._script = folder / "ceiling.sql"

    def write(self, **numbers: int) -> None:
        """Write the script for a database of these sizes."""
        self._script.write_text(STATEMENT.format(**numbers), encoding="utf-8")

    def run(self, clients: int, seconds: float) -> float:
        """Return the transactions that pgbench committed per second."""
        load = [
            "-f",
            str(self._script),
            "-c",
            str(clients),
            "-j",
            str(min(2, clients)),
            "-T",
            str(round(seconds)),
        ]
        told = subprocess.run(
            [*self._command, *load, self._database], capture_output=True, text=True, check=True
        )
        found = re.search(r"tps = ([0-9.]+)", told.stdout)
        if found is None or "failed transactions: 0 " not in told.stdout:
            raise SystemExit(f"pgbench failed: {told.stdout}{told.stderr}")
        return float(found[1])
