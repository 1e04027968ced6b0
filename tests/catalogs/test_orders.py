"""What stands on a member's own page where their store has little of what the night ranked for them."""

from pathlib import Path

import pytest

import catalogs.orders
from basket_analysis.offers.lists import MemberOffers, RankedOffer
from basket_analysis.offers.reasons import Reason
from catalogs.orders import OrderDesk
from tests.catalogs.chain import Chain


@pytest.fixture
def chosen(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make the copy of t1-0, who buys all but the last two articles, of a ranked list; return picks and news by article."""
    orders = []
    write = OrderDesk.write

    def seen(desk, session, readers, **options):
        orders.append(write(desk, session, readers, **options))
        return orders[-1]

    def make(lists: MemberOffers):
        member = chain.members["t1-0"].member_id
        monkeypatch.setattr(OrderDesk, "write", seen)
        monkeypatch.setattr(catalogs.orders, "offers_of_members", lambda _session, _members: {member: lists})
        chain.make(tmp_path, member_code="t1-0")
        ((ordered,),) = (one.made.values() for one in orders)
        return tuple(
            [pick.offer.article_id for pick in part] for part in (ordered.order.picks, ordered.order.news)
        )

    return make


@pytest.mark.usefixtures("at_home", "in_november")
class TestShortLists:
    def test_take_what_the_group_buys_and_call_nothing_new_that_is_bought(self, chain: Chain, chosen):
        known = chain.articles[0].article_id
        picks, news = chosen(MemberOffers((RankedOffer(known, 1.0, Reason("often")),), ()))
        assert picks == [known]
        assert sorted(news) == [article.article_id for article in chain.articles[10:]]

    def test_come_first(self, chain: Chain, chosen):
        first = chain.articles[11].article_id
        _picks, news = chosen(MemberOffers((), (RankedOffer(first, 1.0, Reason("popular")),)))
        assert news == [first, chain.articles[10].article_id]
