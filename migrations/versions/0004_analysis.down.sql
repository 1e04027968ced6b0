-- Takes 0004_analysis.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- rewards: why money was moved on a gift card by hand.

ALTER TABLE gift_card_entry DROP COLUMN note;

-- loyalty: what a receipt earned, as it was written before.

CREATE OR REPLACE FUNCTION book_earning(
  earning uuid, holder uuid, sold_on date, booked timestamptz, receipt uuid,
  earned_lot uuid, spendable_at timestamptz, ends_at timestamptz, earned_points bigint,
  earning_lines bigint[], line_points bigint[]
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO ledger_entry (entry_id, account_id, reason, business_date, booked_at, receipt_id)
  VALUES (earning, holder, 'earn', sold_on, booked, receipt);
  INSERT INTO ledger_leg (entry_id, leg_number, account_id, book, lot_id, points)
  VALUES (earning, 1, holder, 'points', earned_lot, earned_points),
         (earning, 2, holder, 'issued', NULL, -earned_points);
  INSERT INTO lot (lot_id, account_id, business_date, receipt_id, booked_at, available_at, expires_at, earned,
                   remaining, line_numbers, line_remaining)
  VALUES (earned_lot, holder, sold_on, receipt, booked, spendable_at, ends_at, earned_points,
          earned_points, earning_lines, line_points);
  UPDATE balance SET points = balance.points + earned_points WHERE account_id = holder;
  RETURN FOUND;
END $$;

-- sales and rewards: what articles and the choice of groups were.

DROP TRIGGER offer_book_keeps_past ON offer_book;
DROP FUNCTION keep_offer_choice_past();
DROP TABLE offer_choice_past;
DROP TRIGGER article_keeps_past ON article;
DROP FUNCTION keep_article_past();
DROP TABLE article_past;

-- basket_analysis: stores against each other.

DROP TABLE category_profile, store_category, store_profile;

-- basket_analysis: profiles of groups.

DROP INDEX mined_rule_z_idx, mined_rule_adjusted_lift_idx;
DROP TABLE group_profile;

-- basket_analysis: counts by day, and improvement.

DROP TABLE counted_day_level, counted_day, counted_window, counted_item, counted_article;
ALTER TABLE mined_rule DROP COLUMN improvement;

-- basket_analysis: quality of runs and edited groups.

DROP TABLE group_edit, run_quality;
UPDATE analysis_run SET state = 'failed', error = 'not good enough to be served' WHERE state = 'refused';
ALTER TABLE analysis_run DROP CONSTRAINT analysis_run_state_check;
ALTER TABLE analysis_run ADD CONSTRAINT analysis_run_state_check
  CHECK (state in ('running', 'completed', 'failed'));

-- customers and contacts: standings and the history of contacts.

DROP TABLE contact;
DROP TABLE member_standing;

-- basket_analysis: decisions.

GRANT UPDATE, DELETE ON suggestion_decision TO regulars_app;
DROP TABLE decision_effect;
DROP TRIGGER suggestion_decision_append_only ON suggestion_decision;
-- What was taken back was deleted then.
DELETE FROM suggestion_decision AS decision USING suggestion_decision AS undone
WHERE undone.decision = 'undone' AND decision.decision_id <= undone.decision_id
  AND (decision.store_id, decision.kind) = (undone.store_id, undone.kind)
  AND decision.article_id IS NOT DISTINCT FROM undone.article_id
  AND decision.other_article_id IS NOT DISTINCT FROM undone.other_article_id;
ALTER TABLE suggestion_decision DROP CONSTRAINT suggestion_decision_decision_check;
ALTER TABLE suggestion_decision ADD CONSTRAINT suggestion_decision_decision_check
  CHECK (decision in ('accepted', 'rejected'));
