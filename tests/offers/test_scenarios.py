"""What other shops' offer engines publish as their scenarios, with amounts worked out on paper from the format."""

import pytest

from tests.offers.conftest import (
    ALWAYS,
    amount,
    basket,
    each,
    fixed,
    items,
    line,
    nth,
    of,
    offer,
    percent,
    value,
)

LETTERS = {"departments": ["LETTERS"]}
FOOD = {"departments": ["FOOD"]}
ABC = (("A", 1, 1000), ("B", 1, 800), ("C", 1, 600))
TEA_AND_BREAD = (("tea", 1, 5990), ("bread", 1, 3990))

PERCENT = {
    # 11980 + 3333 = 15313, of which 10 % is 1531.3; shared 1197.77 : 333.23
    "over two lines": ([("tea", 2, 5990), ("tea2", 1, 3333)], [offer("P", items("TEA"), percent(10))], [1198, 333]),
    "half a cent goes up": ([("A", 1, 100)], [offer("P", items("A"), percent("12.5"))], [13]),
    "less than half a cent is nothing": ([("A", 1, 4999)], [offer("P", items("A"), percent("0.01"))], [0]),
    "of two decimals": ([("A", 1, 10000)], [offer("P", items("A"), percent("33.33"))], [3333]),
    "of all, and nothing is left": ([("A", 3, 3333), ("B", 7, 1)], [offer("P", ALWAYS, percent(100))], [9999, 7]),
    # 15 % of 9990 is 1498.5
    "of all that 15 % left": (
        [("soap", 3, 3330)],
        [offer("P1", items("SOAP"), percent(15)), offer("P2", items("SOAP"), percent(100))],
        [9990],
    ),
    "with a ceiling": ([("tea", 2, 5990)], [offer("P", items("TEA"), percent(20, max_amount=1000))], [1000]),
    "with a ceiling over lines": (
        [("A", 1, 3000), ("B", 1, 6000)],
        [offer("P", items(LETTERS), percent(30, max_amount=1000))],
        [333, 667],
    ),
    "of nothing that matches": ([("tea", 1, 5990)], [offer("P", items("SOAP"), percent(10))], [0]),
    # 6 of 7 are claimed, 10 % of 6000; the one left is too few for the other
    "by quantity, seven": (
        [("A", 7, 1000)],
        [offer("Q6", items("A", 6), percent(10), priority=200, exclusive_group="Q"),
         offer("Q3", items("A", 3), percent(5), exclusive_group="Q")],
        [600],
    ),
    "by quantity, nine": (
        [("A", 9, 1000)],
        [offer("Q6", items("A", 6), percent(10), priority=200, exclusive_group="Q"),
         offer("Q3", items("A", 3), percent(5), exclusive_group="Q")],
        [750],
    ),
}  # fmt: skip

MONEY_OFF = {
    "a unit": ([("tea", 3, 5990)], [offer("M", items("TEA"), amount(500, "unit"))], [1500]),
    "a unit, of two prices": (
        [("A", 2, 1000), ("B", 3, 400)],
        [offer("M", items(LETTERS), amount(500, "unit"))],
        [1000, 1200],
    ),
    "two of five": ([("A", 5, 1000)], [offer("M", items("A", 2), amount(700))], [1400]),
    "more than there is": (
        [("A", 1, 1200), ("B", 1, 800)],
        [offer("M", value(1000), amount(5000))],
        [1200, 800],
    ),
    "from a value, once": ([("A", 3, 1000)], [offer("M", value(1000), amount(300))], [300]),
    "at the value to the cent": ([("A", 1, 3000)], [offer("M", value(3000), amount(300))], [300]),
    "a cent below the value": ([("A", 1, 2999)], [offer("M", value(3000), amount(300))], [0]),
    # 333.3 : 333.3 : 333.4
    "over three lines": (
        [("A", 1, 3333), ("B", 1, 3333), ("C", 1, 3334)],
        [offer("M", value(10000), amount(1000))],
        [333, 333, 334],
    ),
    # dearest first: each application claims two units, 1000 + 1000 and 1000 + 600
    "dearest first": (
        [("A", 1, 600), ("B", 3, 1000)],
        [offer("M", items(LETTERS, 2), amount(800))],
        [300, 1300],
    ),
}

