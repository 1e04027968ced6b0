"""Whether offers have articles in common, seen at a glance and by every article."""

from web.offers.goods import Goods

TEA = ("1", None, "Tea", "Green", "Grocery", "Leaf", True)
SOAP = ("2", "00000000000017", "Soap", "Bar", "Drug", None, True)


def offer(goods, **benefit):
    return {
        "condition": {"kind": "items", "select": goods, "quantity": "1"},
        "benefit": {"kind": "percent", "off": "10", **benefit},
    }


class TestGoods:
    def test_meet_offers_that_name_one_of_them(self):
        goods = Goods([TEA, SOAP])
        assert goods.meet(offer({"categories": ["Tea", "Coffee"]}))
        assert goods.meet(offer({"skus": ["9"]}, select={"brands": ["Leaf"]}))
        assert goods.meet(offer({}))
        assert goods.meet(
            {"condition": {"kind": "voucher", "batch": "X"}, "benefit": {"kind": "points", "points": 1}}
        )
        assert not goods.meet(offer({"categories": ["Coffee"]}))

    def test_know_that_every_key_has_to_fit_the_same_article(self):
        goods = Goods([TEA, SOAP])
        assert not goods.meet(offer({"categories": ["Tea"], "types": ["Bar"]}))
        assert not goods.meet(offer({"categories": ["Tea"], "except": {"brands": ["Leaf"]}}))
        assert goods.meet(offer({"departments": ["Drug"], "except": {"skus": ["1"]}}))

    def test_compare_codes_as_tills_do(self):
        assert Goods([SOAP]).meet(offer({"gtins": ["17"]}))
        assert not Goods([SOAP]).meet(offer({"gtins": ["18"]}))
