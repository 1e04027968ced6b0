"""Tables: what was offered to whom, and what came of it."""
