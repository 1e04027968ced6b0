"""What members refuse, read for whoever makes them offers."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from contacts.operations import NoAccount, record_contact, record_reaction
from contacts.queries import ContactView, contacts_of_member, refusals_of
from contacts.reactions import Refusals
from customers.queries import holder_of_card
from sales.models import Article
from tests.shop import CARD, OTHER_CARD, Shop


@pytest.fixture
def tea(shop: Shop) -> int:
    with shop.sessions.begin() as session:
        article = Article(sku="tea", name="Čaj", category="Tea", unit="pcs", tax_rate=12)
        session.add(article)
        session.flush()
        return article.article_id


def answer(
    shop: Shop, reaction: str, *, card: str = CARD, scope: str = "item", sku: str | None = "tea"
) -> None:
    with shop.sessions.begin() as session:
        record_reaction(
            session,
            card_number=card,
            reaction=reaction,
            scope=scope,
            sku=sku,
            channel="till",
            actor="test",
            now=shop.now,
        )
    shop.later(seconds=1)


def refused(shop: Shop, *cards: str) -> list[Refusals]:
    with shop.sessions.begin() as session:
        holders = [holder_of_card(session, card) for card in cards or (CARD,)]
        accounts = {holder.member_id: holder.account_id for holder in holders}
        found = refusals_of(session, accounts, now=shop.now)
    return [found.get(holder.member_id, Refusals()) for holder in holders]


class TestRefusalsOf:
    def test_are_each_member_s_own(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        shop.enrol(OTHER_CARD, "Karel Novák")
        answer(shop, "never")
        answer(shop, "wrong_product", card=OTHER_CARD, scope="category")
        assert refused(shop, CARD, OTHER_CARD) == [
            Refusals(articles=frozenset({tea})),
            Refusals(categories=frozenset({"Tea"})),
        ]

    def test_given_before_anybody_registered_pass_to_whoever_does(self, shop: Shop, tea: int):
        answer(shop, "never")
        shop.enrol(CARD)
        assert refused(shop) == [Refusals(articles=frozenset({tea}))]

    def test_can_be_taken_back(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, "never", scope="all", sku=None)
        assert refused(shop) == [Refusals(everything=True)]
        answer(shop, "accepted", scope="all", sku=None)
        assert refused(shop) == [Refusals()]

    def test_not_now_ends_by_itself(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, "not_now")
        assert refused(shop) == [Refusals(articles=frozenset({tea}))]
        shop.later(days=30)
        assert refused(shop) == [Refusals()]


class TestRecordReaction:
    def test_keeps_a_refusal_of_a_blocked_card(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            session.execute(
                text("update card set state = 'blocked', blocked_reason = 'lost', blocked_at = :at"),
                {"at": shop.now - timedelta(hours=1)},
            )
        answer(shop, "never")
        assert refused(shop) == [Refusals(articles=frozenset({tea}))]

    def test_keeps_a_refusal_of_an_article_that_becomes_known_later(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, "never", sku="coffee")
        answer(shop, "never", sku="cocoa", scope="category")
        assert refused(shop) in ([], [Refusals()])
        with shop.sessions.begin() as session:
            coffee = (
                session.execute(
                    text(
                        "insert into article (sku, name, category, unit, tax_rate) values ('coffee', 'Coffee', 'Drinks', 'pcs', 12), "
                        "('cocoa', 'Cocoa', 'Sweets', 'pcs', 12) returning article_id"
                    )
                )
                .scalars()
                .first()
            )
        assert refused(shop) == [Refusals(articles=frozenset({coffee}), categories=frozenset({"Sweets"}))]

    def test_refuses_cards_without_account(self, shop: Shop, tea: int):
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into card (card_number, state, created_at) values ('2990000000033', 'stock', now())"
                )
            )
        with pytest.raises(NoAccount):
            answer(shop, "never", card="2990000000033")


def history(shop: Shop, card: str = CARD) -> list[ContactView]:
    with shop.sessions.begin() as session:
        member_id = holder_of_card(session, card).member_id
        assert member_id is not None
        return contacts_of_member(session, member_id=member_id)


class TestContactsOfMember:
    def test_tell_what_was_answered_newest_first(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, "not_now")
        answer(shop, "never", scope="category")
        newest, oldest = history(shop)
        assert (newest.kind, newest.direction, newest.channel) == ("reaction", "inbound", "till")
        assert newest.detail == {"reaction": "never", "scope": "category", "sku": "tea", "category": "Tea"}
        assert oldest.detail["reaction"] == "not_now"

    def test_leave_out_what_a_card_without_member_answered(self, shop: Shop, tea: int):
        shop.issue([CARD])
        answer(shop, "never")
        with shop.sessions.begin() as session:
            assert session.scalar(text("select count(*) from contact")) == 0


class TestRecordContact:
    def test_writes_once_what_comes_from_one_source(self, shop: Shop):
        shop.enrol(CARD)
        with shop.sessions.begin() as session:
            member_id = holder_of_card(session, CARD).member_id
            assert member_id is not None
            event = {
                "member_id": member_id,
                "at": shop.now,
                "channel": "desk",
                "direction": "outbound",
                "kind": "call",
                "detail": {},
            }
            assert record_contact(session, **event, source="call 1")
            assert not record_contact(session, **event, source="call 1")
            assert record_contact(session, **event, source="call 2")
            assert record_contact(session, **event)
            assert record_contact(session, **event)
        assert len(history(shop)) == 4

    def test_cannot_be_undone(self, shop: Shop, tea: int):
        shop.enrol(CARD)
        answer(shop, "never")
        with shop.sessions.begin() as session, pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text("delete from contact"))
