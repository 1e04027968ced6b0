"""Gifts in the stores: how many lie where, and every movement."""
