"""Runs of catalogs: from draft over proof and approval to hand-over and results."""
