"""The edge where tills speak: the contract under /pos/v1."""
