-- Offers, vouchers, gifts, tiers. Sections by package, lowest first; rights of the application's role at the end of each.

-- rewards: rehearsals of offers on past baskets. What was rehearsed is kept as it was; what it came to stands for ever,
-- since approvals rest on it. Parts are the days that are done, from which a rehearsal that was stopped goes on.

CREATE TABLE rehearsal (
  rehearsal_id UUID NOT NULL,
  first_day DATE NOT NULL,
  following_day DATE NOT NULL,
  store_ids INTEGER[] NOT NULL,
  beside JSONB NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  completed_at TIMESTAMP WITH TIME ZONE,
  results JSONB,
  CONSTRAINT rehearsal_pkey PRIMARY KEY (rehearsal_id),
  CONSTRAINT rehearsal_period_check CHECK (first_day < following_day),
  CONSTRAINT rehearsal_completed_check CHECK ((completed_at is null) = (results is null))
);

CREATE INDEX rehearsal_requested_at_idx ON rehearsal (requested_at);

CREATE TABLE rehearsed_offer (
  rehearsal_id UUID NOT NULL,
  offer_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  document JSONB NOT NULL,
  results JSONB,
  CONSTRAINT rehearsed_offer_pkey PRIMARY KEY (rehearsal_id, offer_code),
  CONSTRAINT rehearsed_offer_rehearsal_id_fkey FOREIGN KEY(rehearsal_id) REFERENCES rehearsal (rehearsal_id)
);

CREATE INDEX rehearsed_offer_version_idx ON rehearsed_offer (offer_code, version);

CREATE TABLE rehearsal_part (
  rehearsal_id UUID NOT NULL,
  business_date DATE NOT NULL,
  sums JSONB NOT NULL,
  CONSTRAINT rehearsal_part_pkey PRIMARY KEY (rehearsal_id, business_date),
  CONSTRAINT rehearsal_part_rehearsal_id_fkey FOREIGN KEY(rehearsal_id) REFERENCES rehearsal (rehearsal_id)
);

CREATE FUNCTION keep_rehearsed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.results IS NOT NULL
      OR to_jsonb(NEW) - 'results' - 'completed_at' IS DISTINCT FROM to_jsonb(OLD) - 'results' - 'completed_at' THEN
    RAISE EXCEPTION 'rehearsal % stays what it was: % is refused', OLD.rehearsal_id, TG_OP
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER rehearsal_kept BEFORE UPDATE ON rehearsal FOR EACH ROW EXECUTE FUNCTION keep_rehearsed();
CREATE TRIGGER rehearsal_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rehearsed_offer_kept BEFORE UPDATE ON rehearsed_offer FOR EACH ROW EXECUTE FUNCTION keep_rehearsed();
CREATE TRIGGER rehearsed_offer_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsed_offer
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON rehearsal, rehearsed_offer TO regulars_app;
GRANT UPDATE (completed_at, results) ON rehearsal TO regulars_app;
GRANT UPDATE (results) ON rehearsed_offer TO regulars_app;
GRANT SELECT, INSERT, DELETE ON rehearsal_part TO regulars_app;

-- loyalty: tiers. Versions of the scheme; what qualifies, receipt by receipt, apart from the points that can be spent;
-- how accounts stand, a cache of that; tiers given by people; and what happened, which nobody changes.

CREATE TABLE tier_scheme (
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
  CONSTRAINT tier_scheme_pkey PRIMARY KEY (version),
  CONSTRAINT tier_scheme_state_check CHECK (state in ('draft', 'approved', 'rejected', 'withdrawn')),
  CONSTRAINT tier_scheme_decided_check
    CHECK ((state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)),
  CONSTRAINT tier_scheme_second_person_check CHECK (state <> 'approved' or decided_by <> drafted_by),
  CONSTRAINT tier_scheme_reason_check CHECK (state <> 'rejected' or decision_reason is not null)
);

