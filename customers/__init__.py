"""Who: members, cards, accounts, households, consents and group membership."""