FIXED_PRICE = {
    "of a unit": ([("A", 3, 1000)], [offer("F", items("A"), fixed(799, "unit"))], [603]),
    "never raises": (
        [("A", 1, 1000), ("B", 1, 700)],
        [offer("F", items(LETTERS), fixed(799, "unit"))],
        [201, 0],
    ),
    # 3980 + 2490 - 5000 = 1470; 904.27 : 565.73
    "of any three": (
        [("choc", 2, 1990), ("choc2", 1, 2490)],
        [offer("F", items("CHOC", 3), fixed(5000))],
        [904, 566],
    ),
    "three for 9900, of seven": ([("A", 7, 4000)], [offer("F", items("A", 3), fixed(9900))], [4200]),
    "above the prices": ([("A", 3, 1000)], [offer("F", items("A", 3), fixed(5000))], [0]),
    "of nothing": ([("A", 2, 1999)], [offer("F", items("A"), fixed(0, "unit"))], [3998]),
    # 10 % off makes 9000 of 10000; 7000 off that is 2000
    "of what is left": (
        [("A", 1, 10000)],
        [offer("P", items("A"), percent(10), priority=200), offer("F", items("A"), fixed(7000, "unit"))],
        [3000],
    ),
}

NTH = {
    "three for two, of six": ([("choc", 6, 2990)], [offer("N", items("CHOC", 3), nth())], [5980]),
    "three for two, of seven": ([("choc", 7, 2990)], [offer("N", items("CHOC", 3), nth())], [5980]),
    "three for two, of two": ([("choc", 2, 2990)], [offer("N", items("CHOC", 3), nth())], [0]),
    "the second at half price": ([("A", 3, 1999)], [offer("N", items("A", 2), nth(50))], [1000]),
    "of mixed prices": (
        [*ABC, ("D", 2, 400)],
        [offer("N", items(LETTERS, 3), nth())],
        [0, 0, 600, 0],
    ),
    # A A B: B free; then B C C: C free
    "of mixed prices, twice": (
        [("A", 2, 1000), ("B", 2, 800), ("C", 2, 600)],
        [offer("N", items(LETTERS, 3), nth())],
        [0, 800, 600],
    ),
    "the dearest at half price": (ABC, [offer("N", items(LETTERS, 3), nth(50, "dearest"))], [500, 0, 0]),
    "buy five, pay three": (
        [("A", 3, 1000), ("B", 2, 500)],
        [offer("N", items(LETTERS, 5), nth(count=2))],
        [0, 1000],
    ),
    # 999 + 333 = 1332, half is 666, shared 499.5 : 166.5 with the tie to the lower line
    "two of three at half price": (
        [("A", 1, 1000), ("B", 1, 999), ("C", 1, 333)],
        [offer("N", items(LETTERS, 3), nth(50, count=2))],
        [0, 500, 166],
    ),
    "of equal prices, the lower line": (
        [("A", 1, 1000), ("B", 1, 1000), ("C", 1, 1000)],
        [offer("N", items(LETTERS, 3), nth())],
        [1000, 0, 0],
    ),
    "by the price on the shelf, not by what is left": (
        [("A", 1, 1000), ("B", 1, 900)],
        [offer("HALF", items("A"), percent(50), priority=200), offer("N", items(LETTERS, 2), nth())],
        [500, 900],
    ),
    "free, but for what was off already": (
        [("A", 2, 1000)],
        [offer("P", items("A"), percent(10), priority=200), offer("N", items("A", 2), nth())],
        [1100],
    ),
}

BUNDLES = {
    # twice 1900, shared 1006.55 : 893.45
    "two sets of five pieces": (
        [("shampoo", 2, 8900), ("conditioner", 3, 7900)],
        [offer("S", each(({"skus": ["shampoo"]}, 1), ({"skus": ["conditioner"]}, 1)), fixed(14900))],
        [2014, 1786],
    ),
    # 11980 + 3990 - 12000 = 3970; 2978.12 : 991.88
    "of two teas and bread": (
        [("tea", 2, 5990), ("bread", 1, 3990)],
        [offer("S", each(("TEA", 2), ("BREAD", 1)), fixed(12000))],
        [2978, 992],
    ),
    "whose parts claim in order: the first took what the second needs": (
        TEA_AND_BREAD,
        [offer("S", each((FOOD, 1), ("TEA", 1)), fixed(9000))],
        [0, 0],
    ),
    # 9980 - 9000 = 980; 588.2 : 391.8
    "whose parts claim in order": (
        TEA_AND_BREAD,
        [offer("S", each(("TEA", 1), (FOOD, 1)), fixed(9000))],
        [588, 392],
    ),
    "that is not complete": (
        [("tea", 2, 5990)],
        [offer("S", each(("TEA", 1), ("BREAD", 1)), fixed(5000))],
        [0],
    ),
    "dearer than its parts": (
        TEA_AND_BREAD,
        [offer("S", each(("TEA", 1), ("BREAD", 1)), fixed(20000))],
        [0, 0],
    ),
    # 10 % of 9980 is 998
    "in percent": (TEA_AND_BREAD, [offer("S", each(("TEA", 1), ("BREAD", 1)), percent(10))], [599, 399]),
    "with the cheapest part free": (
        TEA_AND_BREAD,
        [offer("S", each(("TEA", 1), ("BREAD", 1)), nth())],
        [0, 3990],
    ),
}

