CREATE TABLE account (
  account_id UUID NOT NULL,
  household_code TEXT,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT account_pkey PRIMARY KEY (account_id),
  CONSTRAINT account_household_code_key UNIQUE (household_code)
);

CREATE TABLE analysis_run (
  run_id UUID NOT NULL,
  business_day DATE NOT NULL,
  state TEXT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  version TEXT NOT NULL,
  parameters JSONB NOT NULL,
  inputs JSONB NOT NULL,
  timings JSONB NOT NULL,
  error TEXT,
  CONSTRAINT analysis_run_pkey PRIMARY KEY (run_id),
  CONSTRAINT analysis_run_state_check CHECK (state in ('running', 'completed', 'failed'))
);

CREATE TABLE article (
  article_id INTEGER GENERATED ALWAYS AS IDENTITY,
  sku TEXT NOT NULL,
  gtin TEXT,
  name TEXT NOT NULL,
  department TEXT,
  category TEXT,
  type TEXT,
  brand TEXT,
  unit TEXT NOT NULL,
  tax_rate NUMERIC(5, 2) NOT NULL,
  price BIGINT,
  cost BIGINT,
  picture TEXT,
  CONSTRAINT article_pkey PRIMARY KEY (article_id),
  CONSTRAINT article_unit_check CHECK (unit in ('pcs', 'kg', 'l', 'm')),
  CONSTRAINT article_sku_key UNIQUE (sku),
  CONSTRAINT article_gtin_key UNIQUE (gtin)
);

CREATE INDEX article_category_idx ON article (category);

CREATE TABLE audit_event (
  event_id BIGINT GENERATED ALWAYS AS IDENTITY,
  happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  detail JSONB,
  CONSTRAINT audit_event_pkey PRIMARY KEY (event_id)
);

CREATE INDEX audit_event_happened_at_idx ON audit_event (happened_at);

CREATE INDEX audit_event_subject_idx ON audit_event (subject_kind, subject_id, happened_at);

CREATE TABLE edition (
  edition_id UUID NOT NULL,
  edition_code TEXT NOT NULL,
  run_id UUID NOT NULL,
  group_id TEXT NOT NULL,
  group_name TEXT NOT NULL,
  theme TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  content JSONB NOT NULL,
  CONSTRAINT edition_pkey PRIMARY KEY (edition_id),
  CONSTRAINT edition_group_id_valid_from_theme_key UNIQUE (group_id, valid_from, theme),
  CONSTRAINT edition_period_check CHECK (valid_from < valid_to),
  CONSTRAINT edition_edition_code_key UNIQUE (edition_code)
);

CREATE TABLE job_run (
  run_id UUID NOT NULL,
  job TEXT NOT NULL,
  business_day DATE NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER DEFAULT '0' NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  stop_requested_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT job_run_pkey PRIMARY KEY (run_id),
  CONSTRAINT job_run_job_business_day_key UNIQUE (job, business_day),
  CONSTRAINT job_run_state_check CHECK (state in ('waiting', 'running', 'completed', 'failed', 'stopped'))
);

CREATE TABLE receipt_line (
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  line_number INTEGER NOT NULL,
  article_id INTEGER,
  sku TEXT,
  gtin TEXT,
  name TEXT,
  quantity NUMERIC(14, 3) NOT NULL,
  unit TEXT,
  unit_price BIGINT NOT NULL,
  discount_amount BIGINT NOT NULL,
  total_amount BIGINT NOT NULL,
  tax_rate NUMERIC(5, 2),
  discounts JSONB,
  original_line_number INTEGER,
  return_reason TEXT,
  points BIGINT DEFAULT '0' NOT NULL,
  points_spent BIGINT DEFAULT '0' NOT NULL,
  counted_quantity NUMERIC(14, 3),
  CONSTRAINT receipt_line_pkey PRIMARY KEY (business_date, receipt_id, line_number)
)
 PARTITION BY RANGE (business_date);

CREATE TABLE reward (
  reward_code TEXT NOT NULL,
  name JSONB NOT NULL,
  points INTEGER NOT NULL,
  active BOOLEAN DEFAULT 'true' NOT NULL,
  CONSTRAINT reward_pkey PRIMARY KEY (reward_code),
  CONSTRAINT reward_points_check CHECK (points > 0)
);

