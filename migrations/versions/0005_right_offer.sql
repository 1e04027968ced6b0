-- The right offer: what is offered to whom next, what members answer, cases, mail, and catalogs in runs.
-- Each section says whose it is. Locks wait five seconds at most, as in 0004.
SET LOCAL lock_timeout = '5s';

-- basket_analysis: what each member is offered, ranked by the night, and which words make an article too private for it.

CREATE TABLE member_offers (
  run_id UUID NOT NULL,
  member_id UUID NOT NULL,
  kind TEXT NOT NULL,
  article_ids BIGINT[] NOT NULL,
  scores REAL[] NOT NULL,
  reasons JSONB NOT NULL,
  CONSTRAINT member_offers_pkey PRIMARY KEY (member_id, run_id, kind),
  CONSTRAINT member_offers_kind_check CHECK (kind in ('all', 'new')),
  CONSTRAINT member_offers_lengths_check CHECK (cardinality(article_ids) = cardinality(scores) and cardinality(article_ids) = jsonb_array_length(reasons))
);

CREATE INDEX member_offers_run_id_idx ON member_offers (run_id);

CREATE TABLE sensitive_word (
  word TEXT NOT NULL,
  topic TEXT NOT NULL,
  sensitive BOOLEAN NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT sensitive_word_pkey PRIMARY KEY (word)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON member_offers, sensitive_word TO regulars_app;

ALTER TABLE member_offers ADD CONSTRAINT member_offers_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE;
ALTER TABLE member_offers ADD CONSTRAINT member_offers_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);

-- sales: what lies in the stores, and what it costs when --------------------------------------------

CREATE TABLE article_stock (
  store_id INTEGER NOT NULL,
  article_id INTEGER NOT NULL,
  quantity NUMERIC(14, 3) NOT NULL,
  counted_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT article_stock_pkey PRIMARY KEY (store_id, article_id)
);

