"""`regulars offers rank`: what the files hold, and that later days change nothing in them."""

from datetime import timedelta

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import update

from basket_analysis.offers.rank_commands import rank
from core.commandline import Workplace
from customers.models import Member
from tests.basket_analysis.offers.test_jobs import DAY, MEMBERS, NOW, Market
from tests.basket_analysis.shop_made import Shop

AS_OF = DAY - timedelta(days=6)


@pytest.fixture
def market(sessions, tmp_path):
    return Market(sessions, tmp_path)


@pytest.fixture
def files(database_url, tmp_path):
    def files(level, name="one", ending="csv", count=12):
        out, new = (tmp_path / f"{name}-{kind}.{ending}" for kind in ("all", "new"))
        arguments = ["--level", level, "--as-of", AS_OF.isoformat(), "--k", str(count), "--out", str(out)]
        workplace = Workplace(tmp_path, database_url)
        done = CliRunner().invoke(rank, [*arguments, "--new-out", str(new), "--json"], obj=workplace)
        workplace.close()
        assert done.exit_code == 0, done.output
        return out, new

    return files


def later_days(market):
    """Write what happens from the day on: sales, new members and articles, returns and voids of what was sold before."""
    with market.sessions.begin() as session:
        shop = Shop.__new__(Shop)
        vars(shop).update(vars(market.shop))
        shop.session = session
        novelty = shop.article("a000", category="C0", kind="T0")
        newcomer = shop.member("a-first")
        for member in (newcomer, *market.members):
            shop.receipt(AS_OF, [(novelty, 3, 100), (market.odd, 1, 100)], member=member)
        sold = market.sold_before(AS_OF)
        shop.receipt(AS_OF, [(sold[0][1], 1, 500, 1)], member=market.members[0], kind="return", of=sold[0][0])
        shop.receipt(AS_OF + timedelta(days=1), [], member=market.members[0], kind="void", of=sold[1][0])
        shop.write()


class TestRank:
    def test_writes_full_lists_of_everything_and_of_what_is_new(self, market, files):
        every, new = (pd.read_csv(path, dtype=str) for path in files("article"))
        assert list(every.columns) == ["household_id", "item", "rank", "score"]
        assert every.household_id.nunique() == MEMBERS
        assert (every.groupby("household_id").size() == 12).all()
        assert (every.groupby("household_id").item.nunique() == 12).all()
        bought = market.bought_before(AS_OF)
        assert not {(row.household_id, row.item) for row in new.itertuples()} & bought
        # Files hold what is sensitive, and nothing that fewer than five members bought.
        assert "wine" in set(every.item)
        assert not {"odd"} & {*every.item, *new.item}

    @pytest.mark.parametrize("level", ["article", "type"])
    def test_is_not_changed_in_one_byte_by_later_days(self, market, files, level):
        before = [path.read_bytes() for path in files(level)]
        later_days(market)
        assert [path.read_bytes() for path in files(level, "two")] == before

    def test_leaves_out_who_objects_to_profiling(self, market, files):
        with market.sessions.begin() as session:
            session.execute(
                update(Member).where(Member.member_id == market.members[1]).values(profiling_objected_at=NOW)
            )
        every = pd.read_parquet(files("type", ending="parquet", count=3)[0])
        assert "m01" not in set(every.household_id)
        assert every.household_id.nunique() == MEMBERS - 1
