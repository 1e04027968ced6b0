"""One module per screen: its routes, what it reads, and what its forms do."""
