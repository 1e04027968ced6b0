import json
import sys

import pytest

import cli
from loyalty.tiers.codec import scheme_document
from tests.tiers import three_tiers


@pytest.fixture
def regulars(database_url, tmp_path, monkeypatch, capsys):
    """Call the command line on a database of its own; returns exit code, stdout and stderr."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REGULARS_DATA", str(tmp_path))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["regulars"])
        with pytest.raises(SystemExit) as end:
            cli.main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code or 0, printed.out, printed.err

    return call


class TestTiers:
    def test_are_imported_approved_by_another_and_shown_for_a_member(self, regulars, tmp_path):
        rules = tmp_path / "tiers.json"
        document = {"valid_from": "2026-01-01", "note": "ours", "rules": scheme_document(three_tiers())}
        rules.write_text(json.dumps(document), encoding="utf-8")
        assert regulars("tiers", "show")[1].startswith("There are no tiers")
        assert regulars("tiers", "import", rules, "--by", "ann")[0] == 0
        assert "second person" in regulars("tiers", "approve", 1, "--by", "ann")[2]
        assert "holds from 2026-01-01" in regulars("tiers", "approve", 1, "--by", "ben")[1]
        assert json.loads(regulars("tiers", "show", "--json")[1])["rules"] == document["rules"]
        members = tmp_path / "members.csv"
        members.write_text(
            "member_code,given_name,family_name,joined_on\nA1,Ann,A,2026-02-01\n", encoding="utf-8"
        )
        assert regulars("members", "import", members)[0] == 0
        given = regulars(
            "tiers", "grant", "A1", "gold", "--until", "2030-01-01", "--reason", "hers", "--by", "ann"
        )
        assert given[0] == 0, given
        standing = json.loads(regulars("tiers", "standing", "A1", "--json")[1])
        assert (standing["tier"], standing["earned"], standing["missing"]) == ("gold", "basic", None)
        assert "Gold given until" in regulars("tiers", "why", "A1")[1]
        assert regulars("tiers", "standing", "B2")[0] == 2

    def test_refuse_a_file_that_is_none(self, regulars, tmp_path):
        rules = tmp_path / "tiers.json"
        rules.write_text(
            '{"valid_from": "2026-01-01", "rules": {"tiers": [{"code": "a b"}]}}', encoding="utf-8"
        )
        code, _, err = regulars("tiers", "import", rules)
        assert code == 2
        assert "tiers.0.code" in err
