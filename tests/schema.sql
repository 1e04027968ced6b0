TABLE account
  account_id uuid NOT NULL
  household_code text
  opened_at timestamp with time zone NOT NULL
  account_household_code_key UNIQUE (household_code)
  account_pkey PRIMARY KEY (account_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE adjustment
  adjustment_id uuid NOT NULL
  account_id uuid NOT NULL
  member_id uuid
  points bigint NOT NULL
  reason text NOT NULL
  note text NOT NULL
  state text NOT NULL
  points_limit bigint NOT NULL
  needs_second boolean NOT NULL
  requested_by text NOT NULL
  requested_at timestamp with time zone NOT NULL
  decided_by text
  decided_at timestamp with time zone
  decision_note text
  adjustment_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  adjustment_decided_check CHECK ((((state = 'requested'::text) = (decided_by IS NULL)) AND ((decided_by IS NULL) = (decided_at IS NULL))))
  adjustment_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  adjustment_pkey PRIMARY KEY (adjustment_id)
  adjustment_points_check CHECK ((points <> 0))
  adjustment_reason_check CHECK ((reason = ANY (ARRAY['goodwill'::text, 'complaint'::text, 'missing_purchase'::text, 'till_error'::text, 'promotion'::text, 'misuse'::text, 'correction'::text, 'other'::text])))
  adjustment_rejected_check CHECK (((state <> 'rejected'::text) OR (decided_by <> requested_by)))
  adjustment_second_check CHECK (((state <> 'approved'::text) OR (NOT needs_second) OR (decided_by <> requested_by)))
  adjustment_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'approved'::text, 'rejected'::text, 'withdrawn'::text])))
  adjustment_withdrawn_check CHECK (((state <> 'withdrawn'::text) OR (decided_by = requested_by)))
CREATE INDEX adjustment_account_id_idx ON adjustment USING btree (account_id, requested_at)
CREATE INDEX adjustment_member_id_idx ON adjustment USING btree (member_id)
CREATE INDEX adjustment_requested_at_idx ON adjustment USING btree (requested_at)
CREATE INDEX adjustment_waiting_idx ON adjustment USING btree (requested_at) WHERE (state = 'requested'::text)
GRANT INSERT, SELECT TO regulars_app

TABLE adjustment_limit
  role text NOT NULL
  points bigint NOT NULL
  changed_by text NOT NULL
  changed_at timestamp with time zone NOT NULL
  adjustment_limit_pkey PRIMARY KEY (role)
  adjustment_limit_points_check CHECK ((points >= 0))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE alert
  alert_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  kind text NOT NULL
  store_id integer NOT NULL
  day date NOT NULL
  operator_code text
  card_number text
  receipts integer NOT NULL
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  state text DEFAULT 'open'::text NOT NULL
  raised_at timestamp with time zone NOT NULL
  decided_by text
  decided_at timestamp with time zone
  reason text
  alert_decided_check CHECK ((((state = 'open'::text) = (decided_by IS NULL)) AND ((state = 'open'::text) = (decided_at IS NULL))))
  alert_kind_check CHECK ((kind = ANY (ARRAY['velocity'::text, 'own_card'::text, 'cashier_card'::text, 'blind_returns'::text])))
  alert_pkey PRIMARY KEY (alert_id)
  alert_reason_check CHECK (((state <> 'dismissed'::text) OR (reason IS NOT NULL)))
  alert_state_check CHECK ((state = ANY (ARRAY['open'::text, 'confirmed'::text, 'dismissed'::text])))
  alert_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  alert_subject_key UNIQUE NULLS NOT DISTINCT (kind, store_id, day, operator_code, card_number)
CREATE INDEX alert_card_number_idx ON alert USING btree (card_number) WHERE (card_number IS NOT NULL)
CREATE INDEX alert_open_idx ON alert USING btree (store_id, raised_at) WHERE (state = 'open'::text)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE analysis_run
  run_id uuid NOT NULL
  business_day date NOT NULL
  state text NOT NULL
  started_at timestamp with time zone NOT NULL
  finished_at timestamp with time zone
  version text NOT NULL
  parameters jsonb NOT NULL
  inputs jsonb NOT NULL
  timings jsonb NOT NULL
  error text
  analysis_run_pkey PRIMARY KEY (run_id)
  analysis_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'completed'::text, 'failed'::text, 'refused'::text])))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE article
  article_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  sku text NOT NULL
  gtin text
  name text NOT NULL
  department text
  category text
  type text
  brand text
  unit text NOT NULL
  tax_rate numeric(5,2) NOT NULL
  price bigint
  cost bigint
  picture text
  article_gtin_key UNIQUE (gtin)
  article_pkey PRIMARY KEY (article_id)
  article_sku_key UNIQUE (sku)
  article_unit_check CHECK ((unit = ANY (ARRAY['pcs'::text, 'kg'::text, 'l'::text, 'm'::text])))
CREATE INDEX article_category_idx ON article USING btree (category)
CREATE TRIGGER article_keeps_past AFTER UPDATE ON article FOR EACH ROW WHEN ((((((old.gtin IS DISTINCT FROM new.gtin) OR (old.department IS DISTINCT FROM new.department)) OR (old.category IS DISTINCT FROM new.category)) OR (old.type IS DISTINCT FROM new.type)) OR (old.brand IS DISTINCT FROM new.brand))) EXECUTE FUNCTION keep_article_past()
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE article_code
  code text NOT NULL
  article_id integer NOT NULL
  set_by text NOT NULL
  set_at timestamp with time zone NOT NULL
  article_code_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  article_code_pkey PRIMARY KEY (code)
CREATE INDEX article_code_article_id_idx ON article_code USING btree (article_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE article_past
  article_id integer NOT NULL
  until timestamp with time zone NOT NULL
  gtin text
  department text
  category text
  type text
  brand text
  article_past_pkey PRIMARY KEY (article_id, until)
CREATE TRIGGER article_past_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON article_past FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE article_price
  price_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  store_id integer
  article_id integer NOT NULL
  price bigint NOT NULL
  valid_from date NOT NULL
  valid_to date
  article_price_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  article_price_begin_key UNIQUE NULLS NOT DISTINCT (article_id, store_id, valid_from)
  article_price_period_check CHECK ((valid_from < valid_to))
  article_price_pkey PRIMARY KEY (price_id)
  article_price_price_check CHECK ((price >= 0))
  article_price_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE article_stock
  store_id integer NOT NULL
  article_id integer NOT NULL
  quantity numeric(14,3) NOT NULL
  counted_at timestamp with time zone NOT NULL
  article_stock_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  article_stock_pkey PRIMARY KEY (store_id, article_id)
  article_stock_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE audit_event
  event_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  happened_at timestamp with time zone NOT NULL
  actor text NOT NULL
  action text NOT NULL
  subject_kind text NOT NULL
  subject_id text NOT NULL
  detail jsonb
  audit_event_pkey PRIMARY KEY (event_id)
CREATE INDEX audit_event_happened_at_idx ON audit_event USING btree (happened_at)
CREATE INDEX audit_event_subject_idx ON audit_event USING btree (subject_kind, subject_id, happened_at)
CREATE TRIGGER audit_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE balance
  account_id uuid NOT NULL
  points bigint DEFAULT '0'::bigint NOT NULL
  reserved bigint DEFAULT '0'::bigint NOT NULL
  moved_to uuid
  balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  balance_moved_check CHECK (((moved_to IS NULL) OR ((points = 0) AND (reserved = 0))))
  balance_moved_to_fkey FOREIGN KEY (moved_to) REFERENCES account(account_id)
  balance_pkey PRIMARY KEY (account_id)
  balance_reserved_check CHECK ((reserved >= 0))
CREATE INDEX balance_moved_to_idx ON balance USING btree (moved_to) WHERE (moved_to IS NOT NULL)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE barcode_layout
  layout_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  store_id integer
  country text
  pattern text NOT NULL
  holds text NOT NULL
  decimals smallint NOT NULL
  article_by text NOT NULL
  set_by text NOT NULL
  set_at timestamp with time zone NOT NULL
  barcode_layout_article_by_check CHECK ((article_by = ANY (ARRAY['sku'::text, 'sku_unpadded'::text, 'gtin'::text])))
  barcode_layout_decimals_check CHECK (((decimals >= 0) AND (decimals <= 3)))
  barcode_layout_holds_check CHECK ((holds = ANY (ARRAY['weight'::text, 'price'::text, 'quantity'::text])))
  barcode_layout_pattern_check CHECK (((pattern ~ '^2[0-9]+I+K?V+C$'::text) AND (length(pattern) = 13)))
  barcode_layout_pkey PRIMARY KEY (layout_id)
  barcode_layout_place_check CHECK (((store_id IS NULL) OR (country IS NULL)))
  barcode_layout_place_key UNIQUE NULLS NOT DISTINCT (store_id, country, pattern)
  barcode_layout_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE card
  card_number text NOT NULL
  state text NOT NULL
  account_id uuid
  member_id uuid
  replaced_by text
  blocked_reason text
  blocked_at timestamp with time zone
  created_at timestamp with time zone NOT NULL
  issued_at timestamp with time zone
  card_account_check CHECK (((state = ANY (ARRAY['stock'::text, 'expired'::text])) OR (account_id IS NOT NULL)))
  card_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  card_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  card_pkey PRIMARY KEY (card_number)
  card_reason_check CHECK (((state <> 'blocked'::text) OR ((blocked_reason IS NOT NULL) AND (blocked_at IS NOT NULL))))
  card_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES card(card_number)
  card_state_check CHECK ((state = ANY (ARRAY['stock'::text, 'issued'::text, 'active'::text, 'blocked'::text, 'replaced'::text, 'expired'::text])))
  card_successor_check CHECK (((state <> 'replaced'::text) OR (replaced_by IS NOT NULL)))
CREATE INDEX card_account_id_idx ON card USING btree (account_id)
CREATE INDEX card_member_id_idx ON card USING btree (member_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_copy
  copy_id uuid NOT NULL
  copy_code text NOT NULL
  edition_id uuid NOT NULL
  member_id uuid NOT NULL
  store_id integer
  language text NOT NULL
  path text NOT NULL
  sha256 bytea NOT NULL
  size integer NOT NULL
  pages integer NOT NULL
  picks jsonb NOT NULL
  made_at timestamp with time zone NOT NULL
  version integer DEFAULT 1 NOT NULL
  channel text
  state text DEFAULT 'made'::text NOT NULL
  handover_id uuid
  sent_at timestamp with time zone
  dropped_at timestamp with time zone
  dropped_why text
  catalog_copy_channel_check CHECK ((channel = ANY (ARRAY['print'::text, 'email'::text])))
  catalog_copy_copy_code_key UNIQUE (copy_code)
  catalog_copy_dropped_check CHECK (((state = 'dropped'::text) = (dropped_at IS NOT NULL)))
  catalog_copy_edition_id_fkey FOREIGN KEY (edition_id) REFERENCES edition(edition_id)
  catalog_copy_edition_id_member_id_key UNIQUE (edition_id, member_id)
  catalog_copy_handover_id_fkey FOREIGN KEY (handover_id) REFERENCES catalog_handover(handover_id)
  catalog_copy_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  catalog_copy_pkey PRIMARY KEY (copy_id)
  catalog_copy_sent_check CHECK (((state = 'sent'::text) = (sent_at IS NOT NULL)))
  catalog_copy_state_check CHECK ((state = ANY (ARRAY['made'::text, 'sent'::text, 'dropped'::text])))
  catalog_copy_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE INDEX catalog_copy_handover_id_idx ON catalog_copy USING btree (handover_id) WHERE (handover_id IS NOT NULL)
CREATE INDEX catalog_copy_member_id_idx ON catalog_copy USING btree (member_id)
CREATE TRIGGER catalog_copy_is_kept BEFORE TRUNCATE ON catalog_copy FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER catalog_copy_stays BEFORE DELETE OR UPDATE ON catalog_copy FOR EACH ROW EXECUTE FUNCTION keep_catalog_copy()
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_handover
  handover_id uuid NOT NULL
  catalog_run_id uuid NOT NULL
  kind text NOT NULL
  state text NOT NULL
  made_by text NOT NULL
  made_at timestamp with time zone NOT NULL
  checked_at timestamp with time zone
  prepared_at timestamp with time zone
  handed_by text
  handed_at timestamp with time zone
  path text
  sha256 bytea
  size bigint
  copies integer DEFAULT 0 NOT NULL
  remade integer DEFAULT 0 NOT NULL
  dropped integer DEFAULT 0 NOT NULL
  catalog_handover_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run(catalog_run_id)
  catalog_handover_kind_check CHECK ((kind = ANY (ARRAY['print'::text, 'zip'::text, 'email'::text])))
  catalog_handover_pkey PRIMARY KEY (handover_id)
  catalog_handover_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'prepared'::text, 'handed'::text, 'stale'::text])))
CREATE INDEX catalog_handover_catalog_run_id_idx ON catalog_handover USING btree (catalog_run_id)
CREATE UNIQUE INDEX catalog_handover_open_idx ON catalog_handover USING btree (catalog_run_id, kind) WHERE (state = ANY (ARRAY['waiting'::text, 'prepared'::text]))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_proof
  catalog_run_id uuid NOT NULL
  number integer NOT NULL
  content jsonb NOT NULL
  made_by text NOT NULL
  asked_at timestamp with time zone NOT NULL
  made_at timestamp with time zone
  catalog_proof_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run(catalog_run_id)
  catalog_proof_pkey PRIMARY KEY (catalog_run_id, number)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_proof_copy
  catalog_run_id uuid NOT NULL
  number integer NOT NULL
  place integer NOT NULL
  member_id uuid NOT NULL
  edition_id uuid NOT NULL
  why jsonb NOT NULL
  language text NOT NULL
  path text NOT NULL
  sha256 bytea NOT NULL
  pages integer NOT NULL
  picks jsonb NOT NULL
  catalog_proof_copy_catalog_run_id_fkey FOREIGN KEY (catalog_run_id, number) REFERENCES catalog_proof(catalog_run_id, number)
  catalog_proof_copy_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  catalog_proof_copy_pkey PRIMARY KEY (catalog_run_id, number, place)
GRANT INSERT, SELECT TO regulars_app

TABLE catalog_recipient
  catalog_run_id uuid NOT NULL
  member_id uuid NOT NULL
  edition_id uuid NOT NULL
  store_id integer NOT NULL
  channel text NOT NULL
  held_out boolean NOT NULL
  turn integer NOT NULL
  left_out text
  catalog_recipient_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run(catalog_run_id)
  catalog_recipient_channel_check CHECK ((channel = ANY (ARRAY['print'::text, 'email'::text])))
  catalog_recipient_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  catalog_recipient_pkey PRIMARY KEY (catalog_run_id, member_id)
CREATE INDEX catalog_recipient_turn_idx ON catalog_recipient USING btree (catalog_run_id, turn) WHERE ((NOT held_out) AND (left_out IS NULL))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_run
  catalog_run_id uuid NOT NULL
  run_code text NOT NULL
  name text NOT NULL
  theme text NOT NULL
  size text NOT NULL
  channels text[] NOT NULL
  valid_from date NOT NULL
  valid_to date NOT NULL
  group_ids text[] DEFAULT '{}'::text[] NOT NULL
  voucher_batches text[] DEFAULT '{}'::text[] NOT NULL
  hold_out numeric(4,3) NOT NULL
  first_part integer
  standing boolean DEFAULT false NOT NULL
  order_id uuid
  state text NOT NULL
  made_by text NOT NULL
  made_at timestamp with time zone NOT NULL
  proof integer DEFAULT 0 NOT NULL
  comment text
  comment_by text
  approved_by text
  approved_at timestamp with time zone
  requested_on date
  counted_at timestamp with time zone
  started_at timestamp with time zone
  finished_at timestamp with time zone
  cancelled_by text
  cancelled_at timestamp with time zone
  countries text[] DEFAULT '{}'::text[] NOT NULL
  catalog_run_approved_check CHECK (((state = ANY (ARRAY['draft'::text, 'proofed'::text, 'cancelled'::text])) OR (approved_by IS NOT NULL)))
  catalog_run_channels_check CHECK (((channels <@ '{print,email}'::text[]) AND (cardinality(channels) > 0)))
  catalog_run_first_part_check CHECK ((first_part > 0))
  catalog_run_hold_out_check CHECK (((hold_out >= (0)::numeric) AND (hold_out <= 0.5)))
  catalog_run_order_id_fkey FOREIGN KEY (order_id) REFERENCES catalog_run(catalog_run_id)
  catalog_run_period_check CHECK ((valid_from < valid_to))
  catalog_run_pkey PRIMARY KEY (catalog_run_id)
  catalog_run_run_code_key UNIQUE (run_code)
  catalog_run_second_person_check CHECK ((approved_by <> made_by))
  catalog_run_size_check CHECK ((size = ANY (ARRAY['A4'::text, 'A5'::text])))
  catalog_run_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'proofed'::text, 'approved'::text, 'running'::text, 'stopped'::text, 'finished'::text, 'cancelled'::text])))
CREATE UNIQUE INDEX catalog_run_order_idx ON catalog_run USING btree (order_id, valid_from) WHERE (order_id IS NOT NULL)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE catalog_voucher
  edition_id uuid NOT NULL
  member_id uuid NOT NULL
  batch_code text NOT NULL
  voucher_code text NOT NULL
  catalog_voucher_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  catalog_voucher_pkey PRIMARY KEY (edition_id, member_id, batch_code)
  catalog_voucher_voucher_code_fkey FOREIGN KEY (voucher_code) REFERENCES voucher(voucher_code)
  catalog_voucher_voucher_code_key UNIQUE (voucher_code)
