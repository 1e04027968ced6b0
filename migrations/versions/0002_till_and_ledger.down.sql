-- Takes back 0002_till_and_ledger.sql, last section first.

DROP TABLE barcode_layout;
ALTER TABLE quarantined_receipt DROP COLUMN note;
ALTER TABLE receipt_flag DROP COLUMN note;

-- loyalty: adjustments, warnings, figures

DROP INDEX lot_due_idx;
CREATE INDEX lot_due_idx ON lot (expires_at) WHERE remaining > 0;
DROP INDEX ledger_entry_booked_at_idx;
DROP INDEX ledger_entry_adjustment_idx;
DROP TABLE liability, points_summary, points_day, expiry_warning, adjustment_limit, adjustment;

ALTER TABLE receipt DROP COLUMN excluded_lines;
ALTER TABLE receipt DROP COLUMN programme_version;
DROP TABLE programme_version;
DROP FUNCTION keep_decided_version();

DROP TABLE quote;
DROP TABLE reaction;
