"""Gift cards: stored money, apart from points."""
