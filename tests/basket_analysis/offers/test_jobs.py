"""The night's ranking on a real database."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from basket_analysis.analysis_runs import begin_run, serve_run, store_groups
from basket_analysis.models import MemberOffers, RankingTrees
from basket_analysis.offers.jobs import LENGTHS, rank_offers
from basket_analysis.offers.lists import offers_of_members
from contacts.models import Reaction
from core.jobs import Shift
from core.progress import silent
from customers.models import Member
from sales.models import Article
from tests.basket_analysis.shop_made import Shop

DAY = date(2026, 11, 15)
NOW = datetime(2026, 11, 16, 3, tzinfo=UTC)
MEMBERS = 60
SEED = 11


class Market:
    """A market of 30 articles and some wine; each member buys of a few articles, week after week."""

    def __init__(self, sessions, folder):
        self.sessions, self.folder = sessions, folder
        chance = random.Random(SEED)
        with sessions.begin() as session:
            shop = self.shop = Shop(session)
            goods = [
                shop.article(f"a{number:02}", category=f"C{number // 3}", kind=f"T{number // 2}")
                for number in range(30)
            ]
            self.wine = shop.article("wine", department="SPIRITS", category="WINE", kind="TABLE WINE")
            self.odd = shop.article("odd", category="C0", kind="T0")
            self.members = [shop.member(f"m{number:02}") for number in range(MEMBERS)]
            for number, member in enumerate(self.members):
                usual = [goods[(number * 7 + step * 3) % 30] for step in range(6)]
                for week in range(3 if number % 20 == 19 else 20):
                    basket = [*chance.sample(usual, 3), chance.choice(goods), self.wine]
                    shop.receipt(
                        DAY - timedelta(days=7 * week + number % 7),
                        [(article, 1, 500) for article in dict.fromkeys(basket)],
                        member=member,
                    )
            shop.receipt(DAY, [(self.odd, 1, 100)], member=self.members[0])
            shop.receipt(DAY + timedelta(days=1), [(goods[0], 1, 100)], member=shop.member("later"))
            shop.write()

    def night(self, day=DAY, **more):
        with self.sessions.begin() as session:
            run_id = begin_run(session, business_day=day, now=NOW, version="1", parameters={}, inputs={})
            store_groups(session, run_id=run_id, groups=[], members=[])
        found = rank_offers(Shift(self.sessions, self.folder, day, NOW, silent), **more)
        return run_id, found

    def sold_before(self, day):
        """Return receipts before `day` with the first article of each, in order."""
        query = "select receipt_id, article_id from receipt_line where business_date < :day and line_number = 1 order by 1"
        with self.sessions() as session:
            return session.execute(text(query), {"day": day}).all()

    def bought_before(self, day):
        """Return who bought what before `day`, by codes."""
        query = (
            "select distinct member_code, article.sku from receipt join member using (member_id)"
            " join receipt_line as line using (business_date, receipt_id) join article using (article_id)"
            " where receipt.business_date < :day"
        )
        with self.sessions() as session:
            return {tuple(row) for row in session.execute(text(query), {"day": day})}

    def refuse(self, article_id):
        """The first member says at the desk that they never want an article."""
        with self.sessions.begin() as session:
            sku = session.scalar(select(Article.sku).where(Article.article_id == article_id))
            account = session.scalar(select(Member.account_id).where(Member.member_id == self.members[0]))
            session.add(
                Reaction(
                    account_id=account, member_id=self.members[0], sku=sku, article_id=article_id, reaction="never",
                    scope="item", channel="desk", actor="jo", recorded_at=NOW - timedelta(hours=5),
                )
            )  # fmt: skip

    def offers(self, run_id, member=0):
        with self.sessions() as session:
            return offers_of_members(session, [self.members[member]], run_id=run_id)[self.members[member]]


@pytest.fixture
def market(sessions, tmp_path):
    return Market(sessions, tmp_path)


class TestRankOffers:
    def test_leaves_no_member_without_both_lists(self, market):
        run_id, found = market.night()
        assert found["members"] == MEMBERS
        assert found["few_baskets"] == MEMBERS // 20
        with market.sessions() as session:
            offers = offers_of_members(session, market.members, run_id=run_id)
        assert set(offers) == set(market.members)
        for lists in offers.values():
            assert 25 <= len(lists.all) <= LENGTHS["all"]
            assert lists.new
            assert not {one.article_id for one in lists.new} & _bought(market, lists, offers)

    def test_offers_nothing_sensitive_and_nothing_that_few_know(self, market):
        run_id, _ = market.night()
        for member in range(MEMBERS):
            lists = market.offers(run_id, member)
            shown = {one.article_id for one in (*lists.all, *lists.new)}
            told = {one.reason.other_article_id for one in (*lists.all, *lists.new)}
            assert not {market.wine, market.odd} & (shown | told)

    def test_ranks_the_same_when_it_is_done_again(self, market):
        first, _ = market.night()
        before = _kept(market, first)
        second, _ = market.night()
        assert _kept(market, second) == before
        assert not _kept(market, first)

    def test_says_often_only_of_what_was_bought_often(self, market):
        run_id, _ = market.night()
        lists = market.offers(run_id)
        assert lists.all[0].reason.kind in {"often", "overdue"}
        assert {one.reason.kind for one in lists.new} <= {"goes_with", "group", "popular"}

    def test_learns_once_a_week_and_holds_nothing_back_on_its_connection(self, market):
        grown = [market.night(DAY + timedelta(days=days))[1]["grown"] for days in (0, 6, 7)]
        assert grown == [True, False, True]
        with market.sessions() as session:
            assert not session.scalar(text("select count(*) from pg_class where relname like 'ranked_%'"))

    def test_learns_every_night_while_there_is_too_little_to_keep(self, market):
        market.night()
        with market.sessions.begin() as session:
            session.execute(update(RankingTrees).values(trees=""))
        _, found = market.night(DAY + timedelta(days=1))
        assert found["grown"]
        assert found["learnt"]

    def test_holds_nothing_back_after_a_failure_either(self, market):
        def failing(_session, _members, _now):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            market.night(ignored=failing)
        with market.sessions() as session:
            assert not session.scalar(text("select count(*) from pg_class where relname like 'ranked_%'"))

    def test_follows_a_never_the_next_night(self, market):
        first, _ = market.night()
        disliked = market.offers(first).all[0].article_id
        market.refuse(disliked)
        second, _ = market.night()
        assert disliked not in {one.article_id for one in market.offers(second).all}

    def test_offers_no_other_article_that_is_called_as_one_refused(self, market):
        first, _ = market.night()
        disliked, twin, other = [one.article_id for one in market.offers(first).all[:3]]
        with market.sessions.begin() as session:
            session.execute(
                update(Article).where(Article.article_id.in_([disliked, twin])).values(name="Tea")
            )
        market.refuse(disliked)
        second, _ = market.night()
        offered = {one.article_id for one in market.offers(second).all}
        assert not offered & {disliked, twin}
        assert other in offered

    def test_weighs_less_what_was_shown_in_vain(self, market):
        first, _ = market.night()
        shown = [one.article_id for one in market.offers(first).all]

        def ignored(_session, _members, _now):
            return {market.members[0]: {shown[0]: 40}}

        second, _ = market.night(ignored=ignored)
        assert market.offers(second).all[-1].article_id == shown[0]

    def test_forgets_who_objects_at_once_and_leaves_them_out_the_next_night(self, market):
        run_id, _ = market.night()
        with market.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == market.members[3]).values(profiling_objected_at=NOW)
            )
        with market.sessions() as session:
            assert not offers_of_members(session, [market.members[3]], run_id=run_id)
        again, found = market.night()
        assert found["members"] == MEMBERS - 1
        with market.sessions() as session:
            kept = select(MemberOffers.member_id).where(MemberOffers.run_id == again)
            assert market.members[3] not in set(session.scalars(kept))

    def test_keeps_the_lists_that_are_served_until_the_next_run_is(self, market):
        first, _ = market.night()
        with market.sessions.begin() as session:
            serve_run(session, run_id=first, now=NOW)
        second, _ = market.night(DAY + timedelta(days=1))
        assert _kept(market, first)
        assert _kept(market, second)


def _kept(market, run_id):
    with market.sessions() as session:
        rows = session.execute(
            select(
                MemberOffers.member_id, MemberOffers.kind, MemberOffers.article_ids, MemberOffers.scores,
                MemberOffers.reasons,
            )
            .where(MemberOffers.run_id == run_id)
            .order_by(MemberOffers.member_id, MemberOffers.kind)
        )  # fmt: skip
        return [tuple(map(str, row)) for row in rows]


def _bought(market, lists, offers):
    member = next(key for key, value in offers.items() if value is lists)
    with market.sessions() as session:
        return set(
            session.scalars(
                text(
                    "select article_id from receipt_line join receipt using (business_date, receipt_id)"
                    " where member_id = :member"
                ),
                {"member": member},
            )
        )
