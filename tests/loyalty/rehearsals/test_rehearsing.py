"""Rehearsing offers on past baskets, held against the quotes that a till would have been given."""

import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from core.clock import now
from core.job_runs import request_run, request_stop
from core.jobs import Stopped
from customers.models import Card
from loyalty.quotes.baskets import quote_basket
from loyalty.rehearsals.plans import (
    NoBaskets,
    SeveralCurrencies,
    ask_for_rehearsal,
    newest_open,
    stores_for,
    usual_period,
)
from loyalty.rehearsals.rehearsing import Rehearsing, do_days, plan_of, run_rehearsal
from rewards.models import OfferVersion, RehearsalPart
from rewards.offer_decisions import (
    AlreadyDecided,
    NoReason,
    NotRehearsed,
    SamePerson,
    approve_offer,
    rehearsal_needed,
    reject_offer,
    stop_offer,
    withdraw_offer,
)
from rewards.offer_operations import change_draft, import_document
from rewards.rehearsals.operations import keep_part
from rewards.rehearsals.queries import (
    RehearsalView,
    find_rehearsal,
    kept_parts,
    rehearsals_of,
    waiting_rehearsals,
)
from sales.baskets import Basket, BasketLine
from sales.models import Article
from sales.operations import add_store
from sales.receipts import PostedLine, PostedReceipt, Totals
from tests.shop import CARD, OTHER_CARD, Shop

SEED = 20_261_122
KINDS = ("TEA", "TEA", "SOAP", "SOAP", "MILK", None)
COSTS = (3_000, 5_500, 900, None, 1_000, 100)


def stock(shop: Shop) -> None:
    """Give the shop articles sku1 to sku6, the third of which costs more than some offers leave."""
    with shop.sessions.begin() as session:
        for number, (category, cost) in enumerate(zip(KINDS, COSTS, strict=True), 1):
            session.add(
                Article(
                    sku=f"sku{number}",
                    name=f"Article {number}",
                    category=category,
                    unit="pcs",
                    tax_rate=Decimal(21),
                    cost=cost,
                )
            )


def offer(code: str, condition: dict[str, Any], benefit: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"code": code, "condition": condition, "benefit": benefit, **more}


def items(category: str, quantity: str = "1") -> dict[str, Any]:
    return {"kind": "items", "select": {"categories": [category]}, "quantity": quantity}


def percent(off: str) -> dict[str, Any]:
    return {"kind": "percent", "off": off}


TEA10 = offer("TEA10", items("TEA"), percent("10"))
SOAP3 = offer("SOAP3", items("SOAP", "3"), {"kind": "nth", "off": "100", "which": "cheapest"})
ALL5 = offer("ALL5", {"kind": "value", "amount": 15_000}, percent("5"), stage="basket")
TWICE = offer("TWICE", {"kind": "always"}, {"kind": "points_multiplier", "times": "2"}, stage="points")
GIVES = offer("GIVES", items("MILK", "2"), {"kind": "points", "points": 50}, stage="points")
LIVE = offer("LIVE", items("TEA", "2"), percent("20"), priority=300)


def bring(shop: Shop, *offers: dict[str, Any], live: bool = False) -> None:
    with shop.sessions.begin() as session:
        import_document(
            session,
            document={"format": 1, "offers": list(offers)},
            actor="author",
            now=shop.now,
            live=live,
        )


def sold(shop: Shop, *lines: tuple[int, str, int], **changes: Any) -> PostedReceipt:
    """Post a sale of (number of the article, quantity, unit price) each."""
    posted = tuple(
        PostedLine(
            place,
            Decimal(quantity),
            price,
            int(Decimal(quantity) * price),
            Decimal(21),
            sku=f"sku{number}",
            unit="pcs",
        )
        for place, (number, quantity, price) in enumerate(lines, 1)
    )
    total = sum(line.total_amount for line in posted)
    sale = shop.sale(**{"lines": posted, "totals": Totals(payable_amount=total), **changes})
    shop.post(sale)
    return sale


