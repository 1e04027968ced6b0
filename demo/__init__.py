"""The demonstration: the Complete Journey baskets in a shop of ours; a composition root that nobody imports."""
