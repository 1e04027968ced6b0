"""What offers would have given on past baskets."""
