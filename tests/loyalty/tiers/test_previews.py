from datetime import timedelta

from loyalty.tiers.changes import draft_scheme
from loyalty.tiers.previews import Moves, moves_under
from loyalty.tiers.versions import find_scheme, read_schemes
from tests.shop import CARD, OTHER_CARD, Shop
from tests.tiers import let_hold, three_tiers


def moves(shop: Shop, *thresholds: int) -> Moves:
    with shop.sessions.begin() as session:
        number = draft_scheme(
            session,
            scheme=three_tiers(*thresholds),
            valid_from=shop.today + timedelta(days=10),
            note="a test",
            actor="anna",
            now=shop.now,
        )
        return moves_under(
            session,
            draft=find_scheme(session, version=number),
            schemes=read_schemes(session),
            today=shop.today,
            now=shop.now,
        )


class TestMovesUnder:
    def test_counts_who_would_stand_elsewhere(self, shop: Shop):
        let_hold(shop.sessions, three_tiers(), shop.today.replace(month=1, day=1), now=shop.now)
        for card, total in ((CARD, 20_000), (OTHER_CARD, 5_000)):
            shop.enrol(card)
            shop.post(shop.sale(total, card_number=card))
        found = moves(shop, 0, 40, 150)
        assert (found.day, found.accounts, found.looked_at) == (shop.today + timedelta(days=10), 2, 2)
        assert sorted(found.moved) == [("basic", "silver", 1), ("silver", "gold", 1)]
        assert found.stay == 0

    def test_leaves_everybody_what_they_reached(self, shop: Shop):
        """Higher thresholds take nothing from anybody before their period is over."""
        let_hold(shop.sessions, three_tiers(), shop.today.replace(month=1, day=1), now=shop.now)
        shop.enrol(CARD)
        shop.post(shop.sale(20_000))
        found = moves(shop, 0, 5_000, 9_000)
        assert (found.moved, found.stay) == ([], found.looked_at)

    def test_begins_with_no_tier_where_there_are_none(self, shop: Shop):
        shop.enrol(CARD)
        shop.post(shop.sale(20_000))
        found = moves(shop)
        assert (None, "silver", 1) in found.moved
