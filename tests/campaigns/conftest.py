"""A shop whose night has been: articles, a served run with rules, members with lists, tills that speak to it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from basket_analysis.mining import basket_rule_lists
from basket_analysis.models import AnalysisRun, MemberOffers, MinedRule, ServedRun
from campaigns.books import read_book
from campaigns.decisions import ask_again
from core.ids import uuid7
from pos_api import examples
from tests.clients.conftest import client
from tests.pos_api.conftest import MEMBER_CARD, Chain, TillClient, chain, enrol_with_points, tills

__all__ = ["chain", "client", "tills"]

NO_CHANCE = 0.0
CARD = MEMBER_CARD
OTHER_CARD = "2990000000033"
ARTICLES = (
    # sku, name, category, type, price
    ("tea", "Čaj 40 g", "Tea", "Black tea", 5990),
    ("honey", "Med 500 g", "Honey", "Honey", 12900),
    ("lemon", "Citron", "Fruit", "Lemons", 1200),
    ("bread", "Chléb", "Bakery", "Bread", 4500),
    ("butter", "Máslo", "Dairy", "Butter", 6500),
    ("jam", "Džem", "Jam", "Jam", 5500),
    ("milk", "Mléko", "Dairy", "Milk", 2500),
    ("beer", "Pivo", "Beer", "Lager beer", 2000),
    ("rolls", "Rohlík", "Bakery", "Rolls", 350),
)
RULE = {
    "count": 60, "antecedent_count": 900, "consequent_count": 800, "households": 40, "support": 0.02, "confidence": 0.35,
    "lift": 4.1, "leverage": 0.01, "conviction": 1.3, "improvement": 0.2, "q": 0.001, "z": 9.0,
}  # fmt: skip
OFTEN, POPULAR = [0], [4]


def named(receipt: dict[str, Any]) -> dict[str, Any]:
    """How a return or a void names a receipt of the first till."""
    names = ("business_date", "receipt_number")
    return {"store_code": "S1", "till_code": "T1", **{name: receipt[name] for name in names}}


@dataclass
class Served:
    """The chain after its night; what is offered follows from `offers` and `rules`."""

    chain: Chain
    ids: dict[str, int]
    run_id: UUID
    members: dict[str, UUID] = field(default_factory=dict)

    @property
    def sessions(self):
        return self.chain.sessions

    @property
    def till(self) -> TillClient:
        return self.chain.till

    def do(self, statement: str, **values: Any) -> Any:
        with self.sessions.begin() as session:
            return session.execute(text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.sessions() as session:
            return list(session.execute(text(statement), values))

    def member(self, card: str = CARD) -> UUID:
        if card not in self.members:
            enrol_with_points(self.chain, 0, card)
            self.members[card] = self.rows("select member_id from card where card_number = :card", card=card)[
                0
            ][0]
        return self.members[card]

    def account(self, card: str = CARD) -> UUID:
        return self.rows("select account_id from card where card_number = :card", card=card)[0][0]

    def ranked(
        self,
        *skus: str,
        card: str = CARD,
        kind: str = "new",
        reasons: Sequence[Any] | None = None,
    ) -> None:
        """What the night ranked for the holder of a card."""
        with self.sessions.begin() as session:
            session.execute(
                insert(MemberOffers).values(
                    run_id=self.run_id,
                    member_id=self.member(card),
                    kind=kind,
                    article_ids=[self.ids[sku] for sku in skus],
                    scores=[1.0 / (place + 1) for place in range(len(skus))],
                    reasons=list(reasons or [OFTEN] * len(skus)),
                )
            )

    def rules(self, *rules: tuple[str, str, float]) -> None:
        """Which articles go together, and how many times more often than by chance."""
        with self.sessions.begin() as session:
            for number, (one, other, times) in enumerate(rules):
                session.execute(
                    insert(MinedRule).values(
                        run_id=self.run_id,
                        rule_number=number,
                        level="article",
                        antecedent=[one],
                        consequent=[other],
                        adjusted_lift=times,
                        **RULE,
                    )
                )
            basket_rule_lists._KEPT.pop(self.run_id, None)
            read_book(session, run_id=self.run_id)

    def read(self) -> None:
        """What this process keeps at hand, read anew."""
        with self.sessions.begin() as session:
            read_book(session, run_id=self.run_id)

    def chance(self, share: float, **limits: list[int]) -> None:
        self.do(
            "insert into decision_rules (limits, exploration, set_by, set_at) values (cast(:limits as jsonb), :share, 'test', now()) "
            "on conflict (only_row) do update set limits = excluded.limits, exploration = excluded.exploration",
            limits=json.dumps(limits),
            share=share,
        )

    def quote(self, *skus: str, card: str | None = CARD, till: TillClient | None = None) -> dict[str, Any]:
        body = {
            "currency": "CZK",
            "lines": [
                {"line_number": number, "sku": sku, "quantity": "1", "unit_price": 1000, "tax_rate": "12"}
                for number, sku in enumerate(skus, 1)
            ],
        }
        if card is not None:
            body["card_number"] = card
        answer = (till or self.till).post("/quotes", body)
        assert answer.status_code == 200, answer.data
        return answer.get_json()

    def told(self, *skus: str, card: str | None = CARD) -> list[str]:
        """The skus that a quote for a basket of `skus` offers next."""
        return [offer["sku"] for offer in self.quote(*skus, card=card)["next_offers"]]

    def sale(self, *skus: str, card: str | None = CARD, **changes: Any) -> dict[str, Any]:
        lines = [
            {
                "line_number": number,
                "sku": sku,
                "quantity": "1",
                "unit_price": 1000,
                "total_amount": 1000,
                "tax_rate": "12",
            }
            for number, sku in enumerate(skus, 1)
        ]
        now = datetime.now(UTC)
        return self.till.sale(
            examples.SHORTEST_SALE,
            card_number=card,
            lines=lines,
            totals={"payable_amount": 1000 * len(skus)},
            business_date=(now + timedelta(hours=1)).date().isoformat(),
            closed_at=now.isoformat(),
            **changes,
        )

    def bring_back_faulty(self, sku: str, **changes: Any) -> dict[str, Any]:
        """Buy an article and bring it back; returns the receipt of the return."""
        sale = self.sale(sku, **changes)
        assert self.till.post("/receipts", sale).status_code == 201
        back = self.sale(sku, type="return", **changes) | {"original": named(sale)}
        back["lines"][0] |= {"original_line_number": 1, "reason": "faulty"}
        assert self.till.post("/receipts", back).status_code == 201
        return back

    def void(self, receipt: dict[str, Any]) -> None:
        sku = receipt["lines"][0]["sku"]
        void = self.sale(sku, type="void") | {"original": named(receipt)}
        answer = self.till.post("/receipts", void)
        assert answer.status_code == 201, answer.data

    def react(self, reaction: str, card: str = CARD, **about: Any) -> int:
        return self.till.post("/reactions", {"card_number": card, "reaction": reaction, **about}).status_code

    def stock(self, pieces: Iterable[tuple[str, int]]) -> None:
        for sku, quantity in pieces:
            self.do(
                "insert into article_stock (store_id, article_id, quantity, counted_at) values (:store, :article, :quantity, now()) "
                "on conflict (store_id, article_id) do update set quantity = excluded.quantity",
                store=self.store_id,
                article=self.ids[sku],
                quantity=quantity,
            )

    @property
    def store_id(self) -> int:
        return self.rows("select store_id from store where store_code = 'S1'")[0][0]


@pytest.fixture
def served(chain: Chain) -> Served:
    return serve(chain)


def serve(chain: Chain) -> Served:
    """Let a night have been in a chain that has had none."""
    run_id = uuid7()
    with chain.sessions.begin() as session:
        for sku, name, category, kind, price in ARTICLES:
            session.execute(
                text(
                    "insert into article (sku, name, category, type, unit, tax_rate, price) "
                    "values (:sku, :name, :category, :kind, 'pcs', 12, :price)"
                ),
                {"sku": sku, "name": name, "category": category, "kind": kind, "price": price},
            )
        ids = dict(session.execute(text("select sku, article_id from article")).all())
        session.execute(
            text(
                "insert into sold_lately select store_id, article_id, current_date from store, article where sku <> 'beer'"
            )
        )
        now = datetime.now(UTC)
        session.execute(
            insert(AnalysisRun).values(
                run_id=run_id,
                business_day=now.date(),
                state="completed",
                started_at=now,
                version="1",
                parameters={},
                inputs={},
                timings={},
            )
        )
        session.execute(insert(ServedRun).values(run_id=run_id, served_at=now))
        read_book(session, run_id=run_id)
        ask_again(session)
    found = Served(chain, ids, run_id)
    found.chance(NO_CHANCE)
    return found
