from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.database import Sessions
from core.driver import driver_of
from rewards.live_book import GENERATION, live_book
from rewards.offer_operations import import_document
from rewards.reward_changes import put_reward, reward_kind
from rewards.vouchers.batches import Batch, put_batch
from sales.models import Article

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)


def offer(code: str, off: str = "10") -> dict[str, Any]:
    select = {"skus": ["10452"], "except": {"skus": ["20311", "NOBODY-SELLS"]}}
    return {
        "code": code,
        "condition": {"kind": "each", "of": [{"select": select, "quantity": "1"}]},
        "benefit": {"kind": "percent", "off": off},
    }


def bring(sessions: Sessions, *offers: dict[str, Any]) -> None:
    with sessions.begin() as session:
        document = {"format": 1, "offers": list(offers)}
        import_document(session, document=document, actor="head office", now=NOW, live=True)


class TestLiveBook:
    def test_calls_the_articles_that_offers_name_by_their_names(self, sessions: Sessions):
        with sessions.begin() as session:
            session.add_all(
                Article(sku=sku, name=name, unit="pcs", tax_rate=Decimal(12))
                for sku, name in (("10452", "Tea 40 g"), ("20311", "Honey 500 g"), ("30000", "Soap"))
            )
        bring(sessions, offer("TEA"))
        with sessions.begin() as session:
            names = live_book(session).book.names.articles
        assert names == {"10452": "Tea 40 g", "20311": "Honey 500 g"}

    def test_calls_gifts_and_batches_as_they_are_called_by_now(self, sessions: Sessions):
        mug = {"code": "MUG", "name": {"en": "Mug"}}
        key = {"kind": "all", "of": [offer("A")["condition"], {"kind": "voucher", "batch": "KEY"}]}
        gift = {"kind": "gift", "reward": "MUG", "quantity": 1}
        document = {
            "format": 1,
            "vouchers": [{"batch": "KEY", "codes": []}],
            "rewards": [mug],
            "offers": [offer("A") | {"condition": key, "benefit": gift}],
        }

        def bring_in(document: dict[str, Any]) -> None:
            with sessions.begin() as session:
                import_document(session, document=document, actor="head office", now=NOW, live=True)

        def called() -> tuple[Any, Any]:
            with sessions.begin() as session:
                (generation,) = driver_of(session).execute(f"select {GENERATION}").fetchone() or ()
                names = live_book(session, generation=generation).book.names
            return names.rewards["MUG"], names.batches["KEY"]

        bring_in(document)
        assert called() == ({"en": "Mug"}, {})
        with sessions.begin() as session:
            put_batch(session, Batch("KEY", names={"en": "Key"}), actor="head office", now=NOW)
        assert called() == ({"en": "Mug"}, {"en": "Key"})
        with sessions.begin() as session:
            kind = replace(reward_kind(session, "MUG"), names={"en": "Cup"})
            put_reward(session, kind, new=False, actor="head office", now=NOW)
        assert called() == ({"en": "Cup"}, {"en": "Key"})
        bring_in({"format": 1, "rewards": [mug], "offers": []})
        assert called() == ({"en": "Mug"}, {"en": "Key"})

    def test_reads_again_only_what_is_new(self, sessions: Sessions):
        bring(sessions, offer("A"), offer("B"))
        with sessions.begin() as session:
            before = live_book(session).offers
        bring(sessions, offer("B", "20"))
        with sessions.begin() as session:
            after = live_book(session).offers
        assert after["A"] is before["A"]
        assert (after["B"].version, after["B"].benefit.off) == (2, Decimal(20))
