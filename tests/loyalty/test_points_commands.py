import json
from datetime import timedelta

import pytest

import cli
from loyalty.liability.reports import keep_report
from loyalty.programme.rules import DEFAULT
from tests.shop import Shop


@pytest.fixture
def regulars(capsys, monkeypatch, database_url, tmp_path):
    """Call the command line on the shop's database; returns exit code, stdout and stderr."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REGULARS_DATA", str(tmp_path))

    def call(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(list(arguments))
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


class TestLiability:
    def test_shows_what_is_owed_by_store_and_month(self, shop: Shop, regulars):
        shop.post(shop.sale(30000))
        code, out, _ = regulars("liability", "show", "--json")
        told = json.loads(out)
        assert (code, told["points"], told["redemption"]["rate"]) == (0, 300, "1")
        (line,) = told["lines"]
        assert line == {
            "store_code": "S1",
            "month": "2028-11",
            "points": 300,
            "currency": "CZK",
            "value_amount": 3000,
            "expected_amount": 3000,
        }
        assert "300 points are outstanding" in regulars("liability", "show")[1]

    def test_shows_what_a_night_kept(self, shop: Shop, regulars):
        with shop.sessions.begin() as session:
            keep_report(session, business_day=shop.today, programme=DEFAULT, now=shop.now)
        assert regulars("liability", "days")[1] == f"{shop.today}\n"
        shop.post(shop.sale(30000))
        assert (
            json.loads(regulars("liability", "show", "--date", f"{shop.today}", "--json")[1])["lines"] == []
        )
        code, _, err = regulars("liability", "show", "--date", f"{shop.today - timedelta(days=1)}")
        assert (code, "No liability was kept" in err) == (2, True)


class TestAdjustments:
    def test_have_limits_by_role(self, shop: Shop, regulars):
        assert regulars("adjustments", "limit", "desk", "50")[0] == 0
        told = json.loads(regulars("adjustments", "limits", "--json")[1])
        assert told == {"limits": {"desk": 50, "marketing": 500}, "usual": 500, "waiting": 0}
        assert regulars("adjustments", "limit", "desk", "-1")[0] == 2
        assert regulars("adjustments", "limit", "cashier", "5")[0] == 2