CREATE TABLE sign_in_attempt (
  attempt_id BIGINT GENERATED ALWAYS AS IDENTITY,
  login TEXT NOT NULL,
  attempted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  succeeded BOOLEAN NOT NULL,
  CONSTRAINT sign_in_attempt_pkey PRIMARY KEY (attempt_id)
);

CREATE INDEX sign_in_attempt_login_idx ON sign_in_attempt (login, attempted_at);

CREATE TABLE store (
  store_id INTEGER GENERATED ALWAYS AS IDENTITY,
  store_code TEXT NOT NULL,
  name TEXT NOT NULL,
  currency TEXT NOT NULL,
  timezone TEXT NOT NULL,
  city TEXT,
  country TEXT,
  CONSTRAINT store_pkey PRIMARY KEY (store_id),
  CONSTRAINT store_store_code_key UNIQUE (store_code)
);

CREATE TABLE balance (
  account_id UUID NOT NULL,
  points BIGINT DEFAULT '0' NOT NULL,
  reserved BIGINT DEFAULT '0' NOT NULL,
  CONSTRAINT balance_pkey PRIMARY KEY (account_id),
  CONSTRAINT balance_reserved_check CHECK (reserved >= 0),
  CONSTRAINT balance_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE job_step (
  run_id UUID NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  done INTEGER DEFAULT '0' NOT NULL,
  total INTEGER,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  error TEXT,
  result JSONB,
  CONSTRAINT job_step_pkey PRIMARY KEY (run_id, position),
  CONSTRAINT job_step_run_id_name_key UNIQUE (run_id, name),
  CONSTRAINT job_step_state_check CHECK (state in ('waiting', 'running', 'completed', 'failed', 'stopped')),
  CONSTRAINT job_step_run_id_fkey FOREIGN KEY(run_id) REFERENCES job_run (run_id) ON DELETE CASCADE
);

CREATE TABLE ledger_entry (
  entry_id UUID NOT NULL,
  account_id UUID NOT NULL,
  reason TEXT NOT NULL,
  business_date DATE NOT NULL,
  booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  receipt_id UUID,
  reference UUID,
  note TEXT,
  detail JSONB,
  CONSTRAINT ledger_entry_pkey PRIMARY KEY (entry_id),
  CONSTRAINT ledger_entry_reason_check CHECK (reason in ('earn', 'reverse', 'spend', 'return', 'reserve', 'release', 'expire', 'adjust', 'merge', 'restore')),
  CONSTRAINT ledger_entry_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ledger_entry_account_id_idx ON ledger_entry (account_id, booked_at);

CREATE INDEX ledger_entry_receipt_idx ON ledger_entry (business_date, receipt_id) WHERE receipt_id is not null;

CREATE INDEX ledger_entry_reference_idx ON ledger_entry (reference) WHERE reference is not null;

CREATE TABLE lot (
  lot_id UUID NOT NULL,
  account_id UUID NOT NULL,
  business_date DATE NOT NULL,
  receipt_id UUID,
  booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  available_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  earned BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  line_numbers BIGINT[] NOT NULL,
  line_remaining BIGINT[] NOT NULL,
  CONSTRAINT lot_pkey PRIMARY KEY (lot_id),
  CONSTRAINT lot_lines_check CHECK (cardinality(line_numbers) = cardinality(line_remaining)),
  CONSTRAINT lot_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX lot_available_idx ON lot (account_id, available_at) WHERE remaining <> 0;

CREATE INDEX lot_due_idx ON lot (expires_at) WHERE remaining > 0;

CREATE INDEX lot_expires_idx ON lot (account_id, expires_at) WHERE remaining <> 0;

CREATE INDEX lot_receipt_idx ON lot (receipt_id) WHERE receipt_id is not null;

CREATE TABLE member (
  member_id UUID NOT NULL,
  member_code TEXT NOT NULL,
  account_id UUID NOT NULL,
  role TEXT DEFAULT 'owner' NOT NULL,
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  email TEXT,
  phone TEXT,
  language TEXT NOT NULL,
  birth_date DATE,
  home_store_code TEXT,
  company_name TEXT,
  company_id TEXT,
  vat_id TEXT,
  joined_on DATE NOT NULL,
  profiling_objected_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT member_pkey PRIMARY KEY (member_id),
  CONSTRAINT member_role_check CHECK (role in ('owner', 'spender', 'earner')),
  CONSTRAINT member_language_check CHECK (language in ('en', 'cs', 'sk', 'pl')),
  CONSTRAINT member_member_code_key UNIQUE (member_code),
  CONSTRAINT member_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX member_account_id_idx ON member (account_id);

CREATE INDEX member_email_idx ON member (lower(email)) WHERE email is not null;

CREATE INDEX member_family_name_idx ON member (lower(family_name), lower(given_name));

CREATE INDEX member_phone_idx ON member (phone) WHERE phone is not null;

CREATE TABLE mined_rule (
  run_id UUID NOT NULL,
  rule_number INTEGER NOT NULL,
  level TEXT NOT NULL,
  antecedent TEXT[] NOT NULL,
  consequent TEXT[] NOT NULL,
  count INTEGER NOT NULL,
  antecedent_count INTEGER NOT NULL,
  consequent_count INTEGER NOT NULL,
  households INTEGER NOT NULL,
  support DOUBLE PRECISION NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  lift DOUBLE PRECISION NOT NULL,
  leverage DOUBLE PRECISION NOT NULL,
  conviction DOUBLE PRECISION NOT NULL,
  adjusted_lift DOUBLE PRECISION NOT NULL,
  z DOUBLE PRECISION NOT NULL,
  q DOUBLE PRECISION NOT NULL,
  group_id TEXT,
  CONSTRAINT mined_rule_pkey PRIMARY KEY (run_id, rule_number),
  CONSTRAINT mined_rule_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE
);

CREATE INDEX mined_rule_group_id_idx ON mined_rule (run_id, group_id);

CREATE TABLE person (
  person_id UUID NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL,
  store_id INTEGER,
  language TEXT DEFAULT 'en' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  disabled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT person_pkey PRIMARY KEY (person_id),
  CONSTRAINT person_role_check CHECK (role in ('cashier', 'store_manager', 'marketing', 'desk', 'analyst', 'auditor', 'administrator')),
  CONSTRAINT person_store_check CHECK (role not in ('cashier', 'store_manager') or store_id is not null),
  CONSTRAINT person_login_key UNIQUE (login),
  CONSTRAINT person_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE TABLE reward_stock (
  reward_code TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  on_hand INTEGER NOT NULL,
  CONSTRAINT reward_stock_pkey PRIMARY KEY (reward_code, store_id),
  CONSTRAINT reward_stock_on_hand_check CHECK (on_hand >= 0),
  CONSTRAINT reward_stock_reward_code_fkey FOREIGN KEY(reward_code) REFERENCES reward (reward_code),
  CONSTRAINT reward_stock_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE TABLE served_run (
  served BOOLEAN DEFAULT 'true' NOT NULL,
  run_id UUID NOT NULL,
  served_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT served_run_pkey PRIMARY KEY (served),
  CONSTRAINT served_run_served_check CHECK (served),
  CONSTRAINT served_run_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id)
);

CREATE TABLE shopper_group (
  run_id UUID NOT NULL,
  group_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  items TEXT[] NOT NULL,
  members INTEGER NOT NULL,
  baskets INTEGER NOT NULL,
  kept_members INTEGER,
  colour INTEGER NOT NULL,
  detail JSONB NOT NULL,
  CONSTRAINT shopper_group_pkey PRIMARY KEY (run_id, group_id),
  CONSTRAINT shopper_group_kind_check CHECK (kind in ('theme', 'none', 'new')),
  CONSTRAINT shopper_group_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE
);

CREATE TABLE suggestion (
  suggestion_id UUID NOT NULL,
  run_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  rank INTEGER NOT NULL,
  article_id INTEGER,
  other_article_id INTEGER,
  value_per_week BIGINT NOT NULL,
  low BIGINT NOT NULL,
  high BIGINT NOT NULL,
  households INTEGER NOT NULL,
  baskets INTEGER NOT NULL,
  group_id TEXT,
  evidence JSONB NOT NULL,
  CONSTRAINT suggestion_pkey PRIMARY KEY (suggestion_id),
  CONSTRAINT suggestion_kind_check CHECK (kind in ('list', 'delist', 'keep', 'place_together')),
  CONSTRAINT suggestion_interval_check CHECK (low <= value_per_week and value_per_week <= high),
  CONSTRAINT suggestion_run_id_fkey FOREIGN KEY(run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE,
  CONSTRAINT suggestion_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT suggestion_article_id_fkey FOREIGN KEY(article_id) REFERENCES article (article_id),
  CONSTRAINT suggestion_other_article_id_fkey FOREIGN KEY(other_article_id) REFERENCES article (article_id)
);

CREATE INDEX suggestion_store_id_idx ON suggestion (run_id, store_id, kind, rank);

CREATE TABLE suggestion_decision (
  decision_id BIGINT GENERATED ALWAYS AS IDENTITY,
  store_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  article_id INTEGER,
  other_article_id INTEGER,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
  shown JSONB NOT NULL,
  CONSTRAINT suggestion_decision_pkey PRIMARY KEY (decision_id),
  CONSTRAINT suggestion_decision_decision_check CHECK (decision in ('accepted', 'rejected')),
  CONSTRAINT suggestion_decision_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT suggestion_decision_article_id_fkey FOREIGN KEY(article_id) REFERENCES article (article_id),
  CONSTRAINT suggestion_decision_other_article_id_fkey FOREIGN KEY(other_article_id) REFERENCES article (article_id)
);

CREATE INDEX suggestion_decision_subject_idx ON suggestion_decision (store_id, kind, article_id, other_article_id);

CREATE TABLE till (
  till_id INTEGER GENERATED ALWAYS AS IDENTITY,
  store_id INTEGER NOT NULL,
  till_code TEXT NOT NULL,
  CONSTRAINT till_pkey PRIMARY KEY (till_id),
  CONSTRAINT till_store_id_till_code_key UNIQUE (store_id, till_code),
  CONSTRAINT till_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE TABLE card (
  card_number TEXT NOT NULL,
  state TEXT NOT NULL,
  account_id UUID,
  member_id UUID,
  replaced_by TEXT,
  blocked_reason TEXT,
  blocked_at TIMESTAMP WITH TIME ZONE,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT card_pkey PRIMARY KEY (card_number),
  CONSTRAINT card_state_check CHECK (state in ('stock', 'issued', 'active', 'blocked', 'replaced', 'expired')),
  CONSTRAINT card_successor_check CHECK (state <> 'replaced' or replaced_by is not null),
  CONSTRAINT card_reason_check CHECK (state <> 'blocked' or (blocked_reason is not null and blocked_at is not null)),
  CONSTRAINT card_account_check CHECK (state in ('stock', 'expired') or account_id is not null),
  CONSTRAINT card_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT card_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id),
  CONSTRAINT card_replaced_by_fkey FOREIGN KEY(replaced_by) REFERENCES card (card_number)
);

CREATE INDEX card_account_id_idx ON card (account_id);

CREATE INDEX card_member_id_idx ON card (member_id);

CREATE TABLE catalog_copy (
  copy_id UUID NOT NULL,
  copy_code TEXT NOT NULL,
  edition_id UUID NOT NULL,
  member_id UUID NOT NULL,
  store_id INTEGER,
  language TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 BYTEA NOT NULL,
  size INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  picks JSONB NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT catalog_copy_pkey PRIMARY KEY (copy_id),
  CONSTRAINT catalog_copy_edition_id_member_id_key UNIQUE (edition_id, member_id),
  CONSTRAINT catalog_copy_copy_code_key UNIQUE (copy_code),
  CONSTRAINT catalog_copy_edition_id_fkey FOREIGN KEY(edition_id) REFERENCES edition (edition_id),
  CONSTRAINT catalog_copy_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id),
  CONSTRAINT catalog_copy_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE INDEX catalog_copy_member_id_idx ON catalog_copy (member_id);

CREATE TABLE consent (
  consent_id INTEGER GENERATED ALWAYS AS IDENTITY,
  member_id UUID NOT NULL,
  purpose TEXT NOT NULL,
  channel TEXT,
  granted BOOLEAN NOT NULL,
  text_version TEXT NOT NULL,
  source TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT consent_pkey PRIMARY KEY (consent_id),
  CONSTRAINT consent_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id)
);

CREATE INDEX consent_member_id_idx ON consent (member_id, purpose, channel, recorded_at);

CREATE TABLE group_membership (
  run_id UUID NOT NULL,
  member_id UUID NOT NULL,
  group_id TEXT NOT NULL,
  strength DOUBLE PRECISION,
  second_group_id TEXT,
  second_strength DOUBLE PRECISION,
  baskets INTEGER NOT NULL,
  CONSTRAINT group_membership_pkey PRIMARY KEY (run_id, member_id),
  CONSTRAINT group_membership_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id)
);

CREATE INDEX group_membership_group_id_idx ON group_membership (run_id, group_id);

CREATE INDEX group_membership_member_id_idx ON group_membership (member_id);

CREATE TABLE idempotency_record (
  till_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  status INTEGER NOT NULL,
  body JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT idempotency_record_pkey PRIMARY KEY (till_id, key),
  CONSTRAINT idempotency_record_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id)
);

CREATE INDEX idempotency_record_created_at_idx ON idempotency_record (created_at);

CREATE TABLE ledger_leg (
  entry_id UUID NOT NULL,
  leg_number SMALLINT NOT NULL,
  account_id UUID NOT NULL,
  book TEXT NOT NULL,
  lot_id UUID,
  line_number INTEGER,
  points BIGINT NOT NULL,
  CONSTRAINT ledger_leg_pkey PRIMARY KEY (entry_id, leg_number),
  CONSTRAINT ledger_leg_book_check CHECK (book in ('points', 'reserved', 'issued', 'spent', 'expired', 'adjusted')),
  CONSTRAINT ledger_leg_lot_check CHECK ((lot_id is not null) = (book in ('points', 'reserved'))),
  CONSTRAINT ledger_leg_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES ledger_entry (entry_id)
);

CREATE INDEX ledger_leg_account_id_idx ON ledger_leg (account_id) INCLUDE (book, points);

CREATE TABLE quarantined_receipt (
  quarantine_id BIGINT GENERATED ALWAYS AS IDENTITY,
  business_date DATE NOT NULL,
  store_id INTEGER NOT NULL,
  till_id INTEGER NOT NULL,
  receipt_number TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  body JSONB NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  resolved_by TEXT,
  resolved_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT quarantined_receipt_pkey PRIMARY KEY (quarantine_id),
  CONSTRAINT quarantined_receipt_business_date_store_id_till_id_rece_aa7a UNIQUE (business_date, store_id, till_id, receipt_number, fingerprint),
  CONSTRAINT quarantined_receipt_state_check CHECK (state in ('open', 'resolved', 'dismissed')),
  CONSTRAINT quarantined_receipt_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT quarantined_receipt_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id)
);

CREATE TABLE receipt (
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  till_id INTEGER NOT NULL,
  receipt_number TEXT NOT NULL,
  type TEXT NOT NULL,
  mode TEXT NOT NULL,
  offline BOOLEAN NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  operator_code TEXT,
  card_number TEXT,
  card_entry_mode TEXT,
  account_id UUID,
  member_id UUID,
  currency TEXT NOT NULL,
  gross_amount BIGINT NOT NULL,
  discount_amount BIGINT NOT NULL,
  points_amount BIGINT NOT NULL,
  rounding_amount BIGINT NOT NULL,
  payable_amount BIGINT NOT NULL,
  tenders JSONB,
  quote_id UUID,
  redemption_ids JSONB,
  voucher_codes JSONB,
  original_store_code TEXT,
  original_till_code TEXT,
  original_business_date DATE,
  original_receipt_number TEXT,
  original_receipt_id UUID,
  fingerprint BYTEA NOT NULL,
  answer JSONB,
  CONSTRAINT receipt_pkey PRIMARY KEY (business_date, receipt_id),
  CONSTRAINT receipt_identity_key UNIQUE (business_date, store_id, till_id, receipt_number),
  CONSTRAINT receipt_type_check CHECK (type in ('sale', 'return', 'void')),
  CONSTRAINT receipt_mode_check CHECK (mode in ('live', 'training', 'suspended')),
  CONSTRAINT receipt_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT receipt_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id)
)
 PARTITION BY RANGE (business_date);

CREATE INDEX receipt_account_id_idx ON receipt (account_id, business_date);

CREATE INDEX receipt_store_id_idx ON receipt (store_id, closed_at);

CREATE TABLE till_key (
  key_id INTEGER GENERATED ALWAYS AS IDENTITY,
  till_id INTEGER NOT NULL,
  prefix TEXT NOT NULL,
  secret_sha256 BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT till_key_pkey PRIMARY KEY (key_id),
  CONSTRAINT till_key_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id),
  CONSTRAINT till_key_prefix_key UNIQUE (prefix)
);

