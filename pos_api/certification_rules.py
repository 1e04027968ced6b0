"""The rules that certification tries, in the words and the order of the contract."""

import hmac
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from uuid import uuid4

from pos_api.certification import Conversation, Rule, equal, expect

_rules: list[Rule] = []


def _rule(code: str, promise: str) -> Callable[[Callable[[Conversation], None]], None]:
    def register(check: Callable[[Conversation], None]) -> None:
        _rules.append(Rule(code, promise, check))

    return register


@_rule("keys", "without a key, or with one nobody knows, nothing is told: 401")
def _keys(till: Conversation) -> None:
    for bearer in ("", "Bearer rgl_nobody_knows"):
        answer = till.get("/cards/2990000000019", Authorization=bearer)
        equal((answer.status, answer.code), (401, "unauthenticated"), "the answer")


@_rule(
    "openapi",
    "the contract is there to read, as OpenAPI 3.1, and the server says that it is well, without a key",
)
def _openapi(till: Conversation) -> None:
    for path in ("/openapi.json", "/docs", "/healthz", "/readyz"):
        answer = till.get(path, Authorization="")
        expect(answer.status == 200, f"{path} answered {answer.status}", answer)
    version = till.get("/openapi.json").document["openapi"]
    expect(version.startswith("3.1"), f"the contract is OpenAPI {version}")


@_rule("malformed", "what is not JSON is 400, what breaks the schema 422 with a pointer to the field")
def _malformed(till: Conversation) -> None:
    answer = till.post("/receipts", b"{not json")
    equal((answer.status, answer.code), (400, "malformed"), "the answer to what is no JSON")
    for changes, pointer in (({"surprise": 1}, "/surprise"), ({"currency": "crowns"}, "/currency")):
        answer = till.post("/receipts", till.sale(100, **changes))
        equal((answer.status, answer.code), (422, "invalid_content"), f"the answer to {changes}")
        pointers = [error["pointer"] for error in answer.document["errors"]]
        expect(pointer in pointers, f"the pointers {pointers} do not name {pointer}", answer)


@_rule(
    "methods",
    "a method that a path does not have is 405 with Allow, another content type 415, an unknown path 404",
)
def _methods(till: Conversation) -> None:
    answer = till.get("/receipts")
    equal((answer.status, answer.code), (405, "method_not_allowed"), "the answer to GET /receipts")
    expect("POST" in answer.headers.get("allow", ""), "Allow does not name POST", answer)
    answer = till.post("/receipts", b"<receipt/>", Content_Type="application/xml")
    equal((answer.status, answer.code), (415, "unsupported_media_type"), "the answer to XML")
    answer = till.get("/nothing-here")
    equal((answer.status, answer.code), (404, "not_found"), "the answer to an unknown path")


@_rule("large", "a body over 1 MiB is 413")
def _large(till: Conversation) -> None:
    answer = till.post("/receipts", b'{"type": "' + b"s" * 1_100_000 + b'"}')
    equal((answer.status, answer.code), (413, "too_large"), "the answer")


@_rule("members", "somebody is enrolled at the till with a card, once")
def _members(till: Conversation) -> None:
    card_number = till.member()
    card = till.card(card_number)
    equal(card["state"], "active", "the card's state")
    equal(card["points"]["balance"], 0, "the balance")
    again = {
        "card_number": card_number,
        "given_name": "A",
        "family_name": "B",
        "email": "a@b.example",
        "language": "en",
    }
    answer = till.post("/members", again)
    equal((answer.status, answer.code), (409, "already_registered"), "the answer the second time")


@_rule("cards", "a number never seen, or with a wrong check digit, is 404")
def _cards(till: Conversation) -> None:
    for card_number in (till.new_card_number(), "2990000000018"):
        answer = till.get(f"/cards/{card_number}")
        equal((answer.status, answer.code), (404, "not_found"), f"the answer to {card_number}")


@_rule("quotes", "a quote says what a basket earns and changes no points")
def _quotes(till: Conversation) -> None:
    card_number = till.member()
    lines = [
        {name: line[name] for name in ("line_number", "sku", "quantity", "unit_price", "tax_rate")}
        for line in till.sale(5990, 12_345)["lines"]
    ]
    basket = {"card_number": card_number, "currency": till.facts["currency"], "lines": lines}
    answer = till.post("/quotes", basket)
    expect(answer.status == 200, f"the quote answered {answer.status}", answer)
    equal(answer.document["totals"]["gross_amount"], 18_335, "the gross amount")
    equal(answer.document["points"]["to_earn"], till.points_for(18_335), "to_earn")
    equal(till.card(card_number)["points"]["balance"], 0, "the balance after the quote")
    anonymous = till.post("/quotes", {name: basket[name] for name in ("currency", "lines")})
    equal((anonymous.status, anonymous.document["member"]), (200, None), "an anonymous quote")


