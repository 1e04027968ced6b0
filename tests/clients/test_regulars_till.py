import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.clients.conftest import FILE
from tests.pos_api.conftest import enrol_with_points

LINES = [
    {"line_number": 1, "sku": "tea", "quantity": "2", "unit_price": 5990, "tax_rate": "12"},
    {"line_number": 2, "sku": "ham", "quantity": "0.255", "unit_price": 29990, "tax_rate": "12"},
]
GROSS = 2 * 5990 + 7647


def paid(number: str, amount: int = GROSS) -> dict:
    now = datetime.now(UTC)
    return {
        "business_date": now.astimezone().date().isoformat(),
        "receipt_number": number,
        "closed_at": now.isoformat(),
        "tenders": [{"type": "cash", "amount": amount}],
    }


def sale(number: str, **changes) -> dict:
    now = datetime.now(UTC)
    return {
        **dict(examples.SHORTEST_SALE),
        "business_date": now.date().isoformat(),
        "closed_at": now.isoformat(),
        "receipt_number": number,
        **changes,
    }


def stored(chain) -> list[str]:
    with chain.sessions.begin() as session:
        return list(session.execute(text("select receipt_number from receipt order by 1")).scalars())


class TestCheckout:
    def test_quotes_redeems_and_posts_what_the_server_agrees_with(self, chain, open_till):
        card = enrol_with_points(chain)
        till = open_till()
        with till.checkout(currency="CZK", card_number=card, lines=LINES) as checkout:
            assert checkout.quote["totals"]["payable_amount"] == GROSS
            assert checkout.spend(200) == 2000
            sold = checkout.pay(**paid("C1", GROSS - 2000))
        assert {flag["code"] for flag in sold.answer["flags"]} == {"unknown_article"}
        assert sold.answer["differences"] == []
        assert sold.answer["points"]["spent"] == 200
        assert sold.answer["points"]["earned"] == (GROSS - 2000) // 100
        assert till.card(card)["points"]["available"] == 800

    def test_gives_back_what_it_reserved_when_nothing_is_paid(self, chain, open_till):
        card = enrol_with_points(chain)
        till = open_till()
        with till.checkout(currency="CZK", card_number=card, lines=LINES) as checkout:
            checkout.spend(200)
            assert till.card(card)["points"]["reserved"] == 200
        assert till.card(card)["points"]["available"] == 1000

    def test_spends_by_the_allowance_of_the_snapshot_while_offline(self, chain, line, open_till, client):
        card = enrol_with_points(chain)
        till = open_till()
        assert till.refresh_snapshot()
        line.state = "cut"
        allowed = till.offline_card(card).spendable_now
        assert 0 < allowed <= 1000
        with till.checkout(currency="CZK", card_number=card, lines=LINES) as checkout:
            assert checkout.quote is None
            assert checkout.spend(allowed) == allowed * 10
            payable = checkout.totals["payable_amount"]
            sold = checkout.pay(**paid("C2", payable))
        assert sold.answer is None
        assert till.offline_card(card).spendable_now == 0
        with pytest.raises(client.NotAllowed):
            till.spend_offline(card, 1)
        line.state = "whole"
        assert till.flush().sent == 1
        answer = till.stored_answer("S1", "T1", sold.receipt["business_date"], "C2")
        assert {flag["code"] for flag in answer["flags"]} == {"unknown_article"}
        assert answer["points"]["spent"] == allowed

    def test_gives_an_allowance_back_when_nothing_is_paid(self, chain, line, open_till):
        card = enrol_with_points(chain)
        till = open_till()
        till.refresh_snapshot()
        line.state = "cut"
        before = till.offline_card(card)
        with till.checkout(currency="CZK", card_number=card, lines=LINES) as checkout:
            checkout.spend(10)
        assert till.offline_card(card) == before


class TestPost:
    def test_keeps_a_receipt_until_somebody_answers(self, chain, line, open_till):
        till = open_till()
        line.state = "cut"
        assert till.post(sale("P1")).answer is None
        assert not till.online
        assert till.store.counts() == (1, 0)
        line.state = "whole"
        assert till.flush().sent == 1
        assert stored(chain) == ["P1"]
        assert till.store.counts() == (0, 0)

    def test_sends_the_same_receipt_again_when_the_answer_was_lost(self, chain, line, open_till):
        till = open_till()
        line.state = "deaf"
        assert till.post(sale("P2")).answer is None
        deadline = time.monotonic() + 60
        while stored(chain) != ["P2"]:
            assert time.monotonic() < deadline, "the receipt never came"
        line.state = "whole"
        heard = []
        till._on_answer = lambda _receipt, answer: heard.append(answer["replayed"])
        assert till.flush().sent == 1
        assert heard == [True]
        assert stored(chain) == ["P2"]

    def test_keeps_what_the_server_does_not_take_for_a_person(self, open_till, client):
        till = open_till()
        with pytest.raises(client.Refused) as refusal:
            till.post(sale("P3", currency="crowns"))
        assert refusal.value.code == "invalid_content"
        assert till.store.counts() == (0, 1)
        ((receipt, problem),) = till.store.refused()
        assert (receipt["receipt_number"], problem["status"]) == ("P3", 422)

    def test_does_not_blame_a_receipt_for_a_key(self, client, chain, line, tmp_path):
        with client.Till(line.address, chain.revoked.key, tmp_path / "revoked", sending=False) as till:
            with pytest.raises(client.Refused):
                till.post(sale("P4"))
            assert till.store.counts() == (1, 0)

    def test_refuses_another_receipt_of_a_number_that_waits(self, line, open_till, client):
        till = open_till()
        line.state = "cut"
        till.post(sale("P5"))
        with pytest.raises(client.TillError, match="waits to be sent"):
            till.post(sale("P5", operator_code="other"))