BUY_A_GET_B = {
    "as many chocolates free as there are teas": (
        [("tea", 2, 5990), ("choc", 3, 1990)],
        [offer("G", items("TEA"), nth(select=of("CHOC")))],
        [0, 3980],
    ),
    "a third of the same free": (
        [("choc", 3, 2990)],
        [offer("G", items("CHOC", 2), nth(select=of("CHOC")))],
        [2990],
    ),
    "a third that is not there": (
        [("choc", 2, 2990)],
        [offer("G", items("CHOC", 2), nth(select=of("CHOC")))],
        [0],
    ),
    "the cheapest other letter": (
        [("A", 2, 1000), ("B", 1, 800), ("C", 1, 600)],
        [offer("G", items(LETTERS, 2), nth(select=LETTERS))],
        [0, 0, 600],
    ),
    "all bread at half price": (
        [("milk", 2, 2490), ("bread", 3, 3990)],
        [offer("G", items("MILK", 2), percent(50, select=of("BREAD")))],
        [0, 5985],
    ),
    "bread at a price": (
        [("milk", 1, 2490), ("bread", 2, 3990)],
        [offer("G", items("MILK"), fixed(3000, "unit", select=of("BREAD")))],
        [0, 1980],
    ),
    "bread that is not there": (
        [("milk", 2, 2490)],
        [offer("G", items("MILK", 2), percent(50, select=of("BREAD")))],
        [0],
    ),
    "without a condition": (
        [("milk", 2, 2490), ("bread", 1, 3990)],
        [offer("G", ALWAYS, percent(10, select=of("BREAD")))],
        [0, 399],
    ),
}

MIXTURES = {
    # 500 over one tea and one bread: 300.1 : 199.9
    "all of two": (
        [("tea", 2, 5990), ("bread", 1, 3990)],
        [offer("X", {"kind": "all", "of": [items("TEA"), items("BREAD")]}, amount(500))],
        [300, 200],
    ),
    "all of two that look at one unit": (
        TEA_AND_BREAD,
        [offer("X", {"kind": "all", "of": [items(FOOD, 2), items("TEA")]}, percent(10))],
        [599, 399],
    ),
    "all of two, of which one fails": (
        [("tea", 2, 5990)],
        [offer("X", {"kind": "all", "of": [items("TEA"), items("BREAD")]}, amount(500))],
        [0],
    ),
    # one unit an application: half of 3333 is 1666.5, twice
    "any claims one unit": (
        [("tea", 2, 3333)],
        [offer("X", {"kind": "any", "of": [items("CHOC", 2), items("TEA")]}, percent(50))],
        [3334],
    ),
    "any takes the first that holds": (
        [("choc", 2, 1000), ("tea", 1, 1000)],
        [
            offer(
                "X",
                {"kind": "any", "of": [items("CHOC", 2), items("TEA")]},
                amount(300),
                limits={"per_receipt": 1},
            )
        ],
        [300, 0],
    ),
    # "any", exhausted in its first part, goes on with its second
    "any goes on with the next": (
        [("choc", 2, 1000), ("tea", 1, 1000)],
        [offer("X", {"kind": "any", "of": [items("CHOC", 2), items("TEA")]}, amount(300))],
        [300, 300],
    ),
    "not chocolate": (
        TEA_AND_BREAD,
        [offer("X", {"kind": "not", "of": [items("CHOC")]}, percent(10))],
        [599, 399],
    ),
    "not chocolate, with chocolate": (
        [*TEA_AND_BREAD, ("choc", 1, 100)],
        [offer("X", {"kind": "not", "of": [items("CHOC")]}, percent(10))],
        [0, 0, 0],
    ),
    "not of any of two": (
        TEA_AND_BREAD,
        [offer("X", {"kind": "not", "of": [items("CHOC"), items("BREAD")]}, percent(10))],
        [0, 0],
    ),
    # all claims what the value claims: everything
    "value and no chocolate": (
        TEA_AND_BREAD,
        [
            offer(
                "X", {"kind": "all", "of": [value(9980), {"kind": "not", "of": [items("CHOC")]}]}, amount(980)
            )
        ],
        [588, 392],
    ),
    "but for what is excepted": (
        TEA_AND_BREAD,
        [offer("X", items(FOOD | {"except": {"categories": ["TEA"]}}), percent(10))],
        [0, 399],
    ),
    "one of every key": (
        [("tea", 1, 5990), ("tea2", 1, 4990), ("choc", 1, 2990)],
        [
            offer(
                "X",
                items({"departments": ["FOOD"], "types": ["GREEN", "DARK"], "brands": ["LEAF"]}),
                percent(10),
            )
        ],
        [0, 499, 0],
    ),
}

