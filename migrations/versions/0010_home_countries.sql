-- A catalog run may be for the readers of some countries only. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';

ALTER TABLE catalog_run ADD COLUMN countries text[] NOT NULL DEFAULT '{}';

-- A country's code was kept as it was typed: "cz" and "CZ" are one country.
DELETE FROM barcode_layout AS typed USING barcode_layout AS meant
WHERE typed.country ~ '^[A-Za-z]{2}$' AND typed.country <> upper(typed.country)
  AND meant.pattern = typed.pattern AND meant.store_id IS NULL AND upper(meant.country) = upper(typed.country)
  AND (meant.country = upper(meant.country) OR meant.country < typed.country);
UPDATE barcode_layout SET country = upper(country) WHERE country ~ '^[A-Za-z]{2}$' AND country <> upper(country);
UPDATE store SET country = upper(country) WHERE country ~ '^[A-Za-z]{2}$' AND country <> upper(country);