CREATE TRIGGER catalog_voucher_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON catalog_voucher FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE category_profile
  run_id uuid NOT NULL
  category text NOT NULL
  figures jsonb NOT NULL
  category_profile_pkey PRIMARY KEY (run_id, category)
  category_profile_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE consent
  consent_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  member_id uuid NOT NULL
  purpose text NOT NULL
  channel text
  granted boolean NOT NULL
  text_version text NOT NULL
  source text NOT NULL
  recorded_at timestamp with time zone NOT NULL
  consent_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  consent_pkey PRIMARY KEY (consent_id)
CREATE INDEX consent_member_id_idx ON consent USING btree (member_id, purpose, channel, recorded_at)
CREATE TRIGGER consent_cancels_mail AFTER INSERT ON consent FOR EACH ROW WHEN (((NOT new.granted) AND (new.channel = 'email'::text))) EXECUTE FUNCTION heed_withdrawal()
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE consent_request
  request_id uuid NOT NULL
  member_id uuid NOT NULL
  purposes text[] NOT NULL
  email_sha256 bytea NOT NULL
  text_version text NOT NULL
  source text NOT NULL
  asked_at timestamp with time zone NOT NULL
  valid_until timestamp with time zone NOT NULL
  confirmed_at timestamp with time zone
  consent_request_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  consent_request_pkey PRIMARY KEY (request_id)
  consent_request_purposes_check CHECK (((cardinality(purposes) > 0) AND (purposes <@ ARRAY['offers'::text, 'catalog'::text, 'surveys'::text])))
CREATE INDEX consent_request_member_id_idx ON consent_request USING btree (member_id, asked_at)
GRANT INSERT, SELECT TO regulars_app

TABLE contact
  contact_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  member_id uuid NOT NULL
  at timestamp with time zone NOT NULL
  channel text NOT NULL
  direction text NOT NULL
  kind text NOT NULL
  detail jsonb NOT NULL
  source text
  contact_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text])))
  contact_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  contact_pkey PRIMARY KEY (contact_id)
CREATE INDEX contact_member_id_idx ON contact USING btree (member_id, at)
CREATE UNIQUE INDEX contact_source_idx ON contact USING btree (source, kind, member_id) WHERE (source IS NOT NULL)
CREATE TRIGGER contact_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON contact FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE counted_article
  article_id integer NOT NULL
  department text
  category text
  type text
  brand text
  counted_article_pkey PRIMARY KEY (article_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE counted_day
  business_date date NOT NULL
  fingerprint text NOT NULL
  articles bytea NOT NULL
  counted_at timestamp with time zone NOT NULL
  counted_day_pkey PRIMARY KEY (business_date)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE counted_day_level
  business_date date NOT NULL
  level text NOT NULL
  counts bytea NOT NULL
  counted_day_level_business_date_fkey FOREIGN KEY (business_date) REFERENCES counted_day(business_date) ON DELETE CASCADE
  counted_day_level_pkey PRIMARY KEY (business_date, level)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE counted_item
  item_number integer GENERATED ALWAYS AS IDENTITY NOT NULL
  level text NOT NULL
  name text NOT NULL
  counted_item_level_key UNIQUE (level, name)
  counted_item_pkey PRIMARY KEY (item_number)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE counted_window
  level text NOT NULL
  first_day date NOT NULL
  following_day date NOT NULL
  settings jsonb NOT NULL
  tracked bytea NOT NULL
  counts bytea NOT NULL
  recounted_at timestamp with time zone NOT NULL
  counted_window_pkey PRIMARY KEY (level)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE customer_session
  token_sha256 bytea NOT NULL
  member_id uuid NOT NULL
  csrf_token text NOT NULL
  email_sha256 bytea
  created_at timestamp with time zone NOT NULL
  seen_at timestamp with time zone NOT NULL
  customer_session_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  customer_session_pkey PRIMARY KEY (token_sha256)
CREATE INDEX customer_session_member_id_idx ON customer_session USING btree (member_id)
CREATE INDEX customer_session_seen_at_idx ON customer_session USING btree (seen_at)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE decision PARTITION BY RANGE (day)
  day date NOT NULL
  decision_id uuid NOT NULL
  at timestamp with time zone NOT NULL
  member_id uuid
  account_id uuid
  channel text NOT NULL
  store_id integer
  article_id integer NOT NULL
  offer_code text
  score double precision NOT NULL
  propensity double precision NOT NULL
  explored boolean NOT NULL
  reason jsonb NOT NULL
  context jsonb NOT NULL
  decision_channel_check CHECK ((channel = ANY (ARRAY['till'::text, 'desk'::text, 'account'::text, 'catalog'::text])))
  decision_pkey PRIMARY KEY (day, decision_id)
  decision_propensity_check CHECK (((propensity > (0)::double precision) AND (propensity <= (1)::double precision)))
CREATE INDEX decision_account_id_idx ON ONLY public.decision USING btree (account_id, day) WHERE ((member_id IS NULL) AND (account_id IS NOT NULL))
CREATE INDEX decision_member_id_idx ON ONLY public.decision USING btree (member_id, day)
CREATE TRIGGER decision_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
PARTITION decision_default DEFAULT
GRANT INSERT, SELECT TO regulars_app

TABLE decision_effect
  decision_id bigint NOT NULL
  business_day date NOT NULL
  measured_at timestamp with time zone NOT NULL
  state text NOT NULL
  done boolean NOT NULL
  effective_on date
  due_on date
  predicted bigint NOT NULL
  predicted_low bigint NOT NULL
  predicted_high bigint NOT NULL
  effect bigint
  low bigint
  high bigint
  held boolean
  comparisons integer NOT NULL
  detail jsonb NOT NULL
  decision_effect_decision_id_fkey FOREIGN KEY (decision_id) REFERENCES suggestion_decision(decision_id)
  decision_effect_interval_check CHECK (((low <= effect) AND (effect <= high)))
  decision_effect_measured_check CHECK (((state = 'measured'::text) = ((effect IS NOT NULL) AND (low IS NOT NULL) AND (high IS NOT NULL))))
  decision_effect_pkey PRIMARY KEY (decision_id)
  decision_effect_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'measured'::text, 'not_measurable'::text])))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE decision_outcome
  day date NOT NULL
  decision_id uuid NOT NULL
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  bought_at timestamp with time zone NOT NULL
  decision_outcome_pkey PRIMARY KEY (day, decision_id)
GRANT INSERT, SELECT TO regulars_app

TABLE decision_rules
  only_row boolean DEFAULT true NOT NULL
  limits jsonb NOT NULL
  exploration numeric(4,3) NOT NULL
  set_by text NOT NULL
  set_at timestamp with time zone NOT NULL
  decision_rules_exploration_check CHECK (((exploration >= (0)::numeric) AND (exploration <= 0.5)))
  decision_rules_only_row_check CHECK (only_row)
  decision_rules_pkey PRIMARY KEY (only_row)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE edition
  edition_id uuid NOT NULL
  edition_code text NOT NULL
  run_id uuid NOT NULL
  group_id text NOT NULL
  group_name text NOT NULL
  theme text NOT NULL
  valid_from date NOT NULL
  valid_to date NOT NULL
  created_at timestamp with time zone NOT NULL
  content jsonb NOT NULL
  catalog_run_id uuid
  edition_catalog_run_id_fkey FOREIGN KEY (catalog_run_id) REFERENCES catalog_run(catalog_run_id)
  edition_edition_code_key UNIQUE (edition_code)
  edition_period_check CHECK ((valid_from < valid_to))
  edition_pkey PRIMARY KEY (edition_id)
CREATE UNIQUE INDEX edition_of_run_idx ON edition USING btree (catalog_run_id, group_id) WHERE (catalog_run_id IS NOT NULL)
CREATE UNIQUE INDEX edition_without_run_idx ON edition USING btree (group_id, valid_from, theme) WHERE (catalog_run_id IS NULL)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE expiry_warning
  account_id uuid NOT NULL
  expires_at timestamp with time zone NOT NULL
  days_before smallint NOT NULL
  points bigint NOT NULL
  warned_at timestamp with time zone NOT NULL
  expiry_warning_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  expiry_warning_days_check CHECK ((days_before = ANY (ARRAY[30, 7])))
  expiry_warning_pkey PRIMARY KEY (account_id, expires_at, days_before)
  expiry_warning_points_check CHECK ((points > 0))
GRANT INSERT, SELECT TO regulars_app

TABLE gift_card
  gift_card_number text NOT NULL
  currency text NOT NULL
  state text DEFAULT 'active'::text NOT NULL
  balance bigint DEFAULT '0'::bigint NOT NULL
  issued_at timestamp with time zone NOT NULL
  issued_by text NOT NULL
  gift_card_balance_check CHECK ((balance >= 0))
  gift_card_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
  gift_card_number_check CHECK ((gift_card_number ~ '^[0-9A-Z]{16}$'::text))
  gift_card_pkey PRIMARY KEY (gift_card_number)
  gift_card_state_check CHECK ((state = ANY (ARRAY['active'::text, 'blocked'::text])))
GRANT INSERT, SELECT TO regulars_app

TABLE gift_card_entry
  entry_id uuid NOT NULL
  gift_card_number text NOT NULL
  reason text NOT NULL
  booked_at timestamp with time zone NOT NULL
  actor text NOT NULL
  store_id integer
  till_id integer
  receipt_number text
  returns uuid
  note text
  gift_card_entry_gift_card_number_fkey FOREIGN KEY (gift_card_number) REFERENCES gift_card(gift_card_number)
  gift_card_entry_pkey PRIMARY KEY (entry_id)
  gift_card_entry_reason_check CHECK ((reason = ANY (ARRAY['load'::text, 'spend'::text, 'return'::text])))
  gift_card_entry_returns_check CHECK (((reason = 'return'::text) = (returns IS NOT NULL)))
  gift_card_entry_returns_fkey FOREIGN KEY (returns) REFERENCES gift_card_entry(entry_id)
  gift_card_entry_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  gift_card_entry_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
CREATE INDEX gift_card_entry_gift_card_number_idx ON gift_card_entry USING btree (gift_card_number, entry_id)
CREATE INDEX gift_card_entry_returns_idx ON gift_card_entry USING btree (returns) WHERE (returns IS NOT NULL)
CREATE TRIGGER gift_card_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON gift_card_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE gift_card_leg
  entry_id uuid NOT NULL
  book text NOT NULL
  amount bigint NOT NULL
  gift_card_leg_amount_check CHECK ((amount <> 0))
  gift_card_leg_book_check CHECK ((book = ANY (ARRAY['held'::text, 'paid_in'::text, 'spent'::text])))
  gift_card_leg_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES gift_card_entry(entry_id)
  gift_card_leg_pkey PRIMARY KEY (entry_id, book)
CREATE TRIGGER gift_card_leg_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON gift_card_leg FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER gift_card_leg_zero_sum AFTER INSERT ON gift_card_leg REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION check_gift_card_zero_sum()
GRANT INSERT, SELECT TO regulars_app

TABLE group_edit
  edit_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  kind text NOT NULL
  group_id text
  detail jsonb NOT NULL
  made_by text NOT NULL
  made_at timestamp with time zone NOT NULL
  undone_by text
  undone_at timestamp with time zone
  group_edit_kind_check CHECK ((kind = ANY (ARRAY['rename'::text, 'pin'::text, 'split'::text, 'merge'::text, 'minimum_size'::text])))
  group_edit_pkey PRIMARY KEY (edit_id)
  group_edit_subject_check CHECK (((group_id IS NULL) = (kind = 'minimum_size'::text)))
  group_edit_undone_check CHECK (((undone_by IS NULL) = (undone_at IS NULL)))
CREATE INDEX group_edit_group_id_idx ON group_edit USING btree (group_id)
CREATE UNIQUE INDEX group_edit_pinned_idx ON group_edit USING btree (group_id) WHERE ((kind = 'pin'::text) AND (undone_at IS NULL))
GRANT INSERT, SELECT TO regulars_app

TABLE group_membership
  run_id uuid NOT NULL
  member_id uuid NOT NULL
  group_id text NOT NULL
  strength double precision
  second_group_id text
  second_strength double precision
  baskets integer NOT NULL
  group_membership_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  group_membership_pkey PRIMARY KEY (run_id, member_id)
CREATE INDEX group_membership_group_id_idx ON group_membership USING btree (run_id, group_id)
CREATE INDEX group_membership_member_id_idx ON group_membership USING btree (member_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE group_profile
  run_id uuid NOT NULL
  group_id text NOT NULL
  figures jsonb NOT NULL
  group_profile_pkey PRIMARY KEY (run_id, group_id)
  group_profile_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE household_invitation
  invitation_id uuid NOT NULL
  account_id uuid NOT NULL
  code_sha256 bytea NOT NULL
  role text NOT NULL
  invited_by uuid NOT NULL
  created_at timestamp with time zone NOT NULL
  expires_at timestamp with time zone NOT NULL
  used_at timestamp with time zone
  used_by uuid
  household_invitation_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  household_invitation_code_sha256_key UNIQUE (code_sha256)
  household_invitation_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES member(member_id)
  household_invitation_pkey PRIMARY KEY (invitation_id)
  household_invitation_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'spender'::text, 'earner'::text])))
  household_invitation_used_by_fkey FOREIGN KEY (used_by) REFERENCES member(member_id)
  household_invitation_used_check CHECK (((used_by IS NULL) OR (used_at IS NOT NULL)))
CREATE INDEX household_invitation_account_id_idx ON household_invitation USING btree (account_id)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE idempotency_record
  till_id integer NOT NULL
  key text NOT NULL
  fingerprint bytea NOT NULL
  status integer NOT NULL
  body jsonb NOT NULL
  created_at timestamp with time zone NOT NULL
  idempotency_record_pkey PRIMARY KEY (till_id, key)
  idempotency_record_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
CREATE INDEX idempotency_record_created_at_idx ON idempotency_record USING btree (created_at)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE job_run
  run_id uuid NOT NULL
  job text NOT NULL
  business_day date NOT NULL
  state text NOT NULL
  attempts integer DEFAULT 0 NOT NULL
  started_at timestamp with time zone
  finished_at timestamp with time zone
  stop_requested_at timestamp with time zone
  job_run_job_business_day_key UNIQUE (job, business_day)
  job_run_pkey PRIMARY KEY (run_id)
  job_run_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text, 'stopped'::text])))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE job_step
  run_id uuid NOT NULL
  position integer NOT NULL
  name text NOT NULL
  state text NOT NULL
  done integer DEFAULT 0 NOT NULL
  total integer
  started_at timestamp with time zone
  finished_at timestamp with time zone
  error text
  result jsonb
  job_step_pkey PRIMARY KEY (run_id, "position")
  job_step_run_id_fkey FOREIGN KEY (run_id) REFERENCES job_run(run_id) ON DELETE CASCADE
  job_step_run_id_name_key UNIQUE (run_id, name)
  job_step_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'completed'::text, 'failed'::text, 'stopped'::text])))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE ledger_entry
  entry_id uuid NOT NULL
  account_id uuid NOT NULL
  reason text NOT NULL
  business_date date NOT NULL
  booked_at timestamp with time zone NOT NULL
  receipt_id uuid
  reference uuid
  note text
  detail jsonb
  ledger_entry_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  ledger_entry_pkey PRIMARY KEY (entry_id)
  ledger_entry_reason_check CHECK ((reason = ANY (ARRAY['earn'::text, 'reverse'::text, 'spend'::text, 'return'::text, 'reserve'::text, 'release'::text, 'expire'::text, 'adjust'::text, 'merge'::text, 'restore'::text])))
CREATE INDEX ledger_entry_account_id_idx ON ledger_entry USING btree (account_id, booked_at)
CREATE INDEX ledger_entry_booked_at_idx ON ledger_entry USING brin (booked_at)
CREATE INDEX ledger_entry_receipt_idx ON ledger_entry USING btree (business_date, receipt_id) WHERE (receipt_id IS NOT NULL)
CREATE INDEX ledger_entry_reference_idx ON ledger_entry USING btree (reference) WHERE (reference IS NOT NULL)
CREATE UNIQUE INDEX ledger_entry_adjustment_idx ON ledger_entry USING btree (reference) WHERE (reason = 'adjust'::text)
CREATE TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE ledger_leg
  entry_id uuid NOT NULL
  leg_number smallint NOT NULL
  account_id uuid NOT NULL
  book text NOT NULL
  lot_id uuid
  line_number integer
  points bigint NOT NULL
  ledger_leg_book_check CHECK ((book = ANY (ARRAY['points'::text, 'reserved'::text, 'issued'::text, 'spent'::text, 'expired'::text, 'adjusted'::text, 'merged'::text])))
  ledger_leg_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES ledger_entry(entry_id)
  ledger_leg_lot_check CHECK (((lot_id IS NOT NULL) = (book = ANY (ARRAY['points'::text, 'reserved'::text]))))
  ledger_leg_pkey PRIMARY KEY (entry_id, leg_number)
CREATE INDEX ledger_leg_account_id_idx ON ledger_leg USING btree (account_id) INCLUDE (book, points)
CREATE TRIGGER ledger_leg_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger_leg FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER ledger_leg_zero_sum AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION check_zero_sum()
GRANT INSERT, SELECT TO regulars_app

TABLE liability_line
  business_day date NOT NULL
  line_number integer NOT NULL
  store_id integer
  currency text NOT NULL
  month date
  points bigint NOT NULL
  value_amount bigint NOT NULL
  expected_amount bigint NOT NULL
  liability_line_business_day_fkey FOREIGN KEY (business_day) REFERENCES liability_report(business_day) ON DELETE CASCADE
  liability_line_pkey PRIMARY KEY (business_day, line_number)
  liability_line_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE liability_report
  business_day date NOT NULL
  taken_at timestamp with time zone NOT NULL
  evidence jsonb NOT NULL
  liability_report_pkey PRIMARY KEY (business_day)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE lot
  lot_id uuid NOT NULL
  account_id uuid NOT NULL
  business_date date NOT NULL
  receipt_id uuid
  booked_at timestamp with time zone NOT NULL
  available_at timestamp with time zone NOT NULL
  expires_at timestamp with time zone
  earned bigint NOT NULL
  remaining bigint NOT NULL
  line_numbers bigint[] NOT NULL
  line_remaining bigint[] NOT NULL
  moved_from uuid
  lot_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  lot_lines_check CHECK ((cardinality(line_numbers) = cardinality(line_remaining)))
  lot_moved_from_fkey FOREIGN KEY (moved_from) REFERENCES lot(lot_id)
  lot_pkey PRIMARY KEY (lot_id)
