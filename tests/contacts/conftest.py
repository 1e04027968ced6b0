"""The shop, for every test of points."""

from tests.shop import shared_shop, shop

__all__ = ["shared_shop", "shop"]
