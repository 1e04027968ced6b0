"""What the screens of a store and its assortment are made of."""
