"""What baskets tell: rules, shopper groups and assortment suggestions."""