CREATE INDEX tier_scheme_valid_idx ON tier_scheme (valid_from) WHERE state = 'approved';

CREATE FUNCTION keep_decided_scheme() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER tier_scheme_decided BEFORE UPDATE ON tier_scheme
  FOR EACH ROW EXECUTE FUNCTION keep_decided_scheme();
CREATE TRIGGER tier_scheme_kept BEFORE DELETE OR TRUNCATE ON tier_scheme
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE qualifying_entry (
  account_id UUID NOT NULL,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  currency TEXT NOT NULL,
  spend BIGINT NOT NULL,
  points BIGINT NOT NULL,
  visits SMALLINT NOT NULL,
  CONSTRAINT qualifying_entry_pkey PRIMARY KEY (account_id, business_date, receipt_id),
  CONSTRAINT qualifying_entry_visits_check CHECK (visits in (0, 1)),
  CONSTRAINT qualifying_entry_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE tier_standing (
  account_id UUID NOT NULL,
  joined_on DATE NOT NULL,
  tier_code TEXT,
  earned_code TEXT,
  since DATE,
  period_end DATE,
  grace_until DATE,
  due_on DATE,
  warned_for DATE,
  as_of DATE NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT tier_standing_pkey PRIMARY KEY (account_id),
  CONSTRAINT tier_standing_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX tier_standing_due_idx ON tier_standing (due_on, account_id) WHERE due_on is not null;
CREATE INDEX tier_standing_tier_idx ON tier_standing (tier_code);

CREATE TABLE tier_grant (
  grant_id UUID NOT NULL,
  account_id UUID NOT NULL,
  kind TEXT NOT NULL,
  tier_code TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  reason TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT tier_grant_pkey PRIMARY KEY (grant_id),
  CONSTRAINT tier_grant_kind_check CHECK (kind in ('manual', 'joined')),
  CONSTRAINT tier_grant_period_check CHECK (valid_from <= valid_until),
  CONSTRAINT tier_grant_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX tier_grant_account_id_idx ON tier_grant (account_id);

CREATE TABLE tier_event (
  event_id BIGINT GENERATED ALWAYS AS IDENTITY,
  account_id UUID NOT NULL,
  happened_on DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind TEXT NOT NULL,
  from_code TEXT,
  to_code TEXT,
  receipt_id UUID,
  detail JSONB NOT NULL,
  actor TEXT NOT NULL,
  CONSTRAINT tier_event_pkey PRIMARY KEY (event_id),
  CONSTRAINT tier_event_kind_check CHECK (kind in ('up', 'down', 'grace', 'kept', 'warned', 'granted', 'grant_ended', 'joined')),
  CONSTRAINT tier_event_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX tier_event_account_id_idx ON tier_event (account_id, event_id);

CREATE TRIGGER tier_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tier_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tier_grant_append_only BEFORE DELETE OR TRUNCATE ON tier_grant
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a receipt qualifies for, as the receipts themselves say. A sale counts on its business date, what comes back of
-- it on the day it comes back; what was voided never was. Spend is what the goods cost after discounts, however they
-- were paid, in the store's currency, without lines that earn nothing. Who may have rung it up themselves gains nothing.

CREATE FUNCTION qualifying_facts(of_accounts uuid[], since date) RETURNS TABLE (
  account_id uuid, business_date date, receipt_id uuid, closed_at timestamptz, currency text,
  spend bigint, points bigint, visits smallint
) LANGUAGE sql STABLE SET plan_cache_mode = 'force_generic_plan' AS $$
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
$$;

-- The last anniversary of joining that has come, 28 February in common years for those of the 29th; or where else the
-- period that `today` lies in begins.

CREATE FUNCTION tier_window_start(kind text, joined date, today date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
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
$$;

-- How an account stands, and what it has in the period of `today`: volatile, so that after waiting for an account's
-- lock it sees what was written under it.

CREATE FUNCTION tier_state(
  held uuid, period text, measure text, rates jsonb, today date,
  OUT tier_code text, OUT earned_code text, OUT since date, OUT joined_on date, OUT period_end date,
  OUT grace_until date, OUT due_on date, OUT warned_for date, OUT as_of date,
  OUT qualifying numeric, OUT visited boolean, OUT latest timestamptz
) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = 'force_generic_plan' AS $$
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
END $$;

GRANT SELECT, INSERT, UPDATE ON tier_scheme TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON qualifying_entry, tier_standing TO regulars_app;
GRANT SELECT, INSERT ON tier_grant, tier_event TO regulars_app;
GRANT UPDATE (account_id, valid_until) ON tier_grant TO regulars_app;

-- loyalty: referral. Members' codes, whom they brought, and what became of it.

CREATE TABLE referral_rules (
  singleton BOOLEAN DEFAULT 'true' NOT NULL,
  referrer_points BIGINT NOT NULL,
  referred_points BIGINT NOT NULL,
  minimum_points BIGINT NOT NULL,
  most_per_year INTEGER NOT NULL,
  within_days INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT referral_rules_pkey PRIMARY KEY (singleton),
  CONSTRAINT referral_rules_singleton_check CHECK (singleton),
  CONSTRAINT referral_rules_points_check CHECK (referrer_points >= 0 and referred_points >= 0 and minimum_points >= 0),
  CONSTRAINT referral_rules_limits_check CHECK (most_per_year >= 0 and within_days > 0)
);

CREATE TABLE referral_code (
  code TEXT NOT NULL,
  member_id UUID NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT referral_code_pkey PRIMARY KEY (code),
  CONSTRAINT referral_code_member_id_key UNIQUE (member_id),
  CONSTRAINT referral_code_member_id_fkey FOREIGN KEY(member_id) REFERENCES member (member_id)
);

CREATE TABLE referral (
  referral_id UUID NOT NULL,
  referrer_id UUID NOT NULL,
  referred_id UUID NOT NULL,
  code TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_by TEXT NOT NULL,
  joined_on DATE NOT NULL,
  business_date DATE,
  receipt_id UUID,
  decided_at TIMESTAMP WITH TIME ZONE,
  referrer_points BIGINT,
  referred_points BIGINT,
  referrer_adjustment_id UUID,
  referred_adjustment_id UUID,
  CONSTRAINT referral_pkey PRIMARY KEY (referral_id),
  CONSTRAINT referral_referred_id_key UNIQUE (referred_id),
  CONSTRAINT referral_state_check CHECK (state in ('waiting', 'rewarded', 'refused', 'lapsed')),
  CONSTRAINT referral_decided_check CHECK ((state = 'waiting') = (decided_at is null)),
  CONSTRAINT referral_reason_check CHECK (state <> 'refused' or reason is not null),
  CONSTRAINT referral_other_check CHECK (referrer_id <> referred_id),
  CONSTRAINT referral_rewarded_check CHECK ((state = 'rewarded') = (referrer_points is not null and referred_points is not null)),
  CONSTRAINT referral_referrer_id_fkey FOREIGN KEY(referrer_id) REFERENCES member (member_id),
  CONSTRAINT referral_referred_id_fkey FOREIGN KEY(referred_id) REFERENCES member (member_id),
  CONSTRAINT referral_referrer_adjustment_id_fkey FOREIGN KEY(referrer_adjustment_id) REFERENCES adjustment (adjustment_id),
  CONSTRAINT referral_referred_adjustment_id_fkey FOREIGN KEY(referred_adjustment_id) REFERENCES adjustment (adjustment_id)
);

CREATE INDEX referral_referrer_id_idx ON referral (referrer_id, decided_at);
CREATE INDEX referral_waiting_idx ON referral (made_at) WHERE state = 'waiting';

GRANT SELECT, INSERT, UPDATE ON referral_rules, referral TO regulars_app;
GRANT SELECT, INSERT ON referral_code TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;
