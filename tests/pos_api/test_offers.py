"""Offers at a till: the examples of the contract come true, and what tills take along."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from cli import regulars
from core.database import Sessions, make_engine, make_sessions
from core.verification import verify
from pos_api import examples
from rewards.offer_decisions import stop_offer
from rewards.offer_operations import import_document
from rewards.verification import CHECKS
from sales.models import Article
from tests.pos_api.conftest import MEMBER_CARD, Chain, enrol_with_points

TEA10: dict[str, Any] = {
    "code": "TEA10",
    "name": {"en": "10 % off tea", "cs": "Sleva 10 % na čaj"},
    "condition": {"kind": "items", "select": {"categories": ["TEA"]}, "quantity": "1"},
    "benefit": {"kind": "percent", "off": "10"},
}
TEA3: dict[str, Any] = {
    "code": "TEA3",
    "name": {"en": "Three teas for two"},
    "condition": {"kind": "items", "select": {"categories": ["TEA"]}, "quantity": "3"},
    "benefit": {"kind": "nth", "off": "100", "which": "cheapest"},
}


def live(sessions: Sessions, *offers: dict[str, Any], **rest: Any) -> None:
    with sessions.begin() as session:
        document = {"format": 1, "offers": list(offers)} | rest
        import_document(session, document=document, actor="test", now=datetime.now(UTC), live=True)


def stock_tea(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.add(Article(sku="10452", name="Čaj 40 g", category="TEA", unit="pcs", tax_rate=12))


@pytest.fixture
def shop(chain: Chain) -> Chain:
    stock_tea(chain.sessions)
    return chain


def bought(chain: Chain, quote: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The sale of the quoted tea as the example of the contract states it, paid just now."""
    now = datetime.now(UTC)
    line = quote["lines"][0]
    sale = chain.till.sale(
        quote_id=quote["quote_id"],
        card_number=MEMBER_CARD,
        business_date=now.date().isoformat(),
        closed_at=now.isoformat(),
        tenders=...,
        totals={"payable_amount": line["net_amount"]},
    )
    sale["lines"] = deepcopy(sale["lines"])
    sale["lines"][0] |= {
        "discount_amount": line["discount_amount"],
        "total_amount": line["net_amount"],
        "discounts": [
            {name: part[name] for name in ("offer_code", "offer_version", "amount")}
            for part in line["discounts"]
        ],
    }
    return sale | changes


BASKET = {name: member for name, member in examples.QUOTE.items() if name not in {"at", "points_to_spend"}}


def quoted(chain: Chain, **changes: Any) -> dict[str, Any]:
    answer = chain.till.post("/quotes", BASKET | {"card_number": MEMBER_CARD} | changes)
    assert answer.status_code == 200, answer.data
    return answer.get_json()


class TestQuote:
    def test_of_the_contract_says_what_its_example_says(self, shop: Chain):
        enrol_with_points(shop, 940)
        for off in ("5", "7", "10"):
            live(shop.sessions, TEA10 | {"benefit": {"kind": "percent", "off": off}})
        live(shop.sessions, TEA3)
        answer = shop.till.post("/quotes", examples.QUOTE | {"card_number": MEMBER_CARD}).get_json()
        for part in ("lines", "totals"):
            assert answer[part] == examples.QUOTE_ANSWER[part]
        assert answer["points"]["to_earn"] == examples.QUOTE_ANSWER["points"]["to_earn"]
        assert [one | {"reason": ""} for one in answer["not_applied"]] == [
            one | {"reason": ""} for one in examples.QUOTE_ANSWER["not_applied"]
        ]

    def test_sees_with_the_next_basket_what_another_process_made_live(self, shop: Chain, database_url: str):
        enrol_with_points(shop, 0)
        assert quoted(shop)["totals"]["discount_amount"] == 0
        elsewhere = make_engine(database_url)
        live(make_sessions(elsewhere), TEA10)
        assert quoted(shop)["totals"]["discount_amount"] == 1198
        live(make_sessions(elsewhere), TEA10 | {"benefit": {"kind": "percent", "off": "20"}})
        assert quoted(shop, card_number=None)["totals"]["discount_amount"] == 0, "it is for members"
        assert quoted(shop)["totals"]["discount_amount"] == 2396
        elsewhere.dispose()

    def test_of_a_basket_without_a_card_sees_it_too(self, shop: Chain, database_url: str):
        everybody = TEA10 | {"audience": {"who": "everyone"}}
        basket = {"card_number": None}
        assert quoted(shop, **basket)["totals"]["discount_amount"] == 0
        elsewhere = make_engine(database_url)
        live(make_sessions(elsewhere), everybody)
        elsewhere.dispose()
        assert quoted(shop, **basket)["totals"]["discount_amount"] == 1198