STACKING = {
    "by code where priorities are equal": (
        [("tea", 1, 5990)],
        [offer("B", items("TEA"), amount(1000)), offer("A", items("TEA"), percent(10))],
        [1599],
    ),
    "by code, the other way round": (
        [("tea", 1, 5990)],
        [offer("A", items("TEA"), amount(1000)), offer("B", items("TEA"), percent(10))],
        [1499],
    ),
    "by priority before code": (
        [("tea", 1, 5990)],
        [offer("A", items("TEA"), amount(1000), priority=1), offer("B", items("TEA"), percent(10), priority=2)],
        [1599],
    ),
    "by stage before priority": (
        [("tea", 1, 5990)],
        [offer("B", items("TEA"), amount(1000), stage="basket", priority=999), offer("A", items("TEA"), percent(10))],
        [1599],
    ),
    # 599; then 5 % of 5391 is 269.55
    "of a group and the same name in another stage": (
        [("tea", 1, 5990)],
        [offer("A", items("TEA"), percent(10), exclusive_group="G"),
         offer("B", ALWAYS, percent(5), exclusive_group="G", stage="basket")],
        [869],
    ),
    "of a group, on different units": (
        TEA_AND_BREAD,
        [offer("A", items("TEA"), percent(10), exclusive_group="G", priority=200),
         offer("B", items({}), percent(20), exclusive_group="G")],
        [599, 798],
    ),
    "not of what is not to be combined": (
        TEA_AND_BREAD,
        [offer("A", items("TEA"), percent(10), stackable=False, priority=200), offer("B", items(FOOD), percent(20))],
        [599, 798],
    ),
    "not onto what has a discount": (
        TEA_AND_BREAD,
        [offer("A", items("TEA"), percent(10), priority=200), offer("B", items(FOOD), percent(20), stackable=False)],
        [599, 798],
    ),
    "closed to all that comes later, in every stage": (
        TEA_AND_BREAD,
        [offer("A", items("TEA"), percent(10), stackable=False),
         offer("B", ALWAYS, percent(50), stage="basket"), offer("C", value(1), amount(500), stage="points")],
        [599, 2495],
    ),
    # the two milks are claimed without a discount: half off bread is no discount of theirs
    "onto what was claimed without a discount": (
        [("milk", 2, 2490), ("bread", 1, 3990)],
        [offer("A", items("MILK", 2), percent(50, select=of("BREAD")), priority=200),
         offer("B", items("MILK"), percent(10), stackable=False)],
        [498, 1995],
    ),
    "not twice by the same offer": (
        [("A", 4, 1000)],
        [offer("A", {"kind": "any", "of": [items("A", 3), items("A", 1)]}, percent(10))],
        [400],
    ),
}  # fmt: skip

THRESHOLDS = {
    "before the discount": (
        [("tea", 2, 5990)],
        [offer("T", items("TEA"), percent(10)), offer("V", value(11980), amount(1000), stage="basket")],
        [2198],
    ),
    "after the discount, reached": (
        [("tea", 2, 5990)],
        [
            offer("T", items("TEA"), percent(10)),
            offer("V", value(10782, "net"), amount(1000), stage="basket"),
        ],
        [2198],
    ),
    "after the discount, missed by a cent": (
        [("tea", 2, 5990)],
        [
            offer("T", items("TEA"), percent(10)),
            offer("V", value(10783, "net"), amount(1000), stage="basket"),
        ],
        [1198],
    ),
    "of a part of the basket": (
        TEA_AND_BREAD,
        [offer("V", value(5990, "gross", "TEA"), amount(1000))],
        [1000, 0],
    ),
    "before a later discount of the same stage": (
        [("tea", 2, 5990)],
        [offer("V", value(11980, "net"), amount(980), priority=200), offer("T", items("TEA"), percent(10))],
        [980 + 1100],
    ),
}