-- Periods may overlap: in force is the price of the store before that of the chain, and of these the one that began last.
CREATE TABLE article_price (
  price_id BIGINT GENERATED ALWAYS AS IDENTITY,
  store_id INTEGER,
  article_id INTEGER NOT NULL,
  price BIGINT NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE,
  CONSTRAINT article_price_pkey PRIMARY KEY (price_id),
  CONSTRAINT article_price_begin_key UNIQUE NULLS NOT DISTINCT (article_id, store_id, valid_from),
  CONSTRAINT article_price_price_check CHECK (price >= 0),
  CONSTRAINT article_price_period_check CHECK (valid_from < valid_to)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON article_stock, article_price TO regulars_app;
ALTER TABLE article_stock ADD CONSTRAINT article_stock_store_id_fkey FOREIGN KEY (store_id) REFERENCES store (store_id);
ALTER TABLE article_stock ADD CONSTRAINT article_stock_article_id_fkey FOREIGN KEY (article_id) REFERENCES article (article_id);
ALTER TABLE article_price ADD CONSTRAINT article_price_store_id_fkey FOREIGN KEY (store_id) REFERENCES store (store_id);
ALTER TABLE article_price ADD CONSTRAINT article_price_article_id_fkey FOREIGN KEY (article_id) REFERENCES article (article_id);

-- contacts: answers about offers, answers taken back, cases, and the outbox.

ALTER TABLE reaction ALTER COLUMN card_number DROP NOT NULL;
ALTER TABLE reaction ADD COLUMN offer_code TEXT;
ALTER TABLE reaction ADD COLUMN decision_id UUID;
ALTER TABLE reaction ADD COLUMN takes_back BIGINT;
ALTER TABLE reaction ADD COLUMN moved_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE reaction DROP CONSTRAINT reaction_reaction_check;
ALTER TABLE reaction ADD CONSTRAINT reaction_reaction_check
  CHECK (reaction in ('accepted', 'not_now', 'never', 'wrong_product', 'taken_back'));
ALTER TABLE reaction DROP CONSTRAINT reaction_subject_check;
ALTER TABLE reaction ADD CONSTRAINT reaction_subject_check
  CHECK (scope = 'all' or sku is not null or offer_code is not null);
ALTER TABLE reaction ADD CONSTRAINT reaction_whose_check CHECK (card_number is not null or member_id is not null);
ALTER TABLE reaction ADD CONSTRAINT reaction_taken_back_check
  CHECK ((reaction = 'taken_back') = (takes_back is not null));
ALTER TABLE reaction ADD CONSTRAINT reaction_takes_back_key UNIQUE (takes_back);
ALTER TABLE reaction ADD CONSTRAINT reaction_takes_back_fkey FOREIGN KEY(takes_back) REFERENCES reaction (reaction_id);

CREATE TRIGGER reaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reaction
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE SEQUENCE member_case_number_seq START 1001;

CREATE TABLE member_case (
  case_id UUID NOT NULL,
  case_number TEXT NOT NULL,
  member_id UUID NOT NULL,
  kind TEXT NOT NULL,
  article_id INTEGER,
  business_date DATE,
  receipt_id UUID,
  channel TEXT NOT NULL,
  text TEXT NOT NULL,
  owner TEXT,
  state TEXT NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  opened_by TEXT NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  resolved_by TEXT,
  resolution TEXT,
  CONSTRAINT member_case_pkey PRIMARY KEY (case_id),
  CONSTRAINT member_case_case_number_key UNIQUE (case_number),
  CONSTRAINT member_case_kind_check CHECK (kind in ('complaint', 'return', 'grievance', 'question')),
  CONSTRAINT member_case_state_check CHECK (state in ('open', 'resolved')),
  CONSTRAINT member_case_receipt_check CHECK ((business_date is null) = (receipt_id is null)),
  CONSTRAINT member_case_resolved_check CHECK (
    (state = 'resolved') = (resolved_at is not null and resolved_by is not null and resolution is not null))
);

CREATE INDEX member_case_member_id_idx ON member_case (member_id);

CREATE INDEX member_case_state_idx ON member_case (state, opened_at);

GRANT SELECT, INSERT, UPDATE ON member_case TO regulars_app;
GRANT USAGE ON SEQUENCE member_case_number_seq TO regulars_app;

CREATE TABLE outgoing_mail (
  mail_id UUID NOT NULL,
  member_id UUID,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  purpose TEXT NOT NULL,
  urgency SMALLINT NOT NULL,
  language TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT,
  html TEXT,
  attachments JSONB NOT NULL,
  queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  not_before TIMESTAMP WITH TIME ZONE NOT NULL,
  not_after TIMESTAMP WITH TIME ZONE,
  as_of TIMESTAMP WITH TIME ZONE,
  state TEXT NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  leased_until TIMESTAMP WITH TIME ZONE,
  handed_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  answer TEXT,
  CONSTRAINT outgoing_mail_pkey PRIMARY KEY (mail_id),
  CONSTRAINT outgoing_mail_language_check CHECK (language in ('en', 'cs', 'sk', 'pl')),
  CONSTRAINT outgoing_mail_purpose_check CHECK (purpose in ('service', 'offers', 'catalog', 'surveys')),
  CONSTRAINT outgoing_mail_state_check CHECK (
    state in ('queued', 'sending', 'sent', 'uncertain', 'failed', 'cancelled')),
  CONSTRAINT outgoing_mail_whom_check CHECK (purpose = 'service' or member_id is not null),
  CONSTRAINT outgoing_mail_body_check CHECK (text is not null or state not in ('queued', 'sending')),
  CONSTRAINT outgoing_mail_lease_check CHECK ((state = 'sending') = (leased_until is not null)),
  CONSTRAINT outgoing_mail_finished_check CHECK (
    (state in ('queued', 'sending')) = (finished_at is null))
);

CREATE UNIQUE INDEX outgoing_mail_member_idx ON outgoing_mail (source, kind, member_id) WHERE member_id is not null;

CREATE UNIQUE INDEX outgoing_mail_recipient_idx ON outgoing_mail (source, kind, recipient) WHERE member_id is null;

CREATE INDEX outgoing_mail_waiting_idx ON outgoing_mail (urgency, not_before) WHERE state in ('queued', 'sending');

CREATE INDEX outgoing_mail_member_id_idx ON outgoing_mail (member_id, queued_at);

CREATE INDEX outgoing_mail_queued_at_idx ON outgoing_mail (queued_at);

GRANT SELECT, INSERT, UPDATE ON outgoing_mail TO regulars_app;

-- Signs the links by which people unsubscribe. It is never shown, and made anew for each database.
CREATE TABLE mail_secret (
  only_row BOOLEAN DEFAULT true NOT NULL,
  key BYTEA NOT NULL,
  CONSTRAINT mail_secret_pkey PRIMARY KEY (only_row),
  CONSTRAINT mail_secret_only_row_check CHECK (only_row)
);

INSERT INTO mail_secret (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

GRANT SELECT ON mail_secret TO regulars_app;

-- Whoever withdraws gets nothing more of what waits, by whichever door the withdrawal came in. The member is held:
-- who queues a mail holds the member too, so one of the two sees the other.
CREATE FUNCTION cancel_unwanted_mail(person uuid, unwanted text[], reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM member WHERE member_id = person FOR NO KEY UPDATE;
  UPDATE outgoing_mail SET state = 'cancelled', leased_until = NULL, finished_at = now(), answer = reason
  WHERE member_id = person AND purpose = ANY (unwanted)
    AND (state = 'queued' OR state = 'sending' AND handed_at IS NULL);
END $$;

CREATE FUNCTION heed_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM cancel_unwanted_mail(new.member_id, ARRAY[new.purpose], 'consent withdrawn');
  RETURN NULL;
END $$;

CREATE TRIGGER consent_cancels_mail AFTER INSERT ON consent FOR EACH ROW
  WHEN (not new.granted and new.channel = 'email') EXECUTE FUNCTION heed_withdrawal();

CREATE FUNCTION heed_objection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM cancel_unwanted_mail(new.member_id, ARRAY['offers', 'catalog', 'surveys'], 'objection');
  RETURN NULL;
END $$;

CREATE TRIGGER member_objection_cancels_mail AFTER UPDATE OF profiling_objected_at ON member FOR EACH ROW
  WHEN (old.profiling_objected_at IS NULL and new.profiling_objected_at IS NOT NULL)
  EXECUTE FUNCTION heed_objection();

CREATE TRIGGER reaction_cancels_mail AFTER INSERT ON reaction FOR EACH ROW
  WHEN (new.scope = 'all' and new.reaction not in ('accepted', 'taken_back') and new.member_id IS NOT NULL)
  EXECUTE FUNCTION heed_objection();

-- What shows articles was chosen by what its member had said until then. Nobody is held here: the sender looks again.
CREATE FUNCTION heed_refusal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE outgoing_mail
  SET state = 'cancelled', leased_until = NULL, finished_at = now(), answer = 'the member refused something meanwhile'
  WHERE member_id = new.member_id AND as_of IS NOT NULL
    AND (state = 'queued' OR state = 'sending' AND handed_at IS NULL);
  RETURN NULL;
END $$;

CREATE TRIGGER reaction_holds_mail_back AFTER INSERT ON reaction FOR EACH ROW
  WHEN (new.reaction not in ('accepted', 'taken_back') and new.member_id IS NOT NULL)
  EXECUTE FUNCTION heed_refusal();

-- contacts: last, since nobody can enrol or change a member or an article while these are looked at.
ALTER TABLE member_case ADD CONSTRAINT member_case_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);
ALTER TABLE member_case ADD CONSTRAINT member_case_article_id_fkey
  FOREIGN KEY (article_id) REFERENCES article (article_id);
ALTER TABLE outgoing_mail ADD CONSTRAINT outgoing_mail_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);

-- catalogs: runs from draft to hand-over, who is in them, their proofs, and copies that stay as they were sent.

CREATE TABLE catalog_run (
  catalog_run_id UUID NOT NULL,
  run_code TEXT NOT NULL,
  name TEXT NOT NULL,
  theme TEXT NOT NULL,
  size TEXT NOT NULL,
  channels TEXT[] NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE NOT NULL,
  group_ids TEXT[] DEFAULT '{}' NOT NULL,
  voucher_batches TEXT[] DEFAULT '{}' NOT NULL,
  hold_out NUMERIC(4, 3) NOT NULL,
  first_part INTEGER,
  standing BOOLEAN DEFAULT false NOT NULL,
  order_id UUID,
  state TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  proof INTEGER DEFAULT 0 NOT NULL,
  comment TEXT,
  comment_by TEXT,
  approved_by TEXT,
  approved_at TIMESTAMP WITH TIME ZONE,
  requested_on DATE,
  counted_at TIMESTAMP WITH TIME ZONE,
  started_at TIMESTAMP WITH TIME ZONE,
  finished_at TIMESTAMP WITH TIME ZONE,
  cancelled_by TEXT,
  cancelled_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT catalog_run_pkey PRIMARY KEY (catalog_run_id),
  CONSTRAINT catalog_run_run_code_key UNIQUE (run_code),
  CONSTRAINT catalog_run_order_id_fkey FOREIGN KEY (order_id) REFERENCES catalog_run (catalog_run_id),
  CONSTRAINT catalog_run_size_check CHECK (size in ('A4', 'A5')),
  CONSTRAINT catalog_run_channels_check CHECK (channels <@ '{print,email}' and cardinality(channels) > 0),
  CONSTRAINT catalog_run_period_check CHECK (valid_from < valid_to),
  CONSTRAINT catalog_run_hold_out_check CHECK (hold_out between 0 and 0.5),
  CONSTRAINT catalog_run_first_part_check CHECK (first_part > 0),
  CONSTRAINT catalog_run_state_check CHECK (state in ('draft', 'proofed', 'approved', 'running', 'stopped', 'finished', 'cancelled')),
  CONSTRAINT catalog_run_second_person_check CHECK (approved_by <> made_by),
  CONSTRAINT catalog_run_approved_check CHECK (state in ('draft', 'proofed', 'cancelled') or approved_by is not null)
);

CREATE UNIQUE INDEX catalog_run_order_idx ON catalog_run (order_id, valid_from) WHERE order_id is not null;

CREATE TABLE catalog_proof (
  catalog_run_id UUID NOT NULL,
  number INTEGER NOT NULL,
  content JSONB NOT NULL,
  made_by TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT catalog_proof_pkey PRIMARY KEY (catalog_run_id, number),
  CONSTRAINT catalog_proof_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run (catalog_run_id)
);

CREATE TABLE catalog_proof_copy (
  catalog_run_id UUID NOT NULL,
  number INTEGER NOT NULL,
  place INTEGER NOT NULL,
  member_id UUID NOT NULL,
  edition_id UUID NOT NULL,
  why JSONB NOT NULL,
  language TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 BYTEA NOT NULL,
  pages INTEGER NOT NULL,
  picks JSONB NOT NULL,
  CONSTRAINT catalog_proof_copy_pkey PRIMARY KEY (catalog_run_id, number, place),
  CONSTRAINT catalog_proof_copy_catalog_run_id_fkey FOREIGN KEY (catalog_run_id, number) REFERENCES catalog_proof (catalog_run_id, number)
);

CREATE TABLE catalog_recipient (
  catalog_run_id UUID NOT NULL,
  member_id UUID NOT NULL,
  edition_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  channel TEXT NOT NULL,
  held_out BOOLEAN NOT NULL,
  turn INTEGER NOT NULL,
  left_out TEXT,
  CONSTRAINT catalog_recipient_pkey PRIMARY KEY (catalog_run_id, member_id),
  CONSTRAINT catalog_recipient_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run (catalog_run_id),
  CONSTRAINT catalog_recipient_channel_check CHECK (channel in ('print', 'email'))
);

CREATE INDEX catalog_recipient_turn_idx ON catalog_recipient (catalog_run_id, turn) WHERE not held_out and left_out is null;

CREATE TABLE catalog_voucher (
  edition_id UUID NOT NULL,
  member_id UUID NOT NULL,
  batch_code TEXT NOT NULL,
  voucher_code TEXT NOT NULL,
  CONSTRAINT catalog_voucher_pkey PRIMARY KEY (edition_id, member_id, batch_code),
  CONSTRAINT catalog_voucher_voucher_code_key UNIQUE (voucher_code),
  CONSTRAINT catalog_voucher_voucher_code_fkey FOREIGN KEY (voucher_code) REFERENCES voucher (voucher_code)
);

CREATE TRIGGER catalog_voucher_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog_voucher
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE catalog_handover (
  handover_id UUID NOT NULL,
  catalog_run_id UUID NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE,
  prepared_at TIMESTAMP WITH TIME ZONE,
  handed_by TEXT,
  handed_at TIMESTAMP WITH TIME ZONE,
  path TEXT,
  sha256 BYTEA,
  size BIGINT,
  copies INTEGER DEFAULT 0 NOT NULL,
  remade INTEGER DEFAULT 0 NOT NULL,
  dropped INTEGER DEFAULT 0 NOT NULL,
  CONSTRAINT catalog_handover_pkey PRIMARY KEY (handover_id),
  CONSTRAINT catalog_handover_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run (catalog_run_id),
  CONSTRAINT catalog_handover_kind_check CHECK (kind in ('print', 'zip', 'email')),
  CONSTRAINT catalog_handover_state_check CHECK (state in ('waiting', 'prepared', 'handed', 'stale'))
);

CREATE INDEX catalog_handover_catalog_run_id_idx ON catalog_handover (catalog_run_id);
CREATE UNIQUE INDEX catalog_handover_open_idx ON catalog_handover (catalog_run_id, kind) WHERE state in ('waiting', 'prepared');

ALTER TABLE edition ADD COLUMN catalog_run_id UUID;
ALTER TABLE edition ADD CONSTRAINT edition_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run (catalog_run_id);
ALTER TABLE edition DROP CONSTRAINT edition_group_id_valid_from_theme_key;
CREATE UNIQUE INDEX edition_without_run_idx ON edition (group_id, valid_from, theme) WHERE catalog_run_id is null;
CREATE UNIQUE INDEX edition_of_run_idx ON edition (catalog_run_id, group_id) WHERE catalog_run_id is not null;

ALTER TABLE catalog_copy
  ADD COLUMN version INTEGER DEFAULT 1 NOT NULL,
  ADD COLUMN channel TEXT,
  ADD COLUMN state TEXT DEFAULT 'made' NOT NULL,
  ADD COLUMN handover_id UUID,
  ADD COLUMN sent_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN dropped_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN dropped_why TEXT,
  ADD CONSTRAINT catalog_copy_channel_check CHECK (channel in ('print', 'email')),
  ADD CONSTRAINT catalog_copy_state_check CHECK (state in ('made', 'sent', 'dropped')),
  ADD CONSTRAINT catalog_copy_sent_check CHECK ((state = 'sent') = (sent_at is not null)),
  ADD CONSTRAINT catalog_copy_dropped_check CHECK ((state = 'dropped') = (dropped_at is not null)),
  ADD CONSTRAINT catalog_copy_handover_id_fkey FOREIGN KEY (handover_id) REFERENCES catalog_handover (handover_id);

CREATE INDEX catalog_copy_handover_id_idx ON catalog_copy (handover_id) WHERE handover_id is not null;

-- What was sent, or was dropped, stays as it was. What was not sent yet may be made again, as its next version.
CREATE FUNCTION keep_catalog_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'copy % is in the archive: it stays there', old.copy_code
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF old.state <> 'made' AND new IS DISTINCT FROM old THEN
    RAISE EXCEPTION 'copy % is %: it stays as it is', old.copy_code, old.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (new.copy_id, new.copy_code, new.edition_id, new.member_id)
     IS DISTINCT FROM (old.copy_id, old.copy_code, old.edition_id, old.member_id) THEN
    RAISE EXCEPTION 'copy % stays the copy that it is', old.copy_code USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (new.store_id, new.language, new.path, new.sha256, new.size, new.pages, new.picks, new.made_at)
     IS DISTINCT FROM (old.store_id, old.language, old.path, old.sha256, old.size, old.pages, old.picks, old.made_at)
  THEN
    IF new.version <> old.version + 1 THEN
      RAISE EXCEPTION 'copy % is only made again as its next version', old.copy_code
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  ELSIF new.version <> old.version THEN
    RAISE EXCEPTION 'a version of copy % needs new content', old.copy_code
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN new;
END $$;

CREATE TRIGGER catalog_copy_stays BEFORE UPDATE OR DELETE ON catalog_copy
  FOR EACH ROW EXECUTE FUNCTION keep_catalog_copy();
CREATE TRIGGER catalog_copy_is_kept BEFORE TRUNCATE ON catalog_copy
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE ON catalog_copy FROM regulars_app;
GRANT SELECT, INSERT, UPDATE ON catalog_run, catalog_proof, catalog_recipient, catalog_handover TO regulars_app;
GRANT SELECT, INSERT ON catalog_proof_copy, catalog_voucher TO regulars_app;
ALTER TABLE catalog_proof_copy ADD CONSTRAINT catalog_proof_copy_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);
ALTER TABLE catalog_recipient ADD CONSTRAINT catalog_recipient_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);
ALTER TABLE catalog_voucher ADD CONSTRAINT catalog_voucher_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);

