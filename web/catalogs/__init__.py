"""What the screens of catalogs are made of."""
