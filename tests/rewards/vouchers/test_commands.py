import json

import pytest

import cli
from rewards.models import Reward, RewardStock
from tests.shop import CARD, Shop


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


class TestVouchers:
    def test_are_issued_listed_and_cancelled(self, shop: Shop, regulars):
        shop.enrol(CARD)
        value = ("--value", "5000", "--currency", "CZK", "--days", "30", "--name", "cs=Poukázka")
        assert regulars("vouchers", "batch", "NEXT50", *value)[0] == 0
        code, out, _ = regulars("vouchers", "issue", "NEXT50", "--count", "3", "--json")
        told = json.loads(out)["vouchers"]
        assert (code, len(told)) == (0, 3)
        assert set(told[0]) == {"voucher_code", "batch", "valid_until"}
        member = f"M{CARD}"
        (own,) = json.loads(regulars("vouchers", "issue", "NEXT50", "--member", member, "--json")[1])[
            "vouchers"
        ]
        listed = json.loads(regulars("vouchers", "list", "--member", member, "--json")[1])["vouchers"]
        assert [(row["voucher_code"], row["member_code"]) for row in listed] == [
            (own["voucher_code"], member)
        ]
        shown = shop.card()["vouchers"]
        assert [(voucher["voucher_code"], voucher["name"]) for voucher in shown] == [
            (own["voucher_code"], "Poukázka")
        ]
        assert regulars("vouchers", "cancel", own["voucher_code"])[1] == "1 cancelled\n"
        assert shop.card()["vouchers"] == []
        left = json.loads(regulars("vouchers", "cancel", "--batch", "NEXT50", "--json")[1])
        assert sorted(left["cancelled"]) == sorted(voucher["voucher_code"] for voucher in told)

    @pytest.mark.parametrize(
        "wish",
        [
            ("issue", "NOBODY"),
            ("cancel", "NOTHING"),
            ("cancel",),
            ("batch", "small"),
            ("batch", "NAMED", "--name", "Poukázka"),
        ],
    )
    def test_that_cannot_be_are_refused_in_one_line(self, shop: Shop, regulars, wish):
        code, _, err = regulars("vouchers", *wish)
        assert (code, len(err.splitlines())) == (2, 1)


class TestRewards:
    def test_show_what_lies_there_and_what_is_held(self, shop: Shop, regulars):
        with shop.sessions.begin() as session:
            session.add(Reward(reward_code="MUG", name={"en": "Mug"}, points=10))
            session.flush()
            session.add(RewardStock(reward_code="MUG", store_id=shop.till.store_id, on_hand=2))
        assert regulars("rewards", "deliver", "MUG", "S1", "5")[1] == "7 MUG lie in S1 now\n"
        assert regulars("rewards", "count", "MUG", "S1", "6")[1] == "-1 against the books\n"
        assert regulars("rewards", "warn", "MUG", "S1", "6")[0] == 0
        assert json.loads(regulars("rewards", "stock", "--json")[1]) == {
            "stock": [{"reward_code": "MUG", "store_code": "S1", "on_hand": 6, "reserved": 0, "available": 6}]
        }
        assert "low" in regulars("rewards", "stock")[1]
        assert regulars("rewards", "deliver", "CUP", "S1", "5")[0] == 2
