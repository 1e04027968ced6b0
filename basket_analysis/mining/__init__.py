"""Frequent itemsets and rules: the miners, their counts, and what is more than chance."""
