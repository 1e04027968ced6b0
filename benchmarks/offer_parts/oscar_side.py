"""
django-oscar's own applicator on the basket and the offers it is told, in an environment of its own.

Reads one JSON document per line: first {"build": {"articles", "lines", "offers"}}, then {"run": times}, where 0 counts
queries instead of time; answers each with a line.
The database is SQLite in memory, which spares it every way to a server.
"""

import json
import sys
import time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings

APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sites",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.flatpages",
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
    "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
    "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "widget_tweaks",
    "haystack",
    "treebeard",
    "django_tables2",
]


def set_up() -> None:
    from oscar import defaults

    known = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    settings.configure(
        **known
        | {
            "INSTALLED_APPS": APPS,
            "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
            "HAYSTACK_CONNECTIONS": {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
            "MIGRATION_MODULES": {
                app.split(".apps.")[-2].rsplit(".", 1)[-1]: None for app in APPS if ".apps." in app
            }
            | dict.fromkeys(("reviews_dashboard", "reviews", "auth", "contenttypes", "sites", "flatpages")),
            "SECRET_KEY": "of no use",
            "SITE_ID": 1,
            "USE_TZ": True,
            "DEBUG": False,
        }
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)


class Shop:
    """The articles, offers and basket of one size."""

    def __init__(self, told: dict[str, Any]) -> None:
        from django.db import transaction

        self.products: dict[str, Any] = {}
        self.categories: dict[str, Any] = {}
        with transaction.atomic():
            self._stock(told["articles"])
            for number, offer in enumerate(told["offers"]):
                self._offer(number, offer)
            self.basket = self._basket(told["lines"])

    def _stock(self, articles: list[list[Any]]) -> None:
        from oscar.core.loading import get_model

        kind, _ = get_model("catalogue", "ProductClass").objects.get_or_create(
            name="Thing", defaults={"track_stock": False}
        )
        partner, _ = get_model("partner", "Partner").objects.get_or_create(name="Chain")
        for sku, category, price in articles:
            if category not in self.categories:
                self.categories[category] = get_model("catalogue", "Category").add_root(name=category)
            product = get_model("catalogue", "Product").objects.create(title=sku, product_class=kind, upc=sku)
            product.categories.add(self.categories[category])
            get_model("partner", "StockRecord").objects.create(
                product=product,
                partner=partner,
                partner_sku=sku,
                price=Decimal(price) / 100,
                price_currency="CZK",
            )
            self.products[sku] = product

    def _offer(self, number: int, told: dict[str, Any]) -> None:
        from oscar.core.loading import get_model

        skus, category = told["skus"], told["category"]
        goods = get_model("offer", "Range").objects.create(
            name=f"R{number}", includes_all_products=not skus and not category
        )
        for sku in skus:
            goods.add_product(self.products[sku])
        if category:
            goods.included_categories.add(self.categories[category])
        condition = get_model("offer", "Condition").objects.create(
            range=goods, type="Count", value=told["quantity"]
        )
        benefit = get_model("offer", "Benefit").objects.create(
            range=goods,
            type={"percent": "Percentage", "amount": "Absolute", "nth": "Multibuy"}[told["kind"]],
            value=None
            if told["kind"] == "nth"
            else Decimal(told["off"]) / (1 if told["kind"] == "percent" else 100),
        )
        get_model("offer", "ConditionalOffer").objects.create(
            name=f"O{number}", condition=condition, benefit=benefit, priority=told["priority"], exclusive=True
        )

    def _basket(self, lines: list[list[Any]]) -> Any:
        from oscar.core.loading import get_model

        basket = get_model("basket", "Basket").objects.create()
        basket.strategy = self._strategy()
        for sku, quantity in lines:
            basket.add_product(self.products[sku], quantity)
        return basket.pk

    def _strategy(self) -> Any:
        from oscar.apps.partner.strategy import Default

        return Default()

    def apply(self) -> Any:
        """Return the basket, read anew, after the applicator has been over it."""
        from oscar.apps.offer.applicator import Applicator
        from oscar.core.loading import get_model

        basket = get_model("basket", "Basket").objects.get(pk=self.basket)
        basket.strategy = self._strategy()
        Applicator().apply(basket)
        return basket


def main() -> None:
    set_up()
    answer({"oscar": version("django-oscar"), "django": version("django")})
    shop: Shop | None = None
    for line in sys.stdin:
        told = json.loads(line)
        if "build" in told:
            shop = Shop(told["build"])
            answer({"built": True})
            continue
        assert shop is not None
        answer(measured(shop, told["run"]))


def measured(shop: Shop, times: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    if not times:
        with CaptureQueriesContext(connection) as queries:
            basket = shop.apply()
        applied = len(basket.offer_applications.offers)
        return {"queries": len(queries), "discount": int(basket.total_discount * 100), "applied": applied}
    started = time.process_time()
    for _ in range(times):
        shop.apply()
    return {"cpu_seconds": (time.process_time() - started) / times}


def answer(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