class TestReceipt:
    def test_earns_what_its_quote_said_and_keeps_how(self, shop: Chain):
        enrol_with_points(shop, 0)
        double = TEA10 | {
            "code": "DOUBLE",
            "stage": "points",
            "benefit": {"kind": "points_multiplier", "times": "2.5"},
        }
        bonus = TEA10 | {"code": "BONUS", "stage": "points", "benefit": {"kind": "points", "points": 30}}
        live(shop.sessions, TEA10, double, bonus | {"limits": {"per_receipt": 1}})
        quote = quoted(shop)
        assert quote["points"]["to_earn"] == int(10782 * 2.5) // 100 + 30
        answer = shop.till.post("/receipts", bought(shop, quote)).get_json()
        assert (answer["flags"], answer["differences"]) == ([], [])
        assert answer["points"]["earned"] == quote["points"]["to_earn"]
        with shop.sessions.begin() as session:
            uses = session.execute(
                text("select offer_code, uses, amount, covered from offer_use order by offer_code")
            ).all()
            shares = session.scalar(text("select sum(points) from receipt_line"))
        assert uses == [("BONUS", 1, 0, "within"), ("DOUBLE", 2, 0, "within"), ("TEA10", 1, 1198, "within")]
        assert shares == answer["points"]["earned"]

    def test_is_honoured_though_the_offer_was_stopped_meanwhile(self, shop: Chain):
        enrol_with_points(shop, 0)
        live(shop.sessions, TEA10)
        quote = quoted(shop)
        with shop.sessions.begin() as session:
            stop_offer(session, offer_code="TEA10", actor="test", now=datetime.now(UTC), reason="enough")
        unquoted = bought(shop, quote) | {"quote_id": None}
        assert shop.till.post("/receipts", bought(shop, quote)).get_json()["flags"] == []
        flags = shop.till.post("/receipts", unquoted).get_json()["flags"]
        assert [flag["code"] for flag in flags] == ["offer_not_valid"]

    def test_of_the_contract_names_an_offer_that_there_is(self, shop: Chain):
        live(shop.sessions, TEA10 | {"audience": {"who": "everyone"}})
        codes = {flag["code"] for flag in shop.till.post("/receipts", examples.SALE).get_json()["flags"]}
        assert "unknown_offer" not in codes

    def test_gives_what_its_own_basket_gets_where_no_quote_was_asked(self, shop: Chain):
        enrol_with_points(shop, 0)
        mug = {"code": "MUG", "name": {"en": "Mug", "cs": "Hrnek"}, "points": 500, "stock": {"S1": 1}}
        gift = TEA10 | {"code": "GIFT", "benefit": {"kind": "gift", "reward": "MUG", "quantity": 1}}
        gift |= {"limits": {"per_receipt": 1}}
        voucher = TEA10 | {"code": "NEXT", "benefit": {"kind": "voucher", "batch": "NEXT50"}}
        voucher |= {"limits": {"per_receipt": 1}}
        batch = {"batch": "NEXT50", "value_amount": 5000, "currency": "CZK", "valid_days": 30}
        live(shop.sessions, TEA10, gift, voucher, rewards=[mug], vouchers=[batch])
        quote = quoted(shop)
        assert quote["gifts"] == [{"offer_code": "GIFT", "reward_code": "MUG", "quantity": 1}]
        assert quote["vouchers"] == [{"offer_code": "NEXT", "batch": "NEXT50"}]
        answer = shop.till.post("/receipts", bought(shop, quote) | {"quote_id": None}).get_json()
        assert answer["gifts"] == quote["gifts"]
        (issued,) = answer["vouchers_issued"]
        assert (issued["batch"], issued["value_amount"]) == ("NEXT50", 5000)
        assert any("Hrnek" in line for line in answer["print"])
        assert any(issued["voucher_code"] in line for line in answer["print"])
        second = shop.till.post("/receipts", bought(shop, quote) | {"quote_id": None}).get_json()
        assert second["gifts"] == []
        assert any("Hrnek" in message for message in second["messages"])
        again = quoted(shop, voucher_codes=[issued["voucher_code"]])
        assert again["totals"]["discount_amount"] == 1198 + 5000
        with shop.sessions.begin() as session:
            assert session.scalar(text("select sum(uses) from offer_use where offer_code = 'GIFT'")) == 1

    def test_leaves_budgets_and_holds_in_order(self, shop: Chain, sessions: Sessions):
        enrol_with_points(shop, 0)
        live(shop.sessions, TEA10 | {"stores": ["S1"], "limits": {"amount": 2500, "per_store_day_uses": 5}})
        quote = quoted(shop)
        assert shop.till.post("/receipts", bought(shop, quote)).get_json()["flags"] == []
        late = bought(shop, quoted(shop)) | {"quote_id": None}
        beyond = bought(shop, quote) | {"quote_id": None}
        assert shop.till.post("/receipts", late).get_json()["flags"] == []
        flags = shop.till.post("/receipts", beyond).get_json()["flags"]
        assert [flag["code"] for flag in flags] == ["offer_not_valid"]
        assert quoted(shop)["totals"]["discount_amount"] == 0
        assert [verdict.code for verdict in verify(sessions, CHECKS) if not verdict.ok] == []


