import pytest

from core.i18n import LANGUAGES
from rewards.carts import Left, Presented, Shopper
from tests.rewards.offer_making import amount, evaluate, items, line, nth, offer, percent, points

CHOC = [line(1, "2", 2990, "CHOC"), line(2, "0.5", 19900, "CHEESE", unit="kg")]


def told(*offers, cart=CHOC, **changed) -> dict[str, tuple[str, str | None]]:
    return {
        each.offer_code: (each.reason, each.missing)
        for each in evaluate(cart, *offers, **changed).not_applied
    }


class TestNotApplied:
    def test_says_how_many_units_are_missing(self):
        assert told(offer("T", items("CHOC", "5"), nth())) == {"T": ("3 more pieces of CHOC", "3")}
        assert told(offer("T", items("CHOC", "3"), nth())) == {"T": ("1 more piece of CHOC", "1")}

    def test_says_how_many_kilograms_are_missing(self):
        assert told(offer("T", items("CHEESE", "2.25"), points())) == {
            "T": ("1.75 kg more of CHEESE", "1.75")
        }

    def test_says_how_much_money_is_missing(self):
        value = {"kind": "value", "select": {"categories": ["CHOC"]}, "amount": 10000}
        assert told(offer("T", value, amount(1000))) == {
            "T": ("CZK\N{NO-BREAK SPACE}40.20 more of CHOC", "4020")
        }

    def test_adds_up_the_parts_of_a_bundle(self):
        of = [{"select": {"categories": [each]}, "quantity": "1"} for each in ("CHOC", "TEA", "MILK")]
        expected = ("1 more piece of TEA, 1 more piece of MILK", "2")
        assert told(offer("T", {"kind": "each", "of": of}, percent("10"))) == {"T": expected}

    def test_calls_articles_by_their_names(self):
        part = {
            "kind": "each",
            "of": [{"select": {"skus": [sku]}, "quantity": "1"} for sku in ("CHOC1", "X")],
        }
        found = told(offer("T", part, percent("10")), article_names={"X": "Honey 500 g"})
        assert found == {"T": ("1 more piece of Honey 500 g", "1")}

    def test_names_a_few_of_many_values(self):
        many = {"kind": "items", "select": {"categories": ["CHOC", *"ABCD"]}, "quantity": "3"}
        assert told(offer("T", many, percent("1")))["T"][0] == "1 more piece of A / B / C …"

    def test_asks_for_what_the_benefit_would_fall_on(self):
        bread = offer("T", items("CHOC"), percent("50", select={"categories": ["BREAD"]}))
        assert told(bread) == {"T": ("1 more piece of BREAD", "1")}

    @pytest.mark.parametrize(
        "more",
        [
            {"limits": {"per_receipt": 0}},
            {"valid": {"weekdays": [1]}},
            {"valid": {"hours": [{"from": "22:00", "to": "06:00"}]}},
            {"condition": {"kind": "all", "of": [items("CHOC"), {"kind": "voucher", "batch": "P"}]}},
            {
                "condition": {
                    "kind": "all",
                    "of": [items("CHOC"), {"kind": "not", "of": [items("CHEESE", "0.1")]}],
                }
            },
            {"benefit": {"kind": "fixed_price", "price": 99900, "per": "unit"}},
        ],
        ids=["limit", "weekday", "hours", "voucher", "not", "price"],
    )
    def test_has_nothing_missing_where_adding_would_not_help(self, more):
        documents = {"condition": items("CHOC"), "benefit": percent("10")} | more
        found = told(offer("T", documents.pop("condition"), documents.pop("benefit"), **documents))
        assert found["T"][1] is None

    def test_has_nothing_missing_where_the_group_has_the_units(self):
        taker = offer("A", items("CHOC", "2"), percent("10"), priority=200, exclusive_group="G")
        found = told(taker, offer("B", items("CHOC"), percent("5"), exclusive_group="G"))
        assert found == {"B": ("Cannot be combined with the other offers in this basket", None)}

    def test_blames_no_other_offer_where_its_own_condition_takes_everything(self):
        half = offer("T", items("CHOC"), percent("50", select={"categories": ["CHOC"]}))
        assert told(half) == {"T": ("Nothing is left beside what its condition takes", None)}

    def test_has_nothing_missing_where_the_group_would_have_what_is_added_too(self):
        taker = offer("A", items("CHOC"), percent("10"), priority=200, exclusive_group="G")
        three = offer("B", items("CHOC", "3"), nth(), exclusive_group="G")
        assert told(taker, three)["B"][1] is None

    def test_counts_from_what_the_group_has_left_where_adding_helps(self):
        taker = offer(
            "A", items("CHOC", "2"), amount(10), priority=200, exclusive_group="G", limits={"per_receipt": 1}
        )
        three = offer("B", items("CHOC", "3"), nth(), exclusive_group="G")
        assert told(taker, three) == {"B": ("3 more pieces of CHOC", "3")}

    def test_does_not_blame_what_was_taken_later(self):
        alone = offer("A", items("CHOC", "3"), percent("10"), priority=200, stackable=False)
        later = offer("B", items("CHOC"), percent("5"))
        assert told(alone, later) == {"A": ("1 more piece of CHOC", "1")}

    def test_tells_strangers_what_is_for_members(self):
        plain = offer("A", items("CHOC"), percent("10"), audience={"who": "members"})
        gold = offer("B", items("CHOC"), percent("10"), audience={"tiers": ["gold"]})
        assert told(plain, gold, shopper=None) == {"A": ("For members only", None)}

    def test_leaves_out_what_the_shopper_may_not_use(self):
        gold = offer("A", items("CHOC"), percent("10"), audience={"tiers": ["gold"]})
        over = offer("B", items("CHOC"), percent("10"), valid={"to": "2026-11-01T00:00:00Z"})
        there = offer("C", items("CHOC"), percent("10"), stores=["S2"])
        other = offer("D", items("MILK"), percent("10"))
        assert told(gold, over, there, other) == {}

    def test_tells_whose_uses_are_over(self):
        mine = offer("A", items("CHOC"), percent("10"), limits={"per_member": 1})
        all_ = offer("B", items("CHOC"), percent("10"), limits={"uses": 1})
        found = told(mine, all_, left={"A": Left(member=0), "B": Left(uses=0)})
        assert found == {"A": ("Already used as often as it may be", None), "B": ("Used up", None)}

    def test_names_twenty_by_priority(self):
        offers = [
            offer(f"O{number:02}", items("CHOC", "9"), percent("1"), priority=number) for number in range(25)
        ]
        assert list(told(*offers)) == [f"O{number:02}" for number in range(24, 4, -1)]

    def test_says_that_nothing_is_left_for_a_voucher(self):
        presented = {"N": Presented(("A",), value_amount=5000, currency="CZK")}
        free = offer("F", {"kind": "always"}, percent("100"))
        assert told(free, presented=presented) == {"N": ("Nothing is left to be paid", None)}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_speaks_every_language(self, language):
        reasons = told(offer("T", items("CHOC", "7"), nth()), language=language)
        expected = {
            "en": "5 more pieces of CHOC",
            "cs": "Ještě 5 kusů: CHOC",
            "sk": "Ešte 5 kusov: CHOC",
            "pl": "Jeszcze 5 sztuk: CHOC",
        }
        assert reasons == {"T": (expected[language], "5")}

    @pytest.mark.parametrize(("missing", "noun"), [("3", "1 kus"), ("4", "2 kusy"), ("7", "5 kusů")])
    def test_counts_in_czech(self, missing, noun):
        assert told(offer("T", items("CHOC", missing), nth()), language="cs")["T"][0] == f"Ještě {noun}: CHOC"


