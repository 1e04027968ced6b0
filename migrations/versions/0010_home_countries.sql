-- A catalog run may be for the readers of some countries only. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';

ALTER TABLE catalog_run ADD COLUMN countries text[] NOT NULL DEFAULT '{}';
