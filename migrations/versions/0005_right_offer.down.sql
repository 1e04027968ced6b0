-- Takes 0005_right_offer.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- campaigns

DROP FUNCTION keep_decisions(jsonb);
DROP FUNCTION decision_scene(text, uuid, uuid, integer, integer[], timestamptz, date, integer, boolean, boolean, interval);
DROP FUNCTION forget_decisions(date);
DROP FUNCTION ensure_decision_months(date, date);
DROP TABLE returned_faulty, store_offers, sold_lately, decision_rules, decision_outcome, decision;

-- web: customers' sign-in.

DROP TABLE customer_session, sign_in_code;

-- catalogs: runs. Two runs may have had an edition of the same group, period and design; without runs they are told apart by it.

DROP TRIGGER catalog_copy_is_kept ON catalog_copy;
DROP TRIGGER catalog_copy_stays ON catalog_copy;
DROP FUNCTION keep_catalog_copy();
ALTER TABLE catalog_copy DROP COLUMN version, DROP COLUMN channel, DROP COLUMN state, DROP COLUMN handover_id,
  DROP COLUMN sent_at, DROP COLUMN dropped_at, DROP COLUMN dropped_why;
GRANT DELETE ON catalog_copy TO regulars_app;
DROP INDEX edition_of_run_idx;
DROP INDEX edition_without_run_idx;
UPDATE edition SET theme = theme || ' ' || edition_code WHERE catalog_run_id is not null;
ALTER TABLE edition DROP COLUMN catalog_run_id;
ALTER TABLE edition ADD CONSTRAINT edition_group_id_valid_from_theme_key UNIQUE (group_id, valid_from, theme);
DROP TABLE catalog_handover, catalog_voucher, catalog_recipient, catalog_proof_copy, catalog_proof, catalog_run;

-- contacts: answers about offers, answers taken back, cases, and the outbox.

DROP TRIGGER reaction_holds_mail_back ON reaction;
DROP TRIGGER reaction_cancels_mail ON reaction;
DROP TRIGGER member_objection_cancels_mail ON member;
DROP TRIGGER consent_cancels_mail ON consent;
DROP FUNCTION heed_refusal();
DROP FUNCTION heed_objection();
DROP FUNCTION heed_withdrawal();
DROP FUNCTION cancel_unwanted_mail(uuid, text[], text);
DROP TABLE mail_secret;
DROP TABLE outgoing_mail;
DROP TABLE member_case;
DROP SEQUENCE member_case_number_seq;
DROP TRIGGER reaction_append_only ON reaction;
-- What was taken back goes with what took it back; what only names an offer cannot be said any more.
ALTER TABLE reaction DROP CONSTRAINT reaction_takes_back_fkey;
DELETE FROM reaction AS taken USING reaction AS later WHERE later.takes_back = taken.reaction_id;
DELETE FROM reaction WHERE takes_back IS NOT NULL OR scope <> 'all' AND sku IS NULL;
UPDATE reaction SET card_number = coalesce(
    (SELECT min(card.card_number) FROM card WHERE card.member_id = reaction.member_id), '')
WHERE card_number IS NULL;
ALTER TABLE reaction DROP CONSTRAINT reaction_takes_back_key;
ALTER TABLE reaction DROP CONSTRAINT reaction_taken_back_check;
ALTER TABLE reaction DROP CONSTRAINT reaction_whose_check;
ALTER TABLE reaction DROP CONSTRAINT reaction_subject_check;
ALTER TABLE reaction ADD CONSTRAINT reaction_subject_check CHECK (scope = 'all' or sku is not null);
ALTER TABLE reaction DROP CONSTRAINT reaction_reaction_check;
ALTER TABLE reaction ADD CONSTRAINT reaction_reaction_check
  CHECK (reaction in ('accepted', 'not_now', 'never', 'wrong_product'));
ALTER TABLE reaction DROP COLUMN moved_at;
ALTER TABLE reaction DROP COLUMN takes_back;
ALTER TABLE reaction DROP COLUMN decision_id;
ALTER TABLE reaction DROP COLUMN offer_code;
ALTER TABLE reaction ALTER COLUMN card_number SET NOT NULL;

-- sales

DROP TABLE article_price;
DROP TABLE article_stock;

-- basket_analysis: what each member is offered.

DROP TABLE sensitive_word;
DROP TABLE member_offers;