CREATE INDEX lot_available_at_idx ON lot USING brin (available_at timestamptz_minmax_multi_ops)
CREATE INDEX lot_available_idx ON lot USING btree (account_id, available_at) WHERE (remaining <> 0)
CREATE INDEX lot_due_idx ON lot USING btree (expires_at) INCLUDE (remaining) WHERE (remaining > 0)
CREATE INDEX lot_expires_idx ON lot USING btree (account_id, expires_at) WHERE (remaining <> 0)
CREATE INDEX lot_given_idx ON lot USING btree (expires_at) WHERE ((receipt_id IS NULL) AND (remaining <> 0))
CREATE INDEX lot_receipt_idx ON lot USING btree (receipt_id) WHERE (receipt_id IS NOT NULL)
CREATE UNIQUE INDEX lot_moved_from_key ON lot USING btree (moved_from) WHERE (moved_from IS NOT NULL)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE mail_secret
  only_row boolean DEFAULT true NOT NULL
  key bytea NOT NULL
  mail_secret_only_row_check CHECK (only_row)
  mail_secret_pkey PRIMARY KEY (only_row)
GRANT SELECT TO regulars_app

TABLE member
  member_id uuid NOT NULL
  member_code text NOT NULL
  account_id uuid NOT NULL
  role text DEFAULT 'owner'::text NOT NULL
  given_name text NOT NULL
  family_name text NOT NULL
  email text
  phone text
  language text NOT NULL
  birth_date date
  home_store_code text
  company_name text
  company_id text
  vat_id text
  joined_on date NOT NULL
  profiling_objected_at timestamp with time zone
  member_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  member_language_check CHECK ((language = ANY (ARRAY['en'::text, 'cs'::text, 'sk'::text, 'pl'::text])))
  member_member_code_key UNIQUE (member_code)
  member_pkey PRIMARY KEY (member_id)
  member_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'spender'::text, 'earner'::text])))
CREATE INDEX member_account_id_idx ON member USING btree (account_id)
CREATE INDEX member_email_idx ON member USING btree (lower(email)) WHERE (email IS NOT NULL)
CREATE INDEX member_family_name_idx ON member USING btree (lower(family_name) text_pattern_ops)
CREATE INDEX member_given_name_idx ON member USING btree (lower(given_name) text_pattern_ops)
CREATE INDEX member_joined_on_idx ON member USING btree (joined_on, member_id)
CREATE INDEX member_name_idx ON member USING btree (translate(lower(((family_name || ' '::text) || given_name)), 'áàâäãåąāăčćçďđéèêëěęēíìîïīľĺłňńñóòôöõőøōřŕšśşșťţțúùûüůűūýÿžźżß'::text, 'aaaaaaaaacccddeeeeeeeiiiiilllnnnoooooooorrsssstttuuuuuuuyyzzzs'::text), member_id)
CREATE INDEX member_phone_end_idx ON member USING btree (reverse(phone) text_pattern_ops) WHERE (phone IS NOT NULL)
CREATE INDEX member_phone_idx ON member USING btree (phone) WHERE (phone IS NOT NULL)
CREATE TRIGGER member_objection_cancels_mail AFTER UPDATE OF profiling_objected_at ON member FOR EACH ROW WHEN (((old.profiling_objected_at IS NULL) AND (new.profiling_objected_at IS NOT NULL))) EXECUTE FUNCTION heed_objection()
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE member_case
  case_id uuid NOT NULL
  case_number text NOT NULL
  member_id uuid NOT NULL
  kind text NOT NULL
  article_id integer
  business_date date
  receipt_id uuid
  channel text NOT NULL
  text text NOT NULL
  owner text
  state text NOT NULL
  opened_at timestamp with time zone NOT NULL
  opened_by text NOT NULL
  resolved_at timestamp with time zone
  resolved_by text
  resolution text
  member_case_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  member_case_case_number_key UNIQUE (case_number)
  member_case_kind_check CHECK ((kind = ANY (ARRAY['complaint'::text, 'return'::text, 'grievance'::text, 'question'::text])))
  member_case_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  member_case_pkey PRIMARY KEY (case_id)
  member_case_receipt_check CHECK (((business_date IS NULL) = (receipt_id IS NULL)))
  member_case_resolved_check CHECK (((state = 'resolved'::text) = ((resolved_at IS NOT NULL) AND (resolved_by IS NOT NULL) AND (resolution IS NOT NULL))))
  member_case_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])))
CREATE INDEX member_case_member_id_idx ON member_case USING btree (member_id)
CREATE INDEX member_case_state_idx ON member_case USING btree (state, opened_at)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE member_offers
  run_id uuid NOT NULL
  member_id uuid NOT NULL
  kind text NOT NULL
  article_ids bigint[] NOT NULL
  scores real[] NOT NULL
  reasons jsonb NOT NULL
  member_offers_kind_check CHECK ((kind = ANY (ARRAY['all'::text, 'new'::text])))
  member_offers_lengths_check CHECK (((cardinality(article_ids) = cardinality(scores)) AND (cardinality(article_ids) = jsonb_array_length(reasons))))
  member_offers_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  member_offers_pkey PRIMARY KEY (member_id, run_id, kind)
  member_offers_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
CREATE INDEX member_offers_run_id_idx ON member_offers USING btree (run_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE member_standing
  run_id uuid NOT NULL
  member_id uuid NOT NULL
  phase text NOT NULL
  phase_since date NOT NULL
  value_class text NOT NULL
  value_since date NOT NULL
  financial bigint NOT NULL
  currency text
  margin boolean NOT NULL
  financial_rank real NOT NULL
  informational smallint NOT NULL
  told_profile smallint NOT NULL
  told_consents smallint NOT NULL
  told_answers smallint NOT NULL
  told_redemptions smallint NOT NULL
  reference_value integer NOT NULL
  brought integer NOT NULL
  household integer NOT NULL
  visits integer NOT NULL
  last_visit date
  silence real NOT NULL
  usual_gap real NOT NULL
  long_gap real NOT NULL
  lost_gap real NOT NULL
  recent_gap real
  earlier_gap real
  member_standing_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  member_standing_phase_check CHECK ((phase = ANY (ARRAY['new'::text, 'growing'::text, 'peak'::text, 'fading'::text, 'lost'::text, 'won_back'::text])))
  member_standing_pkey PRIMARY KEY (run_id, member_id)
  member_standing_value_class_check CHECK ((value_class = ANY (ARRAY['vip'::text, 'potential'::text, 'steady'::text, 'low'::text])))
CREATE INDEX member_standing_member_id_idx ON member_standing USING btree (member_id)
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE mined_rule
  run_id uuid NOT NULL
  rule_number integer NOT NULL
  level text NOT NULL
  antecedent text[] NOT NULL
  consequent text[] NOT NULL
  count integer NOT NULL
  antecedent_count integer NOT NULL
  consequent_count integer NOT NULL
  households integer NOT NULL
  support double precision NOT NULL
  confidence double precision NOT NULL
  lift double precision NOT NULL
  leverage double precision NOT NULL
  conviction double precision NOT NULL
  adjusted_lift double precision NOT NULL
  z double precision NOT NULL
  q double precision NOT NULL
  group_id text
  improvement double precision
  mined_rule_pkey PRIMARY KEY (run_id, rule_number)
  mined_rule_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
CREATE INDEX mined_rule_adjusted_lift_idx ON mined_rule USING btree (run_id, adjusted_lift, rule_number)
CREATE INDEX mined_rule_group_id_idx ON mined_rule USING btree (run_id, group_id)
CREATE INDEX mined_rule_z_idx ON mined_rule USING btree (run_id, z, rule_number)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE offer
  offer_code text NOT NULL
  created_at timestamp with time zone NOT NULL
  created_by text NOT NULL
  offer_code_check CHECK ((offer_code ~ '^[A-Z0-9_-]{1,32}$'::text))
  offer_pkey PRIMARY KEY (offer_code)
GRANT INSERT, SELECT TO regulars_app

TABLE offer_book
  book smallint DEFAULT 1 NOT NULL
  generation bigint NOT NULL
  choice text NOT NULL
  changed_at timestamp with time zone NOT NULL
  changed_by text NOT NULL
  offer_book_book_check CHECK ((book = 1))
  offer_book_choice_check CHECK ((choice = ANY (ARRAY['first'::text, 'best'::text])))
  offer_book_pkey PRIMARY KEY (book)
CREATE TRIGGER offer_book_keeps_past AFTER UPDATE ON offer_book FOR EACH ROW WHEN ((old.choice <> new.choice)) EXECUTE FUNCTION keep_offer_choice_past()
GRANT SELECT, UPDATE TO regulars_app

TABLE offer_choice_past
  until timestamp with time zone NOT NULL
  choice text NOT NULL
  offer_choice_past_choice_check CHECK ((choice = ANY (ARRAY['first'::text, 'best'::text])))
  offer_choice_past_pkey PRIMARY KEY (until)
CREATE TRIGGER offer_choice_past_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON offer_choice_past FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE offer_counter
  offer_code text NOT NULL
  period text NOT NULL
  store_id integer NOT NULL
  starts_on date NOT NULL
  uses bigint DEFAULT 0 NOT NULL
  amount bigint DEFAULT 0 NOT NULL
  offer_counter_period_check CHECK ((period = ANY (ARRAY['total'::text, 'day'::text, 'week'::text])))
  offer_counter_pkey PRIMARY KEY (offer_code, period, store_id, starts_on)
  offer_counter_total_check CHECK ((((period = 'total'::text) = (store_id = 0)) AND ((period = 'total'::text) = (starts_on = '2000-01-01'::date))))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE offer_hold
  quote_id uuid NOT NULL
  offer_code text NOT NULL
  till_id integer NOT NULL
  store_id integer NOT NULL
  day date NOT NULL
  uses integer NOT NULL
  amount bigint NOT NULL
  valid_until timestamp with time zone NOT NULL
  offer_hold_pkey PRIMARY KEY (quote_id, offer_code)
  offer_hold_uses_check CHECK (((uses > 0) AND (amount >= 0)))
CREATE INDEX offer_hold_offer_code_idx ON offer_hold USING btree (offer_code, valid_until)
CREATE INDEX offer_hold_till_id_idx ON offer_hold USING btree (till_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE offer_use
  use_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  offer_code text NOT NULL
  offer_version integer NOT NULL
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  store_id integer NOT NULL
  day date NOT NULL
  person_id uuid
  uses integer NOT NULL
  amount bigint NOT NULL
  covered text NOT NULL
  reversed_by uuid
  booked_at timestamp with time zone NOT NULL
  offer_use_covered_check CHECK ((covered = ANY (ARRAY['within'::text, 'held'::text, 'late'::text, 'beyond'::text])))
  offer_use_pkey PRIMARY KEY (use_id)
  offer_use_reversed_check CHECK (((uses >= 0) OR (reversed_by IS NOT NULL)))
CREATE INDEX offer_use_offer_code_idx ON offer_use USING btree (offer_code, day)
CREATE INDEX offer_use_person_id_idx ON offer_use USING btree (person_id, offer_code) WHERE (person_id IS NOT NULL)
CREATE INDEX offer_use_receipt_idx ON offer_use USING btree (business_date, receipt_id)
CREATE TRIGGER offer_use_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON offer_use FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE offer_version
  offer_code text NOT NULL
  version integer NOT NULL
  document jsonb NOT NULL
  state text NOT NULL
  imported_live boolean DEFAULT false NOT NULL
  drafted_by text NOT NULL
  drafted_at timestamp with time zone NOT NULL
  decided_by text
  decided_at timestamp with time zone
  decision_reason text
  live_from timestamp with time zone
  ended_at timestamp with time zone
  ended_by text
  end_reason text
  offer_version_decided_check CHECK ((((state = 'draft'::text) = (decided_by IS NULL)) AND ((state = 'draft'::text) = (decided_at IS NULL))))
  offer_version_document_check CHECK (((document ->> 'code'::text) = offer_code))
  offer_version_ended_check CHECK ((((state = ANY (ARRAY['replaced'::text, 'stopped'::text])) = (ended_at IS NOT NULL)) AND ((ended_at IS NULL) = (ended_by IS NULL))))
  offer_version_live_check CHECK (((state = ANY (ARRAY['live'::text, 'replaced'::text, 'stopped'::text])) = (live_from IS NOT NULL)))
  offer_version_offer_code_fkey FOREIGN KEY (offer_code) REFERENCES offer(offer_code)
  offer_version_pkey PRIMARY KEY (offer_code, version)
  offer_version_reason_check CHECK (((state <> 'rejected'::text) OR (decision_reason IS NOT NULL)))
  offer_version_second_person_check CHECK (((live_from IS NULL) OR imported_live OR (decided_by <> drafted_by)))
  offer_version_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'live'::text, 'rejected'::text, 'withdrawn'::text, 'replaced'::text, 'stopped'::text])))
  offer_version_version_check CHECK ((version > 0))
CREATE UNIQUE INDEX offer_version_live_key ON offer_version USING btree (offer_code) WHERE (state = 'live'::text)
CREATE TRIGGER offer_version_decided BEFORE UPDATE ON offer_version FOR EACH ROW EXECUTE FUNCTION keep_decided_offer()
CREATE TRIGGER offer_version_kept BEFORE DELETE OR TRUNCATE ON offer_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER offer_version_rehearsed BEFORE INSERT OR UPDATE OF state ON offer_version FOR EACH ROW EXECUTE FUNCTION demand_rehearsal()
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE offline_redemption
  redemption_id uuid NOT NULL
  account_id uuid
  card_number text
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  identity text NOT NULL
  points bigint NOT NULL
  overdrawn bigint NOT NULL
  key_id text
  granted bigint
  issued_at timestamp with time zone
  expires_at timestamp with time zone
  booked_at timestamp with time zone NOT NULL
  offline_redemption_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  offline_redemption_key_id_fkey FOREIGN KEY (key_id) REFERENCES signing_key(key_id)
  offline_redemption_overdrawn_check CHECK (((overdrawn >= 0) AND (overdrawn <= points)))
  offline_redemption_pkey PRIMARY KEY (redemption_id)
  offline_redemption_points_check CHECK ((points > 0))
  offline_redemption_signed_check CHECK ((((key_id IS NULL) = (granted IS NULL)) AND ((key_id IS NULL) = (issued_at IS NULL)) AND ((key_id IS NULL) = (expires_at IS NULL))))
CREATE INDEX offline_redemption_account_id_idx ON offline_redemption USING btree (account_id, booked_at)
CREATE INDEX offline_redemption_receipt_idx ON offline_redemption USING btree (business_date, receipt_id)
CREATE TRIGGER offline_redemption_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON offline_redemption FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE outgoing_mail
  mail_id uuid NOT NULL
  member_id uuid
  kind text NOT NULL
  source text NOT NULL
  purpose text NOT NULL
  urgency smallint NOT NULL
  language text NOT NULL
  recipient text NOT NULL
  subject text NOT NULL
  text text
  html text
  attachments jsonb NOT NULL
  queued_at timestamp with time zone NOT NULL
  not_before timestamp with time zone NOT NULL
  not_after timestamp with time zone
  as_of timestamp with time zone
  state text NOT NULL
  attempts integer DEFAULT 0 NOT NULL
  leased_until timestamp with time zone
  handed_at timestamp with time zone
  finished_at timestamp with time zone
  answer text
  outgoing_mail_body_check CHECK (((text IS NOT NULL) OR (state <> ALL (ARRAY['queued'::text, 'sending'::text]))))
  outgoing_mail_finished_check CHECK (((state = ANY (ARRAY['queued'::text, 'sending'::text])) = (finished_at IS NULL)))
  outgoing_mail_language_check CHECK ((language = ANY (ARRAY['en'::text, 'cs'::text, 'sk'::text, 'pl'::text])))
  outgoing_mail_lease_check CHECK (((state = 'sending'::text) = (leased_until IS NOT NULL)))
  outgoing_mail_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  outgoing_mail_pkey PRIMARY KEY (mail_id)
  outgoing_mail_purpose_check CHECK ((purpose = ANY (ARRAY['service'::text, 'offers'::text, 'catalog'::text, 'surveys'::text])))
  outgoing_mail_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'uncertain'::text, 'failed'::text, 'cancelled'::text])))
  outgoing_mail_whom_check CHECK (((purpose = 'service'::text) OR (member_id IS NOT NULL)))
