-- The analysis in depth, and what offers and tills still lacked. Each section says whose it is.
-- Locks wait five seconds at most: a busy house is asked again instead of standing still.
SET LOCAL lock_timeout = '5s';

-- basket_analysis: decisions stay as they were taken, and their effect is measured.

ALTER TABLE suggestion_decision DROP CONSTRAINT suggestion_decision_decision_check;
ALTER TABLE suggestion_decision ADD CONSTRAINT suggestion_decision_decision_check
  CHECK (decision in ('accepted', 'rejected', 'undone'));
CREATE TRIGGER suggestion_decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON suggestion_decision
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE decision_effect (
  decision_id BIGINT NOT NULL,
  business_day DATE NOT NULL,
  measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  done BOOLEAN NOT NULL,
  effective_on DATE,
  due_on DATE,
  predicted BIGINT NOT NULL,
  predicted_low BIGINT NOT NULL,
  predicted_high BIGINT NOT NULL,
  effect BIGINT,
  low BIGINT,
  high BIGINT,
  held BOOLEAN,
  comparisons INTEGER NOT NULL,
  detail JSONB NOT NULL,
  CONSTRAINT decision_effect_pkey PRIMARY KEY (decision_id),
  CONSTRAINT decision_effect_state_check CHECK (state in ('waiting', 'measured', 'not_measurable')),
  CONSTRAINT decision_effect_measured_check CHECK (
    (state = 'measured') = (effect is not null and low is not null and high is not null)),
  CONSTRAINT decision_effect_interval_check CHECK (low <= effect and effect <= high),
  CONSTRAINT decision_effect_decision_id_fkey FOREIGN KEY(decision_id) REFERENCES suggestion_decision (decision_id)
);

GRANT SELECT, INSERT, UPDATE ON decision_effect TO regulars_app;
REVOKE UPDATE, DELETE ON suggestion_decision FROM regulars_app;

-- customers: where in their life with the chain members are, and what they are worth. contacts: what passed between us.

CREATE TABLE member_standing (
  run_id UUID NOT NULL,
  member_id UUID NOT NULL,
  phase TEXT NOT NULL,
  phase_since DATE NOT NULL,
  value_class TEXT NOT NULL,
  value_since DATE NOT NULL,
  financial BIGINT NOT NULL,
  currency TEXT,
  margin BOOLEAN NOT NULL,
  financial_rank REAL NOT NULL,
  informational SMALLINT NOT NULL,
  told_profile SMALLINT NOT NULL,
  told_consents SMALLINT NOT NULL,
  told_answers SMALLINT NOT NULL,
  told_redemptions SMALLINT NOT NULL,
  reference_value INTEGER NOT NULL,
  brought INTEGER NOT NULL,
  household INTEGER NOT NULL,
  visits INTEGER NOT NULL,
  last_visit DATE,
  silence REAL NOT NULL,
  usual_gap REAL NOT NULL,
  long_gap REAL NOT NULL,
  lost_gap REAL NOT NULL,
  recent_gap REAL,
  earlier_gap REAL,
  CONSTRAINT member_standing_pkey PRIMARY KEY (run_id, member_id),
  CONSTRAINT member_standing_phase_check CHECK (phase in ('new', 'growing', 'peak', 'fading', 'lost', 'won_back')),
  CONSTRAINT member_standing_value_class_check CHECK (value_class in ('vip', 'potential', 'steady', 'low'))
);

CREATE INDEX member_standing_member_id_idx ON member_standing (member_id);

CREATE TABLE contact (
  contact_id BIGINT GENERATED ALWAYS AS IDENTITY,
  member_id UUID NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  channel TEXT NOT NULL,
  direction TEXT NOT NULL,
  kind TEXT NOT NULL,
  detail JSONB NOT NULL,
  source TEXT,
  CONSTRAINT contact_pkey PRIMARY KEY (contact_id),
  CONSTRAINT contact_direction_check CHECK (direction in ('inbound', 'outbound', 'internal'))
);

CREATE INDEX contact_member_id_idx ON contact (member_id, at);

CREATE UNIQUE INDEX contact_source_idx ON contact (source, kind, member_id) WHERE source is not null;