def some_weeks(shop: Shop, count: int = 40) -> list[PostedReceipt]:
    """Let `count` baskets be bought on ten days, with two cards and without any."""
    chance = random.Random(SEED)
    shop.enrol(CARD)
    shop.enrol(OTHER_CARD, "Jan Novák")
    sales = []
    for number in range(count):
        lines = [
            (
                chance.randint(1, 7),
                str(chance.choice((1, 1, 2, 3, 4))),
                chance.choice((990, 2990, 5990, 8900)),
            )
            for _ in range(chance.randint(1, 5))
        ]
        sales.append(sold(shop, *lines, card_number=chance.choice((CARD, CARD, OTHER_CARD, None))))
        shop.later(hours=6 if number % 4 else 7)
    return sales


def ask(shop: Shop, *codes: str, first: date | None = None, following: date | None = None) -> UUID:
    with shop.sessions.begin() as session:
        usual = usual_period(session, now=shop.now)
        return ask_for_rehearsal(
            session,
            offers=[newest_open(session, code) for code in codes],
            first_day=first or usual[0],
            following_day=following or usual[1],
            store_ids=stores_for(session),
            actor="author",
            now=shop.now,
        )


def run(shop: Shop, rehearsal_id: UUID, data: Path = Path()) -> RehearsalView:
    run_rehearsal(shop.sessions, data=data, rehearsal_id=rehearsal_id, business_day=shop.now.date())
    with shop.sessions() as session:
        return find_rehearsal(session, rehearsal_id=rehearsal_id)


def rehearse(shop: Shop, *codes: str, **period: date) -> dict[str, dict[str, Any]]:
    view = run(shop, ask(shop, *codes, **period))
    assert view.state == "completed", view.error
    return {one.offer_code: dict(one.results or {}) for one in view.offers} | {"": dict(view.results or {})}


def quoted(shop: Shop, sale: PostedReceipt) -> dict[str, Any]:
    """Return what a till would be told now about the same basket at the same moment."""
    lines = tuple(
        BasketLine(line.line_number, line.quantity, line.unit_price, sku=line.sku, unit=line.unit)
        for line in sale.lines
    )
    basket = Basket(sale.currency, lines, card_number=sale.card_number, at=sale.closed_at)
    with shop.sessions.begin() as session:
        return quote_basket(session, till=shop.till, basket=basket, now=shop.now)


