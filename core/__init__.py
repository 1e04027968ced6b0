"""The ground floor: money, clock, ids, errors, settings, database and words."""