CREATE INDEX outgoing_mail_member_id_idx ON outgoing_mail USING btree (member_id, queued_at)
CREATE INDEX outgoing_mail_queued_at_idx ON outgoing_mail USING btree (queued_at)
CREATE INDEX outgoing_mail_waiting_idx ON outgoing_mail USING btree (urgency, not_before) WHERE (state = ANY (ARRAY['queued'::text, 'sending'::text]))
CREATE UNIQUE INDEX outgoing_mail_member_idx ON outgoing_mail USING btree (source, kind, member_id) WHERE (member_id IS NOT NULL)
CREATE UNIQUE INDEX outgoing_mail_recipient_idx ON outgoing_mail USING btree (source, kind, recipient) WHERE (member_id IS NULL)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE person
  person_id uuid NOT NULL
  login text NOT NULL
  name text NOT NULL
  password_hash text NOT NULL
  role text NOT NULL
  store_id integer
  language text DEFAULT 'en'::text NOT NULL
  created_at timestamp with time zone NOT NULL
  disabled_at timestamp with time zone
  person_login_key UNIQUE (login)
  person_pkey PRIMARY KEY (person_id)
  person_role_check CHECK ((role = ANY (ARRAY['cashier'::text, 'store_manager'::text, 'marketing'::text, 'desk'::text, 'analyst'::text, 'auditor'::text, 'administrator'::text])))
  person_store_check CHECK (((role <> ALL (ARRAY['cashier'::text, 'store_manager'::text])) OR (store_id IS NOT NULL)))
  person_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE points_day
  business_date date NOT NULL
  reason text NOT NULL
  points bigint NOT NULL
  points_day_pkey PRIMARY KEY (business_date, reason)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE points_owed
  store_id integer NOT NULL
  expires_at timestamp with time zone NOT NULL
  points bigint NOT NULL
  reserved bigint NOT NULL
  points_owed_pkey PRIMARY KEY (store_id, expires_at)
  points_owed_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE points_summary
  singleton boolean DEFAULT true NOT NULL
  booked_before timestamp with time zone NOT NULL
  points_summary_pkey PRIMARY KEY (singleton)
  points_summary_singleton_check CHECK (singleton)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE programme_version
  version integer GENERATED ALWAYS AS IDENTITY NOT NULL
  valid_from date NOT NULL
  state text NOT NULL
  rules jsonb NOT NULL
  note text NOT NULL
  drafted_by text NOT NULL
  drafted_at timestamp with time zone NOT NULL
  decided_by text
  decided_at timestamp with time zone
  decision_reason text
  programme_version_decided_check CHECK ((((state = 'draft'::text) = (decided_by IS NULL)) AND ((state = 'draft'::text) = (decided_at IS NULL))))
  programme_version_pkey PRIMARY KEY (version)
  programme_version_reason_check CHECK (((state <> 'rejected'::text) OR (decision_reason IS NOT NULL)))
  programme_version_second_person_check CHECK (((state <> 'approved'::text) OR (decided_by <> drafted_by)))
  programme_version_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'approved'::text, 'rejected'::text, 'withdrawn'::text])))
CREATE INDEX programme_version_valid_idx ON programme_version USING btree (valid_from) WHERE (state = 'approved'::text)
CREATE TRIGGER programme_version_decided BEFORE UPDATE ON programme_version FOR EACH ROW EXECUTE FUNCTION keep_decided_version()
CREATE TRIGGER programme_version_kept BEFORE DELETE OR TRUNCATE ON programme_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE qualifying_entry
  account_id uuid NOT NULL
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  closed_at timestamp with time zone NOT NULL
  currency text NOT NULL
  spend bigint NOT NULL
  points bigint NOT NULL
  visits smallint NOT NULL
  qualifying_entry_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  qualifying_entry_pkey PRIMARY KEY (account_id, business_date, receipt_id)
  qualifying_entry_visits_check CHECK ((visits = ANY (ARRAY[0, 1])))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE quarantined_receipt
  quarantine_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  business_date date NOT NULL
  store_id integer NOT NULL
  till_id integer NOT NULL
  receipt_number text NOT NULL
  fingerprint bytea NOT NULL
  body jsonb NOT NULL
  received_at timestamp with time zone NOT NULL
  state text DEFAULT 'open'::text NOT NULL
  resolved_by text
  resolved_at timestamp with time zone
  note text
  quarantined_receipt_business_date_store_id_till_id_rece_aa7a UNIQUE (business_date, store_id, till_id, receipt_number, fingerprint)
  quarantined_receipt_pkey PRIMARY KEY (quarantine_id)
  quarantined_receipt_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text, 'dismissed'::text])))
  quarantined_receipt_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  quarantined_receipt_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE quote
  quote_id uuid NOT NULL
  store_id integer NOT NULL
  till_id integer NOT NULL
  card_number text
  account_id uuid
  currency text NOT NULL
  quoted_at timestamp with time zone NOT NULL
  valid_until timestamp with time zone NOT NULL
  lines jsonb NOT NULL
  gross_amount bigint NOT NULL
  discount_amount bigint NOT NULL
  points_amount bigint NOT NULL
  payable_amount bigint NOT NULL
  points_to_spend bigint NOT NULL
  points_to_earn bigint NOT NULL
  offers jsonb
  used_by uuid
  quote_payable_check CHECK ((payable_amount = ((gross_amount - discount_amount) - points_amount)))
  quote_pkey PRIMARY KEY (quote_id)
  quote_points_check CHECK (((points_to_earn >= 0) AND (points_to_spend >= 0)))
  quote_valid_check CHECK ((valid_until <= (quoted_at + '00:10:00'::interval)))
CREATE INDEX quote_quoted_at_idx ON quote USING btree (quoted_at)
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE ranking_trees
  kind text NOT NULL
  as_of date NOT NULL
  settings text NOT NULL
  trees text NOT NULL
  learnt_at timestamp with time zone NOT NULL
  ranking_trees_kind_check CHECK ((kind = ANY (ARRAY['all'::text, 'new'::text])))
  ranking_trees_pkey PRIMARY KEY (kind)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE reaction
  reaction_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  account_id uuid NOT NULL
  member_id uuid
  card_number text
  reaction text NOT NULL
  scope text NOT NULL
  sku text
  article_id integer
  category text
  channel text NOT NULL
  actor text NOT NULL
  recorded_at timestamp with time zone NOT NULL
  offer_code text
  decision_id uuid
  takes_back bigint
  moved_at timestamp with time zone
  reaction_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  reaction_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  reaction_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  reaction_pkey PRIMARY KEY (reaction_id)
  reaction_reaction_check CHECK ((reaction = ANY (ARRAY['accepted'::text, 'not_now'::text, 'never'::text, 'wrong_product'::text, 'taken_back'::text])))
  reaction_scope_check CHECK ((scope = ANY (ARRAY['item'::text, 'category'::text, 'all'::text])))
  reaction_subject_check CHECK (((scope = 'all'::text) OR (sku IS NOT NULL) OR (offer_code IS NOT NULL)))
  reaction_taken_back_check CHECK (((reaction = 'taken_back'::text) = (takes_back IS NOT NULL)))
  reaction_takes_back_fkey FOREIGN KEY (takes_back) REFERENCES reaction(reaction_id)
  reaction_takes_back_key UNIQUE (takes_back)
  reaction_whose_check CHECK (((card_number IS NOT NULL) OR (member_id IS NOT NULL)))
CREATE INDEX reaction_account_id_idx ON reaction USING btree (account_id) WHERE (member_id IS NULL)
CREATE INDEX reaction_member_id_idx ON reaction USING btree (member_id) WHERE (member_id IS NOT NULL)
CREATE TRIGGER reaction_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON reaction FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER reaction_cancels_mail AFTER INSERT ON reaction FOR EACH ROW WHEN (((new.scope = 'all'::text) AND (new.reaction <> ALL (ARRAY['accepted'::text, 'taken_back'::text])) AND (new.member_id IS NOT NULL))) EXECUTE FUNCTION heed_objection()
CREATE TRIGGER reaction_holds_mail_back AFTER INSERT ON reaction FOR EACH ROW WHEN (((new.reaction <> ALL (ARRAY['accepted'::text, 'taken_back'::text])) AND (new.member_id IS NOT NULL))) EXECUTE FUNCTION heed_refusal()
GRANT INSERT, SELECT TO regulars_app

TABLE receipt PARTITION BY RANGE (business_date)
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  store_id integer NOT NULL
  till_id integer NOT NULL
  receipt_number text NOT NULL
  type text NOT NULL
  mode text NOT NULL
  offline boolean NOT NULL
  closed_at timestamp with time zone NOT NULL
  received_at timestamp with time zone NOT NULL
  operator_code text
  card_number text
  card_entry_mode text
  account_id uuid
  member_id uuid
  currency text NOT NULL
  gross_amount bigint NOT NULL
  discount_amount bigint NOT NULL
  points_amount bigint NOT NULL
  rounding_amount bigint NOT NULL
  payable_amount bigint NOT NULL
  tenders jsonb
  quote_id uuid
  redemption_ids jsonb
  voucher_codes jsonb
  original_store_code text
  original_till_code text
  original_business_date date
  original_receipt_number text
  original_receipt_id uuid
  fingerprint bytea NOT NULL
  answer jsonb
  programme_version integer
  excluded_lines integer[]
  offer_points jsonb
  receipt_identity_key UNIQUE (business_date, store_id, till_id, receipt_number)
  receipt_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'training'::text, 'suspended'::text])))
  receipt_pkey PRIMARY KEY (business_date, receipt_id)
  receipt_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  receipt_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
  receipt_type_check CHECK ((type = ANY (ARRAY['sale'::text, 'return'::text, 'void'::text])))
CREATE INDEX receipt_account_id_idx ON ONLY public.receipt USING btree (account_id, business_date)
CREATE INDEX receipt_blind_return_idx ON ONLY public.receipt USING btree (store_id, operator_code, business_date) WHERE ((type = 'return'::text) AND (original_receipt_number IS NULL))
CREATE INDEX receipt_card_number_idx ON ONLY public.receipt USING btree (card_number, business_date) WHERE (card_number IS NOT NULL)
CREATE INDEX receipt_number_idx ON ONLY public.receipt USING btree (receipt_number, business_date)
CREATE INDEX receipt_store_id_idx ON ONLY public.receipt USING btree (store_id, closed_at)
PARTITION receipt_default DEFAULT
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE receipt_claim
  claim_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  account_id uuid NOT NULL
  card_number text NOT NULL
  claimed_at timestamp with time zone NOT NULL
  actor text NOT NULL
  identity text NOT NULL
  amount bigint NOT NULL
  outcome text NOT NULL
  business_date date
  receipt_id uuid
  receipt_claim_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  receipt_claim_booked_check CHECK (((outcome = 'booked'::text) = (receipt_id IS NOT NULL)))
  receipt_claim_outcome_check CHECK ((outcome = ANY (ARRAY['booked'::text, 'refused'::text])))
  receipt_claim_pkey PRIMARY KEY (claim_id)
  receipt_claim_receipt_id_key UNIQUE (receipt_id)
CREATE INDEX receipt_claim_account_id_idx ON receipt_claim USING btree (account_id, claimed_at)
GRANT INSERT, SELECT TO regulars_app

TABLE receipt_flag
  flag_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  store_id integer NOT NULL
  code text NOT NULL
  line_number integer
  detail text NOT NULL
  state text DEFAULT 'open'::text NOT NULL
  flagged_at timestamp with time zone NOT NULL
  resolved_by text
  resolved_at timestamp with time zone
  note text
  receipt_flag_pkey PRIMARY KEY (flag_id)
  receipt_flag_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text, 'dismissed'::text])))
  receipt_flag_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE INDEX receipt_flag_open_idx ON receipt_flag USING btree (store_id, code, flagged_at) WHERE (state = 'open'::text)
CREATE INDEX receipt_flag_receipt_idx ON receipt_flag USING btree (business_date, receipt_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE receipt_line PARTITION BY RANGE (business_date)
  business_date date NOT NULL
  receipt_id uuid NOT NULL
  line_number integer NOT NULL
  article_id integer
  sku text
  gtin text
  name text
  quantity numeric(14,3) NOT NULL
  unit text
  unit_price bigint NOT NULL
  discount_amount bigint NOT NULL
  total_amount bigint NOT NULL
  tax_rate numeric(5,2)
  discounts jsonb
  original_line_number integer
  return_reason text
  points bigint DEFAULT '0'::bigint NOT NULL
  points_spent bigint DEFAULT '0'::bigint NOT NULL
  counted_quantity numeric(14,3)
  receipt_line_pkey PRIMARY KEY (business_date, receipt_id, line_number)
PARTITION receipt_line_default DEFAULT
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE receipt_link
  receipt_id uuid NOT NULL
  business_date date NOT NULL
  arrival bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  type text NOT NULL
  identity text NOT NULL
  original_identity text NOT NULL
  original_business_date date
  original_receipt_id uuid
  receipt_link_pkey PRIMARY KEY (receipt_id)
CREATE INDEX receipt_link_original_identity_idx ON receipt_link USING btree (original_identity)
CREATE INDEX receipt_link_waiting_idx ON receipt_link USING btree (arrival) WHERE (original_receipt_id IS NULL)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE redemption
  redemption_id uuid NOT NULL
  account_id uuid NOT NULL
  card_number text NOT NULL
  store_id integer NOT NULL
  till_id integer
  points bigint NOT NULL
  value_amount bigint NOT NULL
  reward_code text
  state text NOT NULL
  reserved_at timestamp with time zone NOT NULL
  expires_at timestamp with time zone NOT NULL
  resolved_at timestamp with time zone
  business_date date
  receipt_id uuid
  pickup_code text
  reserved_by text
  redemption_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  redemption_pkey PRIMARY KEY (redemption_id)
  redemption_points_check CHECK ((points > 0))
  redemption_resolved_check CHECK (((state = 'reserved'::text) = (resolved_at IS NULL)))
  redemption_reward_code_fkey FOREIGN KEY (reward_code) REFERENCES reward(reward_code)
  redemption_state_check CHECK ((state = ANY (ARRAY['reserved'::text, 'posted'::text, 'released'::text, 'expired'::text])))
  redemption_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  redemption_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
CREATE INDEX redemption_due_idx ON redemption USING btree (expires_at) WHERE (state = 'reserved'::text)
CREATE INDEX redemption_open_idx ON redemption USING btree (account_id, expires_at) WHERE (state = 'reserved'::text)
CREATE UNIQUE INDEX redemption_pickup_idx ON redemption USING btree (store_id, pickup_code) WHERE ((state = 'reserved'::text) AND (pickup_code IS NOT NULL))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE referral
  referral_id uuid NOT NULL
  referrer_id uuid NOT NULL
  referred_id uuid NOT NULL
  code text NOT NULL
  state text NOT NULL
  reason text
  made_at timestamp with time zone NOT NULL
  made_by text NOT NULL
  joined_on date NOT NULL
  business_date date
  receipt_id uuid
  decided_at timestamp with time zone
  referrer_points bigint
  referred_points bigint
  referrer_adjustment_id uuid
  referred_adjustment_id uuid
  referral_decided_check CHECK (((state = 'waiting'::text) = (decided_at IS NULL)))
  referral_other_check CHECK ((referrer_id <> referred_id))
  referral_pkey PRIMARY KEY (referral_id)
  referral_reason_check CHECK (((state <> 'refused'::text) OR (reason IS NOT NULL)))
  referral_referred_adjustment_id_fkey FOREIGN KEY (referred_adjustment_id) REFERENCES adjustment(adjustment_id)
  referral_referred_id_fkey FOREIGN KEY (referred_id) REFERENCES member(member_id)
  referral_referred_id_key UNIQUE (referred_id)
  referral_referrer_adjustment_id_fkey FOREIGN KEY (referrer_adjustment_id) REFERENCES adjustment(adjustment_id)
  referral_referrer_id_fkey FOREIGN KEY (referrer_id) REFERENCES member(member_id)
  referral_rewarded_check CHECK (((state = 'rewarded'::text) = ((referrer_points IS NOT NULL) AND (referred_points IS NOT NULL))))
  referral_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'rewarded'::text, 'refused'::text, 'lapsed'::text])))
CREATE INDEX referral_referrer_id_idx ON referral USING btree (referrer_id, decided_at)
CREATE INDEX referral_waiting_idx ON referral USING btree (made_at) WHERE (state = 'waiting'::text)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE referral_code
  code text NOT NULL
  member_id uuid NOT NULL
  made_at timestamp with time zone NOT NULL
  referral_code_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  referral_code_member_id_key UNIQUE (member_id)
  referral_code_pkey PRIMARY KEY (code)
GRANT INSERT, SELECT TO regulars_app

TABLE referral_rules
  singleton boolean DEFAULT true NOT NULL
  referrer_points bigint NOT NULL
  referred_points bigint NOT NULL
  minimum_points bigint NOT NULL
  most_per_year integer NOT NULL
  within_days integer NOT NULL
  changed_by text NOT NULL
  changed_at timestamp with time zone NOT NULL
  referral_rules_limits_check CHECK (((most_per_year >= 0) AND (within_days > 0)))
  referral_rules_pkey PRIMARY KEY (singleton)
  referral_rules_points_check CHECK (((referrer_points >= 0) AND (referred_points >= 0) AND (minimum_points >= 0)))
  referral_rules_singleton_check CHECK (singleton)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE rehearsal
  rehearsal_id uuid NOT NULL
  first_day date NOT NULL
  following_day date NOT NULL
  store_ids integer[] NOT NULL
  beside jsonb NOT NULL
  requested_by text NOT NULL
  requested_at timestamp with time zone NOT NULL
  completed_at timestamp with time zone
  results jsonb
  rehearsal_completed_check CHECK (((completed_at IS NULL) = (results IS NULL)))
  rehearsal_period_check CHECK ((first_day < following_day))
  rehearsal_pkey PRIMARY KEY (rehearsal_id)
CREATE INDEX rehearsal_requested_at_idx ON rehearsal USING btree (requested_at)
CREATE TRIGGER rehearsal_kept BEFORE UPDATE ON rehearsal FOR EACH ROW EXECUTE FUNCTION keep_rehearsed()
CREATE TRIGGER rehearsal_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE rehearsal_part
  rehearsal_id uuid NOT NULL
  business_date date NOT NULL
  sums jsonb NOT NULL
  rehearsal_part_pkey PRIMARY KEY (rehearsal_id, business_date)
  rehearsal_part_rehearsal_id_fkey FOREIGN KEY (rehearsal_id) REFERENCES rehearsal(rehearsal_id)
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE rehearsed_offer
  rehearsal_id uuid NOT NULL
  offer_code text NOT NULL
  version integer NOT NULL
  document jsonb NOT NULL
  results jsonb
  rehearsed_offer_pkey PRIMARY KEY (rehearsal_id, offer_code)
  rehearsed_offer_rehearsal_id_fkey FOREIGN KEY (rehearsal_id) REFERENCES rehearsal(rehearsal_id)
