-- The till and the ledger. Sections by package, lowest first; rights of the application's role at the end of each.

-- sales: returns and voids that wait for their original are few; an import asks whether there are any.

CREATE INDEX receipt_link_waiting_idx ON receipt_link (arrival) WHERE original_receipt_id is null;

-- sales: a month that is made while tills write into the default partition waits for them, and they for it.
-- At once as strictly as attaching it needs: to ask for more later is how two come to wait for each other.

CREATE OR REPLACE FUNCTION ensure_receipt_months(first_day date, last_day date) RETURNS integer
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
END $$;

-- contacts: what members answered to what they were offered; the newest answer about a subject holds.

CREATE TABLE reaction (
  reaction_id BIGINT GENERATED ALWAYS AS IDENTITY,
  account_id UUID NOT NULL,
  member_id UUID,
  card_number TEXT NOT NULL,
  reaction TEXT NOT NULL,
  scope TEXT NOT NULL,
  sku TEXT,
  article_id INTEGER,
  category TEXT,
  channel TEXT NOT NULL,
  actor TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT reaction_pkey PRIMARY KEY (reaction_id),
  CONSTRAINT reaction_reaction_check CHECK (reaction in ('accepted', 'not_now', 'never', 'wrong_product')),
  CONSTRAINT reaction_scope_check CHECK (scope in ('item', 'category', 'all')),
  CONSTRAINT reaction_subject_check CHECK (scope = 'all' or sku is not null),
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

INSERT INTO points_summary (booked_before) VALUES ('1970-01-01 00:00:00+00');

CREATE TABLE liability_report (
  business_day DATE NOT NULL,
  taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
  evidence JSONB NOT NULL,
  CONSTRAINT liability_report_pkey PRIMARY KEY (business_day)
);

CREATE TABLE liability_line (
  business_day DATE NOT NULL,
  line_number INTEGER NOT NULL,
  store_id INTEGER,
  currency TEXT NOT NULL,
  month DATE,
  points BIGINT NOT NULL,
  value_amount BIGINT NOT NULL,
  expected_amount BIGINT NOT NULL,
  CONSTRAINT liability_line_pkey PRIMARY KEY (business_day, line_number),
  CONSTRAINT liability_line_business_day_fkey FOREIGN KEY(business_day) REFERENCES liability_report (business_day) ON DELETE CASCADE,
  CONSTRAINT liability_line_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE UNIQUE INDEX ledger_entry_adjustment_idx ON ledger_entry (reference) WHERE reason = 'adjust';

CREATE INDEX ledger_entry_booked_at_idx ON ledger_entry USING brin (booked_at);

DROP INDEX lot_due_idx;

CREATE INDEX lot_due_idx ON lot (expires_at) INCLUDE (remaining) WHERE remaining > 0;

GRANT SELECT, INSERT ON adjustment, expiry_warning TO regulars_app;
GRANT UPDATE (state, decided_by, decided_at, decision_note) ON adjustment TO regulars_app;
GRANT SELECT, INSERT, UPDATE ON adjustment_limit TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON points_day, points_summary, liability_report, liability_line TO regulars_app;

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
  CONSTRAINT barcode_layout_article_by_check CHECK (article_by in ('sku', 'sku_unpadded', 'gtin'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON barcode_layout TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;

-- customers, sales, loyalty: staff cards, households whose accounts are joined, late claims, alerts.

-- What a staff card is bound to; a card may be bound again after its binding has ended.

CREATE TABLE staff_card (
  staff_card_id INTEGER GENERATED ALWAYS AS IDENTITY,
  card_number TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  operator_code TEXT NOT NULL,
  name TEXT NOT NULL,
  registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  registered_by TEXT NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  ended_by TEXT,
  CONSTRAINT staff_card_pkey PRIMARY KEY (staff_card_id),
  CONSTRAINT staff_card_ended_check CHECK ((ended_at is null) = (ended_by is null)),
  CONSTRAINT staff_card_card_number_fkey FOREIGN KEY(card_number) REFERENCES card (card_number),
  CONSTRAINT staff_card_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE INDEX staff_card_operator_idx ON staff_card (store_id, operator_code);

CREATE UNIQUE INDEX staff_card_bound_key ON staff_card (card_number) WHERE ended_at is null;

CREATE INDEX receipt_blind_return_idx ON receipt (store_id, operator_code, business_date)
  WHERE type = 'return' and original_receipt_number is null;

CREATE TABLE household_invitation (
  invitation_id UUID NOT NULL,
  account_id UUID NOT NULL,
  code_sha256 BYTEA NOT NULL,
  role TEXT NOT NULL,
  invited_by UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  used_by UUID,
  CONSTRAINT household_invitation_pkey PRIMARY KEY (invitation_id),
  CONSTRAINT household_invitation_role_check CHECK (role in ('owner', 'spender', 'earner')),
  CONSTRAINT household_invitation_used_check CHECK (used_by is null or used_at is not null),
  CONSTRAINT household_invitation_code_sha256_key UNIQUE (code_sha256),
  CONSTRAINT household_invitation_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT household_invitation_invited_by_fkey FOREIGN KEY(invited_by) REFERENCES member (member_id),
  CONSTRAINT household_invitation_used_by_fkey FOREIGN KEY(used_by) REFERENCES member (member_id)
);

CREATE INDEX household_invitation_account_id_idx ON household_invitation (account_id);

-- An account that was joined to another keeps its entries for ever and holds nothing; each of its lots lives on in
-- one lot of the other account.

ALTER TABLE balance ADD COLUMN moved_to UUID;
ALTER TABLE balance ADD CONSTRAINT balance_moved_to_fkey FOREIGN KEY(moved_to) REFERENCES account (account_id);
ALTER TABLE balance ADD CONSTRAINT balance_moved_check CHECK (moved_to is null or points = 0 and reserved = 0);
CREATE INDEX balance_moved_to_idx ON balance (moved_to) WHERE moved_to is not null;

ALTER TABLE lot ADD COLUMN moved_from UUID;
ALTER TABLE lot ADD CONSTRAINT lot_moved_from_fkey FOREIGN KEY(moved_from) REFERENCES lot (lot_id);
CREATE UNIQUE INDEX lot_moved_from_key ON lot (moved_from) WHERE moved_from is not null;

ALTER TABLE ledger_leg DROP CONSTRAINT ledger_leg_book_check;
ALTER TABLE ledger_leg ADD CONSTRAINT ledger_leg_book_check
  CHECK (book in ('points', 'reserved', 'issued', 'spent', 'expired', 'adjusted', 'merged'));

-- Who tried to claim a receipt that had no card, and with what success.

CREATE TABLE receipt_claim (
  claim_id BIGINT GENERATED ALWAYS AS IDENTITY,
  account_id UUID NOT NULL,
  card_number TEXT NOT NULL,
  claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor TEXT NOT NULL,
  identity TEXT NOT NULL,
  amount BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  business_date DATE,
  receipt_id UUID,
  CONSTRAINT receipt_claim_pkey PRIMARY KEY (claim_id),
  CONSTRAINT receipt_claim_outcome_check CHECK (outcome in ('booked', 'refused')),
  CONSTRAINT receipt_claim_booked_check CHECK ((outcome = 'booked') = (receipt_id is not null)),
  CONSTRAINT receipt_claim_receipt_id_key UNIQUE (receipt_id),
  CONSTRAINT receipt_claim_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX receipt_claim_account_id_idx ON receipt_claim (account_id, claimed_at);

-- What looks like misuse of a card or of a till, one row for each card or cashier and day or week.

CREATE TABLE alert (
  alert_id BIGINT GENERATED ALWAYS AS IDENTITY,
  kind TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  day DATE NOT NULL,
  operator_code TEXT,
  card_number TEXT,
  receipts INTEGER NOT NULL,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  state TEXT DEFAULT 'open' NOT NULL,
  raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  reason TEXT,
  CONSTRAINT alert_pkey PRIMARY KEY (alert_id),
  CONSTRAINT alert_kind_check CHECK (kind in ('velocity', 'own_card', 'cashier_card', 'blind_returns')),
  CONSTRAINT alert_state_check CHECK (state in ('open', 'confirmed', 'dismissed')),
  CONSTRAINT alert_decided_check CHECK ((state = 'open') = (decided_by is null) and (state = 'open') = (decided_at is null)),
  CONSTRAINT alert_reason_check CHECK (state <> 'dismissed' or reason is not null),
  CONSTRAINT alert_subject_key UNIQUE NULLS NOT DISTINCT (kind, store_id, day, operator_code, card_number),
  CONSTRAINT alert_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id)
);

CREATE INDEX alert_open_idx ON alert (store_id, raised_at) WHERE state = 'open';

CREATE INDEX alert_card_number_idx ON alert (card_number) WHERE card_number is not null;

DROP FUNCTION hold_account(uuid, timestamptz);

CREATE FUNCTION hold_account(
  held uuid, seen_at timestamptz,
  OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint,
  OUT expire_at timestamptz[], OUT expire_points bigint[], OUT moved_to uuid
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to
  FROM balance WHERE account_id = held FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO balance (account_id) VALUES (held) ON CONFLICT DO NOTHING;
    SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to
    FROM balance WHERE account_id = held FOR UPDATE;
  END IF;
  SELECT sums.pending, sums.due, sums.lapsed, sums.expire_at, sums.expire_points
  INTO pending, due, lapsed, expire_at, expire_points
  FROM account_sums(held, seen_at) AS sums;
END $$;

DROP FUNCTION open_receipt(text, integer, integer, date, text, text, timestamptz, timestamptz, text[], text[], text, text, text,
  date, text);

CREATE FUNCTION open_receipt(
  own_identity text, own_store integer, own_till integer, own_day date, own_number text,
  scanned text, closed timestamptz, seen_at timestamptz, skus text[], gtins text[],
  named_identity text, named_store text, named_till text, named_day date, named_number text, operator text,
  OUT known_receipt uuid, OUT known_fingerprint bytea, OUT known_answer jsonb,
  OUT card_state text, OUT card_blocked_at timestamptz, OUT card_account uuid, OUT card_member uuid,
  OUT given_name text, OUT family_name text, OUT language text, OUT birth_date date,
  OUT articles integer[], OUT original_receipt uuid, OUT original_account uuid, OUT waiting boolean,
  OUT seen_today integer, OUT seen_near timestamptz[], OUT seen_by_operator integer,
  OUT seen_by_operator_in_week integer, OUT own_card boolean, OUT account uuid,
  OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint,
  OUT expire_at timestamptz[], OUT expire_points bigint[]
) LANGUAGE plpgsql SET lock_timeout = '5s' SET plan_cache_mode = 'force_generic_plan' AS $$
-- Generic plans: choosing among the months at every planning costs more than pruning them when run.
DECLARE
  child record;
  successor text;
  step integer := 0;
  joined uuid;
  monday date := date_trunc('week', own_day)::date;
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
  WHILE account IS NOT NULL LOOP
    SELECT held.points, held.reserved, held.pending, held.due, held.lapsed, held.expire_at, held.expire_points,
           held.moved_to
    INTO points, reserved, pending, due, lapsed, expire_at, expire_points, joined
    FROM hold_account(account, seen_at) AS held;
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

  own_card := false;
  IF card_account IS NOT NULL AND named_identity IS NULL THEN
    IF operator IS NOT NULL THEN
      own_card := EXISTS (
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
END $$;

GRANT SELECT, INSERT, UPDATE ON staff_card, household_invitation, alert TO regulars_app;
GRANT SELECT, INSERT ON receipt_claim TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;

-- loyalty: offline work. Keys that sign allowances, and what tills let be spent while nobody could be asked.

CREATE TABLE signing_key (
  key_id TEXT NOT NULL,
  secret BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  retired_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT signing_key_pkey PRIMARY KEY (key_id),
  CONSTRAINT signing_key_secret_check CHECK (length(secret) = 32),
  CONSTRAINT signing_key_revoked_check CHECK (revoked_at is null or retired_at is not null)
);

CREATE UNIQUE INDEX signing_key_current_idx ON signing_key ((retired_at is null)) WHERE retired_at is null;

CREATE TABLE offline_redemption (
  redemption_id UUID NOT NULL,
  account_id UUID,
  card_number TEXT,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  identity TEXT NOT NULL,
  points BIGINT NOT NULL,
  overdrawn BIGINT NOT NULL,
  key_id TEXT,
  granted BIGINT,
  issued_at TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT offline_redemption_pkey PRIMARY KEY (redemption_id),
  CONSTRAINT offline_redemption_points_check CHECK (points > 0),
  CONSTRAINT offline_redemption_overdrawn_check CHECK (overdrawn between 0 and points),
  CONSTRAINT offline_redemption_signed_check
    CHECK ((key_id is null) = (granted is null) and (key_id is null) = (issued_at is null) and (key_id is null) = (expires_at is null)),
  CONSTRAINT offline_redemption_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT offline_redemption_key_id_fkey FOREIGN KEY(key_id) REFERENCES signing_key (key_id)
);

CREATE INDEX offline_redemption_account_id_idx ON offline_redemption (account_id, booked_at);

CREATE INDEX offline_redemption_receipt_idx ON offline_redemption (business_date, receipt_id);

CREATE TRIGGER offline_redemption_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON offline_redemption
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Snapshots ask what became spendable since the last one; a BRIN index costs the till next to nothing.

CREATE INDEX lot_available_at_idx ON lot USING brin (available_at timestamptz_minmax_multi_ops);

GRANT SELECT, INSERT ON signing_key, offline_redemption TO regulars_app;
GRANT UPDATE (retired_at, revoked_at) ON signing_key TO regulars_app;

-- Sums of an account: what ends pays what is below zero first, and a reservation that is over gives nothing
-- back to a lot that has ended meanwhile; so the card shows at every moment what booking it would leave.

CREATE OR REPLACE FUNCTION account_sums(
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
END $$;