CREATE TRIGGER contact_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON contact
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What members answered before there was a history of contacts belongs into it.
INSERT INTO contact (member_id, at, channel, direction, kind, detail, source)
SELECT member_id, recorded_at, channel, 'inbound', 'reaction',
       jsonb_build_object('reaction', reaction, 'scope', scope, 'sku', sku, 'category', category),
       'reaction ' || reaction_id
FROM reaction WHERE member_id IS NOT NULL ORDER BY recorded_at, reaction_id;

GRANT SELECT, INSERT, DELETE ON member_standing TO regulars_app;
GRANT SELECT, INSERT ON contact TO regulars_app;
GRANT USAGE ON SEQUENCE contact_contact_id_seq TO regulars_app;

-- basket_analysis: how good each run is, what was not let through, and what people made of the groups.

ALTER TABLE analysis_run DROP CONSTRAINT analysis_run_state_check;
ALTER TABLE analysis_run ADD CONSTRAINT analysis_run_state_check
  CHECK (state in ('running', 'completed', 'failed', 'refused'));

CREATE TABLE run_quality (
  run_id UUID NOT NULL,
  verdict TEXT NOT NULL,
  reasons JSONB NOT NULL,
  figures JSONB NOT NULL,
  measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT run_quality_pkey PRIMARY KEY (run_id),
  CONSTRAINT run_quality_verdict_check CHECK (verdict in ('good', 'drifting', 'refused')),
  CONSTRAINT run_quality_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE
);

CREATE TABLE group_edit (
  edit_id BIGINT GENERATED ALWAYS AS IDENTITY,
  kind TEXT NOT NULL,
  group_id TEXT,
  detail JSONB NOT NULL,
  made_by TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  undone_by TEXT,
  undone_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT group_edit_pkey PRIMARY KEY (edit_id),
  CONSTRAINT group_edit_kind_check CHECK (kind in ('rename', 'pin', 'split', 'merge', 'minimum_size')),
  CONSTRAINT group_edit_subject_check CHECK ((group_id is null) = (kind = 'minimum_size')),
  CONSTRAINT group_edit_undone_check CHECK ((undone_by is null) = (undone_at is null))
);
CREATE INDEX group_edit_group_id_idx ON group_edit (group_id);
CREATE UNIQUE INDEX group_edit_pinned_idx ON group_edit (group_id) WHERE kind = 'pin' AND undone_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON run_quality TO regulars_app;
GRANT SELECT, INSERT ON group_edit TO regulars_app;
GRANT UPDATE (undone_by, undone_at) ON group_edit TO regulars_app;

-- basket_analysis: what was counted by business day, so that a night counts only what is new; improvement of rules.

ALTER TABLE mined_rule ADD COLUMN improvement DOUBLE PRECISION;

CREATE TABLE counted_day (
  business_date DATE NOT NULL,
  fingerprint TEXT NOT NULL,
  articles BYTEA NOT NULL,
  counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT counted_day_pkey PRIMARY KEY (business_date)
);

CREATE TABLE counted_day_level (
  business_date DATE NOT NULL,
  level TEXT NOT NULL,
  counts BYTEA NOT NULL,
  CONSTRAINT counted_day_level_pkey PRIMARY KEY (business_date, level),
  CONSTRAINT counted_day_level_business_date_fkey FOREIGN KEY(business_date)
    REFERENCES counted_day (business_date) ON DELETE CASCADE
);

CREATE TABLE counted_window (
  level TEXT NOT NULL,
  first_day DATE NOT NULL,
  following_day DATE NOT NULL,
  settings JSONB NOT NULL,
  tracked BYTEA NOT NULL,
  counts BYTEA NOT NULL,
  recounted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT counted_window_pkey PRIMARY KEY (level)
);

CREATE TABLE counted_item (
  item_number INTEGER GENERATED ALWAYS AS IDENTITY,
  level TEXT NOT NULL,
  name TEXT NOT NULL,
  CONSTRAINT counted_item_pkey PRIMARY KEY (item_number),
  CONSTRAINT counted_item_level_key UNIQUE (level, name)
);

