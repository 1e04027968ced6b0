"""The shop, for every test of points."""

from tests.shop import make_shop, shop

__all__ = ["make_shop", "shop"]
