-- The till and the ledger. Sections by package, lowest first; rights of the application's role at the end of each.

-- contacts: what members answered to what they were offered; the newest answer about a subject holds.

CREATE TABLE reaction (
  reaction_id BIGINT GENERATED ALWAYS AS IDENTITY,
  account_id UUID NOT NULL,
  member_id UUID,
  card_number TEXT NOT NULL,
  reaction TEXT NOT NULL,
  scope TEXT NOT NULL,
  article_id INTEGER,
  category TEXT,
  channel TEXT NOT NULL,
  actor TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT reaction_pkey PRIMARY KEY (reaction_id),
  CONSTRAINT reaction_reaction_check CHECK (reaction in ('accepted', 'not_now', 'never', 'wrong_product')),
  CONSTRAINT reaction_scope_check CHECK (scope in ('item', 'category', 'all')),
  CONSTRAINT reaction_subject_check CHECK (scope = 'all' or article_id is not null),
  CONSTRAINT reaction_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT reaction_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id),
  CONSTRAINT reaction_article_id_fkey FOREIGN KEY(article_id) REFERENCES article (article_id)
);

CREATE INDEX reaction_account_id_idx ON reaction (account_id) WHERE member_id is null;

CREATE INDEX reaction_member_id_idx ON reaction (member_id) WHERE member_id is not null;

GRANT SELECT, INSERT ON reaction TO regulars_app;

-- loyalty: what tills were told that baskets come to; written for every scan, forgotten after a while.

CREATE TABLE quote (
  quote_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  till_id INTEGER NOT NULL,
  card_number TEXT,
  account_id UUID,
  currency TEXT NOT NULL,
  quoted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  lines JSONB NOT NULL,
  gross_amount BIGINT NOT NULL,
  discount_amount BIGINT NOT NULL,
  points_amount BIGINT NOT NULL,
  payable_amount BIGINT NOT NULL,
  points_to_spend BIGINT NOT NULL,
  points_to_earn BIGINT NOT NULL,
  CONSTRAINT quote_pkey PRIMARY KEY (quote_id),
  CONSTRAINT quote_valid_check CHECK (valid_until <= quoted_at + interval '10 minutes'),
  CONSTRAINT quote_points_check CHECK (points_to_earn >= 0 and points_to_spend >= 0),
  CONSTRAINT quote_payable_check CHECK (payable_amount = gross_amount - discount_amount - points_amount)
);

CREATE INDEX quote_quoted_at_idx ON quote (quoted_at);

GRANT SELECT, INSERT, DELETE ON quote TO regulars_app;

-- loyalty: versions of the programme's rules. A draft may be changed; what was decided stands for ever.

CREATE TABLE programme_version (
  version INTEGER GENERATED ALWAYS AS IDENTITY,
  valid_from DATE NOT NULL,
  state TEXT NOT NULL,
  rules JSONB NOT NULL,
  note TEXT NOT NULL,
  drafted_by TEXT NOT NULL,
  drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  decision_reason TEXT,
  CONSTRAINT programme_version_pkey PRIMARY KEY (version),
  CONSTRAINT programme_version_state_check CHECK (state in ('draft', 'approved', 'rejected', 'withdrawn')),
  CONSTRAINT programme_version_decided_check
    CHECK ((state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)),
  CONSTRAINT programme_version_second_person_check CHECK (state <> 'approved' or decided_by <> drafted_by),
  CONSTRAINT programme_version_reason_check CHECK (state <> 'rejected' or decision_reason is not null)
);

CREATE INDEX programme_version_valid_idx ON programme_version (valid_from) WHERE state = 'approved';

CREATE FUNCTION keep_decided_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'draft' THEN
    RAISE EXCEPTION 'version % of the programme was decided: % is refused', OLD.version, TG_OP
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> 'draft' AND (NEW.rules, NEW.valid_from, NEW.note, NEW.drafted_by, NEW.drafted_at)
      IS DISTINCT FROM (OLD.rules, OLD.valid_from, OLD.note, OLD.drafted_by, OLD.drafted_at) THEN
    RAISE EXCEPTION 'version % of the programme is decided as it was drafted', OLD.version
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER programme_version_decided BEFORE UPDATE ON programme_version
  FOR EACH ROW EXECUTE FUNCTION keep_decided_version();
CREATE TRIGGER programme_version_kept BEFORE DELETE OR TRUNCATE ON programme_version
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE ON programme_version TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;

-- What a sale was booked under, so that it can be worked out again: no version is the contract's own programme.

ALTER TABLE receipt ADD COLUMN programme_version INTEGER;
ALTER TABLE receipt ADD COLUMN excluded_lines INTEGER[];

-- loyalty: adjustments of points by people, warnings before points end, and figures kept by the night.

