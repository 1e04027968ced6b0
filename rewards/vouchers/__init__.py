"""Vouchers: issued in batches, held and spent once, and what becomes of a rest."""
