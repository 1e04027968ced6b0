"""Problems are documents of RFC 9457 with the codes of the contract."""

import re

import pytest

from core.errors import Conflict, NotFound, Refused
from pos_api.problems import PROBLEMS, Problem, of_refusal, pointed, pointer

CODES_OF_THE_CONTRACT = [
    "malformed",
    "unauthenticated",
    "revoked_key",
    "other_store",
    "not_found",
    "method_not_allowed",
    "unsupported_media_type",
    "not_enough_points",
    "out_of_stock",
    "already_redeemed",
    "already_released",
    "expired",
    "not_registered",
    "already_registered",
    "card_in_use",
    "card_blocked",
    "in_progress",
    "too_large",
    "invalid_content",
    "receipt_conflict",
    "idempotency_conflict",
]


class CardMissing(NotFound):
    pass


class OddCard(Refused):
    pass


class CardGone(Conflict):
    pass


class CardGoneForever(CardGone):
    pass


class TestProblem:
    def test_knows_every_code_of_the_contract(self):
        assert set(CODES_OF_THE_CONTRACT) <= set(PROBLEMS)

    def test_is_a_problem_document_whose_type_ends_in_the_code(self):
        problem = Problem("invalid_content", "Two.", errors=[("/a", "x"), ("/b", "y")])
        assert problem.document() == {
            "type": "https://regulars.example/problems/invalid_content",
            "title": "The body breaks a rule",
            "status": 422,
            "detail": "Two.",
            "errors": [{"pointer": "/a", "detail": "x"}, {"pointer": "/b", "detail": "y"}],
        }
        assert problem.response().mimetype == "application/problem+json"

    def test_names_only_so_many_places(self):
        problem = Problem("invalid_content", "Many.", errors=[("/a", "x")] * 1000)
        assert len(problem.document()["errors"]) == 100

    @pytest.mark.parametrize("code", ["in_progress", "unavailable", "too_many_requests"])
    def test_says_when_to_ask_again(self, code):
        assert int(Problem(code, "Later.").response().headers["Retry-After"]) > 0

    def test_asks_for_a_key(self):
        assert Problem("unauthenticated", "Who?").response().headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("code", PROBLEMS)
    def test_is_never_kept_on_the_way(self, code):
        assert Problem(code, "No.").response().headers["Cache-Control"] == "no-store"

    def test_has_codes_of_lower_case_words(self):
        assert all(re.fullmatch("[a-z_]+", code) for code in PROBLEMS)


class TestPointer:
    def test_escapes_what_the_standard_says(self):
        assert pointer("lines", 0, "a/b~c", "") == "/lines/0/a~1b~0c/"

    def test_ends_above_a_name_too_long_to_repeat(self):
        assert pointer("lines", "x" * 201, "y") == "/lines"


class TestPointed:
    def test_flattens_messages_of_any_shape(self):
        messages = {
            "lines": {0: {"quantity": ["no"], "_schema": ["one of"]}, "_schema": ["few"]},
            "_schema": "all",
        }
        assert set(pointed(messages)) == {
            ("/lines/0/quantity", "no"),
            ("/lines/0", "one of"),
            ("/lines", "few"),
            ("", "all"),
        }


class TestOfRefusal:
    def test_finds_the_code_of_the_nearest_class(self):
        codes = {CardGone: "card_in_use"}
        assert of_refusal(CardGone("It is."), codes).code == "card_in_use"
        assert of_refusal(CardGoneForever("It is."), codes).code == "card_in_use"

    def test_knows_the_families_that_have_one_code(self):
        assert of_refusal(CardMissing("Where?"), {}).code == "not_found"
        assert of_refusal(OddCard("What?"), {}).code == "invalid_content"

    def test_never_invents_a_code_for_a_conflict(self):
        with pytest.raises(LookupError, match="CardGone"):
            of_refusal(CardGone("It is."), {})
