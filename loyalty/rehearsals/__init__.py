"""Offers rehearsed on past baskets before they cost money."""
