"""A company's own prices: as offers, and as they are changed."""