class TestFlush:
    def test_sends_more_than_a_batch_takes_and_lets_one_bad_item_block_nothing(self, chain, line, open_till):
        till = open_till()
        line.state = "cut"
        till.store.keep("bad", json.dumps(sale("F000", currency="crowns")))
        for number in range(1, 511):
            body = sale(f"F{number:03}")
            till.store.keep(f"{body['business_date']}/{body['receipt_number']}", json.dumps(body))
        line.state = "whole"
        flushed = till.flush()
        assert (flushed.sent, flushed.refused, flushed.waiting) == (510, 1, 0)
        assert len(stored(chain)) == 510

    def test_is_done_by_a_thread_when_the_wire_is_whole_again(self, chain, line, open_till):
        line.state = "cut"
        till = open_till(sending=True)
        till.post(sale("F1"))
        line.state = "whole"
        deadline = time.monotonic() + 60
        while till.store.counts() != (0, 0):
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(0.05)
        assert stored(chain) == ["F1"]


class TestSnapshot:
    def test_is_fetched_once_and_then_only_when_something_changed(self, chain, open_till):
        card = enrol_with_points(chain)
        till = open_till()
        assert till.refresh_snapshot()
        assert not till.refresh_snapshot()
        till.block(card, "lost")
        assert till.refresh_snapshot()
        assert till.offline_card(card).state == "blocked"
        assert till.offline_card(card).spendable_now == 0
        assert till.offline_card("2990000000002") is None

    def test_is_not_believed_when_it_was_changed_on_its_way(self, chain, open_till, client):
        enrol_with_points(chain)
        answer = chain.till.get("/snapshot")
        key = chain.till.key
        assert client.verified(answer.data, key)["payload"]["cards"]
        with pytest.raises(client.BadSignature):
            client.verified(answer.data.replace(b'"active"', b'"issued"'), key)
        with pytest.raises(client.BadSignature):
            client.verified(answer.data, chain.neighbour.key)

    def test_allows_nothing_once_it_is_too_old(self, chain, open_till, client):
        card = enrol_with_points(chain)
        till = open_till()
        till.refresh_snapshot()
        past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        till.store._database.execute("update fact set content = ? where name = 'valid_until'", (past,))
        assert till.offline_card(card).spendable_now == 0
        with pytest.raises(client.NotAllowed):
            till.spend_offline(card, 1)


class TestPauses:
    def test_are_drawn_below_a_bound_that_doubles_up_to_the_longest(self, client):
        drawn = [next_pause for next_pause, _ in zip(client.pauses(1.0, 8.0), range(200), strict=False)]
        bounds = [1.0, 2.0, 4.0] + [8.0] * 197
        assert all(0 <= pause <= bound for pause, bound in zip(drawn, bounds, strict=True))
        assert len(set(drawn)) > 190


KILLED = """
import sys, json
sys.path.insert(0, sys.argv[1])
from regulars_till import Till
till = Till(sys.argv[2], "nobody", sys.argv[3], sending=False, attempts=1, timeout=1)
number = 0
while True:
    number += 1
    body = {"business_date": "2026-11-21", "receipt_number": f"K{number:05}", "type": "sale"}
    till.post(body)
    print(number, flush=True)
"""


class TestKilled:
    @pytest.mark.parametrize("acknowledged", [1, 7, 23])
    def test_loses_no_receipt_that_it_took(self, client, tmp_path: Path, acknowledged):
        folder = tmp_path / "till"
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(FILE.parent), "http://127.0.0.1:9", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        last = 0
        while last < acknowledged:
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = process.communicate()[0].split()
        last = max([last, *map(int, rest)])
        store = client.Store(folder / "till.sqlite3")
        kept = [json.loads(body)["receipt_number"] for _, body in store.waiting(10_000)]
        store.close()
        assert kept[:last] == [f"K{number:05}" for number in range(1, last + 1)]
        assert len(kept) <= last + 1


class TestCommandLine:
    def test_tells_what_waits_and_sends_it(self, chain, line, open_till, client, capsys):
        line.state = "cut"
        till = open_till()
        till.post(sale("L1"))
        line.state = "whole"
        known = ["--address", line.address, "--key", chain.till.key, "--folder", str(till.folder)]
        assert client.main([*known, "status"]) == 0
        assert client.main([*known, "flush"]) == 0
        said = capsys.readouterr().out
        assert "1 receipts wait" in said
        assert "sent=1" in said
        line.state = "cut"
        assert client.main([*known, "snapshot"]) == 1


class TestGiftCards:
    def test_are_issued_loaded_paid_with_and_given_back(self, chain, open_till, client):
        till = open_till()
        number = till.issue_gift_card(50_000)["gift_card_number"]
        assert till.load_gift_card(number, 10_000, "G1")["balance"] == 60_000
        spent = till.spend_gift_card(number.lower(), 45_000, "G2")
        assert spent["balance"] == 15_000
        with pytest.raises(client.Refused) as refusal:
            till.spend_gift_card(number, 15_001)
        assert (refusal.value.status, refusal.value.code) == (409, "not_enough_money")
        assert till.give_back_to_gift_card(number, spent["entry_id"], 5_000)["balance"] == 20_000
        assert till.gift_card(number)["balance"] == 20_000