@_rule("sale", "a sale earns points, pending until the return window ends, and comes with text to print")
def _sale(till: Conversation) -> None:
    card_number = till.member()
    _, answer = till.sell(5990, 12_345, card_number=card_number)
    points = answer["points"]
    equal(points["earned"], till.points_for(18_335), "earned")
    equal(points["balance"], points["available"] + points["pending"], "the balance")
    if till.facts["pending_days"]:
        equal(points["pending"], points["earned"], "pending")
    expect(bool(answer["print"]), "there is nothing to print")
    equal(till.card(card_number)["points"]["balance"], points["balance"], "the balance of the card")


@_rule("same-receipt", "the same receipt again, however it is written, gets the stored answer: 200, replayed")
def _same_receipt(till: Conversation) -> None:
    body, answer = till.sell(4321, card_number=till.member())
    written = {name: body[name] for name in reversed(body)} | {"offline": True, "operator_code": None}
    written["lines"] = [{**body["lines"][0], "quantity": "1.000"}]
    again = till.post("/receipts", written)
    equal(again.status, 200, "the status")
    equal(again.document, {**answer, "replayed": True}, "the answer")
    place = "/".join(till.original(body).values())
    equal(till.get(f"/receipts/{place}").status, 200, "the status of the stored answer")


@_rule("other-body", "a known receipt with another body is 422 and changes nothing")
def _other_body(till: Conversation) -> None:
    card_number = till.member()
    body, answer = till.sell(4321, card_number=card_number)
    other = deepcopy(body) | {"operator_code": "another"}
    refused = till.post("/receipts", other)
    equal((refused.status, refused.code), (422, "receipt_conflict"), "the answer")
    equal(till.card(card_number)["points"]["balance"], answer["points"]["balance"], "the balance")


@_rule("idempotency-key", "a repeated Idempotency-Key gets the stored answer, with another body 422")
def _idempotency_key(till: Conversation) -> None:
    card_number, key = till.member(points=300), str(uuid4())
    wanted = {"card_number": card_number, "points": _points(till)}
    first = till.post("/redemptions", wanted, Idempotency_Key=key)
    second = till.post("/redemptions", wanted, Idempotency_Key=key)
    equal((first.status, second.status), (201, 201), "the statuses")
    equal(second.document, first.document, "the second answer")
    other = till.post("/redemptions", {**wanted, "points": 2 * _points(till)}, Idempotency_Key=key)
    equal((other.status, other.code), (422, "idempotency_conflict"), "the answer to another body")


@_rule("flags", "a paid receipt is taken whatever is odd about it, and flagged")
def _flags(till: Conversation) -> None:
    odd = {
        "unknown_card": till.sale(100, card_number=till.new_card_number()),
        "unknown_article": till.sale(100),
        "totals_mismatch": till.sale(100, totals={"payable_amount": 90}),
        "late": till.sale(100, at=till.moment(days=-5)),
        "clock_skew": till.sale(100, closed_at=till.moment(hours=2).isoformat()),
        "masked": till.sale(100, operator_code="4111111111111111"),
    }
    for code, body in odd.items():
        answer = till.post("/receipts", body)
        expect(answer.status == 201, f"a receipt with {code} answered {answer.status}", answer)
        codes = [flag["code"] for flag in answer.document["flags"]]
        expect(code in codes, f"the flags are {codes}, without {code}")


@_rule("training", "training and suspended receipts earn nothing")
def _training(till: Conversation) -> None:
    card_number = till.member()
    for mode in ("training", "suspended"):
        _, answer = till.sell(10_000, card_number=card_number, mode=mode)
        equal(answer["points"]["earned"], 0, f"earned in mode {mode}")
    equal(till.card(card_number)["points"]["balance"], 0, "the balance")


