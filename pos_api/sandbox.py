"""The sandbox: a house of its own with a shop, articles and cards, for tills that are still being made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from core.clock import business_day
from customers.card_changes import block_card, replace_card
from customers.enrolment import NewMember, enrol_member, hold_card
from customers.operations import issue_cards
from loyalty.checkout import settle
from loyalty.queries import has_entries
from rewards.models import Reward, RewardStock
from rewards.vouchers.batches import Batch, batches, put_batch
from rewards.vouchers.issue import take_codes
from sales.models import Article
from sales.operations import add_store, add_till
from sales.queries import SANDBOX_KEY, StoreNotFound, store_of_code, till_of_key
from sales.receipts import PostedLine, PostedReceipt, TillIdentity, Totals

ACTOR = "sandbox"
COUNTER = "SETUP"
"""The till on which the test cards have earned their points."""
LONG_AGO = timedelta(days=60)
"""When they did, so that their points can be spent."""

ARTICLES = (
    ("10452", "08594001021512", "Čaj 40 g", "pcs", "12", 5990),
    ("20117", None, "Jablka", "kg", "12", 3990),
    ("20311", "08594001021529", "Med 500 g", "pcs", "12", 15990),
    ("30001", None, "Odvoz baterií", "pcs", "21", 10000),
)
"""SKU, GTIN, name, unit, tax rate and price."""


@dataclass(frozen=True, slots=True)
class TrialCard:
    """A card to try a till with."""

    card_number: str
    what: str


ACTIVE, EMPTY, ISSUED, STOCK, SPARE, BLOCKED, REPLACED, SUCCESSOR, UNSEEN = (
    TrialCard("2990000000019", "active, 1000 points to spend and 100 pending"),
    TrialCard("2990000000026", "active, without points"),
    TrialCard(
        "2990000000033", "issued and unregistered, with 300 points: earns, cannot spend before it is enrolled"
    ),
    TrialCard("2990000000040", "stock: for enrolling"),
    TrialCard("2990000000057", "stock: for replacing another"),
    TrialCard("2990000000064", "blocked, 200 points"),
    TrialCard("2990000000071", "replaced by 2990000000088"),
    TrialCard("2990000000088", "active in the place of 2990000000071, 500 points to spend"),
    TrialCard("2990000000095", "never seen: accepted on a receipt, and flagged"),
)
VOUCHER = "7Q4M-9XKD-2R"
"""A voucher's code: that of the contract's examples."""
VOUCHER_WORTH = 5000
"""Minor units."""

CARDS = (ACTIVE, EMPTY, ISSUED, STOCK, SPARE, BLOCKED, REPLACED, SUCCESSOR, UNSEEN)


def give_key(
    session: Session, *, store_code: str, till_code: str, currency: str, timezone: str, now: datetime
) -> str:
    """
    Return a new key of a till in the sandbox, whose store is opened if need be.

    `currency` and `timezone` are those of a store that is opened now. With the first store
    come the articles, rewards, the voucher and the test cards.
    """
    try:
        store_of_code(session, store_code)
    except StoreNotFound:
        add_store(
            session,
            store_code=store_code,
            name=f"Sandbox {store_code}",
            currency=currency,
            timezone=timezone,
        )
        _furnish(session, store_code=store_code, now=now)
    return add_till(
        session, store_code=store_code, till_code=till_code, now=now, actor=ACTOR, start=SANDBOX_KEY
    )


def _furnish(session: Session, *, store_code: str, now: datetime) -> None:
    """Put articles, a reward and the test cards into the sandbox, unless another store has brought them."""
    rows = [
        {"sku": sku, "gtin": gtin, "name": name, "unit": unit, "tax_rate": Decimal(rate), "price": price}
        for sku, gtin, name, unit, rate, price in ARTICLES
    ]
    session.execute(upsert(Article).values(rows).on_conflict_do_nothing())
    mug = {
        "reward_code": "MUG",
        "name": {"en": "Mug", "cs": "Hrnek", "sk": "Hrnček", "pl": "Kubek"},
        "points": 400,
    }
    session.execute(upsert(Reward).values(mug).on_conflict_do_nothing())
    stock = {"reward_code": "MUG", "store_id": store_of_code(session, store_code).store_id, "on_hand": 1000}
    session.execute(upsert(RewardStock).values(stock).on_conflict_do_nothing())
    _issue_voucher(session, store_code=store_code, now=now)
    if hold_card(session, card_number=ACTIVE.card_number, now=now).state != "stock":
        return
    key = add_till(session, store_code=store_code, till_code=COUNTER, now=now, actor=ACTOR, start=SANDBOX_KEY)
    _make_cards(session, till_of_key(session, key), now)


def _issue_voucher(session: Session, *, store_code: str, now: datetime) -> None:
    """Issue the voucher of the contract's examples, unless another store has."""
    store = store_of_code(session, store_code)
    batch = Batch(
        "TRIAL",
        names={"en": "Voucher", "cs": "Poukázka", "sk": "Poukážka", "pl": "Bon"},
        value_amount=VOUCHER_WORTH,
        currency=store.currency,
    )
    if batches(session, [batch.batch_code]):
        return
    put_batch(session, batch, actor=ACTOR, now=now)
    today = business_day(now, store.timezone)
    take_codes(session, batch_code=batch.batch_code, codes=[VOUCHER], today=today, actor=ACTOR, now=now)


def _make_cards(session: Session, till: TillIdentity, now: datetime) -> None:
    """Make the test cards what they are called, each by what would have made it so in a shop."""
    for number, card in enumerate((ACTIVE, EMPTY, BLOCKED, REPLACED)):
        _enrol(session, card.card_number, f"{number + 1}", till, now)
    issue_cards(session, card_numbers=[ISSUED.card_number], now=now, actor=ACTOR)
    for card in (STOCK, SPARE):
        hold_card(session, card_number=card.card_number, now=now)
    for card, points in ((ACTIVE, 1000), (ISSUED, 300), (BLOCKED, 200), (REPLACED, 500)):
        _earn(session, card.card_number, points, till, at=now - LONG_AGO, now=now)
    _earn(session, ACTIVE.card_number, 100, till, at=now, now=now)
    block_card(session, card_number=BLOCKED.card_number, reason="lost", now=now, actor=ACTOR)
    replace_card(
        session,
        card_number=REPLACED.card_number,
        new_card_number=SUCCESSOR.card_number,
        reason="worn out",
        now=now,
        actor=ACTOR,
        has_history=lambda account_id: has_entries(session, account_id=account_id),
    )


def _enrol(session: Session, card_number: str, name: str, till: TillIdentity, now: datetime) -> None:
    enrol_member(
        session,
        card_number=card_number,
        person=NewMember(
            given_name="Test",
            family_name=name,
            language="cs",
            email=f"test{name}@example.com",
            phone=None,
            consents=(),
        ),
        store_code=till.store_code,
        today=business_day(now, till.timezone),
        now=now,
        actor=ACTOR,
    )


def _earn(
    session: Session, card_number: str, points: int, till: TillIdentity, *, at: datetime, now: datetime
) -> None:
    """Let a card earn `points` where a point is earned for a hundred minor units."""
    line = PostedLine(1, Decimal(1), points * 100, points * 100, Decimal(21), sku="30001")
    posted = PostedReceipt(
        type="sale",
        business_date=business_day(at, till.timezone),
        receipt_number=f"{card_number}-{points}",
        closed_at=at,
        currency=till.currency,
        card_number=card_number,
        lines=(line,),
        totals=Totals(payable_amount=points * 100),
    )
    settle(session, till=till, posted=posted, now=now, imported=True)