WEIGHED = {
    "money off a kilogram": (
        [("cheese", "0.754", 29900)],
        [offer("W", items("CHEESE"), amount(1000, "unit"))],
        [754],
    ),
    # 753.246
    "money off a kilogram, rounded": (
        [("cheese", "0.754", 29900)],
        [offer("W", items("CHEESE"), amount(999, "unit"))],
        [753],
    ),
    # 22545 - 15080
    "a price of a kilogram": (
        [("cheese", "0.754", 29900)],
        [offer("W", items("CHEESE"), fixed(20000, "unit"))],
        [7465],
    ),
    # 22545 + 26910 = 49455, 10 % is 4945.5; shared 2254.73 : 2691.27
    "a kilogram and a half": (
        [("cheese", "0.754", 29900), ("cheese2", "0.9", 29900)],
        [offer("W", items("CHEESE", "1.5"), percent(10))],
        [2255, 2691],
    ),
    "not two kilograms": (
        [("cheese", "0.754", 29900), ("cheese2", "0.9", 29900)],
        [offer("W", items("CHEESE", 2), percent(10))],
        [0, 0],
    ),
    "one of nth's count each": (
        [("cheese", "0.754", 29900), ("cheese2", "0.5", 19900)],
        [offer("W", items("CHEESE", 1), nth())],
        [0, 9950],
    ),
    "two whole kilograms are one unit": ([("cheese", "2", 1000, "kg")], [offer("W", items("CHEESE", 2), nth())], [2000]),
    "one and a half pieces are one unit": ([("A", "1.5", 1000, "pcs")], [offer("W", items("A"), amount(100, "unit"))], [150]),
    "kilograms and pieces together": (
        [("cheese", "0.754", 29900), ("bread", 2, 3990)],
        [offer("W", items({"departments": ["FOOD"]}, "2.5"), amount(1000))],
        # 22545 : 7980
        [739, 261],
    ),
}  # fmt: skip

DEPOSITS = {
    "are not discounted": (
        [("tea", 1, 5990), ("bottle", 1, -300)],
        [offer("D", items({}), percent(10))],
        [599, 0],
    ),
    "are not worth anything to a threshold": (
        [("tea", 1, 5990), ("bottle", 2, -300)],
        [offer("D", value(5990), amount(590))],
        [590, 0],
    ),
    "do not help to a threshold": (
        [("tea", 1, 5990), ("bottle", 2, -300)],
        [offer("D", value(5991), amount(590))],
        [0, 0],
    ),
    "are no units, nor is what costs nothing": (
        [("tea", 1, 5990), ("bottle", 5, -300), ("bag", 5, 0)],
        [offer("D", items({}, 2), percent(10))],
        [0, 0, 0],
    ),
    "are not among what is not there": (
        [("tea", 1, 5990), ("bottle", 1, -300)],
        [offer("D", {"kind": "not", "of": [items({"skus": ["bottle"]})]}, percent(10))],
        [599, 0],
    ),
    "of the price stay whole under 100 %": (
        [("tea", 1, 5990), ("bottle", 1, -300)],
        [offer("D", ALWAYS, percent(100))],
        [5990, 0],
    ),
}

UNKNOWN = {
    "by sku": ([("nobody", 1, 1000)], [offer("U", items({"skus": ["nobody"]}), percent(10))], [100]),
    "by everything": ([("nobody", 1, 1000)], [offer("U", items({}), percent(10))], [100]),
    "not by category": ([("nobody", 1, 1000)], [offer("U", items("TEA"), percent(10))], [0]),
    "not by sku and category": (
        [("nobody", 1, 1000)],
        [offer("U", items({"skus": ["nobody"], "categories": ["TEA"]}), percent(10))],
        [0],
    ),
}

