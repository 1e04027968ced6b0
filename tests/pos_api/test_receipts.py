"""Receipts over HTTP: once, twice, changed, malformed, at once, and by whoever may not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pos_api import examples
from tests.pos_api.conftest import code_of

PATH = "/receipts/S1/T1/2026-11-21"


class TestPostReceipt:
    def test_books_a_new_receipt_and_answers_the_same_one_as_before(self, till):
        body = till.sale()
        first = till.post("/receipts", body)
        assert first.status_code == 201, first.get_json()
        assert first.get_json()["replayed"] is False
        again = till.post("/receipts", body)
        assert again.status_code == 200
        assert again.get_json() == {**first.get_json(), "replayed": True}
