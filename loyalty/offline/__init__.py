"""Tills that cannot ask: what they take along, what they may let be spent, and what came of it."""