CREATE INDEX rehearsed_offer_version_idx ON rehearsed_offer USING btree (offer_code, version)
CREATE TRIGGER rehearsed_offer_kept BEFORE UPDATE ON rehearsed_offer FOR EACH ROW EXECUTE FUNCTION keep_rehearsed()
CREATE TRIGGER rehearsed_offer_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsed_offer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE returned_faulty
  account_id uuid NOT NULL
  article_id integer NOT NULL
  returned_on date NOT NULL
  returned_faulty_pkey PRIMARY KEY (account_id, article_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE reward
  reward_code text NOT NULL
  name jsonb NOT NULL
  points integer NOT NULL
  active boolean DEFAULT true NOT NULL
  pickup_days smallint DEFAULT '3'::smallint NOT NULL
  reward_pickup_check CHECK (((pickup_days >= 1) AND (pickup_days <= 60)))
  reward_pkey PRIMARY KEY (reward_code)
  reward_points_check CHECK ((points >= 0))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE reward_stock
  reward_code text NOT NULL
  store_id integer NOT NULL
  on_hand integer NOT NULL
  reserved integer DEFAULT 0 NOT NULL
  low_at integer
  reward_stock_low_check CHECK ((low_at >= 0))
  reward_stock_on_hand_check CHECK ((on_hand >= 0))
  reward_stock_pkey PRIMARY KEY (reward_code, store_id)
  reward_stock_reserved_check CHECK (((reserved >= 0) AND (reserved <= on_hand)))
  reward_stock_reward_code_fkey FOREIGN KEY (reward_code) REFERENCES reward(reward_code)
  reward_stock_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE TRIGGER reward_stock_opened AFTER INSERT ON reward_stock FOR EACH ROW WHEN (((new.on_hand <> 0) OR (new.reserved <> 0))) EXECUTE FUNCTION open_stock()
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE run_quality
  run_id uuid NOT NULL
  verdict text NOT NULL
  reasons jsonb NOT NULL
  figures jsonb NOT NULL
  measured_at timestamp with time zone NOT NULL
  run_quality_pkey PRIMARY KEY (run_id)
  run_quality_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
  run_quality_verdict_check CHECK ((verdict = ANY (ARRAY['good'::text, 'drifting'::text, 'refused'::text])))
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE sensitive_word
  word text NOT NULL
  topic text NOT NULL
  sensitive boolean NOT NULL
  set_by text NOT NULL
  set_at timestamp with time zone NOT NULL
  sensitive_word_pkey PRIMARY KEY (word)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE served_run
  served boolean DEFAULT true NOT NULL
  run_id uuid NOT NULL
  served_at timestamp with time zone NOT NULL
  served_run_pkey PRIMARY KEY (served)
  served_run_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id)
  served_run_served_check CHECK (served)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE shopper_group
  run_id uuid NOT NULL
  group_id text NOT NULL
  kind text NOT NULL
  name text NOT NULL
  items text[] NOT NULL
  members integer NOT NULL
  baskets integer NOT NULL
  kept_members integer
  colour integer NOT NULL
  detail jsonb NOT NULL
  shopper_group_kind_check CHECK ((kind = ANY (ARRAY['theme'::text, 'none'::text, 'new'::text])))
  shopper_group_pkey PRIMARY KEY (run_id, group_id)
  shopper_group_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE sign_in_attempt
  attempt_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  login text NOT NULL
  attempted_at timestamp with time zone NOT NULL
  succeeded boolean NOT NULL
  sign_in_attempt_pkey PRIMARY KEY (attempt_id)
CREATE INDEX sign_in_attempt_login_idx ON sign_in_attempt USING btree (login, attempted_at)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE sign_in_code
  browser_sha256 bytea NOT NULL
  member_id uuid
  account_key text NOT NULL
  code_sha256 bytea NOT NULL
  pass_sha256 bytea NOT NULL
  email_sha256 bytea
  tries smallint DEFAULT 0 NOT NULL
  sent_at timestamp with time zone NOT NULL
  expires_at timestamp with time zone NOT NULL
  pass_expires_at timestamp with time zone NOT NULL
  used_at timestamp with time zone
  sign_in_code_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(member_id)
  sign_in_code_pass_sha256_key UNIQUE (pass_sha256)
  sign_in_code_pkey PRIMARY KEY (browser_sha256)
CREATE INDEX sign_in_code_member_id_idx ON sign_in_code USING btree (member_id) WHERE (member_id IS NOT NULL)
CREATE INDEX sign_in_code_sent_at_idx ON sign_in_code USING btree (sent_at)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE signing_key
  key_id text NOT NULL
  secret bytea NOT NULL
  created_at timestamp with time zone NOT NULL
  retired_at timestamp with time zone
  revoked_at timestamp with time zone
  signing_key_pkey PRIMARY KEY (key_id)
  signing_key_revoked_check CHECK (((revoked_at IS NULL) OR (retired_at IS NOT NULL)))
  signing_key_secret_check CHECK ((length(secret) = 32))
CREATE UNIQUE INDEX signing_key_current_idx ON signing_key USING btree (((retired_at IS NULL))) WHERE (retired_at IS NULL)
GRANT INSERT, SELECT TO regulars_app

TABLE sold_lately
  store_id integer NOT NULL
  article_id integer NOT NULL
  last_sold date NOT NULL
  sold_lately_pkey PRIMARY KEY (store_id, article_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE staff_card
  staff_card_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  card_number text NOT NULL
  store_id integer NOT NULL
  operator_code text NOT NULL
  name text NOT NULL
  registered_at timestamp with time zone NOT NULL
  registered_by text NOT NULL
  ended_at timestamp with time zone
  ended_by text
  staff_card_card_number_fkey FOREIGN KEY (card_number) REFERENCES card(card_number)
  staff_card_ended_check CHECK (((ended_at IS NULL) = (ended_by IS NULL)))
  staff_card_pkey PRIMARY KEY (staff_card_id)
  staff_card_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE INDEX staff_card_operator_idx ON staff_card USING btree (store_id, operator_code)
CREATE UNIQUE INDEX staff_card_bound_key ON staff_card USING btree (card_number) WHERE (ended_at IS NULL)
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE stock_movement
  movement_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  reward_code text NOT NULL
  store_id integer NOT NULL
  kind text NOT NULL
  on_hand integer NOT NULL
  reserved integer NOT NULL
  moved_at timestamp with time zone NOT NULL
  actor text NOT NULL
  redemption_id uuid
  business_date date
  receipt_id uuid
  offer_code text
  note text
  stock_movement_kind_check CHECK (
CASE kind
    WHEN 'opening'::text THEN ((on_hand >= 0) AND (reserved >= 0))
    WHEN 'delivery'::text THEN ((on_hand > 0) AND (reserved = 0))
    WHEN 'count'::text THEN (reserved = 0)
    WHEN 'reserve'::text THEN ((on_hand = 0) AND (reserved > 0))
    WHEN 'release'::text THEN ((on_hand = 0) AND (reserved < 0))
    WHEN 'hand_over'::text THEN ((on_hand < 0) AND ((reserved = 0) OR (reserved = on_hand)))
    WHEN 'put_back'::text THEN ((on_hand > 0) AND (reserved = 0))
    ELSE false
END)
  stock_movement_pkey PRIMARY KEY (movement_id)
  stock_movement_receipt_check CHECK (((business_date IS NULL) = (receipt_id IS NULL)))
  stock_movement_reward_code_fkey FOREIGN KEY (reward_code, store_id) REFERENCES reward_stock(reward_code, store_id)
CREATE INDEX stock_movement_receipt_idx ON stock_movement USING btree (receipt_id) WHERE (receipt_id IS NOT NULL)
CREATE INDEX stock_movement_redemption_idx ON stock_movement USING btree (redemption_id) WHERE (redemption_id IS NOT NULL)
CREATE INDEX stock_movement_stock_idx ON stock_movement USING btree (store_id, reward_code, movement_id)
CREATE TRIGGER stock_movement_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE store
  store_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  store_code text NOT NULL
  name text NOT NULL
  currency text NOT NULL
  timezone text NOT NULL
  city text
  country text
  store_pkey PRIMARY KEY (store_id)
  store_store_code_key UNIQUE (store_code)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE store_category
  run_id uuid NOT NULL
  store_id integer NOT NULL
  category text NOT NULL
  figures jsonb NOT NULL
  store_category_pkey PRIMARY KEY (run_id, store_id, category)
  store_category_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
  store_category_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE store_offers
  store_id integer NOT NULL
  article_ids integer[] NOT NULL
  made_for date NOT NULL
  store_offers_pkey PRIMARY KEY (store_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE store_profile
  run_id uuid NOT NULL
  store_id integer NOT NULL
  figures jsonb NOT NULL
  store_profile_pkey PRIMARY KEY (run_id, store_id)
  store_profile_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
  store_profile_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
GRANT DELETE, INSERT, SELECT TO regulars_app

TABLE suggestion
  suggestion_id uuid NOT NULL
  run_id uuid NOT NULL
  store_id integer NOT NULL
  kind text NOT NULL
  rank integer NOT NULL
  article_id integer
  other_article_id integer
  value_per_week bigint NOT NULL
  low bigint NOT NULL
  high bigint NOT NULL
  households integer NOT NULL
  baskets integer NOT NULL
  group_id text
  evidence jsonb NOT NULL
  suggestion_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  suggestion_interval_check CHECK (((low <= value_per_week) AND (value_per_week <= high)))
  suggestion_kind_check CHECK ((kind = ANY (ARRAY['list'::text, 'delist'::text, 'keep'::text, 'place_together'::text])))
  suggestion_other_article_id_fkey FOREIGN KEY (other_article_id) REFERENCES article(article_id)
  suggestion_pkey PRIMARY KEY (suggestion_id)
  suggestion_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run(run_id) ON DELETE CASCADE
  suggestion_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE INDEX suggestion_store_id_idx ON suggestion USING btree (run_id, store_id, kind, rank)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE suggestion_decision
  decision_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  store_id integer NOT NULL
  kind text NOT NULL
  article_id integer
  other_article_id integer
  decision text NOT NULL
  reason text NOT NULL
  decided_by text NOT NULL
  decided_at timestamp with time zone NOT NULL
  shown jsonb NOT NULL
  suggestion_decision_article_id_fkey FOREIGN KEY (article_id) REFERENCES article(article_id)
  suggestion_decision_decision_check CHECK ((decision = ANY (ARRAY['accepted'::text, 'rejected'::text, 'undone'::text])))
  suggestion_decision_other_article_id_fkey FOREIGN KEY (other_article_id) REFERENCES article(article_id)
  suggestion_decision_pkey PRIMARY KEY (decision_id)
  suggestion_decision_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
CREATE INDEX suggestion_decision_subject_idx ON suggestion_decision USING btree (store_id, kind, article_id, other_article_id)
CREATE TRIGGER suggestion_decision_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON suggestion_decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE tier_event
  event_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  account_id uuid NOT NULL
  happened_on date NOT NULL
  recorded_at timestamp with time zone NOT NULL
  kind text NOT NULL
  from_code text
  to_code text
  receipt_id uuid
  detail jsonb NOT NULL
  actor text NOT NULL
  tier_event_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  tier_event_kind_check CHECK ((kind = ANY (ARRAY['up'::text, 'down'::text, 'grace'::text, 'kept'::text, 'warned'::text, 'granted'::text, 'grant_ended'::text, 'joined'::text])))
  tier_event_pkey PRIMARY KEY (event_id)
CREATE INDEX tier_event_account_id_idx ON tier_event USING btree (account_id, event_id)
CREATE TRIGGER tier_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON tier_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE tier_grant
  grant_id uuid NOT NULL
  account_id uuid NOT NULL
  kind text NOT NULL
  tier_code text NOT NULL
  valid_from date NOT NULL
  valid_until date NOT NULL
  reason text NOT NULL
  granted_by text NOT NULL
  granted_at timestamp with time zone NOT NULL
  tier_grant_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  tier_grant_kind_check CHECK ((kind = ANY (ARRAY['manual'::text, 'joined'::text])))
  tier_grant_period_check CHECK ((valid_from <= valid_until))
  tier_grant_pkey PRIMARY KEY (grant_id)
CREATE INDEX tier_grant_account_id_idx ON tier_grant USING btree (account_id)
CREATE TRIGGER tier_grant_append_only BEFORE DELETE OR TRUNCATE ON tier_grant FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE tier_scheme
  version integer GENERATED ALWAYS AS IDENTITY NOT NULL
  valid_from date NOT NULL
  state text NOT NULL
  rules jsonb NOT NULL
  note text NOT NULL
  drafted_by text NOT NULL
  drafted_at timestamp with time zone NOT NULL
  decided_by text
  decided_at timestamp with time zone
  decision_reason text
  tier_scheme_decided_check CHECK ((((state = 'draft'::text) = (decided_by IS NULL)) AND ((state = 'draft'::text) = (decided_at IS NULL))))
  tier_scheme_pkey PRIMARY KEY (version)
  tier_scheme_reason_check CHECK (((state <> 'rejected'::text) OR (decision_reason IS NOT NULL)))
  tier_scheme_second_person_check CHECK (((state <> 'approved'::text) OR (decided_by <> drafted_by)))
  tier_scheme_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'approved'::text, 'rejected'::text, 'withdrawn'::text])))
CREATE INDEX tier_scheme_valid_idx ON tier_scheme USING btree (valid_from) WHERE (state = 'approved'::text)
CREATE TRIGGER tier_scheme_decided BEFORE UPDATE ON tier_scheme FOR EACH ROW EXECUTE FUNCTION keep_decided_scheme()
CREATE TRIGGER tier_scheme_kept BEFORE DELETE OR TRUNCATE ON tier_scheme FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE tier_standing
  account_id uuid NOT NULL
  joined_on date NOT NULL
  tier_code text
  earned_code text
  since date
  period_end date
  grace_until date
  due_on date
  warned_for date
  as_of date NOT NULL
  changed_at timestamp with time zone NOT NULL
  tier_standing_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  tier_standing_pkey PRIMARY KEY (account_id)
CREATE INDEX tier_standing_due_idx ON tier_standing USING btree (due_on, account_id) WHERE (due_on IS NOT NULL)
CREATE INDEX tier_standing_tier_idx ON tier_standing USING btree (tier_code)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE till
  till_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  store_id integer NOT NULL
  till_code text NOT NULL
  till_pkey PRIMARY KEY (till_id)
  till_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  till_store_id_till_code_key UNIQUE (store_id, till_code)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE till_key
  key_id integer GENERATED ALWAYS AS IDENTITY NOT NULL
  till_id integer NOT NULL
  prefix text NOT NULL
  secret_sha256 bytea NOT NULL
  created_at timestamp with time zone NOT NULL
  revoked_at timestamp with time zone
  till_key_pkey PRIMARY KEY (key_id)
  till_key_prefix_key UNIQUE (prefix)
  till_key_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
CREATE INDEX till_key_till_id_idx ON till_key USING btree (till_id)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

TABLE voucher
  voucher_code text NOT NULL
  batch_code text NOT NULL
  account_id uuid
  bound boolean DEFAULT false NOT NULL
  state text DEFAULT 'issued'::text NOT NULL
  value_amount bigint
  left_amount bigint
  currency text
  minimum_amount bigint DEFAULT '0'::bigint NOT NULL
  valid_until date
  issued_at timestamp with time zone NOT NULL
  issued_by text NOT NULL
  business_date date
  receipt_id uuid
  offer_code text
  replaces text
  reserved_until timestamp with time zone
  redemption_id uuid
  redeemed_at timestamp with time zone
  voucher_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id)
  voucher_batch_code_fkey FOREIGN KEY (batch_code) REFERENCES voucher_batch(batch_code)
  voucher_bound_check CHECK (((account_id IS NOT NULL) OR (NOT bound)))
  voucher_code_check CHECK ((voucher_code ~ '^[A-Z0-9-]{4,32}$'::text))
  voucher_currency_check CHECK ((((value_amount IS NULL) AND (minimum_amount = 0)) OR (currency IS NOT NULL)))
  voucher_pkey PRIMARY KEY (voucher_code)
  voucher_receipt_check CHECK (((business_date IS NULL) = (receipt_id IS NULL)))
  voucher_redeemed_check CHECK (((state = 'redeemed'::text) = (redeemed_at IS NOT NULL)))
  voucher_replaces_fkey FOREIGN KEY (replaces) REFERENCES voucher(voucher_code)
  voucher_reserved_check CHECK ((((state = 'reserved'::text) = (reserved_until IS NOT NULL)) AND ((state = 'reserved'::text) = (redemption_id IS NOT NULL))))
  voucher_state_check CHECK ((state = ANY (ARRAY['issued'::text, 'reserved'::text, 'redeemed'::text, 'cancelled'::text, 'expired'::text])))
  voucher_value_check CHECK ((((value_amount IS NULL) = (left_amount IS NULL)) AND ((left_amount >= 0) AND (left_amount <= value_amount))))
