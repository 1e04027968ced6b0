-- The right offer: what is offered to whom next, what members answer, cases, mail, and catalogs in runs.
-- Each section says whose it is. Locks wait five seconds at most, as in 0004.
SET LOCAL lock_timeout = '5s';
