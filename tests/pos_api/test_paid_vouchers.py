"""Vouchers on paid receipts: none is lost that gave nothing, and no sale fails for those that it gives."""

from typing import Any

import pytest
from sqlalchemy import text

from core.i18n import show_money
from core.money import Money
from loyalty import given_offers
from tests.pos_api.conftest import Chain, enrol_with_points
from tests.pos_api.test_offers import TEA10, bought, live, quoted, stock_tea


@pytest.fixture
def shop(chain: Chain) -> Chain:
    stock_tea(chain.sessions)
    enrol_with_points(chain, 0)
    return chain


def batch(code: str, value: int | None, minimum: int = 0) -> dict[str, Any]:
    return {
        "batch": code,
        "value_amount": value,
        "currency": "CZK",
        "minimum_amount": minimum,
        "valid_days": 30,
        "codes": [f"{code}-0001", f"{code}-0002"],
    }


def state(shop: Chain, code: str) -> str | None:
    with shop.sessions.begin() as session:
        return session.scalar(text("select state from voucher where voucher_code = :code"), {"code": code})


def paid_with(shop: Chain, *codes: str, **changes: Any) -> list[str]:
    """Quote and pay with codes, and return the flags."""
    quote = quoted(shop, voucher_codes=list(codes))
    answer = shop.till.post("/receipts", bought(shop, quote, voucher_codes=list(codes), **changes))
    assert answer.status_code == 201, answer.data
    return [flag["code"] for flag in answer.get_json()["flags"]]


def void_of(sale: dict[str, Any]) -> dict[str, Any]:
    named = {"store_code": "S1", "till_code": "T1"} | {
        name: sale[name] for name in ("business_date", "receipt_number")
    }
    kept = {name: sale[name] for name in ("business_date", "closed_at", "currency")}
    return kept | {"type": "void", "receipt_number": "V1", "original": named}