CREATE INDEX voucher_account_id_idx ON voucher USING btree (account_id) WHERE (account_id IS NOT NULL)
CREATE INDEX voucher_batch_code_idx ON voucher USING btree (batch_code, issued_at, voucher_code)
CREATE INDEX voucher_due_idx ON voucher USING btree (valid_until) WHERE (state = 'issued'::text)
CREATE INDEX voucher_receipt_idx ON voucher USING btree (receipt_id) WHERE (receipt_id IS NOT NULL)
CREATE INDEX voucher_replaces_idx ON voucher USING btree (replaces) WHERE (replaces IS NOT NULL)
CREATE TRIGGER voucher_kept BEFORE UPDATE ON voucher FOR EACH ROW EXECUTE FUNCTION keep_voucher()
CREATE TRIGGER voucher_never_deleted BEFORE DELETE OR TRUNCATE ON voucher FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE voucher_batch
  batch_code text NOT NULL
  name jsonb NOT NULL
  value_amount bigint
  currency text
  minimum_amount bigint DEFAULT '0'::bigint NOT NULL
  valid_days integer
  residual text DEFAULT 'forfeit'::text NOT NULL
  symbology text DEFAULT 'code128'::text NOT NULL
  ean_prefix text DEFAULT '27'::text NOT NULL
  store_ids integer[] DEFAULT '{}'::integer[] NOT NULL
  created_at timestamp with time zone NOT NULL
  created_by text NOT NULL
  voucher_batch_code_check CHECK ((batch_code ~ '^[A-Z0-9_-]{1,32}$'::text))
  voucher_batch_currency_check CHECK ((((value_amount IS NULL) AND (minimum_amount = 0)) OR (currency IS NOT NULL)))
  voucher_batch_days_check CHECK (((valid_days >= 0) AND (valid_days <= 36500)))
  voucher_batch_minimum_check CHECK ((minimum_amount >= 0))
  voucher_batch_pkey PRIMARY KEY (batch_code)
  voucher_batch_prefix_check CHECK ((ean_prefix ~ '^2[0-9]$'::text))
  voucher_batch_residual_check CHECK ((residual = ANY (ARRAY['forfeit'::text, 'keep'::text, 'reissue'::text])))
  voucher_batch_symbology_check CHECK ((symbology = ANY (ARRAY['ean13'::text, 'code128'::text, 'qr'::text])))
  voucher_batch_value_check CHECK ((value_amount >= 0))
GRANT INSERT, SELECT, UPDATE TO regulars_app

TABLE voucher_event
  event_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
  voucher_code text NOT NULL
  event text NOT NULL
  happened_at timestamp with time zone NOT NULL
  actor text NOT NULL
  amount bigint
  store_id integer
  business_date date
  receipt_id uuid
  redemption_id uuid
  note text
  voucher_event_event_check CHECK ((event = ANY (ARRAY['issued'::text, 'reserved'::text, 'released'::text, 'redeemed'::text, 'redeemed_again'::text, 'given_back'::text, 'cancelled'::text, 'restored'::text, 'expired'::text, 'reprinted'::text])))
  voucher_event_pkey PRIMARY KEY (event_id)
  voucher_event_receipt_check CHECK (((business_date IS NULL) = (receipt_id IS NULL)))
  voucher_event_voucher_code_fkey FOREIGN KEY (voucher_code) REFERENCES voucher(voucher_code)
CREATE INDEX voucher_event_receipt_idx ON voucher_event USING btree (receipt_id) WHERE (receipt_id IS NOT NULL)
CREATE INDEX voucher_event_voucher_code_idx ON voucher_event USING btree (voucher_code, event_id)
CREATE TRIGGER voucher_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON voucher_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
GRANT INSERT, SELECT TO regulars_app

TABLE voucher_reservation
  redemption_id uuid NOT NULL
  voucher_code text NOT NULL
  store_id integer NOT NULL
  till_id integer NOT NULL
  value_amount bigint NOT NULL
  state text NOT NULL
  reserved_at timestamp with time zone NOT NULL
  expires_at timestamp with time zone NOT NULL
  resolved_at timestamp with time zone
  business_date date
  receipt_id uuid
  voucher_reservation_pkey PRIMARY KEY (redemption_id)
  voucher_reservation_resolved_check CHECK (((state = 'reserved'::text) = (resolved_at IS NULL)))
  voucher_reservation_state_check CHECK ((state = ANY (ARRAY['reserved'::text, 'posted'::text, 'released'::text, 'expired'::text])))
  voucher_reservation_store_id_fkey FOREIGN KEY (store_id) REFERENCES store(store_id)
  voucher_reservation_till_id_fkey FOREIGN KEY (till_id) REFERENCES till(till_id)
  voucher_reservation_value_check CHECK ((value_amount >= 0))
  voucher_reservation_voucher_code_fkey FOREIGN KEY (voucher_code) REFERENCES voucher(voucher_code)
CREATE UNIQUE INDEX voucher_reservation_open_idx ON voucher_reservation USING btree (voucher_code) WHERE (state = 'reserved'::text)
GRANT INSERT, SELECT TO regulars_app

TABLE web_session
  token_sha256 bytea NOT NULL
  person_id uuid NOT NULL
  csrf_token text NOT NULL
  created_at timestamp with time zone NOT NULL
  seen_at timestamp with time zone NOT NULL
  web_session_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id)
  web_session_pkey PRIMARY KEY (token_sha256)
CREATE INDEX web_session_person_id_idx ON web_session USING btree (person_id)
CREATE INDEX web_session_seen_at_idx ON web_session USING btree (seen_at)
GRANT DELETE, INSERT, SELECT, UPDATE TO regulars_app

