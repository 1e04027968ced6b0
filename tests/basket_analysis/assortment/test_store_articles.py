"""What articles are to stores and the chain: counts that a recount gives, substitutes that are some."""

from basket_analysis.assortment.store_articles import ArticleFloors, chain_articles, store_articles
from tests.basket_analysis.stores_made import alike, chance, made

FLOORS = ArticleFloors(in_store=10, in_chain=30)


def one_or_other(draw, _store):
    """Milk of one sort or the other, never both; bread always; a rarity that one in forty buys."""
    basket = {0 if draw.random() < 0.5 else 1: 100, 2: 50}
    return basket | ({3: 900} if draw.random() < 0.005 else {})


class TestArticles:
    def setup_method(self):
        self.rows = alike(chance(), basket=one_or_other)
        self.table = made(self.rows, articles=4, type_of=[0, 0, 1, 2])

    def test_are_counted_by_store_as_a_recount_does(self):
        found = store_articles(self.table, FLOORS).set_index(["store", "article"]).loc[(1, 0)]
        bought = [row for row in self.rows if row[0] == 1 and 0 in row[3]]
        times = {}
        for row in bought:
            times[row[1]] = times.get(row[1], 0) + 1
        assert (found["baskets"], found["households"]) == (len(bought), len(times))
        assert found["repeat"] == sum(count > 1 for count in times.values())
        assert found["revenue"] == 100 * len(bought) / 16

    def test_have_the_substitute_that_is_bought_at_other_times(self):
        found = chain_articles(self.table, FLOORS).set_index("article")
        assert (found.loc[0, "substitute"], found.loc[1, "substitute"], found.loc[2, "substitute"]) == (
            1,
            0,
            -1,
        )
        both = {row[1] for row in self.rows if 0 in row[3]} & {row[1] for row in self.rows if 1 in row[3]}
        assert found.loc[0, "substitute_households"] == len(both)

    def test_reach_the_households_of_the_stores_that_sell_them(self):
        found = chain_articles(self.table, FLOORS).set_index("article").loc[2]
        assert (found["stores"], found["store_households"], found["buyers"]) == (4, 200, 200)

    def test_that_too_few_buy_are_left_out(self):
        assert 3 not in set(store_articles(self.table, FLOORS)["article"])
        assert 3 not in set(chain_articles(self.table, FLOORS)["article"])
