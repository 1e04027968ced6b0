"""What the screens look at in tests: a small chain whose receipts came through the tills' interface."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import insert

from basket_analysis.groups.theme_files import FORMAT
from basket_analysis.models import AnalysisRun, MinedRule, ServedRun, ShopperGroup, Suggestion
from catalogs.models import CatalogCopy, Edition
from core import clock
from core.database import Sessions
from core.ids import uuid7
from core.models import JobRun, JobStep
from customers.models import Account, Card, Consent, GroupMembership, Member
from sales.models import Article
from sales.operations import add_store, add_till
from web.operations import add_person
from web.roles import ROLES, STORE_ROLES

AS_MADE = b"%PDF-1.7 as made"
"""What stands in the archived copy's file."""
PASSWORD = "a quiet green meadow"
CARDS = ("2990000000019", "2990000000026", "2990000000033")
NAMES = (("Žofie", "Nováková"), ("Łukasz", "Wiśniewski"), ("Čeněk", "Příhoda"))
ARTICLES = (
    ("10452", "Čaj 40 g", "Tea", 5990),
    ("20311", "Med 500 g", "Honey", 12990),
    ("30777", "Sušenky", "Biscuits", 3490),
)


_SOLD = {
    "revenue_per_week": 900,
    "halo_per_week": 300,
    "transfer": 0.6,
    "store_households": 40,
    "exclusive_households": None,
    "substitute_households": 12,
    "weeks": 52,
}
EVIDENCE: dict[str, dict[str, Any]] = {
    "list": {"stores": 4, "buyers": 60, "per_thousand_baskets": 4200, "transfer": 0.31, "weeks": 52},
    "delist": _SOLD,
    "keep": _SOLD | {"exclusive_households": 17},
    "place_together": {"share_here": 0.04, "share_similar": 0.09, "baskets_here": 300, "weeks": 52},
}
"""The shapes that basket_analysis/assortment/suggestions.py gives."""


@dataclass
class House:
    """Where things are."""

    people: dict[str, str] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    members: list[UUID] = field(default_factory=list)
    articles: dict[str, int] = field(default_factory=dict)
    suggestions: dict[str, UUID] = field(default_factory=dict)
    receipts: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    run_id: UUID = field(default_factory=uuid7)
    job_id: UUID = field(default_factory=uuid7)
    edition_id: UUID = field(default_factory=uuid7)
    copy_id: UUID = field(default_factory=uuid7)


THEMES = {
    "format": FORMAT,
    "baskets": 20,
    "households": 2,
    "settings": {},
    "themes": [{"id": "g1", "name": "Tea and honey", "items": ["Tea", "Honey", "Biscuits"], "rules": []}],
    "scoring": {"min_baskets": 10, "next_number": 2},
}
"""What the served run went by; it has learnt no profiles."""


def furnish(app: Flask, sessions: Sessions) -> House:
    """Fill an empty database and return where things are."""
    house, now = House(), clock.now()
    with sessions.begin() as session:
        for code, name in (("S1", "Brno"), ("S2", "Ostrava")):
            add_store(session, store_code=code, name=name, currency="CZK", timezone="Europe/Prague")
            house.keys[code] = add_till(session, store_code=code, till_code="T1", now=now, actor="test")
        for sku, name, category, price in ARTICLES:
            session.execute(
                insert(Article).values(
                    sku=sku,
                    name=name,
                    department="Grocery",
                    category=category,
                    type=category,
                    unit="pcs",
                    tax_rate=12,
                    price=price,
                )
            )
        _members(session, house, now)
    for number, (store, card) in enumerate(
        (("S1", CARDS[0]), ("S1", None), ("S2", CARDS[1]), ("S2", "2990000009999")), 1
    ):
        _sell(app, house, store, card, number)
    with sessions.begin() as session:
        _learn(session, house, now)
        for role in ROLES:
            store = "S1" if role in STORE_ROLES else None
            add_person(
                session,
                login=role.replace("_", "."),
                role=role,
                name=f"Person {role}",
                store_code=store,
                password=PASSWORD,
                language="en",
                actor="test",
                now=now,
            )
            house.people[role] = role.replace("_", ".")
    return house


def _members(session: Any, house: House, now: datetime) -> None:
    for number, (card, (given, family)) in enumerate(zip(CARDS, NAMES, strict=True)):
        account_id, member_id = uuid7(), uuid7()
        session.execute(insert(Account).values(account_id=account_id, opened_at=now))
        session.execute(
            insert(Member).values(
                member_id=member_id,
                member_code=f"M{number}",
                account_id=account_id,
                given_name=given,
                family_name=family,
                email=f"member{number}@example.org",
                phone=f"+42060012345{number}",
                language="cs",
                home_store_code="S1",
                joined_on=date(2026, 1, 1),
            )
        )
        session.execute(
            insert(Card).values(
                card_number=card,
                state="active",
                account_id=account_id,
                member_id=member_id,
                created_at=now,
                issued_at=now,
            )
        )
        session.execute(
            insert(Consent).values(
                member_id=member_id,
                purpose="offers",
                channel="email",
                granted=True,
                text_version="1",
                source="till",
                recorded_at=now,
            )
        )
        house.members.append(member_id)


