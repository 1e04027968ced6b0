"""What the codes of makers' coupons say."""

import numpy as np
import pytest

from basket_analysis.offers.coupon_codes import Terms, terms_of, told_by_codes


class TestTermsOf:
    @pytest.mark.parametrize(
        ("code", "terms"),
        [
            ("51600070076", Terms(1, 100)),
            ("516000700760", Terms(1, 100)),
            ("51600070033", Terms(2, 100)),
            ("51600070050", Terms(1, 50)),
            ("51600070013", Terms(4, 100)),
            ("51600070001", Terms(1, 1.0, of_unit=True)),
            ("51600070014", Terms(2, 1.0, of_unit=True)),
        ],
    )
    def test_reads_units_and_saving_of_the_value_code(self, code, terms):
        assert terms_of(code) == terms

    @pytest.mark.parametrize(
        "code", ["10000085475", "51600070000", "516000700763", "5160007007", "5160007007x", "٥١٦٠٠٠٧٠٠٧٦", ""]
    )
    def test_knows_nothing_of_other_codes(self, code):
        assert terms_of(code) is None


class TestToldByCodes:
    def test_measures_savings_by_what_is_to_be_bought(self):
        codes = ("51600070076", "51600070033", "51600070014", "10000085475", "51600070000")
        told = told_by_codes(codes, np.array([200.0, 200.0, 200.0, 200.0, 200.0]))
        assert told["makers"].tolist() == [1, 1, 1, 0, 1]
        np.testing.assert_array_equal(told["units"], [1, 2, 2, np.nan, np.nan])
        np.testing.assert_array_equal(told["saving"], [0.5, 0.25, 0.5, np.nan, np.nan])

    def test_leaves_open_what_articles_that_nobody_bought_save(self):
        told = told_by_codes(("51600070076",), np.array([np.nan]))
        assert np.isnan(told["saving"]).all()
        assert told["units"].tolist() == [1]
