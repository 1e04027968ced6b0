"""What baskets tell: rules, shopper groups and assortment suggestions."""

from basket_analysis.one_thread import work_on_one_thread

work_on_one_thread()  # before any module of this room loads a library for linear algebra
