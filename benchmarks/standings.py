"""
Phases and value classes of a made-up chain: what the night's step takes, in processor seconds, ours and the database's.

    python3 dev bench standings [--members 1000000] [--receipts 5000000]

Members come with their own pace over two years, three in ten stop at some day. Read, judged and written is what the
step does; moves is what serving does when one member in a hundred has moved since the run before.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from frame import PeakMemory, console, cpu_seconds, database, progress, record
from sqlalchemy import text

from basket_analysis.standings.jobs import HISTORY_WEEKS, judge
from basket_analysis.standings.phases import learn_habits, trading_clock
from basket_analysis.standings.reading import read_past
from contacts.moves import record_moves
from core.copying import refresh_statistics
from core.database import Sessions, make_engine, make_sessions, upgrade
from core.ids import uuid7
from customers.models import PHASES
from customers.standing_writing import store_standings

DAY = date(2026, 11, 21)
FIRST = DAY - timedelta(weeks=HISTORY_WEEKS) + timedelta(days=1)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)

STORES = """
    insert into store (store_code, name, currency, timezone) values ('S1', 'S1', 'CZK', 'Europe/Prague');
    insert into till (store_id, till_code) select store_id, 'T1' from store
"""

PEOPLE = """
    create table pace as
    select number, gen_random_uuid() as account_id, gen_random_uuid() as member_id,
           case when random() < 0.3 then 30 + floor(random() * 698)::integer else 728 end as until,
           exp(ln(:each) + 0.8 * (random() + random() + random() - 1.5)) as visits
    from generate_series(1, :members) as number;
    insert into account (account_id, opened_at) select account_id, now() from pace;
    insert into member (member_id, member_code, account_id, given_name, family_name, email, language, joined_on)
    select member_id, number::text, account_id, 'A', 'B', number || '@example.com', 'cs', date '2020-01-01' from pace
"""

RECEIPTS = """
    insert into receipt (business_date, receipt_id, store_id, till_id, receipt_number, type, mode, offline, closed_at,
        received_at, account_id, member_id, currency, gross_amount, discount_amount, points_amount, rounding_amount,
        payable_amount, fingerprint)
    select :first + visit.day, gen_random_uuid(), store.store_id, till.till_id, pace.number || '-' || visit.number, 'sale',
           'live', false, now(), now(), account_id, member_id, 'CZK', 20000, 0, 0, 0, 5000 + floor(random() * 90000), ''
    from pace
    cross join lateral (
        select number, floor((number + random() * 0.8) * 728 / visits)::integer as day
        from generate_series(0, floor(visits)::integer) as number
    ) as visit
    cross join store join till using (store_id)
    where visit.day < pace.until and pace.number > :after and pace.number <= :upto
"""


def furnish(sessions: Sessions, *, members: int, receipts: int) -> None:
    """Fill an empty database."""
    with sessions.begin() as session:
        session.execute(text("select ensure_receipt_months(:first, :last)"), {"first": FIRST, "last": DAY})
        for statement in STORES.split(";"):
            session.execute(text(statement))
        for statement in PEOPLE.split(";"):
            values = {"members": members, "each": receipts / members}
            session.execute(text(statement), {key: values[key] for key in values if f":{key}" in statement})
    for after in range(0, members, 50_000):
        with sessions.begin() as session:
            session.execute(text(RECEIPTS), {"first": FIRST, "after": after, "upto": after + 50_000})
        progress(f"receipts of {min(members, after + 50_000):,} members")


@contextmanager
def measured(title: str, found: dict[str, float], server: Callable[[], list[int]]) -> Iterator[None]:
    """Keep how much processor time a block takes, ours and the server's."""
    ours, began = time.process_time(), cpu_seconds(server())
    yield
    mine = time.process_time() - ours
    found[title] = round(cpu_seconds(server()) - began, 2)
    console.print(f"{title:<10} {found[title]:8.2f} s, ours {mine:.2f} s")


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--receipts", type=int, default=5_000_000)
    known = parser.parse_args()
    found: dict[str, float] = {}
    with database() as (url, server):
        upgrade(url)
        owner = make_sessions(make_engine(url, role=None))
        furnish(owner, members=known.members, receipts=known.receipts)
        refresh_statistics(url, ("receipt", "member", "account"))
        sessions = make_sessions(make_engine(url))
        before, run = uuid7(), uuid7()
        with PeakMemory() as memory, sessions.begin() as session:
            with measured("read", found, server):
                past = read_past(session, first_day=FIRST, business_day=DAY)
            with measured("habits", found, server):
                habits = learn_habits(past.visits, trading_clock(past.visits_per_day))
            with measured("judge", found, server):
                standings = judge(past, habits, past.household)
            with measured("write", found, server):
                store_standings(session, run_id=run, first_day=FIRST, found=standings)
            standings.phase[::100] = (standings.phase[::100] + 1) % len(PHASES)
            session.execute(text("drop table found_standing"))
            store_standings(session, run_id=before, first_day=FIRST, found=standings)
            with measured("moves", found, server):
                moved = record_moves(session, before=before, run=run, now=NOW)
    visits, mebibytes = len(past.visits.day), memory.bytes / 2**20
    console.print(f"{known.members:,} members, {visits:,} visits, {moved:,} moved, {mebibytes:,.0f} MiB")
    record(
        "standings",
        {
            "members": known.members,
            "visits": visits,
            "moved": moved,
            "cpu_seconds": found,
            "mebibytes": round(mebibytes),
        },
    )


if __name__ == "__main__":
    main()