@_rule("return", "a return takes back what its line earned, to the point, and no more than was sold")
def _return(till: Conversation) -> None:
    card_number = till.member()
    body, sold = till.sell(3333, 7777, card_number=card_number)
    quoted = till.post(
        "/returns/quotes",
        {"original": till.original(body), "lines": [{"original_line_number": 1, "quantity": "1"}]},
    )
    expect(quoted.status == 200, f"the return's quote answered {quoted.status}", quoted)
    first = till.post("/receipts", till.back(body, 1)).document["points"]
    equal(first["reversed"], quoted.document["points"]["reversed"], "what was taken back, against the quote")
    second = till.post("/receipts", till.back(body, 2)).document["points"]
    equal(first["reversed"] + second["reversed"], sold["points"]["earned"], "what both lines took back")
    third = till.post("/receipts", till.back(body, 1)).document
    equal(third["points"]["reversed"], 0, "what a third return took back")
    expect("over_returned" in [flag["code"] for flag in third["flags"]], "the third return is not flagged")
    equal(till.card(card_number)["points"]["balance"], 0, "the balance")


@_rule("return-first", "a return may come before its sale: it waits and links")
def _return_first(till: Conversation) -> None:
    card_number = till.member()
    sale = till.sale(5000, card_number=card_number)
    early = till.post("/receipts", till.back(sale, 1))
    expect(early.status == 201, f"the early return answered {early.status}", early)
    codes = [flag["code"] for flag in early.document["flags"]]
    expect("original_missing" in codes, f"the flags are {codes}, without original_missing")
    late = till.post("/receipts", sale)
    expect(late.status == 201, f"the sale answered {late.status}", late)
    equal(till.card(card_number)["points"]["balance"], 0, "the balance")


@_rule("void", "a void takes back everything of its sale, once")
def _void(till: Conversation) -> None:
    card_number = till.member()
    body, sold = till.sell(5000, card_number=card_number)
    voided = till.post("/receipts", till.void(body))
    expect(voided.status == 201, f"the void answered {voided.status}", voided)
    equal(voided.document["points"]["reversed"], sold["points"]["earned"], "what was taken back")
    again = till.post("/receipts", till.void(body)).document
    equal(again["points"]["reversed"], 0, "what a second void took back")
    equal(till.card(card_number)["points"]["balance"], 0, "the balance")


@_rule("redemption", "points are reserved, and then spent with a receipt or given back, once")
def _redemption(till: Conversation) -> None:
    card_number, points = till.member(points=1000), _points(till)
    before = till.card(card_number)["points"]["available"]
    reserved = till.post("/redemptions", {"card_number": card_number, "points": points})
    expect(reserved.status == 201, f"the reservation answered {reserved.status}", reserved)
    equal(till.card(card_number)["points"]["available"], before - points, "available while reserved")
    name, value = reserved.document["redemption_id"], reserved.document["value_amount"]
    total = 10 * value
    sale = till.sale(total, card_number=card_number, redemption_ids=[name])
    sale["totals"] = {"points_amount": value, "payable_amount": total - value}
    sale["tenders"] = [{"type": "cash", "amount": total - value}]
    sold = till.post("/receipts", sale)
    expect(sold.status == 201, f"the sale answered {sold.status}", sold)
    equal(sold.document["points"]["spent"], points, "spent")
    state = till.get(f"/redemptions/{name}").document["state"]
    equal(state, "posted", "the redemption's state")
    release = till.post(f"/redemptions/{name}/release")
    equal(release.status, 409, "the status of a release after it")


@_rule("release", "a released reservation gives the points back; releasing again is the same, posting it 409")
def _release(till: Conversation) -> None:
    card_number = till.member(points=1000)
    before = till.card(card_number)["points"]
    reserved = till.post("/redemptions", {"card_number": card_number, "points": _points(till)}).document
    path = f"/redemptions/{reserved['redemption_id']}"
    first, second = till.post(f"{path}/release"), till.post(f"{path}/release")
    equal((first.status, second.status), (200, 200), "the statuses")
    equal(second.document, first.document, "the second answer")
    answer = till.post(f"{path}/post")
    equal((answer.status, answer.code), (409, "already_released"), "the answer to posting it")
    equal(till.card(card_number)["points"], before, "the points")


