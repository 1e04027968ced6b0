"""What the screens of shopper groups, rules and standings are made of."""