CREATE TABLE adjustment (
  adjustment_id UUID NOT NULL,
  account_id UUID NOT NULL,
  member_id UUID,
  points BIGINT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  state TEXT NOT NULL,
  points_limit BIGINT NOT NULL,
  needs_second BOOLEAN NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  decision_note TEXT,
  CONSTRAINT adjustment_pkey PRIMARY KEY (adjustment_id),
  CONSTRAINT adjustment_points_check CHECK (points <> 0),
  CONSTRAINT adjustment_reason_check CHECK (reason in ('goodwill', 'complaint', 'missing_purchase', 'till_error', 'promotion', 'misuse', 'correction', 'other')),
  CONSTRAINT adjustment_state_check CHECK (state in ('requested', 'approved', 'rejected', 'withdrawn')),
  CONSTRAINT adjustment_decided_check CHECK ((state = 'requested') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  CONSTRAINT adjustment_second_check CHECK (state <> 'approved' or not needs_second or decided_by <> requested_by),
  CONSTRAINT adjustment_rejected_check CHECK (state <> 'rejected' or decided_by <> requested_by),
  CONSTRAINT adjustment_withdrawn_check CHECK (state <> 'withdrawn' or decided_by = requested_by),
  CONSTRAINT adjustment_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT adjustment_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id)
);

CREATE INDEX adjustment_account_id_idx ON adjustment (account_id, requested_at);

CREATE INDEX adjustment_member_id_idx ON adjustment (member_id);

CREATE INDEX adjustment_requested_at_idx ON adjustment (requested_at);

CREATE INDEX adjustment_waiting_idx ON adjustment (requested_at) WHERE state = 'requested';

CREATE TABLE adjustment_limit (
  role TEXT NOT NULL,
  points BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT adjustment_limit_pkey PRIMARY KEY (role),
  CONSTRAINT adjustment_limit_points_check CHECK (points >= 0)
);

CREATE TABLE expiry_warning (
  account_id UUID NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  days_before SMALLINT NOT NULL,
  points BIGINT NOT NULL,
  warned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT expiry_warning_pkey PRIMARY KEY (account_id, expires_at, days_before),
  CONSTRAINT expiry_warning_days_check CHECK (days_before in (30, 7)),
  CONSTRAINT expiry_warning_points_check CHECK (points > 0),
  CONSTRAINT expiry_warning_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE points_day (
  business_date DATE NOT NULL,
  reason TEXT NOT NULL,
  points BIGINT NOT NULL,
  CONSTRAINT points_day_pkey PRIMARY KEY (business_date, reason)
);

CREATE TABLE points_summary (
  singleton BOOLEAN DEFAULT 'true' NOT NULL,
  booked_before TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT points_summary_pkey PRIMARY KEY (singleton),
  CONSTRAINT points_summary_singleton_check CHECK (singleton)
);

CREATE TABLE liability (
  business_day DATE NOT NULL,
  line_number INTEGER NOT NULL,
  store_id INTEGER,
  currency TEXT NOT NULL,
  month DATE,
  points BIGINT NOT NULL,
  CONSTRAINT liability_pkey PRIMARY KEY (business_day, line_number),
  CONSTRAINT liability_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE UNIQUE INDEX ledger_entry_adjustment_idx ON ledger_entry (reference) WHERE reason = 'adjust';

CREATE INDEX ledger_entry_booked_at_idx ON ledger_entry USING brin (booked_at);

DROP INDEX lot_due_idx;

CREATE INDEX lot_due_idx ON lot (expires_at) INCLUDE (remaining) WHERE remaining > 0;

GRANT SELECT, INSERT ON adjustment, expiry_warning TO regulars_app;
GRANT UPDATE (state, decided_by, decided_at, decision_note) ON adjustment TO regulars_app;
GRANT SELECT, INSERT, UPDATE ON adjustment_limit TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON points_day, points_summary, liability TO regulars_app;

-- sales: why an entry of the work queue was taken out of it, and what barcodes of a shop's own scales hold.

ALTER TABLE receipt_flag ADD COLUMN note TEXT;
ALTER TABLE quarantined_receipt ADD COLUMN note TEXT;

CREATE TABLE barcode_layout (
  layout_id INTEGER GENERATED ALWAYS AS IDENTITY,
  store_id INTEGER,
  country TEXT,
  pattern TEXT NOT NULL,
  holds TEXT NOT NULL,
  decimals SMALLINT NOT NULL,
  article_by TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT barcode_layout_pkey PRIMARY KEY (layout_id),
  CONSTRAINT barcode_layout_place_key UNIQUE NULLS NOT DISTINCT (store_id, country, pattern),
  CONSTRAINT barcode_layout_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT barcode_layout_place_check CHECK (store_id is null or country is null),
  CONSTRAINT barcode_layout_pattern_check CHECK (pattern ~ '^2[0-9]+I+K?V+C$' and length(pattern) = 13),
  CONSTRAINT barcode_layout_holds_check CHECK (holds in ('weight', 'price', 'quantity')),
  CONSTRAINT barcode_layout_decimals_check CHECK (decimals between 0 and 3),
  CONSTRAINT barcode_layout_article_by_check CHECK (article_by in ('sku', 'gtin'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON barcode_layout TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;
