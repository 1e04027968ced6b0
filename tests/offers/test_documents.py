"""Documents of offers on the command line: all or nothing, refused with a pointer, the same again is unchanged."""

import json
from copy import deepcopy

import pytest

from sales.operations import add_store
from tests.offers.conftest import ALWAYS, amount, basket, items, offer, open_market, percent, value

TEA = offer("TEA10", items("TEA"), percent(10))
FULL = {
    "code": "FULL", "name": {"en": "Everything", "cs": "Vše"},
    "valid": {"from": "2026-11-01T00:00:00+01:00", "to": None, "weekdays": [1, 7],
              "hours": [{"from": "22:00", "to": "02:00"}]},
    "stores": ["S1", "S2"],
    "audience": {"who": "members", "tiers": ["gold"], "groups": ["G1"], "phases": [], "values": [],
                 "member_codes": [], "birthday_within_days": 3, "first_purchase": False, "staff": True,
                 "companies": False},
    "stage": "basket", "priority": 7, "exclusive_group": "G", "stackable": False,
    "limits": {"per_receipt": 1, "per_member_day": 2, "per_member": 3, "uses": 4, "amount": 5,
               "per_store_day_uses": 6, "per_store_day_amount": 7, "per_store_week_uses": 8,
               "per_store_week_amount": 9},
    "condition": {"kind": "all", "of": [
        {"kind": "any", "of": [items({"skus": ["tea"], "except": {"brands": ["LEAF"]}}, "0.754"), value(100, "net")]},
        {"kind": "not", "of": [{"kind": "voucher", "batch": "DOCS"}]},
        {"kind": "each", "of": [{"select": {"types": ["BLACK"]}, "quantity": "2"}]}, ALWAYS]},
    "benefit": {"kind": "nth", "off": "12.5", "which": "dearest", "count": 2, "select": {"departments": ["FOOD"]}},
}  # fmt: skip
DOCUMENT = {
    "format": 1,
    "vouchers": [{"batch": "DOCS", "value_amount": 5000, "currency": "CZK", "minimum_amount": 30000,
                  "valid_days": 30, "codes": ["DOCS-0001"]}],
    "rewards": [{"code": "DOCS-MUG", "name": {"en": "Mug"}, "points": 500, "stock": {"S1": 20}}],
    "offers": [FULL],
}  # fmt: skip


@pytest.fixture
def brought(market, tmp_path):
    """Return what imports a document as the command does: (document, *options) -> what it printed."""

    def brought(document, *options, **rest):
        file = tmp_path / "offers.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return market.regulars("offers", "import", str(file), *options, **rest)

    return brought


def changed(document, path, content):
    """Return a copy with one place set."""
    found = deepcopy(document)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = content
    return found


