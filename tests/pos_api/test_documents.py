"""The contract can be read by machines and people, from this server alone."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

import pos_api.documents
from core.database import make_engine, make_sessions
from pos_api import examples
from pos_api.app import register

VENDOR = Path(pos_api.documents.__file__).parent / "vendor"


@pytest.fixture(scope="module")
def visitor():
    """Somebody without a key; the documents need no database either."""
    app = Flask("tills")
    register(app, make_sessions(make_engine("postgresql://nobody@/nothing?host=/nonexistent")))
    return app.test_client()


@pytest.fixture(scope="module")
def contract(visitor):
    return visitor.get("/openapi.json").get_json()


class TestDocuments:
    @pytest.mark.parametrize("path", ["/openapi.json", "/pos/v1/openapi.json"])
    def test_show_the_contract(self, visitor, path):
        document = visitor.get(path).get_json()
        assert document["openapi"] == "3.1.0"
        assert all(path.startswith("/pos/v1/") for path in document["paths"])

    @pytest.mark.parametrize("path", ["/docs", "/pos/v1/docs"])
    def test_show_a_page_that_needs_nothing_from_elsewhere_and_nothing_inline(self, visitor, path):
        answer = visitor.get(path)
        page = answer.get_data(as_text=True)
        assert answer.mimetype == "text/html"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page)
        linked = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert not any("//" in link for link in linked)
        base = path.rpartition("/")[0]
        for link in linked:
            if not link.startswith("data:"):
                assert visitor.get(f"{base}/{link}").status_code == 200, link

    def test_have_the_client_for_tills_to_copy(self, visitor):
        client = Path(__file__).parents[2] / "clients" / "python" / "regulars_till.py"
        answer = visitor.get("/pos/v1/docs/regulars_till.py")
        assert (answer.mimetype, answer.data) == ("text/x-python", client.read_bytes())

    def test_are_sent_once_to_whoever_keeps_them(self, visitor):
        first = visitor.get("/openapi.json")
        again = visitor.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_come_from_files_as_they_were_published(self):
        record = json.loads((VENDOR / "VENDOR.json").read_text())
        listed = {}
        for vendored in record.values():
            assert vendored["version"]
            assert vendored["licence"]
            listed |= vendored["files"]
        found = {
            str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in VENDOR.rglob("*")
            if path.is_file() and path.name != "VENDOR.json"
        }
        assert found == listed


class TestOpenapi:
    def test_wants_the_till_key_for_every_call(self, contract):
        assert contract["security"] == [{"till_key": []}]
        for item in contract["paths"].values():
            for method, operation in item.items():
                if method != "parameters":
                    assert "security" not in operation
                    assert {"401", "403", "503"} <= set(operation["responses"])

    def test_closes_what_is_sent_and_leaves_answers_open(self, contract):
        schemas = contract["components"]["schemas"]
        for name, schema in schemas.items():
            closed = schema.get("additionalProperties") is False
            assert closed is not name.endswith("Answer"), name

    def test_has_a_summary_for_every_call(self, contract):
        for item in contract["paths"].values():
            for method, operation in item.items():
                if method != "parameters":
                    assert operation["summary"].endswith(".")

    def test_has_an_example_for_every_parameter_that_fits_its_schema(self, contract):
        told = 0
        for path, item in contract["paths"].items():
            assert "parameters" not in item, "each call tells its own"
            for operation in item.values():
                for parameter in operation.get("parameters", []):
                    schema = parameter["schema"]
                    assert re.search(schema.get("pattern", ""), parameter["example"]), (
                        path,
                        parameter["name"],
                    )
                    assert schema.get("format") != "date" or date.fromisoformat(parameter["example"])
                    assert schema.get("format") != "uuid" or UUID(parameter["example"])
                    told += parameter["in"] == "path"
        assert told >= 12

    def test_names_in_the_path_what_its_examples_name_in_the_body(self, contract):
        item = contract["paths"]["/pos/v1/receipts/{store_code}/{till_code}/{business_date}/{receipt_number}"]
        named = {one["name"]: one["example"] for one in item["get"]["parameters"]}
        assert named == examples.RETURN["original"]
