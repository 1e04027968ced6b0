"""The shop, for tests of what was sold in it."""

from tests.shop import shared_shop, shop

__all__ = ["shared_shop", "shop"]
