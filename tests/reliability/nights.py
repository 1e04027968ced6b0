"""A small town, its nights in processes of their own, and everything that a night leaves behind."""

import multiprocessing
import os
import random
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from catalogs.runs.drafting import draft_run
from catalogs.runs.run import Recipe
from catalogs.runs.standing_orders import approve_order
from core.database import Sessions, make_engine, make_sessions
from customers.models import Consent
from night import run_night
from tests.basket_analysis.shop_made import Shop

FIRST_NIGHT, SECOND_NIGHT = date(2026, 11, 8), date(2026, 11, 15)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TRIPS = (("FLOUR", "SUGAR", "YEAST"), ("COFFEE", "ROLLS", "BUTTER"))
FILLERS = ("SOAP", "PAPER", "WATER", "SALT", "RICE", "TEA")
HOUSEHOLDS, WEEKS, READERS = 48, 18, 4

# Children are forked from a process that has loaded everything and started nothing (see preloaded.py).
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.reliability.preloaded"])


def warm_up() -> None:
    """Have the process that children are forked from load everything."""
    child = FORKS.Process(target=os.getpid)
    child.start()
    child.join()


def build_town(sessions: Sessions, *, seed: int = 11) -> None:
    """Fill a database with households of two kinds, a third of which changes its kind in the last week; some read catalogs."""
    chance = random.Random(seed)
    with sessions.begin() as session:
        shop = Shop(session)
        articles = {
            name: shop.article(name, category=name, kind=name) for name in (*TRIPS[0], *TRIPS[1], *FILLERS)
        }
        for number in range(HOUSEHOLDS):
            member = shop.member(f"m{number:02}", home_store_code="S1")
            if number < READERS:
                session.execute(
                    insert(Consent).values(
                        member_id=member, purpose="catalog", channel="print", granted=True, text_version="1",
                        source="desk", recorded_at=NOW - timedelta(days=90),
                    )
                )  # fmt: skip
            for week in range(WEEKS):
                trip = TRIPS[(number + (week == 0 and number % 3 == 0)) % 2]
                theme = chance.sample(trip, 2) if chance.random() < 0.95 else []
                basket = [*theme, *chance.sample(FILLERS, 4 - len(theme))]
                shop.receipt(
                    SECOND_NIGHT - timedelta(days=7 * week + number % 7),
                    [(articles[name], 1, 500 + 10 * number) for name in basket],
                    member=member,
                )
        shop.write()
        order_catalogs(session)


def order_catalogs(session: Session) -> None:
    """Let two people order a catalog for every period, so that the night has copies to make; nobody is held out."""
    recipe = Recipe(
        "Every two weeks",
        "trh",
        "A4",
        ("print",),
        FIRST_NIGHT,
        FIRST_NIGHT + timedelta(days=14),
        (),
        hold_out=Decimal(0),
    )
    order = draft_run(session, recipe, day=FIRST_NIGHT, actor="mara", now=NOW, standing=True)
    approve_order(session, run_id=order, actor="adam", now=NOW)


@contextmanager
def at(url: str):
    """Yield sessions on `url` and close their connections afterwards."""
    engine = make_engine(url)
    yield make_sessions(engine)
    engine.dispose()


def run_one(url: str, data: str, day: date) -> None:
    """Run a night to its end; a target of a child process."""
    with at(url) as sessions:
        run = run_night(sessions, data=Path(data), business_day=day, now=NOW)
    sys.exit(0 if run.state == "completed" else 1)


def start_night(url: str, data: Path, day: date):
    """Start a night in a child process and return it."""
    child = FORKS.Process(target=run_one, args=(url, str(data), day))
    child.start()
    return child


def keep_ticking(url: str, data: str, log: str) -> None:
    """Be a scheduler; a target of a child process."""
    from scheduler import main

    os.environ["DATABASE_URL"] = url
    with Path(log).open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    main(["--data", data, "--every", "0.2"], standalone_mode=False)


def start_scheduler(url: str, data: Path, log: Path):
    """Start a scheduler in a child process and return it."""
    child = FORKS.Process(target=keep_ticking, args=(url, str(data), str(log)))
    child.start()
    return child


LEFT_BEHIND = {
    "rules": "select level, antecedent, consequent, count, antecedent_count, consequent_count, households, adjusted_lift, z, q,"
    " group_id from mined_rule join served_run using (run_id)",
    "groups": "select group_id, kind, name, items, members, baskets, kept_members, colour"
    " from shopper_group join served_run using (run_id)",
    "members": "select member_id, group_id, strength, second_group_id, second_strength, baskets"
    " from group_membership join served_run using (run_id)",
    "standings": "select member_id, phase, phase_since, value_class, value_since, financial, informational, visits, silence, usual_gap"
    " from member_standing join served_run using (run_id)",
    "contacts": "select member_id, kind, detail from contact",
    "suggestions": "select store_id, kind, rank, article_id, other_article_id, value_per_week, low, high, households, baskets,"
    " group_id, evidence from suggestion join served_run using (run_id)",
    "copies": "select member_id, group_id, group_name, valid_from, valid_to, catalog_copy.store_id, language, pages, picks"
    " from catalog_copy join edition using (edition_id)",
    "steps": "select business_day, name, job_step.state from job_step join job_run using (run_id)",
}


def left_behind(sessions: Sessions) -> dict[str, list[str]]:
    """Return what people can see of the nights so far, without the identifiers of runs."""
    with sessions() as session:
        return {
            name: sorted(str(tuple(row)) for row in session.execute(text(query)))
            for name, query in LEFT_BEHIND.items()
        }
