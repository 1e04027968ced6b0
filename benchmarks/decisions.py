"""
What the next best offer adds to a quote at a till, with a list of every member of a large chain in the database.

    python3 dev bench decisions [--members 1000000] [--quotes 2000]

Each quote is made twice, without and with an adviser, of another member and a basket of nine each time, on the way that a
till's request takes in one process, without HTTP. A trip more or less does not show there, so the decision is measured
alone too, with its two questions as trips of their own: more than it ever takes beside a quote. Wall time is what a
till waits, processor time is ours and that of our session's server process. `--members 1000000` fills some four gigabytes.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from frame import console, database, progress, record
from sqlalchemy import text
from sqlalchemy.orm import Session

from campaigns import scenes
from campaigns.books import read_book
from campaigns.deciding import Moment, Place
from campaigns.decisions import KEEP, decided_from, kept_values
from campaigns.scenes import SCENE, scene_values
from campaigns.till_offers import IN_QUOTE, TillOffers
from core.clock import business_day
from core.database import Sessions, make_engine, make_sessions, upgrade
from core.driver import ask, driver_of
from core.ids import uuid7
from loyalty.quotes.baskets import quote_basket
from rewards.live_book import book_at_hand, live_book
from rewards.offer_operations import import_document
from sales.baskets import Basket, BasketLine
from sales.receipts import TillIdentity

SEED = 20261122
STORES, ARTICLES, TEMPLATES, LINES, RULES, OFFERS = 50, 20_000, 500, 9, 3_000, 100
ON_SHELF = 8_000

HOUSE = """
    insert into store (store_code, name, currency, timezone)
    select 'S' || n, 'S' || n, 'CZK', 'Europe/Prague' from generate_series(1, :stores) as n;
    insert into till (store_id, till_code) select store_id, 'T1' from store;
    insert into article (sku, name, department, category, type, brand, unit, tax_rate, price)
    select 'a' || n, 'Article ' || n, 'D' || n % 20, 'C' || n % 300, 'T' || n % 2000, 'B' || n % 500, 'pcs', 12,
           500 + n % 20000
    from generate_series(1, :articles) as n;
    insert into analysis_run (run_id, business_day, state, started_at, version, parameters, inputs, timings)
    values (:run, current_date, 'completed', now(), '1', '{}', '{}', '{}');
    insert into served_run (run_id, served_at) values (:run, now());
    insert into mined_rule (run_id, rule_number, level, antecedent, consequent, count, antecedent_count, consequent_count,
        households, support, confidence, lift, leverage, conviction, adjusted_lift, z, q)
    select :run, n, 'article', array['a' || 1 + n * 7 % :articles], array['a' || 1 + n * 13 % :articles], 60, 900, 800, 40,
           0.02, 0.35, 4, 0.01, 1.3, 1.5 + n % 10, 9, 0.001
    from generate_series(1, :rules) as n;
    insert into sold_lately (store_id, article_id, last_sold)
    select store_id, article_id, current_date - article_id % 20 from store, article
    where (article_id * 31 + store_id * 17) % :articles < :shelf;
    insert into article_stock (store_id, article_id, quantity, counted_at)
    select store_id, article_id, article_id % 9, now() from sold_lately where article_id % 3 = 0
"""

TEMPLATE = """
    create table template as
    select number, kind, array_agg(article_id order by place)::bigint[] as article_ids,
           array_agg((1.0 / place)::real order by place) as scores,
           jsonb_agg(case when place % 3 = 0 then jsonb_build_array(2, 1 + article_id % :articles) else '[0]' end
                     order by place) as reasons
    from generate_series(0, :templates - 1) as number
    cross join (values ('all', 60), ('new', 40)) as list (kind, length)
    cross join lateral (
        select 1 + (number * 7919 + place * 104729 + length) % :articles as article_id, place
        from generate_series(1, length) as place) as listed
    group by number, kind
