"""What members answer at the till is kept."""

import pytest
from sqlalchemy import text

from pos_api import examples
from tests.pos_api.conftest import MEMBER_CARD, code_of, enrol_with_points


@pytest.fixture
def shop(chain):
    """A chain that has the example's article."""
    with chain.sessions.begin() as session:
        session.execute(
            text(
                "insert into article (sku, name, category, unit, tax_rate) values ('10452', 'Čaj', 'Tea', 'pcs', 12)"
            )
        )
    # A card that was issued has an account; nobody has registered it.
    enrol_with_points(chain, 0)
    return chain


def kept(chain):
    with chain.sessions() as session:
        return session.execute(
            text(
                "select reaction, scope, category, member_id is not null, actor from reaction order by reaction_id"
            )
        ).all()


class TestPostReaction:
    @pytest.mark.parametrize("example", examples.REACTIONS.values(), ids=list(examples.REACTIONS))
    def test_takes_every_example_of_the_contract(self, shop, till, example):
        answer = till.post("/reactions", example["value"])
        assert (answer.status_code, answer.data) == (204, b"")

    def test_is_kept_with_who_answered_and_where(self, shop, till):
        till.post(
            "/reactions",
            {"card_number": MEMBER_CARD, "sku": "10452", "reaction": "never", "scope": "category"},
        )
        till.post("/reactions", {"card_number": examples.CARD_NUMBER, "sku": "10452", "reaction": "accepted"})
        assert kept(shop) == [
            ("never", "category", "Tea", True, "till S1/T1"),
            ("accepted", "item", None, False, "till S1/T1"),
        ]

    def test_is_audited(self, shop, till):
        till.post("/reactions", {"card_number": MEMBER_CARD, "reaction": "never", "scope": "all"})
        with shop.sessions() as session:
            event = session.execute(
                text("select action, subject_kind, detail from audit_event order by event_id desc limit 1")
            ).one()
        assert (event.action, event.subject_kind, event.detail["scope"]) == (
            "reaction.never",
            "member",
            "all",
        )

    @pytest.mark.parametrize(
        "about",
        [
            {"card_number": "2990000000033", "sku": "10452"},
            {"card_number": MEMBER_CARD, "offer_code": "TEA10"},
            {"card_number": MEMBER_CARD, "decision_id": "019aa5f0-7d6e-7c1b-9f30-52f1a6b1c001"},
            {"card_number": MEMBER_CARD, "decision_id": "x"},
        ],
    )
    def test_does_not_know_what_was_never_there(self, shop, till, about):
        assert code_of(till.post("/reactions", {**about, "reaction": "never"})) == "not_found"
        assert kept(shop) == []

    @pytest.mark.parametrize("about", [{"sku": "nobody knows it"}, {"offer_code": "TEA10", "scope": "all"}])
    def test_is_not_lost_because_an_article_or_offer_is_not_known(self, shop, till, about):
        answer = till.post("/reactions", {"card_number": MEMBER_CARD, "reaction": "never", **about})
        assert answer.status_code == 204
        assert len(kept(shop)) == 1

    def test_of_a_card_never_in_use_is_nobody_s(self, shop, till):
        with shop.sessions.begin() as session:
            session.execute(
                text(
                    "insert into card (card_number, state, created_at) values ('2990000000033', 'stock', now())"
                )
            )
        body = {"card_number": "2990000000033", "sku": "10452", "reaction": "never"}
        assert code_of(till.post("/reactions", body)) == "not_registered"

    @pytest.mark.parametrize(
        "body",
        [
            {"card_number": MEMBER_CARD, "reaction": "never"},
            {"card_number": MEMBER_CARD, "reaction": "never", "scope": "item"},
            {"card_number": MEMBER_CARD, "reaction": "never", "sku": "10452", "offer_code": "TEA10"},
            {"card_number": MEMBER_CARD, "reaction": "perhaps", "sku": "10452"},
            {"card_number": MEMBER_CARD, "reaction": "never", "sku": "10452", "scope": "shop"},
            {"card_number": MEMBER_CARD, "sku": "10452"},
            {"reaction": "never", "sku": "10452"},
            {"card_number": MEMBER_CARD, "reaction": "never", "sku": "10452", "why": "x"},
        ],
    )
    def test_is_refused_when_it_leaves_something_to_guess(self, shop, till, body):
        assert code_of(till.post("/reactions", body)) == "invalid_content"

    def test_wants_a_key(self, chain):
        assert code_of(chain.nobody.post("/reactions", {})) == "unauthenticated"