class TestADocument:
    def test_goes_live_and_is_unchanged_when_it_comes_again(self, market, brought):
        first, again = brought(DOCUMENT, "--live"), brought(DOCUMENT, "--live")
        assert (first["imported"], again["imported"], again["unchanged"]) == (1, 0, ["FULL"])
        assert market.number("select max(version) from offer_version where offer_code = 'FULL'") == 1
        newer = brought(changed(DOCUMENT, ["offers", 0, "priority"], 8), "--live")
        assert newer["versions"] == {"FULL": 2}

    def test_comes_out_as_it_went_in(self, market, brought):
        brought(DOCUMENT, "--live")
        out = market.regulars("offers", "export")
        (full,) = [one for one in out["offers"] if one["code"] == "FULL"]
        for key, content in FULL.items():
            if key not in {"condition", "benefit", "valid"}:
                assert full[key] == content, key
        assert full["condition"]["kind"] == "all"
        assert [part["kind"] for part in full["condition"]["of"]] == ["any", "not", "each", "always"]
        assert full["benefit"]["select"]["departments"] == ["FOOD"]
        assert brought(out, "--live")["imported"] == 0

    def test_is_a_draft_unless_it_is_to_be_live(self, market, brought):
        brought({"format": 1, "offers": [offer("DRAFT", items("TEA"), percent(10))]})
        assert market.quote(basket(("tea", 1, 5990))).discounts == [0]
        states = {one["offer_code"]: one["state"] for one in market.regulars("offers", "list")["offers"]}
        assert states["DRAFT"] == "draft"

    def test_sets_a_stock_only_when_the_reward_is_new(self, market, brought):
        brought(DOCUMENT, "--live")
        brought(changed(DOCUMENT, ["rewards", 0, "stock"], {"S1": 99}), "--live")
        stock = market.regulars("rewards", "stock")["stock"]
        assert [one for one in stock if one["reward_code"] == "DOCS-MUG"] == [
            {"reward_code": "DOCS-MUG", "store_code": "S1", "on_hand": 20, "reserved": 0, "available": 20}
        ]

    @pytest.mark.parametrize(
        ("path", "content", "pointer"),
        [
            (["offers", 0, "colour"], "red", "/offers/0/colour"),
            (["offers", 0, "condition", "kind"], "itmes", "/offers/0/condition/kind"),
            (["offers", 0, "condition", "of", 0, "of", 0, "quantity"], "0", "/offers/0/condition/of/0/of/0/quantity"),
            (["offers", 0, "condition", "of", 0, "of", 0, "quantity"], "1.0001", "/offers/0/condition/of/0/of/0/quantity"),
            (["offers", 0, "benefit", "off"], "100.01", "/offers/0/benefit/off"),
            (["offers", 0, "benefit", "off"], "0", "/offers/0/benefit/off"),
            (["offers", 0, "benefit", "off"], "1.001", "/offers/0/benefit/off"),
            (["offers", 0, "benefit", "which"], "first", "/offers/0/benefit/which"),
            (["offers", 0, "limits", "uses"], -1, "/offers/0/limits/uses"),
            (["offers", 0, "stage"], "voucher", "/offers/0"),
            (["offers", 0, "stage"], "tender", "/offers/0/stage"),
            (["offers", 0, "code"], "tea 10", "/offers/0/code"),
            (["offers", 0, "stores"], ["NOWHERE"], "/offers/0/stores"),
            (["offers", 0, "benefit"], {"kind": "gift", "reward": "NONE", "quantity": 1}, "/offers/0/benefit/reward"),
            (["offers", 0, "benefit"], {"kind": "voucher", "batch": "NONE"}, "/offers/0/benefit/batch"),
            (["offers", 0, "valid", "weekdays"], [0], "/offers/0/valid/weekdays/0"),
            (["offers", 0, "name"], {"en": "half \ud800"}, "/offers/0/name/en"),
            (["offers", 0, "name"], {"\udfff": "half"}, "/offers/0/name/\\udfff"),
            (["offers", 0, "\ud800"], "half", "/offers/0/\\ud800"),
            (["offers", 0, "name"], {"en": "4111 1111 1111 1111"}, "/offers/0/name/en"),
            (["rewards", 0, "stock"], {"\ud800": 1}, "/rewards/0/stock/\\ud800"),
            (["format"], 2, "/format"),
            (["vouchers", 0, "codes"], ["no"], "/vouchers/0/codes/0"),
        ],
    )  # fmt: skip
    def test_is_refused_with_the_place_that_is_wrong(self, market, brought, path, content, pointer):
        if path[-1] == "stage" and content == "voucher":
            document = changed(DOCUMENT, ["offers", 0, "condition"], ALWAYS)
            document["offers"][0]["stage"] = "voucher"
        else:
            document = changed(DOCUMENT, path, content)
        document["offers"].append(offer("ALONE", items("TEA"), percent(10)))
        said = brought(document, "--live", code=2)
        assert said.startswith(pointer), said
        assert market.number("select count(*) from offer where offer_code = 'ALONE'") == 0

    def test_nests_eight_deep_and_no_deeper(self, brought):
        deep = ALWAYS
        for _ in range(7):
            deep = {"kind": "all", "of": [deep]}
        assert brought({"format": 1, "offers": [offer("DEEP", deep, percent(1))]})["imported"] == 1
        said = brought(
            {"format": 1, "offers": [offer("DEEPER", {"kind": "all", "of": [deep]}, percent(1))]}, code=2
        )
        assert said.startswith("/offers/0/condition")

    @pytest.mark.parametrize("document", ["{", "[]", "null", '{"format": 1, "format": 1}', '{"offers": []}'])
    def test_that_is_none_is_refused(self, brought, document):
        assert brought(document, "--live", code=2)

    def test_takes_unknown_skus_and_categories(self, brought):
        unknown = offer("UNKNOWN", items({"skus": ["never"], "categories": ["NEVER"]}), percent(10))
        assert brought({"format": 1, "offers": [unknown]})["imported"] == 1

    def test_with_amounts_needs_one_currency(self, market, brought):
        with market.sessions.begin() as session:
            add_store(session, store_code="E1", name="E1", currency="EUR", timezone="Europe/Bratislava")
        for one in (
            offer("AMOUNT", items("TEA"), amount(100)),
            offer("AMOUNT", value(100), percent(1)),
            offer("AMOUNT", items("TEA"), percent(1, max_amount=5)),
            offer("AMOUNT", items("TEA"), percent(1), limits={"amount": 5}),
        ):
            assert brought({"format": 1, "offers": [one]}, code=2).startswith("/offers/0")
            assert brought({"format": 1, "offers": [one | {"stores": ["S1", "S2"]}]})["imported"] <= 1
        assert brought({"format": 1, "offers": [offer("PERCENT", items("TEA"), percent(1))]})["imported"] == 1

    def test_takes_the_currency_of_all_stores_for_a_batch_that_names_none(self, market, brought):
        batch = {"batch": "OWN", "value_amount": 500, "minimum_amount": 600, "codes": ["OWN-0001"]}
        document = {"format": 1, "vouchers": [batch], "offers": []}
        currencies = "update store set currency = case when store_code = 'S2' then :other else 'CZK' end"
        market.execute(currencies, other="EUR")
        assert brought(document, "--live", code=2).startswith("/vouchers/0/currency")
        market.execute(currencies, other="CZK")
        brought(document, "--live")
        assert market.number("select currency from voucher_batch where batch_code = 'OWN'") == "CZK"
        assert market.quote(basket(("pen", 1, 1000)), voucher_codes=["OWN-0001"]).discounts == [500]

    @pytest.mark.parametrize("part", ["offers", "vouchers"])
    def test_keeps_offers_and_vouchers_with_a_value_apart(self, market, brought, part):
        """A receipt states both under one code; a batch that is only a key states nothing."""
        code = f"SAME-{part.upper()}"
        one = offer(code, {"kind": "voucher", "batch": code}, percent(10))
        key = {"batch": code, "codes": [f"{code}-1"]}
        valued = key | {"value_amount": 500, "currency": "CZK"}
        if part == "offers":
            assert brought({"format": 1, "vouchers": [valued], "offers": [one]}, code=2).startswith(
                "/offers/0/code"
            )
            return
        brought({"format": 1, "vouchers": [key], "offers": [one]}, "--live")
        assert market.quote(basket(("pen", 1, 1000)), voucher_codes=[f"{code}-1"]).discounts == [100]
        assert brought({"format": 1, "vouchers": [valued]}, code=2).startswith("/vouchers/0")
        market.regulars("offers", "stop", code)

    def test_may_call_an_offer_as_the_batch_is_that_it_gives(self, market, brought):
        batch = {"batch": "BACK50", "value_amount": 500, "currency": "CZK", "codes": ["BACK50-1", "BACK50-2"]}
        gives = offer(
            "BACK50", items("PEN"), {"kind": "voucher", "batch": "BACK50"}, limits={"uses": 9, "amount": 1}
        )
        brought({"format": 1, "vouchers": [batch], "offers": [gives]}, "--live")
        pens = basket(("pen", 2, 1000))
        for code, quoted in (("BACK50-1", True), ("BACK50-2", False)):
            quote = market.quote(pens, at=..., voucher_codes=[code])
            assert (quote.shares, len(quote.body["vouchers"])) == ([[("BACK50", 500)]], 2)
            sale = market.sale(quote, pens, voucher_codes=[code], **({} if quoted else {"quote_id": None}))
            answer = market.post(sale)
            assert (answer["flags"], len(answer["vouchers_issued"])) == ([], 2)
            assert (
                market.number("select state from voucher where voucher_code = :code", code=code) == "redeemed"
            )
            assert [market.returns(sale, {1: each})["totals"]["refund_amount"] for each in "12"] == [
                1000,
                1500,
            ]
        used = "select sum(uses) || ' ' || sum(amount) from offer_use where offer_code = 'BACK50'"
        assert market.number(used) == "3 0"
        market.regulars("offers", "stop", "BACK50")

    def test_stops(self, market, brought):
        brought({"format": 1, "choice": "first", "offers": [TEA]}, "--live")
        assert market.quote(basket(("tea", 1, 5990))).discounts == [599]
        assert market.regulars("offers", "stop", "TEA10") == {"stopped": 1}
        assert market.quote(basket(("tea", 1, 5990))).discounts == [0]
        assert market.regulars("offers", "stop", "TEA10") == {"stopped": 0}

    def test_that_was_stopped_goes_live_again(self, market, brought):
        brought({"format": 1, "offers": [TEA]}, "--live")
        market.regulars("offers", "stop", "TEA10")
        brought({"format": 1, "offers": [TEA]}, "--live")
        assert market.quote(basket(("tea", 1, 5990))).discounts == [599]
        market.regulars("offers", "stop", "TEA10")

    def test_that_comes_out_does_the_same_in_an_empty_house(self, market, brought, make_database, tmp_path):
        """Codes of its batches included, but for those that are used up or somebody's own."""
        batches = [
            {"batch": "KEY", "codes": ["KEY-0001", "KEY-0002"]},
            {"batch": "WORTH", "value_amount": 700, "currency": "CZK", "valid_days": 10,
             "codes": ["WORTH-0001", "WORTH-0002"]},
        ]  # fmt: skip
        opened = offer("OPENED", {"kind": "voucher", "batch": "KEY"}, percent(10))
        draft = offer("ONLYDRAFT", ALWAYS, percent(50))
        brought({"format": 1, "vouchers": batches, "offers": [opened]}, "--live")
        brought({"format": 1, "offers": [draft]})
        mine = market.regulars("vouchers", "issue", "WORTH", "--member", market.member())["vouchers"]
        pen = basket(("pen", 1, 1000))
        used = market.quote(pen, at=..., voucher_codes=["WORTH-0002"])
        market.pay(used, pen, voucher_codes=["WORTH-0002"])
        out = market.regulars("offers", "export", "--live")
        market.regulars("offers", "stop", "OPENED")
        told = {one["batch"]: one["codes"] for one in out["vouchers"]}
        assert (told["KEY"], told["WORTH"]) == (["KEY-0001", "KEY-0002"], ["WORTH-0001"])
        out["offers"] = [one for one in out["offers"] if one["code"] != "FULL"]
        for elsewhere in open_market(make_database(), tmp_path):
            with elsewhere.sessions.begin() as session:
                add_store(session, store_code="E1", name="E1", currency="CZK", timezone="Europe/Prague")
            elsewhere.bring(out)
            found = elsewhere.quote(pen, at=..., voucher_codes=["KEY-0001", "WORTH-0001"])
            assert found.shares == [[("OPENED", 100), ("WORTH", 700)]]
            for code in ("WORTH-0002", mine[0]["voucher_code"]):
                assert elsewhere.quote(pen, at=..., voucher_codes=[code]).payable == 1000
            assert elsewhere.regulars("offers", "export") == out

    def test_issues_vouchers(self, market, brought):
        brought(DOCUMENT, "--live")
        card = market.member()
        issued = market.regulars("vouchers", "issue", "DOCS", "--count", "3")["vouchers"]
        assert {one["batch"] for one in issued} == {"DOCS"}
        assert len({one["voucher_code"] for one in issued}) == 3
        (mine,) = market.regulars("vouchers", "issue", "DOCS", "--member", card)["vouchers"]
        quote = market.quote(
            basket(("pen", 1, 40000)), at=..., card_number=card, voucher_codes=[mine["voucher_code"]]
        )
        assert quote.discounts == [5000]