"""

PEOPLE = """
    create temporary table person on commit drop as
    select n, gen_random_uuid() as account_id, gen_random_uuid() as member_id, 1000000 + n as code
    from generate_series(:after + 1, :upto) as n;
    insert into account (account_id, opened_at) select account_id, now() from person;
    insert into member (member_id, member_code, account_id, given_name, family_name, email, language, joined_on)
    select member_id, code::text, account_id, 'A', 'B', code || '@example.com', 'cs', date '2020-01-01' from person;
    insert into card (card_number, state, account_id, member_id, created_at, issued_at)
    select code::text, 'active', account_id, member_id, now(), now() from person;
    insert into member_offers (run_id, member_id, kind, article_ids, scores, reasons)
    select :run, member_id, kind, article_ids, scores, reasons
    from person join template on template.number = person.n % :templates;
    insert into reaction (account_id, member_id, card_number, reaction, scope, sku, article_id, channel, actor, recorded_at)
    select account_id, member_id, code::text, 'never', 'item', article.sku, article.article_id, 'till', 'bench', now()
    from person join article on article.article_id = 1 + person.n % :articles where person.n % 5 = 0;
    insert into decision (day, decision_id, at, member_id, account_id, channel, store_id, article_id, score, propensity,
        explored, reason, context)
    select current_date - 1 - place, gen_random_uuid(), now() - interval '1 day', member_id, account_id, 'till', 1,
           1 + (person.n + place) % :articles, 0, 1, false, '{}', '{}'
    from person cross join generate_series(0, 3) as place where person.n % 4 = 0
"""


@dataclass(slots=True)
class Taken:
    """What something took, in milliseconds, one number each time."""

    name: str
    wall: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """As it is recorded: median, 95th and 99th of each."""
        return {
            "name": self.name,
            "times": len(self.wall),
            "wall_ms": quantiles(self.wall),
            "cpu_ms": quantiles([a + b for a, b in zip(self.ours, self.server, strict=True)]),
            "python_cpu_ms": quantiles(self.ours),
            "database_cpu_ms": quantiles(self.server),
        }


def quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {name: round(cuts[at - 1], 3) for name, at in (("p50", 50), ("p95", 95), ("p99", 99))}


def furnish(sessions: Sessions, *, members: int) -> None:
    """Fill an empty database."""
    run = uuid7()
    sizes = {
        "stores": STORES,
        "articles": ARTICLES,
        "rules": RULES,
        "shelf": ON_SHELF,
        "templates": TEMPLATES,
        "run": run,
    }
    with sessions.begin() as session:
        for statement in [*HOUSE.split(";"), TEMPLATE]:
            session.execute(text(statement), {key: sizes[key] for key in sizes if f":{key}" in statement})
        document = {
            "format": 1,
            "offers": [
                {
                    "code": f"OFF{n}",
                    "condition": {"kind": "items", "select": {"types": [f"T{n}"]}, "quantity": "1"},
                    "benefit": {"kind": "percent", "off": "20"},
                }
                for n in range(OFFERS)
            ],
        }
        import_document(session, document=document, actor="bench", now=datetime.now(UTC), live=True)
    for after in range(0, members, 50_000):
        upto = min(after + 50_000, members)
        with sessions.begin() as session:
            for statement in PEOPLE.split(";"):
                values = {**sizes, "after": after, "upto": upto}
                session.execute(
                    text(statement), {key: values[key] for key in values if f":{key}" in statement}
                )
        progress(f"{upto:,} members")


class Till:
    """One process at work for one till after another."""

    def __init__(self, sessions: Sessions, members: int) -> None:
        self.sessions, self.members = sessions, members
        self.random = random.Random(SEED)
        with sessions() as session:
            rows = session.execute(
                text(
                    "select till_id, store_id, store_code, till_code, currency, timezone from till join store using (store_id)"
                )
            ).all()
            read_book(session, run_id=session.scalar(text("select run_id from served_run")))
            live_book(session)
        self.tills = [TillIdentity(*row) for row in rows]

    def basket(self) -> Basket:
        """Return a basket of nine of anybody's."""
        lines = tuple(
            BasketLine(
                line_number=number,
                quantity=Decimal(1),
                unit_price=5990,
                tax_rate=Decimal(12),
                sku=f"a{self.random.randint(1, ARTICLES)}",
            )
            for number in range(1, LINES + 1)
        )
        card = str(1_000_000 + self.random.randint(1, self.members))
        return Basket(currency="CZK", lines=lines, card_number=card)

    @contextmanager
    def session(self) -> Iterator[tuple[Session, int]]:
        """Yield a session as a till's question has it, and the process that serves it."""
        with self.sessions() as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            yield session, driver_of(session).info.backend_pid

    def quote(self, taken: Taken, basket: Basket, till: TillIdentity, *, advised: bool) -> int:
        """Make a quote; return how many offers it tells."""
        now = datetime.now(UTC)
        with self.session() as (session, pid), measured(taken, pid):
            adviser = TillOffers.for_quote(session, till=till, basket=basket, now=now) if advised else None
            return len(
                quote_basket(session, till=till, basket=basket, now=now, adviser=adviser)["next_offers"]
            )

    def decide(self, taken: Taken, basket: Basket, till: TillIdentity) -> int:
        """Make the decision alone; return how many offers it makes."""
        now = datetime.now(UTC)
        today = business_day(now, till.timezone)
        skus = [line.sku for line in basket.lines]
        with self.session() as (session, pid), measured(taken, pid):
            values = scene_values(
                at=now,
                today=today,
                card_number=basket.card_number,
                store_id=till.store_id,
            )
            found = ask(session, SCENE, values).fetchone()[0]
            place = Place(till.store_id, till.store_code, till.timezone, till.currency)
            moment = Moment("till", "cs", now, today, place, book_at_hand(session))
            decided = decided_from(session, found, moment, skus=skus, gtins=[None] * LINES, count=IN_QUOTE)
            if decided:
                ask(session, KEEP, kept_values(decided)).fetchone()
            return len(decided or ())


