"""Ten copies for a proof, chosen to differ."""

from uuid import UUID

from catalogs.runs.sampling import Candidate, choose_sample, is_odd


def candidate(number: int, **parts) -> Candidate:
    known = {
        "group_id": "g1",
        "language": "cs",
        "store_id": 1,
        "currency": "CZK",
        "name": "Jana Malá",
        "tier": None,
        "bought": 30,
        "points": 100,
    }
    return Candidate(UUID(int=number), **{**known, **parts})


class TestChooseSample:
    def test_takes_the_extremes_and_one_of_everything(self):
        crowd = [candidate(number) for number in range(40)]
        special = {
            "longest": candidate(100, name="Maximiliana Konstantina Wolfeschlegelsteinhausenbergerdorff"),
            "odd": candidate(101, name="<b>O'Brien</b>"),
            "many": candidate(102, bought=900),
            "few": candidate(103, bought=0),
            "rich": candidate(104, points=99_999),
            "poor": candidate(105, points=0),
            "polish": candidate(106, language="pl"),
            "gold": candidate(107, tier="gold"),
            "group": candidate(108, group_id="g2"),
        }
        sample = choose_sample([*crowd, *special.values()])
        assert len(sample) == 10
        assert {one.member_id for one in special.values()} < {one.member_id for one, _why in sample}
        assert all(why for _one, why in sample)

    def test_shows_each_member_once_and_says_all_they_are_there_for(self):
        sample = choose_sample([candidate(1, bought=900, points=9_000), candidate(2)])
        assert len(sample) == 2
        why = {one.member_id.int: words for one, words in sample}
        assert {"many_picks", "many_points"} <= set(why[1])

    def test_shows_every_currency_of_a_chain_of_several_countries(self):
        crowd = [candidate(number, group_id=f"g{number % 12}") for number in range(60)]
        abroad = [candidate(100, currency="EUR"), candidate(101, currency="PLN")]
        sample = {one.member_id: why for one, why in choose_sample([*crowd, *abroad])}
        assert all("currency" in sample.get(one.member_id, ()) for one in abroad)

    def test_is_the_same_for_the_same_people(self):
        crowd = [candidate(number, language=["cs", "sk", "pl", "en"][number % 4]) for number in range(50)]
        assert choose_sample(crowd) == choose_sample(reversed(crowd))

    def test_takes_what_there_is(self):
        assert choose_sample([]) == []


class TestIsOdd:
    def test_knows_what_often_goes_wrong(self):
        assert not is_odd("Łukasz Ďuríček")
        assert all(is_odd(name) for name in ("<script>", "=1+1", "Zoë\u200b", "Ольга", "A\nB", "名前"))
