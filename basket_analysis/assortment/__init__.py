"""Assortment: what a store should list, delist and place together, and what came of it."""