def _sell(app: Flask, house: House, store: str, card: str | None, number: int) -> None:
    sku, name, _category, price = ARTICLES[number % len(ARTICLES)]
    today = clock.business_day(clock.now(), "Europe/Prague")
    body: dict[str, Any] = {
        "type": "sale",
        "business_date": today.isoformat(),
        "receipt_number": f"{number:06}",
        "closed_at": clock.now().isoformat(),
        "currency": "CZK",
        "lines": [
            {
                "line_number": 1,
                "sku": sku,
                "name": name,
                "quantity": "1",
                "unit": "pcs",
                "unit_price": price,
                "total_amount": price,
                "tax_rate": "12",
            }
        ],
        "totals": {"payable_amount": price},
    }
    if card:
        body["card_number"] = card
    answer = app.test_client().post(
        "/pos/v1/receipts", json=body, headers={"Authorization": f"Bearer {house.keys[store]}"}
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    house.receipts.setdefault(store, (today.isoformat(), UUID(answer.get_json()["receipt_id"])))


def _learn(session: Any, house: House, now: datetime) -> None:
    today = clock.business_day(now, "Europe/Prague")
    session.execute(
        insert(AnalysisRun).values(
            run_id=house.run_id,
            business_day=today,
            state="completed",
            started_at=now,
            finished_at=now,
            version="1",
            parameters={"themes": THEMES},
            inputs={"first_day": f"{today - timedelta(days=364)}", "last_day": f"{today}"},
            timings={},
        )
    )
    session.execute(insert(ServedRun).values(run_id=house.run_id, served_at=now))
    for number, (group_id, kind, name) in enumerate(
        (("g1", "theme", "Tea and honey"), ("none", "none", "none"))
    ):
        session.execute(
            insert(ShopperGroup).values(
                run_id=house.run_id,
                group_id=group_id,
                kind=kind,
                name=name,
                items=["Tea", "Honey", "Biscuits"],
                members=42 - number,
                baskets=20,
                kept_members=None,
                colour=number,
                detail={},
            )
        )
    for member_id, group_id in zip(house.members, ("g1", "g1", "none"), strict=True):
        session.execute(
            insert(GroupMembership).values(
                run_id=house.run_id,
                member_id=member_id,
                group_id=group_id,
                strength=3.4 if group_id == "g1" else None,
                second_group_id=None,
                second_strength=None,
                baskets=12,
            )
        )
    session.execute(
        insert(MinedRule).values(
            run_id=house.run_id,
            rule_number=1,
            level="category",
            antecedent=["Tea"],
            consequent=["Honey"],
            count=313,
            antecedent_count=900,
            consequent_count=800,
            households=123,
            support=0.02,
            confidence=0.35,
            lift=4.1,
            leverage=0.01,
            conviction=1.3,
            adjusted_lift=3.2,
            z=12.0,
            q=0.0001,
            group_id="g1",
        )
    )
    _suggest(session, house)
    _run(session, house, now)
    _edition(session, house, now)


def _suggest(session: Any, house: House) -> None:
    house.articles = dict(session.query(Article.sku, Article.article_id).all())
    house.stores = {"S1": 1, "S2": 2}
    for code, store_id in house.stores.items():
        for rank, kind in enumerate(("list", "delist", "keep", "place_together"), 1):
            suggestion_id = uuid7()
            session.execute(
                insert(Suggestion).values(
                    suggestion_id=suggestion_id,
                    run_id=house.run_id,
                    store_id=store_id,
                    kind=kind,
                    rank=rank,
                    article_id=house.articles["10452"],
                    other_article_id=house.articles["20311"],
                    value_per_week=120_00,
                    low=40_00,
                    high=200_00,
                    households=55,
                    baskets=140,
                    group_id="g1",
                    evidence=EVIDENCE[kind],
                )
            )
            house.suggestions.setdefault(code, suggestion_id)


def _run(session: Any, house: House, now: datetime) -> None:
    session.execute(
        insert(JobRun).values(
            run_id=house.job_id,
            job="night",
            business_day=now.date(),
            state="failed",
            attempts=1,
            started_at=now - timedelta(minutes=2),
            finished_at=now,
        )
    )
    session.execute(
        insert(JobStep).values(
            run_id=house.job_id,
            position=0,
            name="prepare_months",
            state="failed",
            done=3,
            total=10,
            started_at=now - timedelta(minutes=2),
            finished_at=now,
            error="OSError: no space left",
        )
    )


def _edition(session: Any, house: House, now: datetime) -> None:
    session.execute(
        insert(Edition).values(
            edition_id=house.edition_id,
            edition_code="E-2026-48-g1",
            run_id=house.run_id,
            group_id="g1",
            group_name="Tea and honey",
            theme="trh",
            valid_from=now.date() - timedelta(days=1),
            valid_to=now.date() + timedelta(days=13),
            created_at=now.astimezone(UTC),
            content={},
        )
    )
    session.execute(
        insert(CatalogCopy).values(
            copy_id=house.copy_id,
            copy_code="C-000001",
            edition_id=house.edition_id,
            member_id=house.members[0],
            store_id=house.stores["S1"],
            language="cs",
            path="catalogs/C-000001.pdf",
            sha256=sha256(AS_MADE).digest(),
            size=184_000,
            pages=8,
            picks=[],
            made_at=now,
        )
    )