BEST = {
    # P1 would give 2000, P2 with P3 3500
    "two small ones rather than a large one": (
        [("tea", 1, 10000), ("bread", 1, 10000)],
        [offer("P1", items(FOOD), percent(10), priority=200, exclusive_group="G"),
         offer("P2", items("TEA"), percent(30), exclusive_group="G"),
         offer("P3", items("BREAD"), percent(5), priority=50, exclusive_group="G")],
        [3000, 500],
    ),
    "beside what is in no group": (
        [("tea", 1, 10000), ("bread", 1, 10000)],
        [offer("P1", items(FOOD), percent(10), priority=200, exclusive_group="G"),
         offer("P2", items("TEA"), percent(30), exclusive_group="G"),
         offer("P3", items("BREAD"), percent(5), priority=50, exclusive_group="G"),
         offer("N5", items(FOOD), percent(5), priority=10)],
        # 5 % of 7000 + 9500 is 825: 350 : 475
        [3350, 975],
    ),
    "one by one in groups of their own": (
        TEA_AND_BREAD,
        [offer("T1", items("TEA"), percent(10), priority=200, exclusive_group="T"),
         offer("T2", items("TEA"), percent(20), exclusive_group="T"),
         offer("B1", items("BREAD"), percent(10), priority=200, exclusive_group="B"),
         offer("B2", items("BREAD"), percent(30), exclusive_group="B")],
        [1198, 1197],
    ),
    "the first of two that are as good": (
        [("A", 1, 1000)],
        [offer("Z", items("A"), percent(10), priority=200, exclusive_group="G"),
         offer("Y", items("A"), amount(100), exclusive_group="G")],
        [100],
    ),
}  # fmt: skip


def cases(table):
    return pytest.mark.parametrize(("lines", "offers", "expected"), table.values(), ids=table)


class TestDiscounts:
    def check(self, market, lines, offers, expected, **rest):
        market.live(*offers, **rest)
        assert market.quote(basket(*lines)).discounts == expected

    @cases(PERCENT)
    def test_in_percent(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(MONEY_OFF)
    def test_in_money(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(FIXED_PRICE)
    def test_to_a_price(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(NTH)
    def test_on_the_nth(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(BUNDLES)
    def test_on_bundles(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(BUY_A_GET_B)
    def test_on_one_thing_for_another(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(MIXTURES)
    def test_on_mixtures(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(STACKING)
    def test_add_up(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(THRESHOLDS)
    def test_from_a_threshold(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(WEIGHED)
    def test_on_what_is_weighed(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(DEPOSITS)
    def test_and_deposits(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(UNKNOWN)
    def test_find_unknown_articles(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected)

    @cases(BEST)
    def test_are_the_best_for_the_member(self, market, lines, offers, expected):
        self.check(market, lines, offers, expected, choice="best")

    def test_do_not_ask_for_the_tax(self, market):
        """333.3 : 333.3 : 333.4, whatever rate each line is taxed at; net amounts by rate sum to what is paid."""
        market.live(offer("M", value(10000), amount(1000)))
        rates = ("12", "21", "0")
        lines = [
            line(number, sku, "1", price) | {"tax_rate": rate}
            for number, (sku, price, rate) in enumerate(zip("ABC", (3333, 3333, 3334), rates, strict=True), 1)
        ]
        quote = market.quote(lines)
        assert quote.discounts == [333, 333, 334]
        assert quote.payable == sum(found["net_amount"] for found in quote.body["lines"]) == 9000

    def test_find_an_article_by_its_gtin_alone(self, market):
        market.live(
            offer("T", items("TEA"), percent(10)), offer("G", items({"gtins": ["8594001021512"]}), amount(90))
        )
        known = line(1, "tea", "1", 5990) | {"gtin": "8594001021512"}
        del known["sku"]
        # by code: G first, then 10 % of 5900
        assert market.quote([known]).discounts == [90 + 590]

    def test_find_an_unknown_article_by_its_gtin(self, market):
        market.live(offer("G", items({"gtins": ["4000000000006"]}), amount(90)))
        unknown = line(1, "nobody", "1", 1000) | {"gtin": "4000000000006"}
        assert market.quote([unknown]).discounts == [90]

    def test_come_to_the_same_in_whatever_order_the_lines_are_sent(self, market):
        market.live(offer("V", value(3000), amount(1000)), offer("N", items(LETTERS, 3), nth()))
        lines = basket(("A", 1, 1000), ("B", 1, 1000), ("C", 1, 1000))
        there, back = market.quote(lines), market.quote(lines[::-1])
        assert {one["line_number"]: one["discount_amount"] for one in there.body["lines"]} == {
            one["line_number"]: one["discount_amount"] for one in back.body["lines"]
        }
