"""Shopper groups: themes, who follows which and why, what people made of them, and how good they are."""