class TestRehearsal:
    def test_comes_to_what_quoting_the_same_baskets_one_by_one_comes_to(self, shop: Shop, publish: Any):
        publish(f"rehearsal: seed {SEED}")
        stock(shop)
        bring(shop, LIVE, live=True)
        bring(shop, TEA10, SOAP3, ALL5, TWICE, GIVES)
        sales = some_weeks(shop)
        bare = [quoted(shop, sale) for sale in sales]
        found = rehearse(shop, "TEA10", "SOAP3", "ALL5", "TWICE", "GIVES")
        bring(shop, TEA10, SOAP3, ALL5, TWICE, GIVES, live=True)
        discounts: Counter[str] = Counter()
        baskets: Counter[str] = Counter()
        cost = more_points = 0
        for sale, before in zip(sales, bare, strict=True):
            after = quoted(shop, sale)
            given = Counter()
            for line in after["lines"]:
                for one in line["discounts"]:
                    given[one["offer_code"]] += one["amount"]
            discounts += given
            baskets.update(given.keys())
            cost += after["totals"]["discount_amount"] - before["totals"]["discount_amount"]
            more_points += after["points"]["to_earn"] - before["points"]["to_earn"]
        for code in ("TEA10", "SOAP3", "ALL5"):
            assert found[code]["discount"] == discounts[code] > 0, code
            assert found[code]["baskets"] == baskets[code], code
        assert found[""]["cost"] == cost
        # Points also fall where discounts lower what they are counted on; of offers only what they give is told.
        assert found["TWICE"]["points"] > 0
        assert found["GIVES"]["points"] == 50 * found["GIVES"]["times"] > 0
        assert found["TWICE"]["points"] + found["GIVES"]["points"] >= more_points
        assert found["TEA10"]["beside"][0]["offer_code"] in {"LIVE", "TWICE"}
        assert found[""]["all_baskets"] == len(sales)

    def test_adds_up_to_the_same_by_day_by_store_and_in_all(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        some_weeks(shop, 24)
        sold(shop, (1, "1", 1000), card_number=CARD)
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        for name in ("baskets", "times", "discount", "points", "worth", "with_card"):
            assert sum(day[name] for day in of_offer["days"]) == of_offer[name], name
            assert sum(store[name] for store in of_offer["stores"]) == of_offer[name], name

    def test_leaves_out_what_was_voided_and_what_was_training(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        shop.enrol(CARD)
        kept = sold(shop, (1, "1", 1000))
        voided = sold(shop, (1, "1", 5000))
        shop.post(shop.void(voided))
        sold(shop, (1, "1", 7000), mode="training")
        found = rehearse(shop, "TEA10")
        assert found["TEA10"]["discount"] == 100
        assert found[""]["all_baskets"] == 1
        assert kept.lines[0].unit_price == 1000

    def test_plays_baskets_at_list_prices_and_tells_what_they_were_reduced_by(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        shop.enrol(CARD)
        line = PostedLine(1, Decimal(1), 1000, 600, Decimal(21), sku="sku1", discount_amount=400)
        shop.post(shop.sale(lines=(line,), totals=Totals(payable_amount=600, discount_amount=400)))
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        assert (of_offer["net_before"], of_offer["net_after"]) == (1000, 900)
        assert of_offer["past_discount"] == 400

    def test_plays_offers_whose_time_has_not_come_as_if_it_had(self, shop: Shop):
        stock(shop)
        future = {"from": "2027-01-01T00:00:00+01:00", "to": "2027-02-01T00:00:00+01:00"}
        bring(shop, offer("TEA10", items("TEA"), percent("10"), valid={**future, "weekdays": [6]}))
        shop.enrol(CARD)
        sold(shop, (1, "1", 1000))
        shop.later(days=1)
        sold(shop, (1, "1", 1000))
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        assert of_offer["baskets"] == 1, "the weekday still counts"
        assert of_offer["notes"] == ["dates_left_out"]

    def test_shows_what_a_new_version_changes_against_the_live_one(self, shop: Shop):
        stock(shop)
        shop.enrol(CARD)
        bring(shop, TEA10, live=True)
        bring(shop, offer("TEA10", items("TEA", "2"), percent("50")))
        sold(shop, (1, "1", 1000))
        sold(shop, (1, "2", 1000))
        found = rehearse(shop, "TEA10")
        assert found["TEA10"]["discount"] == 1000
        assert found[""]["cost"] == 1000 - 100 - 200, "the old version gave something on both baskets"

    def test_counts_the_first_purchase_and_the_birthday_as_of_the_basket(self, shop: Shop):
        stock(shop)
        shop.enrol(CARD, birth_date=date(1990, 11, 22))
        bring(
            shop,
            offer("FIRST", items("TEA"), percent("10"), audience={"first_purchase": True}),
            offer("PARTY", items("TEA"), percent("10"), audience={"birthday_within_days": 0}),
        )
        for _ in range(3):
            sold(shop, (1, "1", 1000))
            shop.later(days=1)
        found = rehearse(shop, "FIRST", "PARTY")
        assert [day["day"] for day in found["FIRST"]["days"]] == ["2026-11-21"]
        assert [day["day"] for day in found["PARTY"]["days"]] == ["2026-11-22"]


class TestBudget:
    def test_ends_with_the_last_use_in_the_order_of_time(self, shop: Shop):
        stock(shop)
        bring(shop, offer("TEA10", items("TEA"), percent("10"), limits={"uses": 3}))
        shop.enrol(CARD)
        for _ in range(5):
            sold(shop, (1, "1", 1000))
            shop.later(days=2)
        of_offer = rehearse(shop, "TEA10", first=date(2026, 11, 20))["TEA10"]
        assert of_offer["times"] == 3
        assert of_offer["budget"]["ended_on"] == "2026-11-25"
        assert of_offer["budget"]["ended_after_days"] == 6

    def test_ends_with_the_first_application_that_it_does_not_suffice_for(self, shop: Shop):
        stock(shop)
        bring(shop, offer("TEA10", items("TEA"), percent("10"), limits={"amount": 250}))
        shop.enrol(CARD)
        for price in (1000, 1000, 900, 400):
            sold(shop, (1, "1", price))
            shop.later(days=1)
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        assert of_offer["discount"] == 240, "what still fits is given after the end"
        assert of_offer["budget"]["ended_on"] == "2026-11-23"

    def test_of_a_day_ends_each_day_anew(self, shop: Shop):
        stock(shop)
        bring(shop, offer("TEA10", items("TEA"), percent("10"), limits={"per_store_day_uses": 1}))
        shop.enrol(CARD)
        for _ in range(6):
            sold(shop, (1, "1", 1000))
            shop.later(hours=8)
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        assert of_offer["times"] == len(of_offer["days"]) == 3
        assert of_offer["budget"]["ended_on"] is None
        assert of_offer["budget"]["store_days_closed"] == 3, "the last use of a day is its end"

    def test_per_member_ends_for_the_member_alone(self, shop: Shop):
        stock(shop)
        bring(shop, offer("TEA10", items("TEA"), percent("10"), limits={"per_member": 1}))
        shop.enrol(CARD)
        shop.enrol(OTHER_CARD, "Jan Novák")
        for card in (CARD, CARD, OTHER_CARD, CARD):
            sold(shop, (1, "1", 1000), card_number=card)
            shop.later(days=1)
        of_offer = rehearse(shop, "TEA10")["TEA10"]
        assert of_offer["times"] == 2
        assert of_offer["budget"]["ended_on"] is None


class TestMargin:
    def test_counts_baskets_and_articles_that_fall_below_their_cost(self, shop: Shop):
        stock(shop)
        bring(shop, offer("SOAP", items("SOAP"), percent("50")))
        shop.enrol(CARD)
        sold(shop, (3, "2", 1210))
        sold(shop, (3, "1", 2420), (1, "1", 12_100))
        sold(shop, (4, "1", 1000))
        margin = rehearse(shop, "SOAP")["SOAP"]["margin"]
        # Before tax: 2000 - 1800 = 200, after 1000 - 1800; 2000 - 900 + 10000 - 3000 = 8100, after 7100.
        assert (margin["known"], margin["unknown"]) == (2, 1)
        assert (margin["before"], margin["after"]) == (200 + 8100, -800 + 7100)
        assert (margin["below_before"], margin["below_after"], margin["lack_after"]) == (0, 1, 800)
        assert margin["articles"] == [{"sku": "sku3", "lines": 1, "lack": 800}]


class TestStopping:
    def test_and_going_on_comes_to_the_same_as_going_through(self, shop: Shop):
        stock(shop)
        bring(shop, LIVE, live=True)
        limited = {"per_member": 4, "per_store_day_uses": 2, "amount": 9_000}
        bring(shop, offer("TEA10", items("TEA"), percent("10"), limits=limited), ALL5, TWICE)
        some_weeks(shop, 32)
        codes = ("TEA10", "ALL5", "TWICE")
        whole = run(shop, ask(shop, *codes))
        stopped = ask(shop, *codes)
        with shop.sessions() as session:
            plan = plan_of(session, rehearsal_id=stopped)
            assert plan is not None
            days = Rehearsing(session, plan).open_days()
        for done in range(1, len(days)):
            self._until(shop, stopped, days[done - 1])
        with shop.sessions() as session:
            assert session.scalars(select(RehearsalPart.business_date)).all() == days[:-1]
        again = run(shop, stopped)
        assert again.state == "completed"
        assert again.results == whole.results
        assert [one.results for one in again.offers] == [one.results for one in whole.offers]
        with shop.sessions() as session:
            assert session.scalars(select(RehearsalPart.business_date)).all() == []

    @staticmethod
    def _until(shop: Shop, rehearsal_id: UUID, last: date) -> None:
        """Go on for one more day, to `last`, as a process does that is stopped then."""
        with shop.sessions() as session:
            plan = plan_of(session, rehearsal_id=rehearsal_id)
            assert plan is not None
            under_way = Rehearsing(session, plan)
            for day, part in kept_parts(session, rehearsal_id=rehearsal_id):
                under_way.take_up(day, part)

        def keep(session: Any, day: date, part: Any) -> None:
            keep_part(session, rehearsal_id=rehearsal_id, business_date=day, sums=part)

        def report(_done: int, _total: int | None) -> None:
            if under_way.open_days()[:1] > [last]:
                raise Stopped("enough")

        with pytest.raises(Stopped):
            do_days(shop.sessions, under_way, report=report, keep=keep)

    def test_is_asked_for_on_the_run_and_taken_up_by_the_scheduler(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        some_weeks(shop, 6)
        rehearsal_id = ask(shop, "TEA10")
        with shop.sessions.begin() as session:
            [(waiting, day)] = waiting_rehearsals(session)
            view = find_rehearsal(session, rehearsal_id=rehearsal_id)
            assert (waiting, view.state) == (rehearsal_id, "waiting")
            request_stop(session, run_id=view.run_id, now=now())
        with shop.sessions.begin() as session:
            assert waiting_rehearsals(session) == []
            request_run(session, job=f"rehearsal:{rehearsal_id}", business_day=day)
            assert waiting_rehearsals(session) == [(rehearsal_id, day)]
        assert run(shop, rehearsal_id).state == "completed"


class TestApproval:
    @pytest.fixture
    def drafted(self, shop: Shop) -> Shop:
        stock(shop)
        bring(shop, TEA10)
        shop.enrol(CARD)
        sold(shop, (1, "1", 1000))
        return shop

    def approve(self, shop: Shop, actor: str = "second", version: int = 1) -> None:
        with shop.sessions.begin() as session:
            seen = session.get_one(OfferVersion, ("TEA10", version)).drafted_at
            approve_offer(session, offer_code="TEA10", version=version, seen=seen, actor=actor, now=shop.now)

    def test_needs_a_rehearsal_of_this_content(self, drafted: Shop):
        with pytest.raises(NotRehearsed):
            self.approve(drafted)
        rehearse(drafted, "TEA10")
        with drafted.sessions.begin() as session:
            assert not rehearsal_needed(session, offer_code="TEA10", version=1)
            change_draft(
                session,
                offer_code="TEA10",
                version=1,
                seen=drafted.now,
                document=offer("TEA10", items("TEA"), percent("11")),
                actor="author",
                now=drafted.now,
            )
            assert rehearsal_needed(session, offer_code="TEA10", version=1)
        with pytest.raises(NotRehearsed):
            self.approve(drafted)
        rehearse(drafted, "TEA10")
        self.approve(drafted)
        assert quoted(drafted, drafted.sale(1000))["lines"][0]["discount_amount"] == 110

    def test_needs_a_second_person(self, drafted: Shop):
        rehearse(drafted, "TEA10")
        with pytest.raises(SamePerson):
            self.approve(drafted, actor="author")

    def test_is_held_by_the_database_too(self, drafted: Shop):
        live = update(OfferVersion).values(
            state="live", decided_by="second", decided_at=drafted.now, live_from=drafted.now
        )
        with pytest.raises(Exception, match="was not rehearsed"), drafted.sessions.begin() as session:
            session.execute(live)
        rehearse(drafted, "TEA10")
        with pytest.raises(Exception, match="second_person"), drafted.sessions.begin() as session:
            session.execute(live.values(decided_by="author"))
        with drafted.sessions.begin() as session:
            session.execute(live)

    def test_replaces_the_version_that_was_live(self, drafted: Shop):
        rehearse(drafted, "TEA10")
        self.approve(drafted)
        bring(drafted, offer("TEA10", items("TEA"), percent("30")))
        rehearse(drafted, "TEA10")
        self.approve(drafted, version=2)
        with drafted.sessions() as session:
            states = session.scalars(select(OfferVersion.state).order_by(OfferVersion.version)).all()
            [newest] = rehearsals_of(session, offer_code="TEA10", version=2)
        assert states == ["replaced", "live"]
        assert newest.state == "completed"

    def test_is_of_what_is_still_a_draft(self, drafted: Shop):
        rehearse(drafted, "TEA10")
        self.approve(drafted)
        with pytest.raises(AlreadyDecided):
            self.approve(drafted)

    def test_may_be_refused_with_a_reason_and_taken_back_without(self, drafted: Shop):
        decision = {"offer_code": "TEA10", "seen": drafted.now, "now": drafted.now, "actor": "second"}
        with drafted.sessions.begin() as session:
            with pytest.raises(NoReason):
                reject_offer(session, version=1, reason=" ", **decision)
            reject_offer(session, version=1, reason="too dear", **decision)
        bring(drafted, offer("TEA10", items("TEA"), percent("5")))
        with drafted.sessions.begin() as session:
            withdraw_offer(session, version=2, **decision)

    def test_ends_when_the_offer_is_stopped(self, drafted: Shop):
        rehearse(drafted, "TEA10")
        self.approve(drafted)
        with drafted.sessions.begin() as session:
            assert (
                stop_offer(session, offer_code="TEA10", actor="anybody", now=drafted.now, reason="sold out")
                == 1
            )
        assert quoted(drafted, drafted.sale(1000))["lines"][0]["discount_amount"] == 0


class TestKept:
    def test_never_changes_once_it_is_completed(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        some_weeks(shop, 4)
        rehearse(shop, "TEA10")
        for table in ("rehearsal", "rehearsed_offer"):
            with pytest.raises(Exception, match="stays what it was"), shop.sessions.begin() as session:
                session.execute(text(f"update {table} set results = '{{}}'"))

    def test_tells_nothing_of_fewer_than_ten_people(self, shop: Shop):
        stock(shop)
        bring(shop, TEA10)
        some_weeks(shop, 12)
        winners = rehearse(shop, "TEA10")["TEA10"]["winners"]
        assert winners == {"accounts": None, "fewest": 10, "groups": [], "bands": []}
        with shop.sessions() as session:
            accounts = [str(one) for one in session.scalars(select(Card.account_id))]
            kept = str(session.execute(text("select results from rehearsed_offer")).all())
        assert not any(account in kept or account.replace("-", "") in kept for account in accounts)


class TestPeriod:
    def test_needs_baskets(self, shop: Shop):
        with shop.sessions() as session, pytest.raises(NoBaskets):
            usual_period(session, now=shop.now)

    def test_is_eight_weeks_up_to_the_last_day_with_baskets(self, shop: Shop):
        shop.post(shop.sale(1000))
        with shop.sessions() as session:
            first, following = usual_period(session, now=shop.now + timedelta(days=5))
        assert (first, following) == (date(2026, 9, 27), date(2026, 11, 22))

    def test_is_of_stores_with_one_currency(self, shop: Shop):
        with shop.sessions.begin() as session:
            add_store(session, store_code="E1", name="E1", currency="EUR", timezone="Europe/Vienna")
            with pytest.raises(SeveralCurrencies):
                stores_for(session)
            assert len(stores_for(session, currency="CZK")) == 2
            assert len(stores_for(session, codes=("E1",))) == 1