class TestAVoucher:
    def test_is_kept_when_the_basket_was_below_its_minimum(self, shop: Chain):
        live(shop.sessions, vouchers=[batch("DEAR", 5000, 900_000), batch("ANY", 5000)])
        assert paid_with(shop, "DEAR-0001", "ANY-0001") == []
        assert (state(shop, "DEAR-0001"), state(shop, "ANY-0001")) == ("issued", "redeemed")

    def test_is_kept_when_another_covered_the_bill(self, shop: Chain):
        live(shop.sessions, vouchers=[batch("RICH", 900_000)])
        assert paid_with(shop, "RICH-0001", "RICH-0002") == []
        assert (state(shop, "RICH-0001"), state(shop, "RICH-0002")) == ("redeemed", "issued")

    def test_that_keeps_its_rest_says_on_the_receipt_how_much_that_is(self, shop: Chain):
        live(shop.sessions, vouchers=[batch("RICH", 900_000)])
        with shop.sessions.begin() as session:
            session.execute(text("update voucher_batch set residual = 'keep'"))
        quote = quoted(shop, voucher_codes=["RICH-0001"])
        paid = quote["totals"]["discount_amount"]
        sale = bought(shop, quote, voucher_codes=["RICH-0001"])
        printed = shop.till.post("/receipts", sale).get_json()["print"]
        left = show_money(Money(900_000 - paid, "CZK"), "cs")
        assert (
            f"Na pouk\N{LATIN SMALL LETTER A WITH ACUTE}zce RICH-0001 zb\N{LATIN SMALL LETTER Y WITH ACUTE}v\N{LATIN SMALL LETTER A WITH ACUTE} {left}"
            in printed
        )
        assert state(shop, "RICH-0001") == "issued"

    def test_that_was_reserved_and_keeps_its_rest_loses_only_what_the_lines_say(self, shop: Chain):
        live(shop.sessions, vouchers=[batch("RICH", 900_000)])
        with shop.sessions.begin() as session:
            session.execute(text("update voucher_batch set residual = 'keep'"))
        quote = quoted(shop, voucher_codes=["RICH-0001"])
        paid = quote["totals"]["discount_amount"]
        held = shop.till.post("/redemptions", {"voucher_code": "RICH-0001"}).get_json()
        sale = bought(shop, quote, redemption_ids=[held["redemption_id"]])
        answer = shop.till.post("/receipts", sale).get_json()
        left = show_money(Money(900_000 - paid, "CZK"), "cs")
        assert 0 < paid < 900_000
        assert answer["flags"] == []
        assert any("RICH-0001" in line and line.endswith(left) for line in answer["print"])
        assert state(shop, "RICH-0001") == "issued"
        with shop.sessions() as session:
            rest = session.scalar(text("select left_amount from voucher where voucher_code = 'RICH-0001'"))
        assert rest == 900_000 - paid

    def test_that_was_reserved_is_handed_out_anew_for_its_rest_where_its_batch_does_that(self, shop: Chain):
        live(shop.sessions, vouchers=[batch("RICH", 900_000)])
        with shop.sessions.begin() as session:
            session.execute(text("update voucher_batch set residual = 'reissue'"))
        quote = quoted(shop, voucher_codes=["RICH-0001"])
        paid = quote["totals"]["discount_amount"]
        held = shop.till.post("/redemptions", {"voucher_code": "RICH-0001"}).get_json()
        sale = bought(shop, quote, redemption_ids=[held["redemption_id"]])
        answer = shop.till.post("/receipts", sale).get_json()
        assert answer["flags"] == []
        assert state(shop, "RICH-0001") == "redeemed"
        (issued,) = answer["vouchers_issued"]
        with shop.sessions() as session:
            worth = text("select left_amount from voucher where voucher_code = :code")
            assert session.scalar(worth, {"code": issued["voucher_code"]}) == 900_000 - paid
            assert 0 < paid < 900_000
        told = shop.till.post("/receipts", void_of(sale)).get_json()
        assert told["flags"] == []
        assert (state(shop, "RICH-0001"), state(shop, issued["voucher_code"])) == ("issued", "cancelled")

    @pytest.mark.parametrize("quote_is_named", [True, False])
    def test_that_is_a_key_is_used_with_an_offer_that_asks_for_it(self, shop: Chain, quote_is_named: bool):
        def opens(category: str, key: str) -> dict[str, Any]:
            items = {"kind": "items", "select": {"categories": [category]}, "quantity": "1"}
            condition = {"kind": "all", "of": [items, {"kind": "voucher", "batch": key}]}
            return TEA10 | {"code": f"FOR{key}", "condition": condition}

        shut, opened = opens("COFFEE", "SHUT"), opens("TEA", "OPENED")
        live(shop.sessions, shut, opened, vouchers=[batch("SHUT", None), batch("OPENED", None)])
        named = {} if quote_is_named else {"quote_id": None}
        assert paid_with(shop, "SHUT-0001", "OPENED-0001", **named) == []
        assert (state(shop, "SHUT-0001"), state(shop, "OPENED-0001")) == ("issued", "redeemed")

    def test_that_was_shown_stays_when_the_receipt_is_paid_with_another_of_its_batch(self, shop: Chain):
        """The till reserved the second after its quote had shown the first: one of them is paid with."""
        live(shop.sessions, vouchers=[batch("PAIR", 5000)])
        quote = quoted(shop, voucher_codes=["PAIR-0001"])
        held = shop.till.post("/redemptions", {"voucher_code": "PAIR-0002"}).get_json()
        body = bought(shop, quote, voucher_codes=[], redemption_ids=[held["redemption_id"]])
        answer = shop.till.post("/receipts", body)
        assert answer.status_code == 201, answer.data
        assert (state(shop, "PAIR-0001"), state(shop, "PAIR-0002")) == ("issued", "redeemed")


class TestASale:
    def test_gives_no_more_vouchers_than_is_sane_and_says_so(
        self, shop: Chain, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(given_offers, "MOST_VOUCHERS", 1)
        live(
            shop.sessions,
            TEA10 | {"benefit": {"kind": "voucher", "batch": "NEXT"}},
            vouchers=[batch("NEXT", 1)],
        )
        quote = quoted(shop)
        assert len(quote["vouchers"]) == 2
        answer = shop.till.post("/receipts", bought(shop, quote)).get_json()
        assert len(answer["vouchers_issued"]) == 1
        assert [flag["code"] for flag in answer["flags"]] == ["offer_not_valid"]
