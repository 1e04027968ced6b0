"""`regulars offers rehearse`: by code, which is kept, and of a file, which writes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from cli import regulars
from rewards.models import OfferVersion, Rehearsal
from rewards.offer_operations import import_document
from tests.shop import CARD, Shop

MILD = {
    "code": "MILD",
    "condition": {"kind": "items", "select": {"skus": ["sku1"]}, "quantity": "1"},
    "benefit": {"kind": "percent", "off": "10"},
}


@pytest.fixture
def command(shop: Shop, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command, in a shop with a draft and two baskets."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    shop.enrol(CARD)
    shop.post(shop.sale(1000))
    shop.later(days=1)
    shop.post(shop.sale(3000, 500))
    with shop.sessions.begin() as session:
        import_document(session, document={"format": 1, "offers": [MILD]}, actor="author", now=shop.now)

    def rehearse(*words: str) -> Result:
        return CliRunner().invoke(regulars, ["--data", str(tmp_path), "offers", "rehearse", *words])

    return rehearse


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestRehearse:
    def test_of_a_code_prints_every_figure_and_keeps_them(self, shop: Shop, command):
        found = document(command("MILD", "--from", "2026-11-01", "--to", "2026-11-30", "--json"))
        assert found["together"]["all_baskets"] == 2
        [one] = found["offers"]
        assert (one["offer_code"], one["version"], one["baskets"], one["discount"]) == ("MILD", 1, 2, 400)
        assert [day["discount"] for day in one["days"]] == [100, 300]
        with shop.sessions() as session:
            kept = session.execute(select(Rehearsal.rehearsal_id, Rehearsal.completed_at)).one()
        assert (str(kept.rehearsal_id), kept.completed_at is not None) == (found["rehearsal_id"], True)

    def test_of_a_file_says_the_same_and_writes_nothing(self, shop: Shop, command, tmp_path: Path):
        file = tmp_path / "offers.json"
        file.write_text(json.dumps({"format": 1, "offers": [MILD, {**MILD, "code": "AGAIN", "priority": 1}]}))
        found = document(command(str(file), "--from", "2026-11-22", "--to", "2026-11-22", "--json"))
        assert found["rehearsal_id"] is None
        assert {one["offer_code"]: one["discount"] for one in found["offers"]} == {"MILD": 300, "AGAIN": 270}
        with shop.sessions() as session:
            assert session.scalar(select(func.count()).select_from(Rehearsal)) == 0
            assert session.scalar(select(func.count()).select_from(OfferVersion)) == 1

    def test_speaks_to_people_too(self, command):
        told = command("MILD", "--from", "2026-11-01", "--to", "2026-11-30")
        assert "MILD: 2 baskets, 2 times, discount 400" in told.stdout

    @pytest.mark.parametrize(
        "words",
        [("NOBODY",), ("MILD", "--store", "S9"), ("MILD", "--from", "2026-11-30", "--to", "2026-11-01")],
    )
    def test_refuses_with_exit_code_2(self, command, words: tuple[str, ...]):
        assert command(*words).exit_code == 2
