"""What a member said, as the night heeds it."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
from sqlalchemy import select

from basket_analysis.mining.basket_rules import BasketRules
from basket_analysis.offers.audiences import Audiences
from basket_analysis.offers.choice import Chooser, GroupTaste
from basket_analysis.offers.relevance_reading import Bought
from contacts.models import Reaction
from customers.models import Member
from tests.basket_analysis.shop_made import Shop

NOW = datetime(2026, 11, 16, 3, tzinfo=UTC)
NOTHING = np.empty(0, np.int64)


class NoGroups:
    def taste_of(self, _member):
        return GroupTaste()


def nothing_bought():
    columns = {name: np.empty(0) for name in ("baskets", "since", "gap", "recency_90")}
    return SimpleNamespace(key=NOTHING, items=0, pair_item=NOTHING, pairs=columns)


class TestAudiences:
    def test_know_which_categories_a_member_refused(self, sessions):
        with sessions.begin() as session:
            shop = Shop(session)
            member = shop.member("m1")
            shop.write()
            account = session.scalar(select(Member.account_id).where(Member.member_id == member))
            session.add(
                Reaction(
                    account_id=account, member_id=member, sku="tea", category="TEA", reaction="never",
                    scope="category", channel="desk", actor="jo", recorded_at=NOW - timedelta(hours=5),
                )
            )  # fmt: skip
            session.flush()
            bought = Bought(session, date(2026, 11, 15), (member,), ("m1",), (), NOTHING, (), NOTHING)
            audiences = Audiences(bought, Chooser(BasketRules(articles=[]), {}, ()), NoGroups())
            audiences.meet(session, [member], now=NOW, ignored={})
            assert audiences.of(member, nothing_bought(), 0).closed_categories == {"TEA"}
