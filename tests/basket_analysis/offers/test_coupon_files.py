"""Coupons by files, in a made-up town whose people redeem what they buy anyway."""

import csv
import gzip
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet
import pytest
from sqlalchemy import select, update

from basket_analysis.basket_files import UnreadableFile, WrongColumns
from basket_analysis.offers.coupon_files import score_coupons
from customers.models import Member
from sales.models import Article, Receipt
from tests.basket_analysis.shop_made import Shop
from tests.basket_analysis.town_made import DAY, FILLERS, TRIPS, build_town

AS_OF = DAY - timedelta(days=13)
PAST, NOW = ("c1", AS_OF - timedelta(days=42)), ("c2", AS_OF)
GOODS = sorted(name for trip in (*TRIPS, FILLERS) for name in trip)
HOUSEHOLDS = [f"m{number:03}" for number in range(60)]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEED = 8


@pytest.fixture
def town(sessions):
    with sessions.begin() as session:
        build_town(session, households=60)
    return sessions


def redeemed(campaign, day):
    """Most people redeem a coupon for something of their trip."""
    chance = random.Random(f"{SEED}{campaign}")
    rows = []
    for number, household in enumerate(HOUSEHOLDS):
        if chance.random() < 0.9:
            good = chance.choice(TRIPS[number % len(TRIPS)])
            rows.append((household, campaign, f"{campaign}-{good}", (day + timedelta(days=5)).isoformat()))
    return rows


def write(path, columns, rows):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


PAIR = ("household_id", "campaign_id", "coupon_upc")
PAIRS = [(household, "c2", f"c2-{good}") for household in HOUSEHOLDS for good in GOODS]
COUPONS = [
    (campaign, f"{campaign}-{good}", good, day.isoformat(), (day + timedelta(days=30)).isoformat())
    for campaign, day in (PAST, NOW)
    for good in GOODS
]


class Files:
    """Writes the three files into a folder and scores them."""

    def __init__(self, sessions, folder):
        self.sessions, self.folder = sessions, folder

    def score(self, name="scores.csv", *, pairs=PAIRS, coupons=COUPONS, redemptions=None):
        redemptions = redeemed(*PAST) if redemptions is None else redemptions
        out = self.folder / name
        with self.sessions() as session:
            self.record = score_coupons(
                session,
                as_of=AS_OF,
                pairs=write(self.folder / "pairs.csv", PAIR, pairs),
                coupons=write(
                    self.folder / "coupons.csv.gz",
                    ("campaign_id", "coupon_upc", "sku", "starts", "ends"),
                    coupons,
                ),
                redemptions=write(self.folder / "redemptions.csv", (*PAIR, "redeemed_on"), redemptions),
                out=out,
            )
        return out

    def rows(self, **more):
        with self.score(**more).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def files(town, tmp_path):
    return Files(town, tmp_path)


def hits(rows):
    """Return how many of the coupons that are redeemed later are among the first four of their lists."""
    lists = {}
    for row in rows:
        lists.setdefault(row["household_id"], []).append((-float(row["score"]), row["coupon_upc"]))
    taken = redeemed(*NOW)
    return sum(
        coupon in [name for _, name in sorted(lists[household])[:4]] for household, _, coupon, _ in taken
    ) / len(taken)


