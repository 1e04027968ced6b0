-- Takes back 0002_till_and_ledger.sql, last section first.

ALTER TABLE receipt DROP COLUMN excluded_lines;
ALTER TABLE receipt DROP COLUMN programme_version;
DROP TABLE programme_version;
DROP FUNCTION keep_decided_version();

DROP TABLE quote;
DROP TABLE reaction;
