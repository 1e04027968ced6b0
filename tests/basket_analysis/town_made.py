"""A made-up town with shopping trips of a few kinds, large enough for its nights to be judged."""

import random
from datetime import date, timedelta

from core.jobs import Shift
from core.progress import silent
from tests.basket_analysis.shop_made import NOW, Shop

DAY = date(2026, 11, 15)
TRIPS = (
    ("FLOUR", "SUGAR", "YEAST", "VANILLA"),
    ("COFFEE", "ROLLS", "BUTTER", "JAM"),
    ("BEER", "CRISPS", "NUTS"),
)
FILLERS = ("SOAP", "PAPER", "WATER", "SALT", "RICE", "TEA")
SEED = 4


def build_town(session, *, households=120, baskets=15):
    """Write members m000, m001, …, each of whom goes on the trip of their number; return their ids."""
    chance = random.Random(SEED)
    shop = Shop(session)
    articles = {
        name: shop.article(name, category=name, kind=name) for trip in (*TRIPS, FILLERS) for name in trip
    }
    members = [shop.member(f"m{number:03}") for number in range(households)]
    for number, member in enumerate(members):
        trip = TRIPS[number % len(TRIPS)]
        for week in range(baskets):
            theme = chance.sample(trip, 2) if chance.random() < 0.9 else []
            basket = [*theme, *chance.sample(FILLERS, 4 - len(theme))]
            shop.receipt(
                DAY - timedelta(days=7 * week), [(articles[name], 1, 500) for name in basket], member=member
            )
    shop.write()
    return members


def shift(sessions, folder, day=DAY):
    """Return the shift of a night."""
    return Shift(sessions, folder, day, NOW, silent)
