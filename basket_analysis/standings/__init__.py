"""Where members are in their life with the chain, and what they are worth to it."""