@_rule("not-enough", "more points than there are cannot be reserved: 409")
def _not_enough(till: Conversation) -> None:
    card_number = till.member(points=1000)
    available = till.card(card_number)["points"]["available"]
    step = max(1, int(till.facts["points_step"]))
    wanted = (available // step + 1) * step
    answer = till.post("/redemptions", {"card_number": card_number, "points": wanted})
    equal((answer.status, answer.code), (409, "not_enough_points"), "the answer")


@_rule("batch", "a batch is answered item by item, and a bad item blocks nothing")
def _batch(till: Conversation) -> None:
    card_number = till.member()
    good, bad = till.sale(5000, card_number=card_number), till.sale(100, currency="crowns")
    answer = till.post("/receipts/batch", {"receipts": [till.back(good, 1), bad, good, good]})
    expect(answer.status == 200, f"the batch answered {answer.status}", answer)
    statuses = [result["status"] for result in answer.document["results"]]
    equal(statuses, [201, 422, 201, 200], "the statuses")
    equal(till.card(card_number)["points"]["balance"], 0, "the balance")


@_rule("snapshot", "the snapshot is signed with the till's own key and unchanged until something changes")
def _snapshot(till: Conversation) -> None:
    till.member(points=1000)
    answer = till.get("/snapshot")
    said, _, rest = answer.content.rpartition(b',"signature":"')
    expected = hmac.new(sha256(till.wire.key.encode()).digest(), said + b"}", sha256).hexdigest()
    equal(rest, f'{expected}"}}'.encode(), "the signature")
    again = till.get("/snapshot", If_None_Match=answer.headers["etag"])
    equal(again.status, 304, "the status while nothing changed")


@_rule("offline", "points are spent offline by the card's allowance, and what nobody signed is flagged")
def _offline(till: Conversation) -> None:
    card_number = till.member(points=1000)
    cards = till.get("/snapshot").document["payload"]["cards"]
    card = next(card for card in cards if card["card_number"] == card_number)
    points = min(_points(till), card["spendable_now"])
    value = points * int(till.facts["point_value"])
    for allowance, honest in ((card["allowance"], True), ("nobody.signed.this", False)):
        sale = till.sale(
            10 * value,
            card_number=card_number,
            offline=True,
            offline_redemptions=[{"points": points, "allowance": allowance}],
        )
        sale["totals"] = {"points_amount": value, "payable_amount": 9 * value}
        sale["tenders"] = [{"type": "cash", "amount": 9 * value}]
        answer = till.post("/receipts", sale)
        expect(answer.status == 201, f"the receipt answered {answer.status}", answer)
        codes = [flag["code"] for flag in answer.document["flags"]]
        equal("over_redeemed" in codes, not honest, "whether it is over_redeemed")
        equal(answer.document["points"]["spent"], points, "spent")


@_rule("block", "a lost card is blocked, earns no more, and is replaced with everything it holds")
def _block(till: Conversation) -> None:
    card_number, successor = till.member(points=500), till.new_card_number()
    balance = till.card(card_number)["points"]["balance"]
    blocked = till.post(f"/cards/{card_number}/block", {"reason": "lost"})
    equal((blocked.status, blocked.document["state"]), (200, "blocked"), "the answer to blocking")
    _, answer = till.sell(5000, card_number=card_number, closed_at=till.moment(seconds=60).isoformat())
    codes = [flag["code"] for flag in answer["flags"]]
    expect("blocked_card" in codes, f"the flags are {codes}, without blocked_card")
    replaced = till.post(f"/cards/{card_number}/replace", {"new_card_number": successor, "reason": "lost"})
    expect(replaced.status == 200, f"replacing answered {replaced.status}", replaced)
    equal(till.card(successor)["points"]["balance"], balance, "the balance of the new card")
    equal(till.card(card_number)["state"], "replaced", "the old card's state")


@_rule("reactions", "a member's answer to an offer is kept: 204")
def _reactions(till: Conversation) -> None:
    body = {"card_number": till.member(), "reaction": "never", "scope": "all"}
    answer = till.post("/reactions", {**body, "sku": "certification-1"})
    expect(answer.status in {204, 404}, f"the answer is {answer.status}", answer)
    unknown = till.post(
        "/reactions", {**body, "card_number": till.new_card_number(), "sku": "certification-1"}
    )
    equal(unknown.status, 404, "the status with a card never seen")


@_rule("payment-cards", "the number of a payment card is refused wherever text can be typed")
def _payment_cards(till: Conversation) -> None:
    body = {"card_number": till.new_card_number(), "given_name": "4111 1111 1111 1111", "family_name": "B"}
    answer = till.post("/members", {**body, "email": "a@b.example", "language": "en"})
    equal((answer.status, answer.code), (422, "invalid_content"), "the answer")


def _points(till: Conversation) -> int:
    """Return a number of points that the programme lets be spent: about a hundred."""
    step = max(1, int(till.facts["points_step"]))
    return -(-max(100, int(till.facts["points_minimum"])) // step) * step


RULES = tuple(_rules)
