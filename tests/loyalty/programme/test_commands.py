import json
import sys

import pytest

import cli
from loyalty.programme.codec import rules_document
from loyalty.programme.rules import DEFAULT, Programme


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


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.json"
    document = {
        "valid_from": "2026-01-01",
        "note": "ours",
        "rules": rules_document(Programme(pending_days=3)),
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


class TestProgramme:
    def test_shows_the_contracts_own_until_a_version_is_approved(self, regulars, rules):
        assert json.loads(regulars("programme", "show", "--json")[1]) == {
            "version": 0,
            "rules": rules_document(DEFAULT),
        }
        assert regulars("programme", "import", rules, "--by", "ann")[0] == 0
        assert "14 days after" in regulars("programme", "show")[1]
        assert "second person" in regulars("programme", "approve", 1, "--by", "ann")[2]
        assert "holds from 2026-01-01" in regulars("programme", "approve", 1, "--by", "ben")[1]
        assert "3 days after" in regulars("programme", "show")[1]
        (version,) = json.loads(regulars("programme", "list", "--json")[1])["versions"]
        assert (version["state"], version["drafted_by"], version["decided_by"]) == ("approved", "ann", "ben")

    def test_reads_back_what_it_exports(self, regulars, rules):
        regulars("programme", "import", rules)
        exported = regulars("programme", "export", 1)[1]
        rules.write_text(exported, encoding="utf-8")
        code, out, _ = regulars("programme", "import", rules, "--json")
        assert (code, json.loads(out)["version"]) == (0, 2)
        assert json.loads(regulars("programme", "export", 2)[1])["rules"] == json.loads(exported)["rules"]

    @pytest.mark.parametrize(
        "content",
        [
            "[]",
            "",
            "[" * 100_000,
            '{"valid_from": "2026-01-01", "note": "half \\ud800", "rules": {}}',
            '{"valid_from": "2026-01-01", "note": "nothing \\u0000", "rules": {}}',
            '{"valid_from": "2026-01-01", "valid_from": "2026-02-01", "rules": {}}',
        ],
    )
    def test_refuses_a_file_that_is_something_else(self, regulars, rules, content):
        rules.write_text(content, encoding="utf-8")
        code, _, said = regulars("programme", "import", rules)
        assert (code, "is not what" in said) == (2, True)

    def test_replays_a_period(self, regulars):
        period = ("--since", "2026-01-01", "--until", "2027-01-01")
        code, out, _ = regulars("programme", "replay", *period, "--json")
        assert (code, json.loads(out)["differing"]) == (0, [])
