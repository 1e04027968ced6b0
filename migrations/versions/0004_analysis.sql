-- The analysis in depth, and what offers and tills still lacked. Each section says whose it is.
-- Locks wait five seconds at most: a busy house is asked again instead of standing still.
SET LOCAL lock_timeout = '5s';
