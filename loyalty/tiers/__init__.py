"""Tiers: schemes and their versions, how accounts stand, and what moves them."""