-- web: customers sign in with a code sent to them, and have sessions of their own.

CREATE TABLE sign_in_code (
  browser_sha256 BYTEA NOT NULL,
  member_id UUID,
  account_key TEXT NOT NULL,
  code_sha256 BYTEA NOT NULL,
  pass_sha256 BYTEA NOT NULL,
  email_sha256 BYTEA,
  tries SMALLINT DEFAULT 0 NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  pass_expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT sign_in_code_pkey PRIMARY KEY (browser_sha256),
  CONSTRAINT sign_in_code_pass_sha256_key UNIQUE (pass_sha256)
);

CREATE INDEX sign_in_code_sent_at_idx ON sign_in_code (sent_at);

CREATE INDEX sign_in_code_member_id_idx ON sign_in_code (member_id) WHERE member_id is not null;

CREATE TABLE customer_session (
  token_sha256 BYTEA NOT NULL,
  member_id UUID NOT NULL,
  csrf_token TEXT NOT NULL,
  email_sha256 BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT customer_session_pkey PRIMARY KEY (token_sha256)
);

CREATE INDEX customer_session_member_id_idx ON customer_session (member_id);

CREATE INDEX customer_session_seen_at_idx ON customer_session (seen_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_code, customer_session TO regulars_app;

ALTER TABLE sign_in_code ADD CONSTRAINT sign_in_code_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);
ALTER TABLE customer_session ADD CONSTRAINT customer_session_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);

-- campaigns: what was offered to whom, what came of it, and what each store has to offer --------------

CREATE TABLE decision (
  day DATE NOT NULL,
  decision_id UUID NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  member_id UUID,
  account_id UUID,
  channel TEXT NOT NULL,
  store_id INTEGER,
  article_id INTEGER NOT NULL,
  offer_code TEXT,
  score DOUBLE PRECISION NOT NULL,
  propensity DOUBLE PRECISION NOT NULL,
  explored BOOLEAN NOT NULL,
  reason JSONB NOT NULL,
  context JSONB NOT NULL,
  CONSTRAINT decision_pkey PRIMARY KEY (day, decision_id),
  CONSTRAINT decision_channel_check CHECK (channel in ('till', 'desk', 'account', 'catalog')),
  CONSTRAINT decision_propensity_check CHECK (propensity > 0 and propensity <= 1)
) PARTITION BY RANGE (day);

CREATE INDEX decision_member_id_idx ON decision (member_id, day);
CREATE INDEX decision_account_id_idx ON decision (account_id, day) WHERE member_id is null and account_id is not null;

CREATE TABLE decision_default PARTITION OF decision DEFAULT;

CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE decision_outcome (
  day DATE NOT NULL,
  decision_id UUID NOT NULL,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  bought_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT decision_outcome_pkey PRIMARY KEY (day, decision_id)
);

CREATE TABLE decision_rules (
  only_row BOOLEAN DEFAULT true NOT NULL,
  limits JSONB NOT NULL,
  exploration NUMERIC(4, 3) NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT decision_rules_pkey PRIMARY KEY (only_row),
  CONSTRAINT decision_rules_only_row_check CHECK (only_row),
  CONSTRAINT decision_rules_exploration_check CHECK (exploration between 0 and 0.5)
);

CREATE TABLE sold_lately (
  store_id INTEGER NOT NULL,
  article_id INTEGER NOT NULL,
  last_sold DATE NOT NULL,
  CONSTRAINT sold_lately_pkey PRIMARY KEY (store_id, article_id)
);

CREATE TABLE store_offers (
  store_id INTEGER NOT NULL,
  article_ids INTEGER[] NOT NULL,
  made_for DATE NOT NULL,
  CONSTRAINT store_offers_pkey PRIMARY KEY (store_id)
);

CREATE TABLE returned_faulty (
  account_id UUID NOT NULL,
  article_id INTEGER NOT NULL,
  returned_on DATE NOT NULL,
  CONSTRAINT returned_faulty_pkey PRIMARY KEY (account_id, article_id)
);

GRANT SELECT, INSERT ON decision, decision_outcome TO regulars_app;
GRANT SELECT, INSERT, UPDATE ON decision_rules TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sold_lately, store_offers, returned_faulty TO regulars_app;

