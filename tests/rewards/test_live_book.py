from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.database import Sessions
from rewards.live_book import live_book
from rewards.offer_operations import import_document
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

    def test_reads_again_only_what_is_new(self, sessions: Sessions):
        bring(sessions, offer("A"), offer("B"))
        with sessions.begin() as session:
            before = live_book(session).offers
        bring(sessions, offer("B", "20"))
        with sessions.begin() as session:
            after = live_book(session).offers
        assert after["A"] is before["A"]
        assert (after["B"].version, after["B"].benefit.off) == (2, Decimal(20))