class TestExplain:
    def explained(self, database_url: str, *arguments: str) -> Any:
        command = ("offers", "explain", *arguments, "--json")
        done = CliRunner().invoke(regulars, command, env={"DATABASE_URL": database_url})
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def test_says_of_a_basket_and_of_a_receipt_what_each_offer_comes_to(
        self, shop: Chain, database_url: str, tmp_path: Path
    ):
        enrol_with_points(shop, 0)
        live(shop.sessions, TEA10, TEA3)
        file = tmp_path / "basket.json"
        file.write_text(json.dumps(BASKET | {"card_number": MEMBER_CARD}), encoding="utf-8")
        told = self.explained(database_url, "--basket", str(file), "--store", "S1")["offers"]
        assert [(one["offer_code"], one["applied"], one["amount"], one["missing"]) for one in told] == [
            ("TEA10", True, 1198, None),
            ("TEA3", False, 0, "1"),
        ]
        sale = bought(shop, quoted(shop))
        shop.till.post("/receipts", sale)
        name = f"S1/T1/{sale['business_date']}/{sale['receipt_number']}"
        again = self.explained(database_url, "--receipt", name)
        assert again["offers"][0]["amount"] == 1198
        assert [(use["offer_code"], use["uses"]) for use in again["used"]] == [("TEA10", 1)]
        said = [
            self.explained(database_url, "--receipt", name, "--language", language)["offers"][1]["why"]
            for language in ("en", "cs", "sk", "pl")
        ]
        assert len(set(said)) == 4

    def test_needs_one_subject(self, database_url: str):
        refused = CliRunner().invoke(regulars, ("offers", "explain"), env={"DATABASE_URL": database_url})
        assert refused.exit_code == 2


class TestSnapshot:
    def test_takes_the_live_offers_of_the_store_along(self, shop: Chain):
        before = shop.till.get("/snapshot")
        assert before.get_json()["payload"]["offers"] == {"choice": "first", "offers": []}
        live(shop.sessions, TEA10, TEA3 | {"stores": ["S2"]}, choice="best")
        again = shop.till.get("/snapshot", headers={"If-None-Match": before.headers["ETag"]})
        assert again.status_code == 200
        told = again.get_json()["payload"]["offers"]
        assert told["choice"] == "best"
        assert [(one["code"], one["version"]) for one in told["offers"]] == [("TEA10", 1)]
