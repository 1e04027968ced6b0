"""Receipts over HTTP: once, twice, changed, malformed, at once, and by whoever may not."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.pos_api.conftest import code_of, enrol_with_points

PATH = "/receipts/S1/T1/2026-11-21"


def flags_of(answer) -> set[str]:
    return {flag["code"] for flag in answer.get_json()["flags"]}


def counted(chain, table: str) -> int:
    with chain.sessions() as session:
        return session.scalar(text(f"select count(*) from {table}"))


class TestPostReceipt:
    def test_books_a_new_receipt_and_answers_the_same_one_as_before(self, till):
        body = till.sale()
        first = till.post("/receipts", body)
        assert first.status_code == 201, first.get_json()
        assert first.get_json()["replayed"] is False
        assert first.get_json()["points"]["earned"] == 107
        again = till.post("/receipts", body)
        assert again.status_code == 200
        assert again.get_json() == {**first.get_json(), "replayed": True}

    @pytest.mark.parametrize("kind", ["return", "void"])
    def test_tells_a_return_in_the_language_of_the_member_whose_card_was_left_at_home(
        self, chain, till, kind
    ):
        card = enrol_with_points(chain, points=0)
        with chain.sessions.begin() as session:
            session.execute(text("update member set language = 'pl'"))
        sale = till.sale(card_number=card)
        assert any("punkt" in line for line in till.post("/receipts", sale).get_json()["print"])
        original = examples.RETURN["original"] | {"receipt_number": sale["receipt_number"]}
        back = till.post(
            "/receipts", {**examples.RECEIPTS[kind]["value"], "card_number": None, "original": original}
        )
        assert back.get_json()["points"]["reversed"] > 0
        told = "\n".join(back.get_json()["print"])
        assert "punkt" in told, told
        assert "bod" not in told

    @pytest.mark.parametrize(
        "changes",
        [
            {"offline": True},
            {"quote_id": "another"},
            {"mode": None, "redemption_ids": [], "voucher_codes": None, "original": None},
            {"closed_at": "2026-11-21T09:16:02.000Z"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_compares_bodies_by_what_they_mean(self, till, changes):
        body = till.sale()
        assert till.post("/receipts", body).status_code == 201
        assert till.post("/receipts", body | changes).status_code == 200

    def test_compares_numbers_by_what_they_mean(self, till):
        body = till.sale()
        assert till.post("/receipts", body).status_code == 201
        body["lines"][0] |= {"quantity": "2.000", "tax_rate": "12.0"}
        assert till.post("/receipts", dict(reversed(body.items()))).status_code == 200

    def test_refuses_another_body_under_a_known_identity_and_sets_it_aside(self, chain, till):
        body = till.sale()
        first = till.post("/receipts", body).get_json()
        for _ in range(2):
            answer = till.post("/receipts", body | {"operator_code": "18"})
            assert (answer.status_code, code_of(answer)) == (422, "receipt_conflict")
        assert counted(chain, "quarantined_receipt") == 1
        assert counted(chain, "receipt") == 1
        assert till.post("/receipts", body).get_json()["receipt_id"] == first["receipt_id"]

    def test_gives_each_till_numbers_of_its_own(self, chain):
        body = chain.till.sale()
        answers = [tiller.post("/receipts", body) for tiller in (chain.till, chain.neighbour)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert chain.elsewhere.post("/receipts", body).status_code == 201

    @pytest.mark.parametrize("name", examples.RECEIPTS)
    def test_takes_every_example_of_the_contract(self, till, name):
        assert till.post("/receipts", examples.RECEIPTS[name]["value"]).status_code == 201

    @pytest.mark.parametrize("mode", ["training", "suspended"])
    def test_stores_what_never_counts(self, till, mode):
        answer = till.post("/receipts", till.sale(mode=mode))
        assert (answer.status_code, answer.get_json()["points"]["earned"]) == (201, 0)

    @pytest.mark.parametrize(
        ("changes", "flag"),
        [
            ({"card_number": "2990000000026"}, "unknown_card"),
            ({"card_number": "2990000000018"}, "unknown_card"),
            ({"card_number": "kočka"}, "unknown_card"),
            ({"closed_at": "2097-01-01T00:00:00Z", "business_date": "2097-01-01"}, "clock_skew"),
            ({"closed_at": "1970-01-01T00:00:00Z"}, "clock_skew"),
            ({"closed_at": "0002-01-02T00:00:00+14:00"}, "clock_skew"),
            ({"closed_at": "9998-12-30T23:59:59-14:00"}, "clock_skew"),
            ({"currency": "EUR"}, "totals_mismatch"),
            ({"tenders": [{"type": "cash", "amount": 1}]}, "totals_mismatch"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_accepts_and_flags_what_is_odd(self, till, changes, flag):
        answer = till.post("/receipts", till.sale(**changes))
        assert answer.status_code == 201, answer.get_json()
        assert flag in flags_of(answer)

    def test_keeps_its_head_at_the_ends_of_every_range(self, till):
        body = till.sale(business_date="2099-12-31", receipt_number="x" * 40)
        line = body["lines"][0] | {
            "line_number": 2**31 - 1,
            "quantity": "999999999.999",
            "unit_price": -(10**14),
            "total_amount": 10**14,
            "discount_amount": 10**14,
            "tax_rate": "999.99",
            "discounts": [],
        }
        body["lines"] = [line, line | {"line_number": 0, "unit_price": 10**14, "name": "x" * 1000}]
        body["totals"] = dict.fromkeys(body["totals"], 10**14)
        body["tenders"] = [{"type": "t" * 20, "amount": -(10**14)}] * 1000
        assert till.post("/receipts", body).status_code == 201
        body |= {"business_date": "2000-01-01"}
        assert till.post("/receipts", body).status_code == 201

    def test_takes_a_line_whose_quantity_times_price_no_column_holds(self, till):
        body = till.sale()
        body["lines"][0] |= {"quantity": "999999999.999", "unit_price": 10**14, "total_amount": 10**14}
        del body["totals"]["gross_amount"]
        answer = till.post("/receipts", body)
        assert answer.status_code == 201, answer.get_json()
        assert "totals_mismatch" in flags_of(answer)

    def test_masks_payment_cards_and_keeps_none(self, chain, till):
        body = till.sale(operator_code="4111-1111-1111-1111", card_number="5555555555554444")
        body["lines"][0]["name"] = "Čaj 378282246310005"
        answer = till.post("/receipts", body)
        assert answer.status_code == 201
        assert "masked" in flags_of(answer)
        with chain.sessions() as session:
            kept = str(session.execute(text("select receipt, receipt_line from receipt, receipt_line")).all())
        for secret in ("4111-1111-1111-1111", "5555555555554444", "378282246310005"):
            assert secret not in kept
        assert till.post("/receipts", body).status_code == 200

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"", "malformed"),
            (b"[]", "malformed"),
            (b"\xff", "malformed"),
            (b"[" * 100_000, "malformed"),
            (b"{}", "invalid_content"),
            (b'{"type": "sale", "type": "void"}', "invalid_content"),
            (rb'{"type": "\u0000"}', "invalid_content"),
            (b" " * (1 << 20) + b"{}", "too_large"),
        ],
        ids=lambda value: repr(value[:16]),
    )
    def test_refuses_what_is_malformed(self, chain, till, raw, code):
        answer = till.post("/receipts", raw)
        assert code_of(answer) == code
        assert counted(chain, "receipt") == 0

    def test_wants_json(self, till):
        answer = till.send("POST", "/receipts", data=b"{}", content_type="text/plain")
        assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")

    def test_has_one_effect_when_sixteen_post_at_once(self, chain, till):
        body = till.sale()
        barrier = Barrier(16)

        def post(_: int):
            barrier.wait()
            return till.post("/receipts", body)

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(post, range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
        assert len({answer.get_json()["receipt_id"] for answer in answers}) == 1
        assert counted(chain, "receipt") == 1
        assert counted(chain, "ledger_entry") == 1

    def test_waits_five_seconds_for_the_same_receipt_and_then_says_so(self, chain, till):
        body = till.sale()
        identity = f"S1/T1/{body['business_date']}/{body['receipt_number']}"
        with chain.sessions.begin() as session:
            session.execute(text("select pg_advisory_xact_lock(hashtextextended(:i, 0))"), {"i": identity})
            answer = till.post("/receipts", body)
        assert (answer.status_code, code_of(answer)) == (409, "in_progress")
        assert int(answer.headers["Retry-After"]) > 0
        assert till.post("/receipts", body).status_code == 201


class TestIdempotencyKey:
    def test_lets_the_same_body_pass(self, till):
        body = till.sale()
        headers = {"Idempotency-Key": "k-1"}
        first = till.post("/receipts", body, headers=headers)
        again = till.post("/receipts", body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.get_json() == {**first.get_json(), "replayed": True}

    def test_refuses_another_body_and_books_nothing(self, chain, till):
        headers = {"Idempotency-Key": "k-1"}
        assert till.post("/receipts", till.sale(), headers=headers).status_code == 201
        answer = till.post("/receipts", till.sale(), headers=headers)
        assert (answer.status_code, code_of(answer)) == (422, "idempotency_conflict")
        assert counted(chain, "receipt") == 1

    def test_belongs_to_one_till(self, chain):
        headers = {"Idempotency-Key": "k-1"}
        for tiller in (chain.till, chain.neighbour):
            assert tiller.post("/receipts", tiller.sale(), headers=headers).status_code == 201

    def test_is_free_again_after_a_failed_attempt(self, chain, till):
        headers = {"Idempotency-Key": "k-1"}
        assert till.post("/receipts", till.sale(currency="?"), headers=headers).status_code == 422
        assert counted(chain, "idempotency_record") == 0
        assert till.post("/receipts", till.sale(), headers=headers).status_code == 201

    @pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ž"])
    def test_must_be_visible_ascii(self, till, key):
        answer = till.post("/receipts", till.sale(), headers={"Idempotency-Key": key})
        assert code_of(answer) == "invalid_content"


class TestKeys:
    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            "Bearer rgl_0_0",
            "Bearer ž",
            "Bearer a b",
            "Bearer " + "x" * 5000,
        ],
    )
    def test_are_asked_for(self, chain, header):
        headers = {} if header is None else {"Authorization": header}
        for answer in (
            chain.nobody.post("/receipts", chain.till.sale(), headers=headers),
            chain.nobody.get(f"/cards/{examples.CARD_NUMBER}", headers=headers),
            chain.nobody.get(f"{PATH}/1", headers=headers),
        ):
            assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_are_compared_as_a_whole(self, chain):
        wrong = chain.till.key[:-1] + ("0" if chain.till.key[-1] != "0" else "1")
        answer = chain.nobody.post("/receipts", {}, headers={"Authorization": f"Bearer {wrong}"})
        assert code_of(answer) == "unauthenticated"

    def test_open_nothing_once_revoked(self, chain):
        answer = chain.revoked.post("/receipts", chain.till.sale())
        assert (answer.status_code, code_of(answer)) == (403, "revoked_key")

    def test_go_before_the_body(self, chain):
        assert chain.nobody.post("/receipts", b"{").status_code == 401
        assert chain.revoked.post("/receipts", b"{").status_code == 403


class TestShowReceipt:
    def test_returns_what_the_till_was_told(self, chain, till):
        told = till.post("/receipts", till.sale(receipt_number="007")).get_json()
        for tiller in (till, chain.neighbour):
            answer = tiller.get(f"{PATH}/007")
            assert (answer.status_code, answer.get_json()) == (200, told)

    def test_is_refused_to_other_stores(self, chain, till):
        till.post("/receipts", till.sale(receipt_number="007"))
        answer = chain.elsewhere.get(f"{PATH}/007")
        assert (answer.status_code, code_of(answer)) == (403, "other_store")

    @pytest.mark.parametrize(
        "path",
        [
            f"{PATH}/7",
            "/receipts/S1/T2/2026-11-21/007",
            "/receipts/S1/T1/2026-11-20/007",
            "/receipts/S1/T1/2026-02-30/007",
            "/receipts/S1/T1/today/007",
            "/receipts/S1/T1/2026-11-21/%00",
            "/receipts/S1/%ED%A0%80/2026-11-21/007",
        ],
    )
    def test_knows_no_other(self, till, path):
        till.post("/receipts", till.sale(receipt_number="007"))
        answer = till.get(path)
        assert (answer.status_code, code_of(answer)) == (404, "not_found")


class TestAddresses:
    @pytest.mark.parametrize(
        "path", ["", "/", "/nothing", "/receipts/", "/receipts/S1", "/cards/", "/cards/1/2"]
    )
    def test_of_nothing_are_not_found(self, till, path):
        answer = till.get(path)
        assert (answer.status_code, code_of(answer)) == (404, "not_found")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/receipts", {"POST", "OPTIONS"}),
            ("PUT", "/receipts", {"POST", "OPTIONS"}),
            ("DELETE", "/cards/1", {"GET", "HEAD", "OPTIONS"}),
            ("POST", f"{PATH}/1", {"GET", "HEAD", "OPTIONS"}),
            ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ],
    )
    def test_say_which_methods_they_know(self, till, method, path, allowed):
        answer = till.send(method, path)
        assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
        assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed
