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
