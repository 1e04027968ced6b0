"""What customers' own pages are made of."""
