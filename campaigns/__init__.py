"""Campaigns: whom we tell what and when; the next best offer, and what came of it."""