@contextmanager
def measured(taken: Taken, pid: int) -> Iterator[None]:
    server, ours, wall = served(pid), time.thread_time(), time.perf_counter()
    yield
    taken.wall.append((time.perf_counter() - wall) * 1000)
    taken.ours.append((time.thread_time() - ours) * 1000)
    taken.server.append((served(pid) - server) * 1000)


def served(pid: int) -> float:
    """Return the seconds that a server process was on a processor, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=100_000, help="1000000 for the figure of the promise")
    parser.add_argument("--quotes", type=int, default=2000)
    asked = parser.parse_args()
    scenes.PATIENCE = timedelta(seconds=10)  # what takes long is counted here, not left out
    with database() as (url, _pids):
        upgrade(url)
        engine = make_engine(url, role=None, pool_size=1)
        sessions = make_sessions(engine)
        furnish(sessions, members=asked.members)
        with sessions() as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            session.execute(text("vacuum analyze"))
        engine.dispose()
        engine = make_engine(url, pool_size=1)
        till = Till(make_sessions(engine), asked.members)
        sides = [Taken("quote without"), Taken("quote with"), Taken("decision alone, on trips of its own")]
        told = 0
        for _ in range(200):
            basket, place = till.basket(), till.random.choice(till.tills)
            till.quote(Taken(""), basket, place, advised=False)
            till.quote(Taken(""), basket, place, advised=True)
            till.decide(Taken(""), basket, place)
        for _ in range(asked.quotes):
            place = till.random.choice(till.tills)
            till.quote(sides[0], till.basket(), place, advised=False)
            told += till.quote(sides[1], till.basket(), place, advised=True)
            till.decide(sides[2], till.basket(), place)
        report(sides, members=asked.members, told=told / asked.quotes)
        engine.dispose()


def report(sides: list[Taken], *, members: int, told: float) -> None:
    found = [side.document() for side in sides]
    console.print(
        f"{members:,} members, {ARTICLES:,} articles, {STORES} stores, {LINES} lines; {told:.2f} offers a quote"
    )
    for side in found:
        console.print(f"{side['name']:38} wall {side['wall_ms']}  cpu {side['cpu_ms']}")
        console.print(f"{'':38} python {side['python_cpu_ms']}  database {side['database_cpu_ms']}")
    added = {
        cut: round(found[1]["wall_ms"][cut] - found[0]["wall_ms"][cut], 3)  # type: ignore[index]
        for cut in ("p50", "p95", "p99")
    }
    console.print(f"what it adds to a quote, wall: {added} ms; to beat: p95 of 2 ms")
    record("decisions", {"members": members, "offers_a_quote": told, "sides": found, "added_wall_ms": added})


if __name__ == "__main__":
    main()
