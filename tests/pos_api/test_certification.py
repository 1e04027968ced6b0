import json
from collections.abc import Iterator
from threading import Thread

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from core.commandline import Workplace
from pos_api import receipts
from pos_api.certification import Conversation, NoServer, certify
from pos_api.certification_rules import RULES
from pos_api.commands import certify_till


@pytest.fixture
def address(chain) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, chain.app, threaded=True)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    serving.join()
    server.server_close()


def run(*arguments: str):
    return CliRunner().invoke(certify_till, arguments, obj=Workplace.__new__(Workplace))


class TestCertify:
    def test_finds_that_this_server_keeps_every_rule_and_can_be_repeated(self, address, chain):
        for _ in range(2):
            conversation = Conversation.begin(address, chain.till.key)
            broken = [verdict for verdict in certify(conversation, RULES) if verdict.broken is not None]
            assert broken == []
        assert len({rule.code for rule in RULES}) == len(RULES) > 20

    def test_names_the_rule_that_a_server_breaks_and_goes_on(self, address, chain, monkeypatch):
        monkeypatch.setattr(receipts, "settle", _forgetful(receipts.settle))
        conversation = Conversation.begin(address, chain.till.key)
        verdicts = {verdict.code: verdict.broken for verdict in certify(conversation, RULES)}
        assert "receipt" in verdicts["return"] or "is" in verdicts["return"]
        assert verdicts["keys"] is None
        assert len(verdicts) == len(RULES)

    def test_says_when_nobody_answers_or_the_key_does_not_hold(self, address):
        with pytest.raises(NoServer):
            Conversation.begin("http://127.0.0.1:9", "rgs_x_y")
        with pytest.raises(NoServer, match="does not take the key"):
            Conversation.begin(address, "rgs_x_y")
        with pytest.raises(NoServer, match="no address"):
            Conversation.begin("regulars", "rgs_x_y")


class TestCertifyTill:
    def test_prints_pass_or_fail_per_rule(self, address, chain):
        result = run(address, chain.till.key, "--live")
        assert result.exit_code == 0, result.output
        assert f"{len(RULES)} of {len(RULES)} rules hold" in result.output
        assert result.output.count("pass ") == len(RULES)

    def test_prints_json(self, address, chain):
        document = json.loads(run(address, chain.till.key, "--live", "--json").output)
        assert document["passed"] == len(document["rules"]) == len(RULES)

    def test_spares_the_books_of_a_house_unless_told_otherwise(self, address, chain):
        result = run(address, chain.till.key)
        assert result.exit_code == 2
        assert "not a sandbox's" in result.output


def _forgetful(settle):
    """A server that earns points and never takes them back."""

    def settled(session, *, posted, **known):
        if posted.type == "return":
            posted = posted.__class__(**{**_members(posted), "original": None})
        return settle(session, posted=posted, **known)

    return settled


def _members(posted):
    return {name: getattr(posted, name) for name in posted.__dataclass_fields__}