CREATE OR REPLACE FUNCTION public.account_sums(held uuid, seen_at timestamp with time zone, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
  SELECT coalesce(sum(remaining), 0) INTO pending
  FROM lot WHERE account_id = held AND remaining <> 0 AND available_at > seen_at;
  -- What expires within 60 days, and what should have expired already but no night has booked so. The index gives it
  -- in order, which the arrays keep.
  SELECT coalesce(sum(points) FILTER (WHERE expires_at <= seen_at), 0),
         array_agg(expires_at) FILTER (WHERE expires_at > seen_at),
         array_agg(points) FILTER (WHERE expires_at > seen_at)
  INTO due, expire_at, expire_points
  FROM (
    SELECT expires_at, sum(remaining)::bigint AS points
    FROM lot
    WHERE account_id = held AND remaining <> 0 AND expires_at <= seen_at + interval '60 days'
    GROUP BY expires_at
    ORDER BY expires_at
  ) AS soon;
  -- Reservations whose time is over, but nobody has booked so.
  SELECT coalesce(sum(points), 0) INTO lapsed
  FROM redemption WHERE account_id = held AND state = 'reserved' AND expires_at <= seen_at;
  IF lapsed > 0 THEN
    due := due + (
      SELECT coalesce(sum(leg.points), 0)
      FROM redemption
      JOIN ledger_entry AS entry ON entry.reference = redemption.redemption_id AND entry.reason = 'reserve'
      JOIN ledger_leg AS leg ON leg.entry_id = entry.entry_id AND leg.book = 'reserved'
      JOIN lot ON lot.lot_id = leg.lot_id AND lot.expires_at <= seen_at
      WHERE redemption.account_id = held AND redemption.state = 'reserved' AND redemption.expires_at <= seen_at);
  END IF;
  IF due > 0 THEN
    due := greatest(0, due + (
      SELECT least(0, coalesce(min(remaining), 0))
      FROM lot WHERE account_id = held AND remaining < 0 AND receipt_id IS NULL));
  END IF;
END $function$

CREATE OR REPLACE FUNCTION public.basket_scene(scanned text, skus text[], gtins text[], seen_at timestamp with time zone, asks_first boolean, OUT generation bigint, OUT goods json, OUT member_code text, OUT birth_date date, OUT company boolean, OUT group_ids jsonb, OUT staff boolean, OUT first_purchase boolean, OUT phase text, OUT value_class text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
DECLARE
  buyer uuid;
  account uuid;
  objects boolean;
  served uuid;
  replaced boolean;
BEGIN
  SELECT offer_book.generation INTO generation FROM offer_book;
  SELECT json_agg(
           CASE WHEN by_sku.article_id IS NOT NULL THEN json_build_array(
             by_sku.sku, by_sku.gtin, by_sku.category, by_sku.type, by_sku.department, by_sku.brand,
             by_sku.article_id)
           WHEN by_gtin.article_id IS NOT NULL THEN json_build_array(
             by_gtin.sku, by_gtin.gtin, by_gtin.category, by_gtin.type, by_gtin.department, by_gtin.brand,
             by_gtin.article_id) END
           ORDER BY line.position)
  INTO goods
  FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
  LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
  LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin AND by_sku.article_id IS NULL;
  IF scanned IS NULL THEN
    RETURN;
  END IF;
  SELECT card.member_id, card.account_id, card.state = 'replaced' INTO buyer, account, replaced
  FROM card WHERE card.card_number = scanned;
  IF replaced THEN
    SELECT holder.member_id, holder.account_id INTO buyer, account FROM card_holder(scanned) AS holder;
  END IF;
  IF buyer IS NULL THEN
    RETURN;
  END IF;
  SELECT member.member_code, member.birth_date,
         coalesce(member.company_name, member.company_id, member.vat_id) IS NOT NULL,
         member.profiling_objected_at IS NOT NULL
  INTO member_code, birth_date, company, objects
  FROM member WHERE member.member_id = buyer;
  staff := EXISTS (
    SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
    WHERE card.member_id = buyer AND staff_card.registered_at <= seen_at
      AND (staff_card.ended_at IS NULL OR staff_card.ended_at > seen_at));
  first_purchase := false;
  IF asks_first THEN
    first_purchase := NOT EXISTS (
      SELECT FROM receipt
      WHERE receipt.account_id = account AND receipt.type = 'sale' AND receipt.mode = 'live');
  END IF;
  -- Who objects is in no group and stands nowhere.
  SELECT run_id INTO served FROM served_run WHERE NOT objects;
  IF FOUND THEN
    SELECT jsonb_agg(membership.group_id) INTO group_ids
    FROM group_membership AS membership WHERE membership.run_id = served AND membership.member_id = buyer;
    SELECT standing.phase, standing.value_class INTO phase, value_class
    FROM member_standing AS standing WHERE standing.run_id = served AND standing.member_id = buyer;
  END IF;
END $function$

CREATE OR REPLACE FUNCTION public.book_earning(earning uuid, holder uuid, sold_on date, booked timestamp with time zone, receipt uuid, earned_lot uuid, spendable_at timestamp with time zone, ends_at timestamp with time zone, earned_points bigint, earning_lines bigint[], line_points bigint[])
 RETURNS boolean
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.book_offer_uses(of_date date, of_receipt uuid, own_till integer, at_store integer, at_day date, of_person uuid, own_quote uuid, closed timestamp with time zone, seen_at timestamp with time zone, used jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
AS $function$
-- Books what a receipt used and lets go of what its quote and its till held; returns what was beyond a budget.
DECLARE
  counted text[];
  held text[];
  late boolean;
  beyond text[];
BEGIN
  -- Counting a further offer begins with the uses that are there: it waits for ours, or we for it.
  LOCK TABLE offer_use IN ROW EXCLUSIVE MODE;
  SELECT array_agg(offer_code) INTO counted FROM (
    SELECT offer_code FROM offer_counter
    WHERE offer_code IN (SELECT use ->> 'offer_code' FROM jsonb_array_elements(used) AS use) AND period = 'total'
    ORDER BY offer_code FOR UPDATE
  ) AS locked;
  IF counted IS NOT NULL THEN
    SELECT array_agg(hold.offer_code), bool_or(hold.valid_until < seen_at) INTO held, late
    FROM offer_hold AS hold
    JOIN jsonb_to_recordset(used) AS use (offer_code text, uses bigint, amount bigint) USING (offer_code)
    WHERE hold.quote_id = own_quote AND closed <= hold.valid_until AND use.uses <= hold.uses AND use.amount <= hold.amount;
  END IF;
  IF own_quote IS NOT NULL THEN
    DELETE FROM offer_hold WHERE quote_id = own_quote;
  END IF;
  PERFORM FROM offer_hold WHERE till_id = own_till LIMIT 1;
  IF FOUND THEN
    PERFORM let_go_of_offers(own_till, own_quote);
  END IF;
  IF counted IS NOT NULL THEN
    beyond := offers_beyond(
      (SELECT jsonb_agg(use) FROM jsonb_array_elements(used) AS use
       WHERE use ->> 'offer_code' = ANY (counted) AND (use ->> 'offer_code' = ANY (held)) IS NOT TRUE),
      at_store, at_day, seen_at, own_quote);
  END IF;
  INSERT INTO offer_use (
    offer_code, offer_version, business_date, receipt_id, store_id, day, person_id, uses, amount, covered, booked_at)
  SELECT offer_code, offer_version, of_date, of_receipt, at_store, at_day, of_person, uses, amount,
         CASE WHEN offer_code = ANY (beyond) THEN 'beyond' WHEN offer_code = ANY (held) AND late THEN 'late'
              WHEN offer_code = ANY (held) THEN 'held' ELSE 'within' END, seen_at
  FROM jsonb_to_recordset(used) AS use (offer_code text, offer_version integer, uses integer, amount bigint);
  IF counted IS NOT NULL THEN
    PERFORM count_offer_uses(counted, at_store, at_day, used);
  END IF;
  RETURN beyond;
END $function$

CREATE OR REPLACE FUNCTION public.cancel_unwanted_mail(person uuid, unwanted text[], reason text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM FROM member WHERE member_id = person FOR NO KEY UPDATE;
  UPDATE outgoing_mail SET state = 'cancelled', leased_until = NULL, finished_at = now(), answer = reason
  WHERE member_id = person AND purpose = ANY (unwanted)
    AND (state = 'queued' OR state = 'sending' AND handed_at IS NULL);
END $function$

CREATE OR REPLACE FUNCTION public.card_holder(scanned text, OUT card_number text, OUT state text, OUT successor text, OUT successor_state text, OUT blocked_at timestamp with time zone, OUT account_id uuid, OUT member_id uuid, OUT given_name text, OUT family_name text, OUT language text, OUT birth_date date, OUT role text)
 RETURNS SETOF record
 LANGUAGE plpgsql
 STABLE ROWS 1
AS $function$
DECLARE
  next_number text;
  holder uuid;
  step integer := 0;
BEGIN
  SELECT card.card_number, card.state, card.card_number, card.state, card.blocked_at, card.account_id, card.member_id,
         card.replaced_by
  INTO card_number, state, successor, successor_state, blocked_at, account_id, holder, next_number
  FROM card WHERE card.card_number = scanned;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- More replacements than anybody loses cards.
  WHILE successor_state = 'replaced' AND step < 100 LOOP
    step := step + 1;
    SELECT card.card_number, card.state, card.blocked_at, card.account_id, card.member_id, card.replaced_by
    INTO successor, successor_state, blocked_at, account_id, holder, next_number
    FROM card WHERE card.card_number = next_number;
  END LOOP;
  IF holder IS NOT NULL THEN
    SELECT member.member_id, member.given_name, member.family_name, member.language, member.birth_date, member.role
    INTO member_id, given_name, family_name, language, birth_date, role
    FROM member WHERE member.member_id = holder;
  END IF;
  RETURN NEXT;
END $function$

CREATE OR REPLACE FUNCTION public.check_gift_card_zero_sum()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  unbalanced uuid;
BEGIN
  SELECT entry_id INTO unbalanced FROM new_legs GROUP BY entry_id HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the legs of gift-card entry % do not sum to zero', unbalanced
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.check_zero_sum()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  unbalanced uuid;
BEGIN
  SELECT entry_id INTO unbalanced FROM new_legs GROUP BY entry_id HAVING sum(points) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the legs of ledger entry % do not sum to zero', unbalanced
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.count_offer_uses(codes text[], at_store integer, at_day date, used jsonb)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE offer_counter AS counter SET uses = counter.uses + use.uses, amount = counter.amount + use.amount
  FROM jsonb_to_recordset(used) AS use (offer_code text, uses bigint, amount bigint)
  WHERE counter.offer_code = use.offer_code AND use.offer_code = ANY (codes) AND counter.period = 'total';
  INSERT INTO offer_counter AS counter (offer_code, period, store_id, starts_on, uses, amount)
  SELECT offer_code, period, at_store, first, use.uses, use.amount
  FROM jsonb_to_recordset(used) AS use (offer_code text, uses bigint, amount bigint)
  CROSS JOIN (VALUES ('day', at_day), ('week', date_trunc('week', at_day)::date)) AS span (period, first)
  WHERE offer_code = ANY (codes)
  ON CONFLICT (offer_code, period, store_id, starts_on)
  DO UPDATE SET uses = counter.uses + excluded.uses, amount = counter.amount + excluded.amount;
END $function$

CREATE OR REPLACE FUNCTION public.count_offers(codes text[])
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
-- From now on the uses of these offers are counted, those that were booked before included.
DECLARE
  fresh text[];
BEGIN
  SELECT array_agg(code ORDER BY code) INTO fresh FROM unnest(codes) AS code
  WHERE NOT EXISTS (SELECT FROM offer_counter WHERE offer_code = code AND period = 'total');
  IF fresh IS NULL THEN
    RETURN;
  END IF;
  LOCK TABLE offer_use IN SHARE MODE;
  INSERT INTO offer_counter (offer_code, period, store_id, starts_on, uses, amount)
  SELECT code, 'total', 0, date '2000-01-01', coalesce(sum(uses), 0), coalesce(sum(amount), 0)
  FROM unnest(fresh) AS code LEFT JOIN offer_use ON offer_code = code GROUP BY code
  UNION ALL
  SELECT offer_code, 'day', store_id, day, sum(uses), sum(amount)
  FROM offer_use WHERE offer_code = ANY (fresh) GROUP BY offer_code, store_id, day
  UNION ALL
  SELECT offer_code, 'week', store_id, date_trunc('week', day)::date, sum(uses), sum(amount)
  FROM offer_use WHERE offer_code = ANY (fresh) GROUP BY offer_code, store_id, date_trunc('week', day)
  ON CONFLICT DO NOTHING;
END $function$

CREATE OR REPLACE FUNCTION public.decision_scene(card_scanned text, of_member uuid, of_account uuid, of_store integer, common integer[], seen_at timestamp with time zone, today date, most integer, asks_person boolean, hold boolean, patience interval)
 RETURNS json
 LANGUAGE plpgsql
 SET lock_timeout TO '15ms'
AS $function$
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
    silent := 'no run';
  END IF;
  IF number IS NOT NULL THEN
    FOR step IN 0..100 LOOP
      SELECT card.state, card.replaced_by, card.member_id, card.account_id
      INTO card_state, following, of_member, of_account FROM card WHERE card.card_number = number;
      EXIT WHEN NOT FOUND OR card_state <> 'replaced' OR following IS NULL;
      number := following;
    END LOOP;
    IF card_state IN ('blocked', 'expired') THEN
      silent := 'card';
    END IF;
  END IF;
  IF of_member IS NOT NULL THEN
    SELECT coalesce(silent,
             CASE WHEN member.profiling_objected_at IS NOT NULL THEN 'objects'
                  WHEN coalesce(member.company_name, member.company_id, member.vat_id) IS NOT NULL THEN 'company' END),
           member.account_id
    INTO silent, of_account FROM member WHERE member.member_id = of_member;
  END IF;
  IF silent IS NOT NULL AND hold THEN
    RETURN json_build_object('silent', silent);
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
  END IF;
  IF silent IS NOT NULL THEN
    RETURN json_build_object('silent', silent, 'answers', answers);
  END IF;
  IF of_member IS NOT NULL THEN
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
    RETURN json_build_object('silent', 'no list', 'run', run, 'answers', answers);
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
END $function$

CREATE OR REPLACE FUNCTION public.demand_rehearsal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NEW.state = 'live' AND NOT NEW.imported_live AND NOT EXISTS (
    SELECT FROM rehearsed_offer AS rehearsed
    WHERE rehearsed.offer_code = NEW.offer_code AND rehearsed.version = NEW.version
      AND rehearsed.document = NEW.document AND rehearsed.results IS NOT NULL
  ) THEN
    RAISE EXCEPTION 'version % of offer % was not rehearsed', NEW.version, NEW.offer_code
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.ensure_decision_months(first_day date, last_day date)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.ensure_receipt_months(first_day date, last_day date)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
  -- Nobody waits for whoever makes other months, and an import that stands still keeps nobody from those that are there.
  WHILE month <= last_day AND to_regclass('receipt_' || to_char(month, 'YYYYMM')) IS NOT NULL LOOP
    month := (month + interval '1 month')::date;
  END LOOP;
  IF month > last_day THEN
    RETURN 0;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ensure_receipt_months'));
  WHILE month <= last_day LOOP
    following := (month + interval '1 month')::date;
    IF to_regclass('receipt_' || to_char(month, 'YYYYMM')) IS NULL THEN
      FOREACH parent IN ARRAY ARRAY['receipt', 'receipt_line'] LOOP
        child := parent || '_' || to_char(month, 'YYYYMM');
        -- What is written meanwhile would be left behind, and keep the month from being attached.
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
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
END $function$

CREATE OR REPLACE FUNCTION public.forget_decisions(before date)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.heed_objection()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM cancel_unwanted_mail(new.member_id, ARRAY['offers', 'catalog', 'surveys'], 'objection');
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.heed_refusal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE outgoing_mail
  SET state = 'cancelled', leased_until = NULL, finished_at = now(), answer = 'the member refused something meanwhile'
  WHERE member_id = new.member_id AND as_of IS NOT NULL
    AND (state = 'queued' OR state = 'sending' AND handed_at IS NULL);
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.heed_withdrawal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM cancel_unwanted_mail(new.member_id, ARRAY[new.purpose], 'consent withdrawn');
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.hold_account(held uuid, seen_at timestamp with time zone, OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[], OUT moved_to uuid)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
DECLARE
  sums record;
BEGIN
  SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to
  FROM balance WHERE account_id = held FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO balance (account_id) VALUES (held) ON CONFLICT DO NOTHING;
    SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to
    FROM balance WHERE account_id = held FOR UPDATE;
  END IF;
  -- An assignment asks without a statement around the question, which would cost more than the answer.
  sums := account_sums(held, seen_at);
  pending := sums.pending;
  due := sums.due;
  lapsed := sums.lapsed;
  expire_at := sums.expire_at;
  expire_points := sums.expire_points;
END $function$

CREATE OR REPLACE FUNCTION public.hold_offers(own_quote uuid, own_till integer, at_store integer, at_day date, seen_at timestamp with time zone, held_until timestamp with time zone, wanted jsonb)
 RETURNS text[]
 LANGUAGE plpgsql
AS $function$
-- Holds all that is wanted, or nothing, and then says what cannot be held. What the till held before is let go.
DECLARE
  short text[];
BEGIN
  PERFORM FROM offer_counter
  WHERE offer_code IN (SELECT want ->> 'offer_code' FROM jsonb_array_elements(wanted) AS want) AND period = 'total'
  ORDER BY offer_code FOR UPDATE;
  PERFORM let_go_of_offers(own_till, own_quote);
  IF jsonb_array_length(wanted) = 0 THEN
    RETURN NULL;
  END IF;
  short := offers_beyond(wanted, at_store, at_day, seen_at, own_quote);
  IF short IS NULL THEN
    INSERT INTO offer_hold (quote_id, offer_code, till_id, store_id, day, uses, amount, valid_until)
    SELECT own_quote, offer_code, own_till, at_store, at_day, uses, amount, held_until
    FROM jsonb_to_recordset(wanted) AS want (offer_code text, uses integer, amount bigint);
  END IF;
  RETURN short;
END $function$

CREATE OR REPLACE FUNCTION public.keep_article_past()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO article_past (article_id, until, gtin, department, category, type, brand)
  VALUES (old.article_id, now(), old.gtin, old.department, old.category, old.type, old.brand)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.keep_catalog_copy()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.keep_decided_offer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  ending CONSTANT text[] := ARRAY['state', 'ended_at', 'ended_by', 'end_reason'];
BEGIN
  IF OLD.state = 'draft' AND (NEW.state = 'draft'
      OR NEW.state IN ('live', 'rejected', 'withdrawn') AND (NEW.document, NEW.drafted_by, NEW.drafted_at)
        IS NOT DISTINCT FROM (OLD.document, OLD.drafted_by, OLD.drafted_at))
      OR OLD.state = 'live' AND NEW.state IN ('replaced', 'stopped') AND to_jsonb(NEW) - ending = to_jsonb(OLD) - ending THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'version % of offer % is %: % is refused', OLD.version, OLD.offer_code, OLD.state, TG_OP
    USING ERRCODE = 'integrity_constraint_violation';
END $function$

CREATE OR REPLACE FUNCTION public.keep_decided_scheme()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.state <> 'draft' THEN
    RAISE EXCEPTION 'version % of the tiers was decided: % is refused', OLD.version, TG_OP
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> 'draft' AND (NEW.rules, NEW.valid_from, NEW.note, NEW.drafted_by, NEW.drafted_at)
      IS DISTINCT FROM (OLD.rules, OLD.valid_from, OLD.note, OLD.drafted_by, OLD.drafted_at) THEN
    RAISE EXCEPTION 'version % of the tiers is decided as it was drafted', OLD.version
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.keep_decided_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.keep_decisions(decided jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 SET lock_timeout TO '15ms'
AS $function$
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
END $function$

CREATE OR REPLACE FUNCTION public.keep_offer_choice_past()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO offer_choice_past (until, choice) VALUES (now(), old.choice) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.keep_rehearsed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.results IS NOT NULL
      OR to_jsonb(NEW) - 'results' - 'completed_at' IS DISTINCT FROM to_jsonb(OLD) - 'results' - 'completed_at' THEN
    RAISE EXCEPTION 'rehearsal % stays what it was: % is refused', OLD.rehearsal_id, TG_OP
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.keep_voucher()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.voucher_code, NEW.batch_code, NEW.account_id, NEW.bound, NEW.value_amount, NEW.currency, NEW.minimum_amount,
      NEW.issued_at, NEW.issued_by, NEW.business_date, NEW.receipt_id, NEW.offer_code, NEW.replaces)
      IS DISTINCT FROM
     (OLD.voucher_code, OLD.batch_code, OLD.account_id, OLD.bound, OLD.value_amount, OLD.currency, OLD.minimum_amount,
      OLD.issued_at, OLD.issued_by, OLD.business_date, OLD.receipt_id, OLD.offer_code, OLD.replaces) THEN
    RAISE EXCEPTION 'voucher % stays what was issued', OLD.voucher_code
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.state = 'cancelled' AND NEW.state NOT IN ('cancelled', 'issued')
      OR OLD.state = 'redeemed' AND NEW.state NOT IN ('redeemed', 'issued')
      OR OLD.state = 'expired' AND NEW.state NOT IN ('expired', 'issued', 'redeemed') THEN
    RAISE EXCEPTION 'voucher % is %: it cannot become %', OLD.voucher_code, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $function$

CREATE OR REPLACE FUNCTION public.let_go_of_offers(own_till integer, but_of uuid)
 RETURNS void
 LANGUAGE sql
AS $function$
  -- What the till's earlier quotes held. What another request of the till lets go of at this moment needs no waiting for.
  DELETE FROM offer_hold WHERE (quote_id, offer_code) IN (
    SELECT quote_id, offer_code FROM offer_hold
    WHERE till_id = own_till AND quote_id IS DISTINCT FROM but_of FOR UPDATE SKIP LOCKED)
$function$

CREATE OR REPLACE FUNCTION public.offer_spent(codes text[], at_store integer, at_day date, seen_at timestamp with time zone, own_quote uuid)
 RETURNS TABLE(offer_code text, uses bigint, amount bigint, day_uses bigint, day_amount bigint, week_uses bigint, week_amount bigint)
 LANGUAGE sql
 STABLE
AS $function$
  -- What is gone of budgets: what was used, and what quotes hold besides one's own.
  SELECT spent.offer_code,
         coalesce(sum(spent.uses) FILTER (WHERE period = 'total'), 0)::bigint,
         coalesce(sum(spent.amount) FILTER (WHERE period = 'total'), 0)::bigint,
         coalesce(sum(spent.uses) FILTER (WHERE period = 'day'), 0)::bigint,
         coalesce(sum(spent.amount) FILTER (WHERE period = 'day'), 0)::bigint,
         coalesce(sum(spent.uses) FILTER (WHERE period = 'week'), 0)::bigint,
         coalesce(sum(spent.amount) FILTER (WHERE period = 'week'), 0)::bigint
  FROM (
    SELECT counter.offer_code, period, counter.uses, counter.amount
    FROM unnest(codes) AS code
    JOIN offer_counter AS counter ON counter.offer_code = code
     AND (period, store_id, starts_on) IN (
       ('total', 0, date '2000-01-01'), ('day', at_store, at_day), ('week', at_store, date_trunc('week', at_day)::date))
    UNION ALL
    SELECT hold.offer_code, kept.period, hold.uses, hold.amount
    FROM unnest(codes) AS code
    JOIN offer_hold AS hold ON hold.offer_code = code AND hold.valid_until > seen_at
     AND hold.quote_id IS DISTINCT FROM own_quote
    CROSS JOIN LATERAL (VALUES ('total', true), ('day', hold.store_id = at_store AND hold.day = at_day),
      ('week', hold.store_id = at_store AND date_trunc('week', hold.day) = date_trunc('week', at_day))) AS kept (period, counts)
    WHERE kept.counts
  ) AS spent
  GROUP BY spent.offer_code
$function$

CREATE OR REPLACE FUNCTION public.offers_beyond(wanted jsonb, at_store integer, at_day date, seen_at timestamp with time zone, own_quote uuid)
 RETURNS text[]
 LANGUAGE sql
 STABLE
AS $function$
  -- Which of the uses that are wanted their budgets do not have any more; a limit that is null is none.
  SELECT array_agg(want.offer_code ORDER BY want.offer_code)
  FROM jsonb_to_recordset(wanted) AS want (
    offer_code text, uses bigint, amount bigint, max_uses bigint, max_amount bigint, max_day_uses bigint,
    max_day_amount bigint, max_week_uses bigint, max_week_amount bigint)
  LEFT JOIN offer_spent(
    (SELECT array_agg(code ->> 'offer_code') FROM jsonb_array_elements(wanted) AS code), at_store, at_day, seen_at, own_quote
  ) AS spent USING (offer_code)
  WHERE coalesce(spent.uses, 0) + want.uses > max_uses OR coalesce(spent.amount, 0) + want.amount > max_amount
     OR coalesce(day_uses, 0) + want.uses > max_day_uses OR coalesce(day_amount, 0) + want.amount > max_day_amount
     OR coalesce(week_uses, 0) + want.uses > max_week_uses OR coalesce(week_amount, 0) + want.amount > max_week_amount
$function$

CREATE OR REPLACE FUNCTION public.open_receipt(own_identity text, own_store integer, own_till integer, own_day date, own_number text, scanned text, closed timestamp with time zone, seen_at timestamp with time zone, skus text[], gtins text[], named_identity text, named_store text, named_till text, named_day date, named_number text, operator text, OUT known_receipt uuid, OUT known_fingerprint bytea, OUT known_answer jsonb, OUT card_state text, OUT card_blocked_at timestamp with time zone, OUT card_account uuid, OUT card_member uuid, OUT given_name text, OUT family_name text, OUT language text, OUT birth_date date, OUT articles integer[], OUT original_receipt uuid, OUT original_account uuid, OUT waiting boolean, OUT seen_today integer, OUT seen_near timestamp with time zone[], OUT seen_by_operator integer, OUT seen_by_operator_in_week integer, OUT own_card boolean, OUT account uuid, OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[])
 RETURNS record
 LANGUAGE plpgsql
 SET lock_timeout TO '5s'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
-- Generic plans: choosing among the months at every planning costs more than pruning them when run.
DECLARE
  child record;
  successor text;
  step integer := 0;
  joined uuid;
  monday date := date_trunc('week', own_day)::date;
  held record;
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

  -- Who asks for the scene of the basket in the same trip knows the articles from there.
  IF skus IS NOT NULL THEN
    SELECT array_agg(coalesce(by_sku.article_id, by_gtin.article_id) ORDER BY line.position) INTO articles
    FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
    LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
    LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin;
  END IF;

  account := coalesce(original_account, card_account);
  WHILE account IS NOT NULL LOOP
    held := hold_account(account, seen_at);
    joined := held.moved_to;
    EXIT WHEN joined IS NULL;
    -- It was joined to another account before its lock was ours.
    IF card_account = account THEN
      card_account := joined;
    END IF;
    IF original_account = account THEN
      original_account := joined;
    END IF;
    account := joined;
  END LOOP;
  IF account IS NOT NULL THEN
    points := held.points;
    reserved := held.reserved;
    pending := held.pending;
    due := held.due;
    lapsed := held.lapsed;
    expire_at := held.expire_at;
    expire_points := held.expire_points;
  END IF;

  own_card := false;
  IF card_account IS NOT NULL AND named_identity IS NULL THEN
    IF operator IS NOT NULL THEN
      -- Hardly any operator has a card registered: the question that says so comes first.
      PERFORM FROM staff_card WHERE staff_card.store_id = own_store AND staff_card.operator_code = operator LIMIT 1;
      own_card := FOUND AND EXISTS (
        SELECT FROM staff_card
        JOIN card ON card.card_number = staff_card.card_number
        WHERE staff_card.store_id = own_store AND staff_card.operator_code = operator
          AND staff_card.registered_at <= closed AND (staff_card.ended_at IS NULL OR staff_card.ended_at > closed)
          AND (card.member_id = card_member OR card.member_id IS NULL AND card.account_id = card_account));
    END IF;
    -- The card's week, before this receipt and after it, since they come in any order. A busy card costs no more
    -- than enough rows to tell that it is one.
    SELECT count(*) FILTER (WHERE business_date = own_day AND store_id = own_store),
           array_agg(closed_at) FILTER (
             WHERE closed_at BETWEEN closed - interval '10 minutes' AND closed + interval '10 minutes'),
           count(*) FILTER (WHERE store_id = own_store AND operator_code = operator AND business_date = own_day),
           count(*) FILTER (WHERE store_id = own_store AND operator_code = operator)
    INTO seen_today, seen_near, seen_by_operator, seen_by_operator_in_week
    FROM (
      SELECT business_date, store_id, closed_at, operator_code
      FROM (
        SELECT * FROM receipt
        WHERE account_id = card_account AND business_date BETWEEN monday AND monday + 6 OFFSET 0
      ) AS of_account
      WHERE card_number = scanned AND type = 'sale' AND mode = 'live'
      LIMIT 200
    ) AS seen;
  END IF;
END $function$

CREATE OR REPLACE FUNCTION public.open_stock()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO stock_movement (reward_code, store_id, kind, on_hand, reserved, moved_at, actor)
  VALUES (NEW.reward_code, NEW.store_id, 'opening', NEW.on_hand, NEW.reserved, clock_timestamp(), 'opening');
  RETURN NULL;
END $function$

CREATE OR REPLACE FUNCTION public.qualifying_facts(of_accounts uuid[], since date)
 RETURNS TABLE(account_id uuid, business_date date, receipt_id uuid, closed_at timestamp with time zone, currency text, spend bigint, points bigint, visits smallint)
 LANGUAGE sql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
  SELECT sale.account_id, sale.business_date, sale.receipt_id, sale.closed_at, sale.currency,
         CASE WHEN sale.currency = store.currency THEN greatest(0, sums.amount) ELSE 0 END,
         sums.points, 1::smallint
  FROM receipt AS sale
  JOIN store ON store.store_id = sale.store_id
  JOIN till ON till.till_id = sale.till_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(line.total_amount)
             FILTER (WHERE line.line_number <> ALL (coalesce(sale.excluded_lines, '{}'))), 0)::bigint AS amount,
           coalesce(sum(line.points), 0)::bigint AS points
    FROM receipt_line AS line
    WHERE line.business_date = sale.business_date AND line.receipt_id = sale.receipt_id
  ) AS sums
  WHERE sale.account_id = ANY (of_accounts) AND sale.business_date >= since
    AND sale.type = 'sale' AND sale.mode = 'live'
    AND NOT EXISTS (
      SELECT FROM receipt_link AS void
      WHERE void.original_identity
          = store.store_code || '/' || till.till_code || '/' || to_char(sale.business_date, 'YYYY-MM-DD') || '/' || sale.receipt_number AND void.type = 'void'
        AND void.original_receipt_id = sale.receipt_id)
    AND NOT (sums.points = 0 AND EXISTS (
      SELECT FROM staff_card
      WHERE staff_card.store_id = sale.store_id AND staff_card.operator_code = sale.operator_code
        AND staff_card.registered_at <= sale.closed_at
        AND (staff_card.ended_at IS NULL OR staff_card.ended_at > sale.closed_at)))
  UNION ALL
  SELECT back.account_id, back.business_date, back.receipt_id, back.closed_at, sale.currency,
         CASE WHEN sale.currency = store.currency THEN -greatest(0, sums.amount) ELSE 0 END,
         -sums.points, 0::smallint
  FROM receipt AS back
  JOIN receipt_link AS link ON link.receipt_id = back.receipt_id AND link.original_receipt_id IS NOT NULL
  JOIN receipt AS sale
    ON sale.business_date = link.original_business_date AND sale.receipt_id = link.original_receipt_id
   AND sale.type = 'sale' AND sale.mode = 'live'
  JOIN store ON store.store_id = sale.store_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(round(sold.total_amount * line.counted_quantity / sold.quantity))
             FILTER (WHERE sold.line_number <> ALL (coalesce(sale.excluded_lines, '{}'))), 0)::bigint AS amount,
           coalesce(sum(line.points), 0)::bigint AS points
    FROM receipt_line AS line
    JOIN receipt_line AS sold
      ON sold.business_date = sale.business_date AND sold.receipt_id = sale.receipt_id
     AND sold.line_number = line.original_line_number
    WHERE line.business_date = back.business_date AND line.receipt_id = back.receipt_id
      AND line.counted_quantity IS NOT NULL
  ) AS sums
  WHERE back.account_id = ANY (of_accounts) AND back.business_date >= since
    AND back.type = 'return' AND back.mode = 'live'
    AND NOT EXISTS (
      SELECT FROM receipt_link AS void
      WHERE void.type = 'void' AND void.original_receipt_id IS NOT NULL
        AND (void.original_identity = link.identity AND void.original_receipt_id = back.receipt_id
          OR void.original_identity = link.original_identity AND void.original_receipt_id = sale.receipt_id))
