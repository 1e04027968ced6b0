"""Returns and voids: what still stands of a sale, and what goes back."""
