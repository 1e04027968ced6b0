-- Takes 0010_home_countries.sql back.
SET LOCAL lock_timeout = '5s';

ALTER TABLE catalog_run DROP COLUMN countries;