CREATE TABLE counted_article (
  article_id INTEGER NOT NULL,
  department TEXT,
  category TEXT,
  type TEXT,
  brand TEXT,
  CONSTRAINT counted_article_pkey PRIMARY KEY (article_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE
  ON counted_day, counted_day_level, counted_window, counted_item, counted_article TO regulars_app;
GRANT USAGE ON SEQUENCE counted_item_item_number_seq TO regulars_app;

-- basket_analysis: what each group buys and how it shops, against the chain.

CREATE TABLE group_profile (
  run_id UUID NOT NULL,
  group_id TEXT NOT NULL,
  figures JSONB NOT NULL,
  CONSTRAINT group_profile_pkey PRIMARY KEY (run_id, group_id),
  CONSTRAINT group_profile_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON group_profile TO regulars_app;

-- The browser of rules walks them in these orders.
CREATE INDEX mined_rule_z_idx ON mined_rule (run_id, z, rule_number);
CREATE INDEX mined_rule_adjusted_lift_idx ON mined_rule (run_id, adjusted_lift, rule_number);

-- basket_analysis: every store against the others, and its categories.

CREATE TABLE store_profile (
  run_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  figures JSONB NOT NULL,
  CONSTRAINT store_profile_pkey PRIMARY KEY (run_id, store_id),
  CONSTRAINT store_profile_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE,
  CONSTRAINT store_profile_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE TABLE store_category (
  run_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  category TEXT NOT NULL,
  figures JSONB NOT NULL,
  CONSTRAINT store_category_pkey PRIMARY KEY (run_id, store_id, category),
  CONSTRAINT store_category_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE,
  CONSTRAINT store_category_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE TABLE category_profile (
  run_id UUID NOT NULL,
  category TEXT NOT NULL,
  figures JSONB NOT NULL,
  CONSTRAINT category_profile_pkey PRIMARY KEY (run_id, category),
  CONSTRAINT category_profile_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, DELETE ON store_profile, store_category, category_profile TO regulars_app;

-- sales and rewards: what articles and the choice of groups were when something was sold.

CREATE TABLE article_past (
  article_id INTEGER NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  gtin TEXT,
  department TEXT,
  category TEXT,
  type TEXT,
  brand TEXT,
  CONSTRAINT article_past_pkey PRIMARY KEY (article_id, until)
);

CREATE TRIGGER article_past_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON article_past
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_article_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO article_past (article_id, until, gtin, department, category, type, brand)
  VALUES (old.article_id, now(), old.gtin, old.department, old.category, old.type, old.brand)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER article_keeps_past AFTER UPDATE ON article FOR EACH ROW
  WHEN ((old.gtin, old.department, old.category, old.type, old.brand)
        IS DISTINCT FROM (new.gtin, new.department, new.category, new.type, new.brand))
  EXECUTE FUNCTION keep_article_past();

CREATE TABLE offer_choice_past (
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  choice TEXT NOT NULL,
  CONSTRAINT offer_choice_past_pkey PRIMARY KEY (until),
  CONSTRAINT offer_choice_past_choice_check CHECK (choice in ('first', 'best'))
);

CREATE TRIGGER offer_choice_past_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON offer_choice_past
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_offer_choice_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO offer_choice_past (until, choice) VALUES (now(), old.choice) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER offer_book_keeps_past AFTER UPDATE ON offer_book FOR EACH ROW
  WHEN (old.choice <> new.choice) EXECUTE FUNCTION keep_offer_choice_past();

GRANT SELECT, INSERT ON article_past, offer_choice_past TO regulars_app;

-- rewards: why money was moved on a gift card by hand.

ALTER TABLE gift_card_entry ADD COLUMN note TEXT;

-- loyalty: what a receipt earned is written and committed in one round trip, so nobody looks any more before the
-- commit whether the account was held; the function itself refuses.

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
  IF NOT FOUND THEN
    RAISE EXCEPTION 'points moved on account %, which was not held', holder;
  END IF;
  RETURN true;
END $$;

-- Last, since nobody can enrol or change a member while these are looked at.
ALTER TABLE member_standing ADD CONSTRAINT member_standing_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);
ALTER TABLE contact ADD CONSTRAINT contact_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);
