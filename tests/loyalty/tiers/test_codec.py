import pytest

from loyalty.programme.codec import BadRules
from loyalty.tiers.codec import read_scheme, scheme_document
from loyalty.tiers.scheme import ANNIVERSARY, ROLLING
from tests.tiers import three_tiers


class TestReadScheme:
    @pytest.mark.parametrize(
        "scheme",
        [
            three_tiers(),
            three_tiers(0, 5, 9, measure="visits", period=ROLLING, grace_days=5),
            three_tiers(0, 5, 9, measure="spend", period=ANNIVERSARY, warning_days=7),
        ],
    )
    def test_gives_back_what_was_written(self, scheme):
        assert read_scheme(scheme_document(scheme)) == scheme

    def test_orders_tiers_by_what_they_need_however_they_are_listed(self):
        document = scheme_document(three_tiers())
        shuffled = {**document, "tiers": document["tiers"][::-1]}
        assert read_scheme(shuffled) == three_tiers()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"measure": "luck"}, "measure"),
            ({"period": "moon"}, "period"),
            ({"measure": "spend"}, "currency"),
            ({"measure": "spend", "currency": "KORUNA"}, "currency"),
            ({"measure": "spend", "currency": "CZK", "rates": {"EUR": "much"}}, "rates.EUR"),
            ({"grace_days": -1}, "grace_days"),
            ({"colour": "red"}, "colour"),
            ({"tiers": [{"code": "a b", "name": {"en": "A"}, "threshold": 0}]}, "tiers.0.code"),
            ({"tiers": [{"code": "a", "name": {"cs": "A"}, "threshold": 0}]}, "tiers.name"),
            ({"tiers": [{"code": c, "name": {"en": "A"}, "threshold": 5} for c in "ab"]}, "tiers.threshold"),
            ({"tiers": [{"code": "a", "name": {"en": "A"}, "threshold": t} for t in (1, 2)]}, "tiers.code"),
        ],
    )
    def test_names_what_it_refuses(self, changes, field):
        with pytest.raises(BadRules) as refusal:
            read_scheme({**scheme_document(three_tiers()), **changes})
        assert field in refusal.value.errors