CREATE INDEX till_key_till_id_idx ON till_key (till_id);

CREATE TABLE web_session (
  token_sha256 BYTEA NOT NULL,
  person_id UUID NOT NULL,
  csrf_token TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT web_session_pkey PRIMARY KEY (token_sha256),
  CONSTRAINT web_session_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (person_id)
);

CREATE INDEX web_session_person_id_idx ON web_session (person_id);

CREATE INDEX web_session_seen_at_idx ON web_session (seen_at);

CREATE TABLE receipt_flag (
  flag_id BIGINT GENERATED ALWAYS AS IDENTITY,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  code TEXT NOT NULL,
  line_number INTEGER,
  detail TEXT NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  flagged_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_by TEXT,
  resolved_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT receipt_flag_pkey PRIMARY KEY (flag_id),
  CONSTRAINT receipt_flag_state_check CHECK (state in ('open', 'resolved', 'dismissed')),
  CONSTRAINT receipt_flag_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE INDEX receipt_flag_open_idx ON receipt_flag (store_id, code, flagged_at) WHERE state = 'open';

CREATE INDEX receipt_flag_receipt_idx ON receipt_flag (business_date, receipt_id);

CREATE TABLE receipt_link (
  receipt_id UUID NOT NULL,
  business_date DATE NOT NULL,
  arrival BIGINT GENERATED ALWAYS AS IDENTITY,
  type TEXT NOT NULL,
  identity TEXT NOT NULL,
  original_identity TEXT NOT NULL,
  original_business_date DATE,
  original_receipt_id UUID,
  CONSTRAINT receipt_link_pkey PRIMARY KEY (receipt_id)
);

CREATE INDEX receipt_link_original_identity_idx ON receipt_link (original_identity);

CREATE TABLE redemption (
  redemption_id UUID NOT NULL,
  account_id UUID NOT NULL,
  card_number TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  till_id INTEGER NOT NULL,
  points BIGINT NOT NULL,
  value_amount BIGINT NOT NULL,
  reward_code TEXT,
  state TEXT NOT NULL,
  reserved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  business_date DATE,
  receipt_id UUID,
  CONSTRAINT redemption_pkey PRIMARY KEY (redemption_id),
  CONSTRAINT redemption_state_check CHECK (state in ('reserved', 'posted', 'released', 'expired')),
  CONSTRAINT redemption_points_check CHECK (points > 0),
  CONSTRAINT redemption_resolved_check CHECK ((state = 'reserved') = (resolved_at is null)),
  CONSTRAINT redemption_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT redemption_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT redemption_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id),
  CONSTRAINT redemption_reward_code_fkey FOREIGN KEY(reward_code) REFERENCES reward (reward_code)
);

