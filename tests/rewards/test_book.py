from rewards import book as module
from rewards.book import OfferBook
from rewards.codec import read_offer

OFFER = {
    "code": "TEA10",
    "stores": ["S1", "S2", "S3"],
    "condition": {"kind": "items", "select": {"categories": ["TEA"]}, "quantity": "1"},
    "benefit": {"kind": "percent", "off": "10"},
}


class TestABook:
    def test_forgets_while_another_thread_asks_for_a_store(self, monkeypatch):
        monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
        book = OfferBook([read_offer(OFFER)])

        class Interrupted(dict):
            def clear(self) -> None:
                super().clear()
                book.known_in("S3")

        book._seen["S1"] = Interrupted()
        book._seen["S2"] = {}
        tea = ("1", None, "TEA", None, None, None, True)
        soap = ("2", None, "SOAP", None, None, None, True)
        assert book.seen(tea, "S1").ranks == (0,)
        assert book.seen(soap, "S1").ranks == ()
