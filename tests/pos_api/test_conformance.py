"""The server and its OpenAPI document agree: schemathesis reads the one and tries the other."""

import re
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from core.database import make_engine, make_sessions
from pos_api.app import register
from tests.pos_api.conftest import open_chain
from tests.reliability.rotation import seed_of_run

SEED = seed_of_run()

AFTER_ANOTHER = {"receipt_conflict", "idempotency_conflict"}
"""What a body that fits the schema may be told all the same: another one came before it."""

BEYOND_SCHEMAS = re.compile(
    "Another line has this number"
    "|Must be a moment with an offset"
    "|Must be an integer"
    "|Must be a currency code"
    "|email is no address"
    "|phone is no number"
    "|is no card number"
    "|The check digit of this GTIN is wrong"
    "|come to more than a line can charge"
    "|A payment-card number stands here"
)
"""Rules that JSON Schema cannot say: check digits, registries, a member unique in its list, no 1.0 for 1."""


def is_of_the_contract(answer: Any) -> bool:
    """Whether a refusal of a body that fits the schema is one that the contract asks for."""
    if answer.status_code != 422:
        return False
    problem = answer.json()
    if problem["type"].rpartition("/")[2] in AFTER_ANOTHER:
        return True
    return all(BEYOND_SCHEMAS.search(place["detail"]) for place in problem.get("errors", [{"detail": ""}]))


def is_fine_all_the_same(case: Any, response: Any) -> bool:
    """Whether a body that breaks the schema was answered as the contract wants it."""
    if response.status_code == 413:
        return True  # the contract's own word for a list that is too long
    return isinstance(case.body, dict) and None in case.body.values()  # null is absent, whatever its name


def described(recorder: Any, case_id: str, check: Any) -> str:
    response = recorder.interactions[case_id].response
    answered = f"{response.status_code} {response.text}" if response else "no answer"
    return f"{check.failure_info.failure}\n{answered}\n{check.failure_info.code_sample}"


def found_by_schemathesis(address: str, key: str, *, most: int) -> Iterator[str]:
    config = SchemathesisConfig(seed=SEED)
    project = config.projects.default
    project.update(headers={"Authorization": f"Bearer {key}"})
    project.generation.update(max_examples=most)
    schema = schemathesis.openapi.from_url(f"{address}/pos/v1/openapi.json", config=config)

    @schema.hook("filter_failure")
    def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
        if failure.title == "Schema-violating request accepted" and is_fine_all_the_same(case, response):
            return False
        return not (failure.title == "Schema-valid request rejected" and is_of_the_contract(response))

    tried = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield f"{event}"
        if isinstance(event, events.ScenarioFinished):
            tried += len(event.recorder.cases)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.status == Status.FAILURE:
                        yield described(event.recorder, case_id, check)
    print(f"schemathesis: seed {config.seed}, {tried} cases")  # noqa: T201 - a failing run must be repeatable
    if tried < most:
        yield f"only {tried} cases were tried"


class Silent(WSGIRequestHandler):
    """Nobody reads thousands of lines."""

    def log_request(self, *_: Any) -> None: ...


@pytest.fixture
def served(make_database):
    engine = make_engine(make_database(), pool_size=4, lock_timeout=5)
    app = Flask("tills")
    sessions = make_sessions(engine)
    register(app, sessions)
    key = open_chain(app, sessions).till.key
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", key
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


class TestServer:
    def test_does_what_its_document_says(self, served):
        address, key = served
        assert "\n".join(found_by_schemathesis(address, key, most=15)) == ""

    @pytest.mark.soak
    def test_does_so_many_times_over(self, served):
        address, key = served
        assert "\n".join(found_by_schemathesis(address, key, most=1000)) == ""
