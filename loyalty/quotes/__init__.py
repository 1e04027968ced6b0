"""What a basket would come to if it were paid, or brought back, now."""