-- Decisions lie in months, made ahead; what nobody foresaw goes into the default partition and moves when its month is made.
CREATE FUNCTION ensure_decision_months(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', first_day)::date;
  following date;
  child text;
  made integer := 0;
BEGIN
  IF first_day < date '2000-01-01' OR last_day >= date '2100-01-01' THEN
    RAISE EXCEPTION 'months from % to % are outside 2000 to 2099', first_day, last_day;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ensure_decision_months'));
  WHILE month <= last_day LOOP
    following := (month + interval '1 month')::date;
    child := 'decision_' || to_char(month, 'YYYYMM');
    IF to_regclass(child) IS NULL THEN
      LOCK TABLE decision_default IN ACCESS EXCLUSIVE MODE;
      EXECUTE format('CREATE TABLE %I (LIKE decision INCLUDING ALL)', child);
      EXECUTE format(
        'WITH moved AS (DELETE FROM decision_default WHERE day >= %L AND day < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        month, following, child);
      EXECUTE format('ALTER TABLE decision ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', child, month, following);
      made := made + 1;
    END IF;
    month := following;
  END LOOP;
  RETURN made;
END $$;

-- Forgets whole months that end before a day, with what came of their decisions, and what of the default partition is older.
CREATE FUNCTION forget_decisions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date := date_trunc('month', before)::date;
  child text;
  forgotten integer := 0;
BEGIN
  IF before > current_date - 90 THEN
    RAISE EXCEPTION 'decisions are kept for ninety days at least';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ensure_decision_months'));
  FOR child IN
    SELECT part.relname FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent = 'decision'::regclass AND part.relname ~ '^decision_\d{6}$'
      AND part.relname < 'decision_' || to_char(month, 'YYYYMM')
    ORDER BY part.relname
  LOOP
    EXECUTE format('DROP TABLE %I', child);
    forgotten := forgotten + 1;
  END LOOP;
  DELETE FROM decision_default WHERE day < month;
  DELETE FROM decision_outcome WHERE day < month;
  RETURN forgotten;
END $$;

-- What of a decision only the database knows at this moment, in one answer; `failed` instead of an error, so that what it
-- travels with is not touched by it. It waits for nobody: a lock that is not given at once is a failure too, and so is
-- taking longer than `patience`. Who has no list of their own is offered of `common`. With `hold` the log of decisions is
-- held for the rest of the transaction, so that what is decided can be kept.
CREATE FUNCTION decision_scene(
  card_scanned text, of_member uuid, of_account uuid, of_store integer, common integer[], seen_at timestamptz, today date,
  most integer, asks_person boolean, hold boolean, patience interval
) RETURNS json LANGUAGE plpgsql VOLATILE SET lock_timeout = '15ms' AS $$
DECLARE
  began CONSTANT timestamptz := clock_timestamp();
  run uuid;
  number text := card_scanned;
  card_state text;
  following text;
  silent text;
  person json;
  own record;
  all_ids integer[];
  all_reasons jsonb;
  new_ids integer[];
  new_reasons jsonb;
  ids integer[];
  there integer[];
  gone integer[];
  answers json;
  told json;
  faulty json;
BEGIN
  SELECT served_run.run_id INTO run FROM served_run;
  IF run IS NULL THEN
    RETURN json_build_object('silent', 'no run');
  END IF;
  IF number IS NOT NULL THEN
    FOR step IN 0..100 LOOP
      SELECT card.state, card.replaced_by, card.member_id, card.account_id
      INTO card_state, following, of_member, of_account FROM card WHERE card.card_number = number;
      EXIT WHEN NOT FOUND OR card_state <> 'replaced' OR following IS NULL;
      number := following;
    END LOOP;
    IF card_state IN ('blocked', 'expired') THEN
      RETURN json_build_object('silent', 'card');
    END IF;
  END IF;
  IF of_member IS NOT NULL THEN
    SELECT CASE WHEN member.profiling_objected_at IS NOT NULL THEN 'objects'
                WHEN coalesce(member.company_name, member.company_id, member.vat_id) IS NOT NULL THEN 'company' END,
           member.account_id
    INTO silent, of_account FROM member WHERE member.member_id = of_member;
    IF silent IS NOT NULL THEN
      RETURN json_build_object('silent', silent);
    END IF;
    FOR own IN
      SELECT of_run.kind, of_run.article_ids, of_run.reasons FROM member_offers AS of_run
      WHERE of_run.member_id = of_member AND of_run.run_id = run
    LOOP
      IF own.kind = 'all' THEN
        all_ids := own.article_ids[1:most];
        all_reasons := own.reasons;
      ELSE
        new_ids := own.article_ids[1:most];
        new_reasons := own.reasons;
      END IF;
    END LOOP;
  END IF;
  ids := all_ids || new_ids;
  IF ids IS NULL THEN
    ids := common;
  END IF;
  IF cardinality(ids) IS NULL OR cardinality(ids) = 0 THEN
    RETURN json_build_object('silent', 'no list', 'run', run);
  END IF;
  SELECT array_agg(stock.article_id) FILTER (WHERE stock.quantity > 0),
         array_agg(stock.article_id) FILTER (WHERE stock.quantity <= 0)
  INTO there, gone
  FROM article_stock AS stock WHERE stock.store_id = of_store AND stock.article_id = ANY (ids);
  IF asks_person AND of_member IS NOT NULL THEN
    SELECT json_build_array(
             member.member_code, member.birth_date,
             (SELECT json_agg(of_run.group_id) FROM group_membership AS of_run
              WHERE of_run.member_id = member.member_id AND of_run.run_id = run),
             EXISTS (SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
                     WHERE card.member_id = member.member_id AND staff_card.registered_at <= seen_at
                       AND (staff_card.ended_at IS NULL OR staff_card.ended_at > seen_at)),
             standing.phase, standing.value_class)
    INTO person
    FROM member
    LEFT JOIN member_standing AS standing ON standing.run_id = run AND standing.member_id = member.member_id
    WHERE member.member_id = of_member;
  END IF;
  IF clock_timestamp() > began + patience THEN
    RETURN json_build_object('failed', 'slow');
  END IF;
  IF of_account IS NOT NULL THEN
    -- What contacts.refusal_questions asks, for one member.
    SELECT json_agg(json_build_array(said.reaction, said.scope, said.article_id, said.category, said.recorded_at,
             said.offer_code) ORDER BY said.recorded_at, said.reaction_id)
    INTO answers
    FROM (
      SELECT reaction.reaction_id, reaction.reaction, reaction.scope,
             coalesce(reaction.article_id, article.article_id) AS article_id,
             coalesce(reaction.category, CASE WHEN reaction.scope = 'category' THEN article.category END) AS category,
             reaction.recorded_at, reaction.offer_code
      FROM reaction LEFT JOIN article ON article.sku = reaction.sku AND reaction.article_id IS NULL
      WHERE reaction.member_id = of_member
      UNION ALL
      SELECT reaction.reaction_id, reaction.reaction, reaction.scope,
             coalesce(reaction.article_id, article.article_id),
             coalesce(reaction.category, CASE WHEN reaction.scope = 'category' THEN article.category END),
             reaction.recorded_at, reaction.offer_code
      FROM reaction LEFT JOIN article ON article.sku = reaction.sku AND reaction.article_id IS NULL
      WHERE reaction.member_id IS NULL AND reaction.account_id = of_account
      UNION ALL
      SELECT 0, 'open_case', 'item', member_case.article_id, article.category, member_case.opened_at, NULL
      FROM member_case JOIN article ON article.article_id = member_case.article_id
      WHERE member_case.member_id = of_member AND member_case.state = 'open'
    ) AS said;
    IF of_member IS NOT NULL THEN
      SELECT json_agg(json_build_array(decision.article_id, decision.channel, today - decision.day)) INTO told
      FROM decision
      WHERE decision.member_id = of_member AND decision.day > today - 7 AND decision.day <= today;
    ELSE
      SELECT json_agg(json_build_array(decision.article_id, decision.channel, today - decision.day)) INTO told
      FROM decision
      WHERE decision.account_id = of_account AND decision.member_id IS NULL
        AND decision.day > today - 7 AND decision.day <= today;
    END IF;
    -- What the night has not written down yet stands on the returns of the last days.
    SELECT json_agg(back.article_id) INTO faulty
    FROM (
      SELECT returned_faulty.article_id FROM returned_faulty WHERE returned_faulty.account_id = of_account
      UNION ALL
      SELECT returned_faulty.article_id
      FROM balance JOIN returned_faulty ON returned_faulty.account_id = balance.account_id
      WHERE balance.moved_to = of_account
      UNION ALL
      SELECT line.article_id
      FROM receipt JOIN receipt_line AS line USING (business_date, receipt_id)
      WHERE receipt.account_id = of_account AND receipt.business_date > today - 4 AND receipt.business_date <= today + 1
        AND line.business_date > today - 4 AND line.business_date <= today + 1
        AND receipt.type = 'return' AND receipt.mode = 'live' AND line.return_reason = 'faulty'
        AND line.article_id IS NOT NULL
        AND NOT EXISTS (
          SELECT FROM receipt_link AS link JOIN receipt_link AS void ON void.original_identity = link.identity
          WHERE link.receipt_id = receipt.receipt_id AND void.type = 'void'
            AND void.original_receipt_id = link.receipt_id)
    ) AS back;
  END IF;
  IF hold THEN
    LOCK TABLE ONLY decision IN ROW EXCLUSIVE MODE;
  END IF;
  IF clock_timestamp() > began + patience THEN
    RETURN json_build_object('failed', 'slow');
  END IF;
  RETURN json_build_object(
    'run', run, 'member', of_member, 'account', of_account, 'person', person, 'all', all_ids, 'all_reasons', all_reasons,
    'new', new_ids, 'new_reasons', new_reasons, 'there', there, 'gone', gone, 'answers', answers, 'told', told,
    'faulty', faulty,
    'words', (SELECT json_build_array(count(*), max(sensitive_word.set_at)) FROM sensitive_word),
    'rules', (SELECT json_build_array(decision_rules.limits, decision_rules.exploration) FROM decision_rules));
EXCEPTION WHEN OTHERS THEN
  RETURN json_build_object('failed', SQLSTATE || ' ' || SQLERRM);
END $$;

-- Keeps decisions, each once, and says whether it could: an answer is never lost because of them.
CREATE FUNCTION keep_decisions(decided jsonb) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '15ms' AS $$
BEGIN
  INSERT INTO decision (day, decision_id, at, member_id, account_id, channel, store_id, article_id, offer_code, score,
                        propensity, explored, reason, context)
  SELECT one.day, one.decision_id, one.at, one.member_id, one.account_id, one.channel, one.store_id, one.article_id,
         one.offer_code, one.score, one.propensity, one.explored, one.reason, one.context
  FROM jsonb_to_recordset(decided) AS one (
    day date, decision_id uuid, at timestamptz, member_id uuid, account_id uuid, channel text, store_id integer,
    article_id integer, offer_code text, score double precision, propensity double precision, explored boolean,
    reason jsonb, context jsonb)
  ON CONFLICT DO NOTHING;
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  RETURN false;
END $$;
