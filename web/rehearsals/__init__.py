"""What the screens of rehearsals are made of."""