$function$

CREATE OR REPLACE FUNCTION public.quote_scene(scanned text, skus text[], gtins text[], paid_at timestamp with time zone, seen_at timestamp with time zone, today date, at_store integer, asks_first boolean, tier_period text, tier_measure text, tier_rates jsonb, asks_advice boolean, common integer[], most integer, asks_person boolean, patience interval)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
-- Stable, so that all of it is of one moment: points from before a booking do not meet lots from after it.
-- What basket_scene, card_holder, account_sums, tier_state and decision_scene say of one basket, in one answer:
-- generation of the live offers, goods, holder, what the account holds, tier, rewards to be had, person, advice.
DECLARE
  generation bigint;
  goods json;
  holder record;
  member record;
  buyer uuid;
  led_to json;
  balance record;
  sums record;
  held json;
  standing record;
  tier json;
  rewards json;
  served uuid;
  group_ids json;
  phase text;
  value_class text;
  staff boolean;
  first_purchase boolean := false;
  person json;
BEGIN
  SELECT offer_book.generation INTO generation FROM offer_book;
  IF cardinality(skus) > 0 THEN
    SELECT json_agg(
             CASE WHEN by_sku.article_id IS NOT NULL THEN json_build_array(
               by_sku.sku, by_sku.gtin, by_sku.category, by_sku.type, by_sku.department, by_sku.brand,
               by_sku.article_id)
             WHEN by_gtin.article_id IS NOT NULL THEN json_build_array(
               by_gtin.sku, by_gtin.gtin, by_gtin.category, by_gtin.type, by_gtin.department, by_gtin.brand,
               by_gtin.article_id) END
             ORDER BY line.position)
    INTO goods
    FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
    LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
    LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin AND by_sku.article_id IS NULL;
  END IF;
  IF scanned IS NOT NULL THEN
    SELECT card.card_number, card.state, card.card_number AS successor, card.state AS successor_state, card.blocked_at,
           card.account_id, card.member_id
    INTO holder FROM card WHERE card.card_number = scanned;
    IF holder.state = 'replaced' THEN
      SELECT last.card_number, last.state, last.successor, last.successor_state, last.blocked_at, last.account_id,
             last.member_id
      INTO holder FROM card_holder(scanned) AS last;
    END IF;
    buyer := holder.member_id;
    IF buyer IS NOT NULL THEN
      SELECT one.given_name, one.family_name, one.language, one.birth_date, one.role, one.member_code,
             coalesce(one.company_name, one.company_id, one.vat_id) IS NOT NULL AS company,
             one.profiling_objected_at IS NOT NULL AS objects
      INTO member FROM member AS one WHERE one.member_id = buyer;
      led_to := json_build_array(
        holder.card_number, holder.state, holder.successor, holder.successor_state, holder.blocked_at,
        holder.account_id, buyer, member.given_name, member.family_name, member.language, member.birth_date,
        member.role);
      staff := EXISTS (
        SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
        WHERE card.member_id = buyer AND staff_card.registered_at <= paid_at
          AND (staff_card.ended_at IS NULL OR staff_card.ended_at > paid_at));
      IF asks_first THEN
        first_purchase := NOT EXISTS (
          SELECT FROM receipt
          WHERE receipt.account_id = holder.account_id AND receipt.type = 'sale' AND receipt.mode = 'live');
      END IF;
      -- Who objects is in no group and stands nowhere.
      IF NOT member.objects THEN
        SELECT served_run.run_id INTO served FROM served_run;
        IF FOUND THEN
          SELECT json_agg(membership.group_id) INTO group_ids
          FROM group_membership AS membership WHERE membership.run_id = served AND membership.member_id = buyer;
          SELECT stands.phase, stands.value_class INTO phase, value_class
          FROM member_standing AS stands WHERE stands.run_id = served AND stands.member_id = buyer;
        END IF;
      END IF;
      person := json_build_array(
        member.member_code, member.birth_date, member.company, group_ids, staff, first_purchase, phase, value_class);
    ELSIF holder.card_number IS NOT NULL THEN
      led_to := json_build_array(
        holder.card_number, holder.state, holder.successor, holder.successor_state, holder.blocked_at,
        holder.account_id, NULL, NULL, NULL, NULL, NULL, NULL);
    END IF;
    IF holder.account_id IS NOT NULL THEN
      SELECT of_account.points, of_account.reserved INTO balance
      FROM balance AS of_account WHERE of_account.account_id = holder.account_id;
      sums := account_sums(holder.account_id, seen_at);
      held := json_build_array(
        coalesce(balance.points, 0), coalesce(balance.reserved, 0), sums.pending, sums.due, sums.lapsed,
        sums.expire_at, sums.expire_points);
      IF tier_period IS NOT NULL THEN
        standing := tier_state(holder.account_id, tier_period, tier_measure, tier_rates, today);
        tier := json_build_array(
          standing.tier_code, standing.earned_code, standing.since, standing.joined_on, standing.period_end,
          standing.grace_until, standing.due_on, standing.warned_for, standing.as_of, standing.qualifying::text,
          standing.visited, standing.latest, standing.later);
      END IF;
    END IF;
    IF led_to IS NOT NULL THEN
      SELECT json_agg(json_build_array(reward.reward_code, reward.name, reward.points)
                      ORDER BY reward.points, reward.reward_code)
      INTO rewards
      FROM reward
      WHERE reward.active AND reward.points > 0 AND (
        EXISTS (SELECT FROM reward_stock AS stock
                WHERE stock.reward_code = reward.reward_code AND stock.store_id = at_store
                  AND stock.on_hand > stock.reserved)
        OR NOT EXISTS (SELECT FROM reward_stock AS stock WHERE stock.reward_code = reward.reward_code));
    END IF;
  END IF;
  RETURN json_build_array(
    generation, goods, led_to, held, tier, rewards, person,
    CASE WHEN asks_advice THEN decision_scene(
      scanned, NULL, NULL, at_store, common, seen_at, today, most, asks_person, false, patience) END);
END $function$

CREATE OR REPLACE FUNCTION public.receipt_scene(own_identity text, own_store integer, own_till integer, own_day date, own_number text, scanned text, closed timestamp with time zone, seen_at timestamp with time zone, named_identity text, named_store text, named_till text, named_day date, named_number text, operator text, own_quote uuid, skus text[], gtins text[], asks_buyer boolean, asks_first boolean, tier_period text, tier_measure text, tier_rates jsonb, asks_advice boolean, common integer[], most integer, asks_person boolean, patience interval, today date)
 RETURNS json
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
-- What open_receipt, tier_state, basket_scene and decision_scene say of one live sale, in one answer, and the quote that it
-- names: receipt that was known, card, original, whether others wait, where the card was seen, account, what it holds, quote,
-- tier, generation of the live offers, goods, person where that is asked, advice. The first of them takes the locks of receipt
-- and account; each statement after it sees what was committed before that began. Plans are generic: for the few lines of most
-- baskets one made for the very codes always looks cheaper, and to make it costs as much as all the rest.
DECLARE
  opened record;
  quoted json;
  standing record;
  tier json;
  generation bigint;
  goods json;
  member record;
  staff boolean;
  first_purchase boolean := false;
  served uuid;
  group_ids json;
  phase text;
  value_class text;
  person json;
BEGIN
  opened := open_receipt(
    own_identity, own_store, own_till, own_day, own_number, scanned, closed, seen_at, NULL, NULL,
    named_identity, named_store, named_till, named_day, named_number, operator);
  IF opened.known_receipt IS NOT NULL THEN
    RETURN json_build_array(
      json_build_array(opened.known_receipt, encode(opened.known_fingerprint, 'hex'), opened.known_answer));
  END IF;
  IF own_quote IS NOT NULL THEN
    SELECT json_build_array(
             quote.quote_id, quote.valid_until, quote.card_number, quote.currency, quote.lines, quote.points_amount,
             quote.payable_amount, quote.points_to_earn, quote.offers, quote.used_by IS NOT NULL)
    INTO quoted FROM quote WHERE quote.quote_id = own_quote AND quote.store_id = own_store;
  END IF;
  IF tier_period IS NOT NULL AND opened.account IS NOT NULL THEN
    standing := tier_state(opened.account, tier_period, tier_measure, tier_rates, own_day);
    tier := json_build_array(
      standing.tier_code, standing.earned_code, standing.since, standing.joined_on, standing.period_end,
      standing.grace_until, standing.due_on, standing.warned_for, standing.as_of, standing.qualifying::text,
      standing.visited, standing.latest, standing.later);
  END IF;
  SELECT offer_book.generation INTO generation FROM offer_book;
  SELECT json_agg(
           CASE WHEN by_sku.article_id IS NOT NULL THEN json_build_array(
             by_sku.sku, by_sku.gtin, by_sku.category, by_sku.type, by_sku.department, by_sku.brand,
             by_sku.article_id)
           WHEN by_gtin.article_id IS NOT NULL THEN json_build_array(
             by_gtin.sku, by_gtin.gtin, by_gtin.category, by_gtin.type, by_gtin.department, by_gtin.brand,
             by_gtin.article_id) END
           ORDER BY line.position)
  INTO goods
  FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
  LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
  LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin AND by_sku.article_id IS NULL;
  IF asks_buyer AND opened.card_member IS NOT NULL THEN
    SELECT one.member_code, one.birth_date, coalesce(one.company_name, one.company_id, one.vat_id) IS NOT NULL AS company,
           one.profiling_objected_at IS NOT NULL AS objects
    INTO member FROM member AS one WHERE one.member_id = opened.card_member;
    IF NOT member.objects THEN
      SELECT served_run.run_id INTO served FROM served_run;
      IF FOUND THEN
        SELECT json_agg(membership.group_id) INTO group_ids
        FROM group_membership AS membership WHERE membership.run_id = served AND membership.member_id = opened.card_member;
        SELECT stands.phase, stands.value_class INTO phase, value_class
        FROM member_standing AS stands WHERE stands.run_id = served AND stands.member_id = opened.card_member;
      END IF;
    END IF;
    staff := EXISTS (
      SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
      WHERE card.member_id = opened.card_member AND staff_card.registered_at <= closed
        AND (staff_card.ended_at IS NULL OR staff_card.ended_at > closed));
    IF asks_first THEN
      first_purchase := NOT EXISTS (
        SELECT FROM receipt
        WHERE receipt.account_id = opened.card_account AND receipt.type = 'sale' AND receipt.mode = 'live');
    END IF;
    person := json_build_array(
      member.member_code, member.birth_date, member.company, group_ids, staff, first_purchase, phase, value_class);
  END IF;
  RETURN json_build_array(
    NULL,
    CASE WHEN opened.card_state IS NOT NULL THEN json_build_array(
      opened.card_state, opened.card_blocked_at, opened.card_account, opened.card_member, opened.given_name,
      opened.family_name, opened.language, opened.birth_date) END,
    opened.original_receipt, opened.waiting,
    json_build_array(
      opened.seen_today, opened.seen_near, opened.seen_by_operator, opened.seen_by_operator_in_week, opened.own_card),
    opened.account,
    CASE WHEN opened.account IS NOT NULL THEN json_build_array(
      opened.points, opened.reserved, opened.pending, opened.due, opened.lapsed, opened.expire_at, opened.expire_points)
    END,
    quoted, tier, generation, goods,
    person,
    CASE WHEN asks_advice THEN decision_scene(
      scanned, NULL, NULL, own_store, common, seen_at, today, most, asks_person, true, patience) END);
END $function$

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $function$

CREATE OR REPLACE FUNCTION public.reverse_offer_uses(of_date date, of_receipt uuid, by_receipt uuid, seen_at timestamp with time zone, restored_of uuid)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
-- Gives back what a receipt used and still stands; with restored_of, what that receipt gave back stands again.
DECLARE
  part record;
  parts integer := 0;
BEGIN
  LOCK TABLE offer_use IN ROW EXCLUSIVE MODE;
  -- Offers in their order, so that no two wait for each other.
  FOR part IN
    SELECT offer_code, offer_version, store_id, day, person_id, covered, -sum(uses) AS uses, -sum(amount) AS amount
    FROM offer_use
    WHERE business_date = of_date AND receipt_id = of_receipt
      AND (restored_of IS NULL OR reversed_by = restored_of)
    GROUP BY offer_code, offer_version, store_id, day, person_id, covered
    HAVING sum(uses) <> 0 OR sum(amount) <> 0
    ORDER BY offer_code, offer_version
  LOOP
    parts := parts + 1;
    PERFORM FROM offer_counter WHERE offer_code = part.offer_code AND period = 'total' FOR UPDATE;
    IF FOUND THEN
      PERFORM count_offer_uses(
        ARRAY[part.offer_code], part.store_id, part.day, jsonb_build_array(to_jsonb(part)));
    END IF;
    INSERT INTO offer_use (
      offer_code, offer_version, business_date, receipt_id, store_id, day, person_id, uses, amount, covered, reversed_by,
      booked_at)
    VALUES (part.offer_code, part.offer_version, of_date, of_receipt, part.store_id, part.day, part.person_id, part.uses,
            part.amount, part.covered, by_receipt, seen_at);
  END LOOP;
  RETURN parts;
END $function$

CREATE OR REPLACE FUNCTION public.tier_state(held uuid, period text, measure text, rates jsonb, today date, OUT tier_code text, OUT earned_code text, OUT since date, OUT joined_on date, OUT period_end date, OUT grace_until date, OUT due_on date, OUT warned_for date, OUT as_of date, OUT qualifying numeric, OUT visited boolean, OUT latest timestamp with time zone, OUT later boolean)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
BEGIN
  SELECT standing.tier_code, standing.earned_code, standing.since, standing.joined_on, standing.period_end,
         standing.grace_until, standing.due_on, standing.warned_for, standing.as_of
  INTO tier_code, earned_code, since, joined_on, period_end, grace_until, due_on, warned_for, as_of
  FROM tier_standing AS standing WHERE standing.account_id = held;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT coalesce(CASE measure
           WHEN 'points' THEN sum(entry.points)
           WHEN 'visits' THEN count(DISTINCT entry.business_date) FILTER (WHERE entry.visits = 1)
           ELSE sum(entry.spend * (rates ->> entry.currency)::numeric)
         END, 0),
         coalesce(bool_or(entry.visits = 1 AND entry.business_date = today), false),
         max(entry.closed_at) FILTER (WHERE entry.business_date = today)
  INTO qualifying, visited, latest
  FROM qualifying_entry AS entry
  WHERE entry.account_id = held
    AND entry.business_date BETWEEN tier_window_start(period, joined_on, today) AND today;
  later := EXISTS (
    SELECT FROM qualifying_entry AS entry WHERE entry.account_id = held AND entry.business_date > today);
END $function$

CREATE OR REPLACE FUNCTION public.tier_window_start(kind text, joined date, today date)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE kind
    WHEN 'calendar_year' THEN date_trunc('year', today::timestamp)::date
    WHEN 'rolling' THEN (today - interval '1 year')::date + 1
    ELSE (
      SELECT max(day) FROM (
        SELECT (joined + make_interval(years => extract(year FROM today)::int - extract(year FROM joined)::int - back))::date
        FROM generate_series(0, 1) AS back
      ) AS anniversary (day)
      WHERE day <= today)
  END
$function$

CREATE OR REPLACE FUNCTION public.uuid7_at(moment timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 PARALLEL SAFE
AS $function$
  SELECT encode(
    set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM moment) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$function$
