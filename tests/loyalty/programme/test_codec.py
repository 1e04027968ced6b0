import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.programme.codec import ENDINGS, PAYMENTS, BadRules, read_rules, rules_document
from loyalty.programme.rules import DEFAULT, CurrencyRule, Excluded, Programme

CODES = st.frozensets(st.text(min_size=1, max_size=8), max_size=3)
PROGRAMMES = st.builds(
    Programme,
    currencies=st.dictionaries(
        st.sampled_from(["CZK", "EUR", "PLN"]),
        st.builds(CurrencyRule, st.integers(1, 1000), st.integers(1, 10**9), st.integers(1, 10**6)),
    ),
    net_of_tax=st.booleans(),
    earn_on_points=st.booleans(),
    excluded=st.builds(Excluded, CODES, CODES, CODES),
    pending_days=st.integers(0, 365),
    ending=st.sampled_from(ENDINGS),
    ending_months=st.integers(1, 240),
    points_as=st.sampled_from(PAYMENTS),
    minimum=st.integers(1, 10**6),
    step=st.integers(1, 10**6),
    share_percent=st.integers(1, 100),
    hold_minutes=st.integers(1, 120),
    unregistered_spend=st.booleans(),
)


class TestReadRules:
    @given(PROGRAMMES)
    def test_reads_what_was_written(self, programme):
        assert read_rules(json.loads(json.dumps(rules_document(programme)))) == programme

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("pending_days", 366),
            ("pending_days", "14"),
            ("pending_days", True),
            ("pending_days", 14.5),
            ("share_percent", 0),
            ("ending", "some day"),
            ("net_of_tax", "yes"),
            ("excluded_articles", [""]),
            ("step", None),
        ],
    )
    def test_names_the_field_that_is_wrong(self, field, wrong):
        with pytest.raises(BadRules) as refused:
            read_rules({**rules_document(DEFAULT), field: wrong})
        assert [name.partition(".")[0] for name in refused.value.errors] == [field]

    def test_wants_every_rule_and_no_others(self):
        document = rules_document(DEFAULT)
        without = {name: content for name, content in document.items() if name != "step"}
        with pytest.raises(BadRules, match="step"):
            read_rules(without)
        with pytest.raises(BadRules, match="bonus"):
            read_rules({**document, "bonus": 1})

    def test_knows_currencies(self):
        rule = {"points": 1, "per": 100, "point_value": 10}
        with pytest.raises(BadRules, match="ISO 4217"):
            read_rules({**rules_document(DEFAULT), "currencies": {"XYZW": rule}})
        with pytest.raises(BadRules, match=r"currencies\.CZK\.per"):
            read_rules({**rules_document(DEFAULT), "currencies": {"CZK": {**rule, "per": 0}}})
