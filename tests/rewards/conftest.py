"""The shop, for tests of what may be given."""

from tests.shop import shared_shop, shop

__all__ = ["shared_shop", "shop"]