class TestScoreCoupons:
    def test_puts_what_a_household_will_redeem_first(self, files):
        rows = files.rows()
        assert files.record["learnt"]
        assert hits(rows) > 0.8

    def test_prefers_what_saves_more_where_people_did(self, files):
        """Of two coupons for the same article one saves a dollar, the other ten cents; its code says so."""
        dollar, dime = (
            {good: f"5{place:05}100{value}" for place, good in enumerate(GOODS)} for value in ("76", "10")
        )
        coupons = [
            (campaign, code[good], good, starts, ends)
            for campaign, _, good, starts, ends in COUPONS
            for code in (dollar, dime)
        ]
        taken = [
            (household, campaign, dollar[coupon.removeprefix("c1-")], day)
            for household, campaign, coupon, day in redeemed(*PAST)
        ]
        pairs = [
            (household, "c2", code[good])
            for household in HOUSEHOLDS
            for good in GOODS
            for code in (dollar, dime)
        ]
        rows = files.rows(pairs=pairs, coupons=coupons, redemptions=taken)
        score = {(row["household_id"], row["coupon_upc"]): float(row["score"]) for row in rows}
        better = [
            score[household, dollar[good]] > score[household, dime[good]]
            for household in HOUSEHOLDS
            for good in GOODS
        ]
        assert sum(better) > 0.95 * len(better)

    def test_scores_every_pair_once_whatever_is_known_of_it(self, files):
        strange = [("nobody", "c2", "c2-TEA"), ("m001", "c9", "x"), ("m001", "c2", "unheard of"), PAIRS[0]]
        rows = files.rows(pairs=[*PAIRS, *strange])
        found = [tuple(row[name] for name in PAIR) for row in rows]
        assert sorted(found) == sorted({*PAIRS, *strange})
        assert all(float(row["score"]) == float(row["score"]) for row in rows)

    def test_goes_by_habits_where_nothing_was_redeemed_before(self, files):
        rows = files.rows(redemptions=[])
        assert not files.record["learnt"]
        assert hits(rows) > 0.5  # four of seventeen coupons by chance

    def test_does_not_change_by_a_byte_with_anything_later(self, files):
        before = files.score("before.csv").read_bytes()
        with files.sessions.begin() as session:
            shop = Shop(session, "S2")
            tea = session.scalars(select(Article.article_id).where(Article.sku == "TEA")).one()
            sold = session.execute(
                select(Receipt.receipt_id, Receipt.business_date, Receipt.member_id)
                .where(Receipt.business_date < AS_OF)
                .order_by(Receipt.receipt_id)
                .limit(40)
            ).all()
            for receipt in sold:
                shop.days[receipt.receipt_id] = receipt.business_date
                shop.receipt(AS_OF, [(tea, 1, 500, 1)], kind="void", of=receipt.receipt_id)
                shop.receipt(AS_OF, [(tea, 5, 900)], member=receipt.member_id)
            shop.article("NEW", category="AAA", kind="AAA")
            shop.write()
        later = [(household, "c2", "c2-TEA", AS_OF.isoformat()) for household in HOUSEHOLDS]
        after = files.score("after.csv", redemptions=[*redeemed(*PAST), *later]).read_bytes()
        assert after == before

    def test_learns_nothing_from_who_objects_to_profiling(self, files):
        with files.sessions.begin() as session:
            objecting = Member.member_code.in_(HOUSEHOLDS[::2])
            session.execute(update(Member).where(objecting).values(profiling_objected_at=NOON))
        without = [row for row in redeemed(*PAST) if row[0] not in HOUSEHOLDS[::2]]
        before = files.score("before.csv", redemptions=without).read_bytes()
        assert files.score("after.csv").read_bytes() == before
        assert files.record["redemptions"] == len(without)

    def test_does_not_depend_on_the_order_of_rows(self, files):
        one = files.score("one.csv").read_bytes()
        chance = random.Random(SEED)
        mixed = [chance.sample(rows, len(rows)) for rows in (PAIRS, COUPONS, redeemed(*PAST))]
        other = files.score("other.csv", pairs=mixed[0], coupons=mixed[1], redemptions=mixed[2])
        assert other.read_bytes() == one

    def test_writes_columns_and_no_rows_for_no_pairs(self, files):
        assert files.score(pairs=[]).read_text() == "household_id,campaign_id,coupon_upc,score\n"

    def test_refuses_rows_without_a_coupon_beside_the_output(self, files):
        files.score(pairs=[*PAIRS[:3], ("m000", "c2", "")])
        assert (files.folder / "scores.csv.refused.csv").read_text().endswith("m000,c2,,empty coupon_upc\n")

    def test_reads_and_writes_parquet(self, files):
        out = files.score("scores.parquet", pairs=PAIRS[:5])
        table = pa.parquet.read_table(out)
        assert table.column_names == [*PAIR, "score"]
        assert table.num_rows == 5

    def test_names_wrong_columns(self, files):
        wrong = write(files.folder / "wrong.csv", ("household_id", "coupon"), [])
        good = files.folder / "scores.csv"
        with (
            files.sessions() as session,
            pytest.raises(WrongColumns, match=r"unknown: coupon; missing: campaign_id, coupon_upc"),
        ):
            score_coupons(session, as_of=AS_OF, pairs=wrong, coupons=wrong, redemptions=wrong, out=good)
        assert not good.exists()

    def test_refuses_what_is_no_date(self, files):
        with pytest.raises(UnreadableFile, match="redeemed_on"):
            files.score(redemptions=[("m000", "c1", "c1-TEA", "last week")])
