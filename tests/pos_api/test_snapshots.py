"""Snapshots: what a till needs while it is offline, signed, whole or what has changed."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import time_machine
from sqlalchemy import text

from loyalty.offline.signing import rotate_key
from pos_api import examples
from tests.pos_api.conftest import MEMBER_CARD, Chain, TillClient, code_of, enrol_with_points


def holds(document: dict, key: str) -> bool:
    """Verify a snapshot as the documentation tells till makers to."""
    signature = document.pop("signature")
    message = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    expected = hmac.new(sha256(key.encode()).digest(), message, "sha256").hexdigest()
    return hmac.compare_digest(signature, expected)


def cards_of(answer) -> dict[str, dict]:
    return {card["card_number"]: card for card in answer.get_json()["payload"]["cards"]}


def sell(till: TillClient, total: int, *, days_ago: int = 60, **changes):
    closed = datetime.now(UTC) - timedelta(days=days_ago)
    sale = till.sale(
        examples.SHORTEST_SALE,
        business_date=closed.date().isoformat(),
        closed_at=closed.isoformat(),
        totals={"payable_amount": total},
        **changes,
    )
    sale["lines"][0] |= {"quantity": "1", "unit_price": total, "total_amount": total}
    answer = till.post("/receipts", sale)
    assert answer.status_code == 201, answer.get_json()
    return sale, answer.get_json()


class TestSnapshot:
    def test_is_signed_with_the_key_of_the_till(self, chain: Chain):
        enrol_with_points(chain, 940)
        answer = chain.till.get("/snapshot")
        assert answer.status_code == 200
        assert answer.mimetype == "application/json"
        document = answer.get_json()
        assert document["key_id"] == chain.till.key.split("_")[1]
        assert document["generated_at"] < document["valid_until"]
        assert holds(document, chain.till.key)
        assert not holds(chain.neighbour.get("/snapshot").get_json(), chain.till.key)

    def test_is_sent_as_it_is_signed(self, chain: Chain):
        raw = chain.till.get("/snapshot").data
        message, signature = raw[:-80] + b"}", raw[-66:-2].decode()
        assert raw[-80:-66] == b',"signature":"'
        expected = hmac.new(sha256(chain.till.key.encode()).digest(), message, "sha256").hexdigest()
        assert signature == expected

    def test_in_the_documentation_verifies(self):
        example = json.loads(json.dumps(examples.SNAPSHOT_ANSWER))
        assert holds(example, f"rgl_{example['key_id']}_{'0' * 64}")

    def test_shows_cards_with_what_can_be_spent_and_nothing_of_their_holders(self, chain: Chain):
        enrol_with_points(chain, 940)
        answer = chain.till.get("/snapshot")
        cards = cards_of(answer)
        assert set(cards) == {examples.CARD_NUMBER, MEMBER_CARD}
        assert cards[examples.CARD_NUMBER] == {
            "card_number": examples.CARD_NUMBER,
            "state": "issued",
            "spendable_now": 0,
        }
        allowance = cards[MEMBER_CARD].pop("allowance")
        assert allowance.split(".")[1] == "940"
        assert cards[MEMBER_CARD] == {"card_number": MEMBER_CARD, "state": "active", "spendable_now": 940}
        for personal in ("Žofie", "Nov"):
            assert personal not in answer.get_data(as_text=True)

    def test_says_what_a_sale_earns_and_a_point_is_worth(self, chain: Chain):
        here = chain.till.get("/snapshot").get_json()["payload"]
        there = chain.elsewhere.get("/snapshot").get_json()["payload"]
        assert (here["store_code"], there["store_code"]) == ("S1", "S2")
        assert here["programme"]["currency"] == "CZK"
        assert there["programme"]["currency"] == "EUR"
        assert here["programme"]["earned_points"] == 1
        assert here["programme"]["earned_per_amount"] == 100
        assert here["programme"]["point_value"] == 10

    def test_spares_cards_that_nobody_has(self, chain: Chain):
        with chain.sessions.begin() as session:
            session.execute(
                text(
                    "insert into card (card_number, state, created_at) values ('2990000000040', 'stock', now())"
                )
            )
        assert "2990000000040" not in cards_of(chain.till.get("/snapshot"))

    def test_shows_the_same_points_as_the_card(self, chain: Chain):
        enrol_with_points(chain, 500)
        sell(chain.till, 70000, days_ago=0, card_number=MEMBER_CARD)
        chain.till.post("/redemptions", {"card_number": MEMBER_CARD, "points": 120})
        shown = chain.till.get(f"/cards/{MEMBER_CARD}").get_json()["points"]["spendable_now"]
        assert cards_of(chain.till.get("/snapshot"))[MEMBER_CARD]["spendable_now"] == shown == 380

    @pytest.mark.parametrize("client", ["nobody", "revoked"])
    def test_is_for_tills_only(self, chain: Chain, client: str):
        answer = getattr(chain, client).get("/snapshot")
        assert code_of(answer) == {"nobody": "unauthenticated", "revoked": "revoked_key"}[client]


class TestUnchanged:
    def test_is_answered_with_304(self, chain: Chain):
        enrol_with_points(chain, 100)
        first = chain.till.get("/snapshot")
        for path in ("/snapshot", f"/snapshot?since={first.headers['ETag']}"):
            again = chain.till.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]

    def test_ends_with_any_change(self, chain: Chain):
        enrol_with_points(chain, 100)
        first = chain.till.get("/snapshot").headers["ETag"]
        sell(chain.till, 5000, card_number=MEMBER_CARD)
        again = chain.till.get("/snapshot", headers={"If-None-Match": first})
        assert again.status_code == 200
        assert again.headers["ETag"] != first
        assert cards_of(again)[MEMBER_CARD]["spendable_now"] == 150

    def test_ends_after_an_hour_so_that_what_a_till_has_stays_valid(self, chain: Chain):
        first = chain.till.get("/snapshot").headers["ETag"]
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61), tick=False):
            again = chain.till.get(f"/snapshot?since={first}", headers={"If-None-Match": first})
        assert again.status_code == 200
        assert again.get_json()["payload"]["cards"] == []

    @pytest.mark.parametrize("etag", ['"x"', "*", 'W/"1.2.3.4"', '"99999999999999999999.1.1.a"', "\u00e9"])
    def test_is_never_said_of_what_we_never_sent(self, chain: Chain, etag: str):
        assert chain.till.get("/snapshot", headers={"If-None-Match": etag}).status_code == 200


class TestChanges:
    @pytest.fixture
    def edition(self, chain: Chain) -> str:
        enrol_with_points(chain, 100)
        enrol_with_points(chain, 300, "2990000000033")
        return chain.till.get("/snapshot").headers["ETag"]

    @staticmethod
    def since(chain: Chain, edition: str):
        answer = chain.till.get("/snapshot", query_string={"since": edition})
        assert answer.status_code == 200
        assert holds(answer.get_json(), chain.till.key)
        return answer

    def test_are_cards_whose_points_moved(self, chain: Chain, edition: str):
        sell(chain.till, 5000, card_number=MEMBER_CARD)
        answer = self.since(chain, edition)
        payload = answer.get_json()["payload"]
        assert (payload["whole"], payload["since"]) == (False, edition.strip('"'))
        assert {number: card["spendable_now"] for number, card in cards_of(answer).items()} == {
            MEMBER_CARD: 150
        }

    def test_are_cards_that_were_blocked_replaced_or_given_out(self, chain: Chain, edition: str):
        chain.till.post(f"/cards/{MEMBER_CARD}/block", {"reason": "lost"})
        chain.till.post(
            "/cards/2990000000033/replace", {"new_card_number": "2990000000057", "reason": "worn"}
        )
        cards = cards_of(self.since(chain, edition))
        assert {number: (card["state"], card["spendable_now"]) for number, card in cards.items()} == {
            MEMBER_CARD: ("blocked", 0),
            "2990000000033": ("replaced", 0),
            "2990000000057": ("active", 300),
        }

    def test_are_cards_of_points_that_time_alone_made_spendable_or_ended(self, chain: Chain, edition: str):
        sell(chain.till, 7700, days_ago=0, card_number=MEMBER_CARD)
        edition = chain.till.get("/snapshot").headers["ETag"]
        later = datetime.now(UTC) + timedelta(hours=20)
        pending = text("update lot set available_at = :later where available_at > now()")
        ending = text("update lot set expires_at = :later where remaining = 300")
        with chain.sessions.begin() as session:
            session.execute(pending, {"later": later})
            session.execute(ending, {"later": later})
        assert cards_of(self.since(chain, edition)) == {}
        with time_machine.travel(later + timedelta(minutes=1), tick=False):
            cards = cards_of(self.since(chain, edition))
        assert {number: card["spendable_now"] for number, card in cards.items()} == {
            MEMBER_CARD: 177,
            "2990000000033": 0,
        }

    def test_are_cards_of_reservations_that_have_ended(self, chain: Chain, edition: str):
        chain.till.post("/redemptions", {"card_number": MEMBER_CARD, "points": 60})
        edition = chain.till.get("/snapshot").headers["ETag"]
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11), tick=False):
            cards = cards_of(self.since(chain, edition))
        assert {number: card["spendable_now"] for number, card in cards.items()} == {MEMBER_CARD: 100}

    def test_hold_what_was_committed_meanwhile_by_who_began_before(self, chain: Chain):
        enrol_with_points(chain, 100)
        with chain.sessions() as slow, slow.begin():
            slow.execute(
                text(
                    "update card set state = 'blocked', blocked_reason = 'x', blocked_at = now() where card_number = :n"
                ),
                {"n": MEMBER_CARD},
            )
            edition = chain.till.get("/snapshot").headers["ETag"]
        assert cards_of(self.since(chain, edition))[MEMBER_CARD]["state"] == "blocked"

    def test_are_everything_for_who_has_something_else(self, chain: Chain, edition: str):
        for other in ("", "never", "1.2.3.abc", edition + "0"):
            payload = chain.till.get("/snapshot", query_string={"since": other}).get_json()["payload"]
            assert (payload["whole"], payload["since"]) == (True, None)
            assert len(payload["cards"]) == 3

    def test_are_everything_after_a_day_so_that_no_allowance_ends_unnoticed(self, chain: Chain, edition: str):
        start = datetime.now(UTC)
        for hour in range(1, 24):
            with time_machine.travel(start + timedelta(hours=hour), tick=False):
                answer = self.since(chain, edition)
                edition = answer.headers["ETag"]
                assert not answer.get_json()["payload"]["whole"]
                assert datetime.fromisoformat(answer.get_json()["valid_until"]) > start + timedelta(hours=71)
        with time_machine.travel(start + timedelta(hours=25), tick=False):
            assert self.since(chain, edition).get_json()["payload"]["whole"]

    def test_are_everything_when_another_key_signs(self, chain: Chain, edition: str):
        with chain.sessions.begin() as session:
            rotate_key(session, now=datetime.now(UTC), actor="test")
        assert self.since(chain, edition).get_json()["payload"]["whole"]

    def test_brought_to_an_old_snapshot_make_the_new_one(self, chain: Chain, edition: str):
        held = cards_of(chain.till.get("/snapshot"))
        for step in range(6):
            if step % 2:
                sell(chain.till, 1000 * step, card_number=MEMBER_CARD)
            else:
                enrol_with_points(chain, 50, ["2990000000064", "2990000000071", "2990000000088"][step // 2])
            answer = self.since(chain, edition)
            edition = answer.headers["ETag"]
            held |= cards_of(answer)
            whole = cards_of(chain.till.get("/snapshot"))
            assert {n: (c["state"], c["spendable_now"]) for n, c in held.items()} == {
                n: (c["state"], c["spendable_now"]) for n, c in whole.items()
            }
