"""Batches answer receipt by receipt, whatever their order and whatever is wrong with one."""

import json
from itertools import permutations

import pytest
from sqlalchemy import text

from pos_api import examples
from pos_api.schemas import LARGEST_BATCH
from tests.pos_api.conftest import code_of


def results_of(answer):
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["results"]


class TestPostBatch:
    def test_answers_each_receipt_as_if_it_were_alone(self, till):
        known, new, bad = till.sale(), till.sale(), till.sale(currency="Kč")
        alone = till.post("/receipts", known).get_json()
        results = results_of(
            till.post("/receipts/batch", {"receipts": [known, bad, new, known | {"operator_code": "x"}]})
        )
        assert [(result["index"], result["status"]) for result in results] == [
            (0, 200),
            (1, 422),
            (2, 201),
            (3, 422),
        ]
        assert results[0]["receipt"] == {**alone, "replayed": True}
        assert results[1]["problem"]["errors"][0]["pointer"] == "/currency"
        assert results[3]["problem"]["type"].endswith("/receipt_conflict")
        assert till.post("/receipts", new).get_json() == {**results[2]["receipt"], "replayed": True}

    def test_takes_every_example_of_the_contract(self, till):
        for example in examples.BATCHES.values():
            assert {
                result["status"] for result in results_of(till.post("/receipts/batch", example["value"]))
            } == {201}

    def test_lets_the_first_of_two_bodies_with_one_identity_win(self, till):
        body = till.sale()
        results = results_of(
            till.post("/receipts/batch", {"receipts": [body, body | {"operator_code": "2"}, body]})
        )
        assert [result["status"] for result in results] == [201, 422, 200]

    @pytest.mark.parametrize(
        "entry",
        [
            "null",
            "1",
            "[]",
            '"x"',
            "{}",
            r'{"type": "\u0000"}',
            '{"type": 1, "type": 1}',
            '{"x": ' + "9" * 5000 + "}",
            r'{"\ud800": 1}',
            r'{"lines": [{"\ud800": "\ud800"}]}',
        ],
    )
    def test_keeps_a_bad_entry_from_the_others(self, till, entry):
        good = [json.dumps(till.sale()) for _ in range(2)]
        raw = f'{{"receipts": [{good[0]}, {entry}, {good[1]}]}}'.encode()
        assert [result["status"] for result in results_of(till.post("/receipts/batch", raw))] == [
            201,
            422,
            201,
        ]

    @pytest.mark.parametrize(
        "raw",
        [
            b"{}",
            b'{"receipts": 1}',
            b'{"receipts": {"a": "\\u0000"}}',
            b'{"receipts": [], "x": 1}',
            b'{"receipts": [], "receipts": []}',
        ],
    )
    def test_refuses_what_is_no_batch(self, till, raw):
        assert code_of(till.post("/receipts/batch", raw)) == "invalid_content"

    def test_is_answered_with_nothing_for_nothing(self, till):
        assert results_of(till.post("/receipts/batch", {"receipts": []})) == []

    def test_has_at_most_five_hundred_receipts_and_sixteen_mebibytes(self, till):
        answer = till.post("/receipts/batch", {"receipts": [{}] * (LARGEST_BATCH + 1)})
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        assert (
            len(results_of(till.post("/receipts/batch", {"receipts": [{}] * LARGEST_BATCH}))) == LARGEST_BATCH
        )
        answer = till.post("/receipts/batch", b" " * (16 * 1024 * 1024 + 1))
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        assert (
            till.post("/receipts/batch", b'{"receipts": []' + b" " * (2 * 1024 * 1024) + b"}").status_code
            == 200
        )

    def test_needs_a_key(self, chain, till):
        assert chain.nobody.post("/receipts/batch", {"receipts": [till.sale()]}).status_code == 401
        assert chain.revoked.post("/receipts/batch", {"receipts": [till.sale()]}).status_code == 403

    def test_leads_to_the_same_points_in_every_order(self, chain):
        found = set()
        for number, order in enumerate(permutations(range(3))):
            till = chain.till
            sale = till.sale(receipt_number=f"s{number}")
            original = {
                "store_code": "S1",
                "till_code": "T1",
                "business_date": sale["business_date"],
                "receipt_number": sale["receipt_number"],
            }
            bodies = [
                sale,
                {**examples.RETURN, "receipt_number": f"r{number}", "original": original},
                till.sale(receipt_number=f"t{number}"),
            ]
            results = results_of(
                till.post("/receipts/batch", {"receipts": [bodies[index] for index in order]})
            )
            assert {result["status"] for result in results} == {201}
            with chain.sessions() as session:
                found.add(session.scalar(text("select points from balance")) / (number + 1))
        assert len(found) == 1