CREATE INDEX redemption_due_idx ON redemption (expires_at) WHERE state = 'reserved';

CREATE INDEX redemption_open_idx ON redemption (account_id, expires_at) WHERE state = 'reserved';

-- Receipts and their lines lie in months, made ahead; what nobody foresaw goes into the default partition.

CREATE TABLE receipt_default PARTITION OF receipt DEFAULT;
CREATE TABLE receipt_line_default PARTITION OF receipt_line DEFAULT;

CREATE FUNCTION ensure_receipt_months(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', first_day)::date;
  following date;
  parent text;
  child text;
  made integer := 0;
BEGIN
  IF first_day < date '2000-01-01' OR last_day >= date '2100-01-01' THEN
    RAISE EXCEPTION 'months from % to % are outside 2000 to 2099', first_day, last_day;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ensure_receipt_months'));
  WHILE month <= last_day LOOP
    following := (month + interval '1 month')::date;
    IF to_regclass('receipt_' || to_char(month, 'YYYYMM')) IS NULL THEN
      FOREACH parent IN ARRAY ARRAY['receipt', 'receipt_line'] LOOP
        child := parent || '_' || to_char(month, 'YYYYMM');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
        EXECUTE format(
          'WITH moved AS (DELETE FROM %I WHERE business_date >= %L AND business_date < %L RETURNING *) '
          'INSERT INTO %I SELECT * FROM moved',
          parent || '_default', month, following, child);
        EXECUTE format(
          'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, child, month, following);
      END LOOP;
      made := made + 1;
    END IF;
    month := following;
  END LOOP;
  RETURN made;
END $$;

-- A UUID of version 7 for a given moment: set-based imports need ids that are ordered by time.

CREATE FUNCTION uuid7_at(moment timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM moment) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

-- What a till's request needs to know, in one round trip: locks first, then everything read after them.
-- A statement of its own for every read: only so does it see what the last holder of a lock committed.

CREATE FUNCTION account_sums(
  held uuid, seen_at timestamptz,
  OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamptz[], OUT expire_points bigint[]
) LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT coalesce(sum(remaining), 0) INTO pending
  FROM lot WHERE account_id = held AND remaining <> 0 AND available_at > seen_at;
  -- What expires within 60 days, and what should have expired already but no night has booked so.
  SELECT coalesce(sum(points) FILTER (WHERE expires_at <= seen_at), 0),
         array_agg(expires_at ORDER BY expires_at) FILTER (WHERE expires_at > seen_at),
         array_agg(points ORDER BY expires_at) FILTER (WHERE expires_at > seen_at)
  INTO due, expire_at, expire_points
  FROM (
    SELECT expires_at, sum(remaining)::bigint AS points
    FROM lot
    WHERE account_id = held AND remaining <> 0 AND expires_at <= seen_at + interval '60 days'
    GROUP BY expires_at
  ) AS soon;
  -- Reservations whose ten minutes are over, but nobody has booked so.
  SELECT coalesce(sum(points), 0) INTO lapsed
  FROM redemption WHERE account_id = held AND state = 'reserved' AND expires_at <= seen_at;
END $$;

CREATE FUNCTION hold_account(
  held uuid, seen_at timestamptz,
  OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint,
  OUT expire_at timestamptz[], OUT expire_points bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT balance.points, balance.reserved INTO points, reserved
  FROM balance WHERE account_id = held FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO balance (account_id) VALUES (held) ON CONFLICT DO NOTHING;
    SELECT balance.points, balance.reserved INTO points, reserved
    FROM balance WHERE account_id = held FOR UPDATE;
  END IF;
  SELECT sums.pending, sums.due, sums.lapsed, sums.expire_at, sums.expire_points
  INTO pending, due, lapsed, expire_at, expire_points
  FROM account_sums(held, seen_at) AS sums;
END $$;

CREATE FUNCTION open_receipt(
  own_identity text, own_store integer, own_till integer, own_day date, own_number text,
  scanned text, closed timestamptz, seen_at timestamptz, skus text[], gtins text[],
  named_identity text, named_store text, named_till text, named_day date, named_number text,
  OUT known_receipt uuid, OUT known_fingerprint bytea, OUT known_answer jsonb,
  OUT card_state text, OUT card_blocked_at timestamptz, OUT card_account uuid, OUT card_member uuid,
  OUT given_name text, OUT family_name text, OUT language text, OUT birth_date date,
  OUT articles integer[], OUT original_receipt uuid, OUT original_account uuid, OUT waiting boolean,
  OUT seen_today integer, OUT seen_just_now integer, OUT account uuid,
  OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint,
  OUT expire_at timestamptz[], OUT expire_points bigint[]
) LANGUAGE plpgsql SET lock_timeout = '5s' SET plan_cache_mode = 'force_generic_plan' AS $$
-- Generic plans: choosing among the months at every planning costs more than pruning them when run.
DECLARE
  child record;
  successor text;
  step integer := 0;
BEGIN
  -- Whoever brings the same receipt meanwhile waits here.
  PERFORM pg_advisory_xact_lock(hashtextextended(own_identity, 0));
  SELECT receipt.receipt_id, receipt.fingerprint, receipt.answer
  INTO known_receipt, known_fingerprint, known_answer
  FROM receipt
  WHERE business_date = own_day AND store_id = own_store AND till_id = own_till AND receipt_number = own_number;
  IF FOUND THEN
    RETURN;
  END IF;

  -- A return and its sale that come at once must see each other: both hold the sale's identity,
  -- and a sale the identities of the returns that wait for it. Always own, then original or waiting.
  IF named_identity IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(named_identity, 0));
    SELECT receipt.receipt_id, receipt.account_id INTO original_receipt, original_account
    FROM receipt
    JOIN store ON store.store_id = receipt.store_id AND store.store_code = named_store
    JOIN till ON till.till_id = receipt.till_id AND till.till_code = named_till
    WHERE receipt.business_date = named_day AND receipt.receipt_number = named_number;
  END IF;
  waiting := false;
  FOR child IN SELECT identity FROM receipt_link WHERE original_identity = own_identity ORDER BY arrival LOOP
    waiting := true;
    PERFORM pg_advisory_xact_lock(hashtextextended(child.identity, 0));
  END LOOP;

  IF scanned IS NOT NULL THEN
    SELECT card.state, card.blocked_at, card.account_id, card.member_id, card.replaced_by
    INTO card_state, card_blocked_at, card_account, card_member, successor
    FROM card WHERE card_number = scanned;
    WHILE card_state = 'replaced' AND step < 100 LOOP
      step := step + 1;
      SELECT card.state, card.blocked_at, card.account_id, card.member_id, card.replaced_by
      INTO card_state, card_blocked_at, card_account, card_member, successor
      FROM card WHERE card_number = successor;
    END LOOP;
    IF card_member IS NOT NULL THEN
      SELECT member.given_name, member.family_name, member.language, member.birth_date
      INTO given_name, family_name, language, birth_date
      FROM member WHERE member_id = card_member;
    END IF;
  END IF;

  SELECT array_agg(coalesce(by_sku.article_id, by_gtin.article_id) ORDER BY line.position) INTO articles
  FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
  LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
  LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin;

  account := coalesce(original_account, card_account);
  IF account IS NOT NULL THEN
    SELECT held.points, held.reserved, held.pending, held.due, held.lapsed, held.expire_at, held.expire_points
    INTO points, reserved, pending, due, lapsed, expire_at, expire_points
    FROM hold_account(account, seen_at) AS held;
  END IF;
  IF card_account IS NOT NULL THEN
    -- Enough to tell whether there were more than the limits; a busy card costs no more than that.
    SELECT count(*), count(*) FILTER (WHERE closed_at BETWEEN closed - interval '10 minutes' AND closed)
    INTO seen_today, seen_just_now
    FROM (
      SELECT closed_at
      FROM (
        SELECT * FROM receipt WHERE account_id = card_account AND business_date = own_day OFFSET 0
      ) AS of_account
      WHERE store_id = own_store AND card_number = scanned AND type = 'sale' AND mode = 'live'
      LIMIT 6
    ) AS today;
  END IF;
END $$;

-- The most frequent entry there is, what a sale earned, without a detour through JSON.

CREATE FUNCTION book_earning(
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

-- The ledger is append-only for everybody, and every entry sums to zero.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_leg_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leg
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  unbalanced uuid;
BEGIN
  SELECT entry_id INTO unbalanced FROM new_legs GROUP BY entry_id HAVING sum(points) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the legs of ledger entry % do not sum to zero', unbalanced
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER ledger_leg_zero_sum AFTER INSERT ON ledger_leg
  REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION check_zero_sum();

-- Server and command line work as regulars_app: it reads and writes, but cannot change the books.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'regulars_app') THEN
    CREATE ROLE regulars_app NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'regulars_app', 'MEMBER') THEN
    EXECUTE format('GRANT regulars_app TO %I', current_user);
  END IF;
EXCEPTION WHEN unique_violation OR duplicate_object THEN
  NULL; -- another database of this cluster made the role at the same moment
END $$;

GRANT USAGE ON SCHEMA public TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;
REVOKE UPDATE, DELETE ON ledger_entry, ledger_leg, audit_event FROM regulars_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM regulars_app;
