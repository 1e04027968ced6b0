"""One file a step; the newest is head."""