class TestWhyNot:
    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"stores": ["S2"]}, "Not in this store"),
            ({"valid": {"to": "2026-11-01T00:00:00Z"}}, "Not at this time"),
            ({"audience": {"tiers": ["gold"]}}, "Not for this shopper"),
            ({"valid": {"weekdays": [1, 2]}}, "Only Mon, Tue"),
            ({"condition": items("MILK")}, "1 more piece of MILK"),
        ],
    )
    def test_answers_for_any_offer_of_the_book(self, more, reason):
        told_ = {"condition": items("CHOC"), "benefit": percent("10")} | more
        asked = offer("T", told_.pop("condition"), told_.pop("benefit"), **told_)
        assert evaluate(CHOC, asked).why_not("T").reason == reason

    def test_has_no_answer_for_what_was_applied_or_is_unknown(self):
        found = evaluate(CHOC, offer("T", items("CHOC"), percent("10")))
        assert (found.why_not("T"), found.why_not("X")) == (None, None)


class TestReasons:
    def test_of_what_was_applied_are_the_names_of_the_offers(self):
        named = offer("T", items("CHOC"), percent("10"), name={"en": "Sweet", "cs": "Sladké"})
        reasons = [
            evaluate(CHOC, named, language=language, shopper=Shopper("M")).lines[0].discounts[0].reason
            for language in ("cs", "sk")
        ]
        assert reasons == ["Sladké", "Sweet"]
