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
  OUT qualifying numeric, OUT visited boolean, OUT latest timestamptz, OUT later boolean
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
  later := EXISTS (
    SELECT FROM qualifying_entry AS entry WHERE entry.account_id = held AND entry.business_date > today);
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

-- rewards: offers. A version is drafted, decided once, and stands as it is for ever. The book is what tills see: whatever
-- changes it draws another generation, from a sequence that is nobody's, so that no generation ever comes back.

CREATE TABLE offer (
  offer_code TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by TEXT NOT NULL,
  CONSTRAINT offer_pkey PRIMARY KEY (offer_code),
  CONSTRAINT offer_code_check CHECK (offer_code ~ '^[A-Z0-9_-]{1,32}$')
);

CREATE TABLE offer_version (
  offer_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  document JSONB NOT NULL,
  state TEXT NOT NULL,
  imported_live BOOLEAN DEFAULT false NOT NULL,
  drafted_by TEXT NOT NULL,
  drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  decision_reason TEXT,
  live_from TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  ended_by TEXT,
  end_reason TEXT,
  CONSTRAINT offer_version_pkey PRIMARY KEY (offer_code, version),
  CONSTRAINT offer_version_offer_code_fkey FOREIGN KEY(offer_code) REFERENCES offer (offer_code),
  CONSTRAINT offer_version_version_check CHECK (version > 0),
  CONSTRAINT offer_version_state_check
    CHECK (state in ('draft', 'live', 'rejected', 'withdrawn', 'replaced', 'stopped')),
  CONSTRAINT offer_version_decided_check
    CHECK ((state = 'draft') = (decided_by is null) and (state = 'draft') = (decided_at is null)),
  CONSTRAINT offer_version_live_check CHECK ((state in ('live', 'replaced', 'stopped')) = (live_from is not null)),
  CONSTRAINT offer_version_ended_check
    CHECK ((state in ('replaced', 'stopped')) = (ended_at is not null) and (ended_at is null) = (ended_by is null)),
  CONSTRAINT offer_version_second_person_check
    CHECK (live_from is null or imported_live or decided_by <> drafted_by),
  CONSTRAINT offer_version_reason_check CHECK (state <> 'rejected' or decision_reason is not null),
  CONSTRAINT offer_version_document_check CHECK (document ->> 'code' = offer_code)
);

CREATE UNIQUE INDEX offer_version_live_key ON offer_version (offer_code) WHERE state = 'live';

CREATE FUNCTION keep_decided_offer() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER offer_version_decided BEFORE UPDATE ON offer_version
  FOR EACH ROW EXECUTE FUNCTION keep_decided_offer();
CREATE TRIGGER offer_version_kept BEFORE DELETE OR TRUNCATE ON offer_version
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE SEQUENCE offer_generation;

CREATE TABLE offer_book (
  book SMALLINT DEFAULT 1 NOT NULL,
  generation BIGINT NOT NULL,
  choice TEXT NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_by TEXT NOT NULL,
  CONSTRAINT offer_book_pkey PRIMARY KEY (book),
  CONSTRAINT offer_book_book_check CHECK (book = 1),
  CONSTRAINT offer_book_choice_check CHECK (choice in ('first', 'best'))
);

INSERT INTO offer_book (generation, choice, changed_at, changed_by)
VALUES (nextval('offer_generation'), 'first', now(), 'migration');

-- What was used of offers, receipt by receipt; what is given back is another row of the other sign. Where an offer ever
-- had a budget its uses are also kept in counters, whose row for the total is the lock under which they move: a day is
-- the store's own, a week begins on its Monday, the total stands under store 0. Holds are what quotes have promised; no
-- counter includes them, so that one that is over counts no more, whoever clears it away.

CREATE TABLE offer_use (
  use_id BIGINT GENERATED ALWAYS AS IDENTITY,
  offer_code TEXT NOT NULL,
  offer_version INTEGER NOT NULL,
  business_date DATE NOT NULL,
  receipt_id UUID NOT NULL,
  store_id INTEGER NOT NULL,
  day DATE NOT NULL,
  person_id UUID,
  uses INTEGER NOT NULL,
  amount BIGINT NOT NULL,
  covered TEXT NOT NULL,
  reversed_by UUID,
  booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT offer_use_pkey PRIMARY KEY (use_id),
  CONSTRAINT offer_use_covered_check CHECK (covered in ('within', 'held', 'late', 'beyond')),
  CONSTRAINT offer_use_reversed_check CHECK (uses >= 0 or reversed_by is not null)
);

CREATE INDEX offer_use_receipt_idx ON offer_use (business_date, receipt_id);
CREATE INDEX offer_use_person_id_idx ON offer_use (person_id, offer_code) WHERE person_id is not null;
CREATE INDEX offer_use_offer_code_idx ON offer_use (offer_code, day);

CREATE TRIGGER offer_use_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON offer_use
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE offer_counter (
  offer_code TEXT NOT NULL,
  period TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  starts_on DATE NOT NULL,
  uses BIGINT DEFAULT 0 NOT NULL,
  amount BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT offer_counter_pkey PRIMARY KEY (offer_code, period, store_id, starts_on),
  CONSTRAINT offer_counter_period_check CHECK (period in ('total', 'day', 'week')),
  CONSTRAINT offer_counter_total_check
    CHECK ((period = 'total') = (store_id = 0) and (period = 'total') = (starts_on = date '2000-01-01'))
);

CREATE TABLE offer_hold (
  quote_id UUID NOT NULL,
  offer_code TEXT NOT NULL,
  till_id INTEGER NOT NULL,
  store_id INTEGER NOT NULL,
  day DATE NOT NULL,
  uses INTEGER NOT NULL,
  amount BIGINT NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT offer_hold_pkey PRIMARY KEY (quote_id, offer_code),
  CONSTRAINT offer_hold_uses_check CHECK (uses > 0 and amount >= 0)
);

CREATE INDEX offer_hold_offer_code_idx ON offer_hold (offer_code, valid_until);
CREATE INDEX offer_hold_till_id_idx ON offer_hold (till_id);

CREATE FUNCTION offer_spent(
  codes text[], at_store integer, at_day date, seen_at timestamptz, own_quote uuid
) RETURNS TABLE (
  offer_code text, uses bigint, amount bigint, day_uses bigint, day_amount bigint, week_uses bigint, week_amount bigint
) LANGUAGE sql STABLE AS $$
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
$$;

CREATE FUNCTION offers_beyond(
  wanted jsonb, at_store integer, at_day date, seen_at timestamptz, own_quote uuid
) RETURNS text[] LANGUAGE sql STABLE AS $$
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
$$;

CREATE FUNCTION let_go_of_offers(own_till integer, but_of uuid) RETURNS void LANGUAGE sql AS $$
  -- What the till's earlier quotes held. What another request of the till lets go of at this moment needs no waiting for.
  DELETE FROM offer_hold WHERE (quote_id, offer_code) IN (
    SELECT quote_id, offer_code FROM offer_hold
    WHERE till_id = own_till AND quote_id IS DISTINCT FROM but_of FOR UPDATE SKIP LOCKED)
$$;

CREATE FUNCTION hold_offers(
  own_quote uuid, own_till integer, at_store integer, at_day date, seen_at timestamptz, held_until timestamptz, wanted jsonb
) RETURNS text[] LANGUAGE plpgsql AS $$
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
END $$;

CREATE FUNCTION count_offer_uses(codes text[], at_store integer, at_day date, used jsonb) RETURNS void
LANGUAGE plpgsql AS $$
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
END $$;

CREATE FUNCTION book_offer_uses(
  of_date date, of_receipt uuid, own_till integer, at_store integer, at_day date, of_person uuid, own_quote uuid,
  closed timestamptz, seen_at timestamptz, used jsonb
) RETURNS text[] LANGUAGE plpgsql AS $$
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
  DELETE FROM offer_hold WHERE quote_id = own_quote;
  PERFORM let_go_of_offers(own_till, own_quote);
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
END $$;

CREATE FUNCTION reverse_offer_uses(
  of_date date, of_receipt uuid, by_receipt uuid, seen_at timestamptz, restored_of uuid
) RETURNS integer LANGUAGE plpgsql AS $$
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
END $$;

CREATE FUNCTION count_offers(codes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
END $$;

-- What a quote promised of offers, which receipt relied on that, and what offers added to the points of a sale, so that
-- it can be worked out again.

ALTER TABLE quote ADD COLUMN offers JSONB;
ALTER TABLE quote ADD COLUMN used_by UUID;
ALTER TABLE receipt ADD COLUMN offer_points JSONB;

GRANT SELECT, INSERT ON offer, offer_use TO regulars_app;
GRANT SELECT, INSERT, UPDATE ON offer_version, offer_counter TO regulars_app;
GRANT SELECT, UPDATE ON offer_book TO regulars_app;
GRANT UPDATE (used_by) ON quote TO regulars_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON offer_hold TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;

-- rewards: stock of gifts. What is held for somebody still lies in the store: on_hand counts what is physically there,
-- reserved what is held of it. Every change has its movement, whose sums are the stock.

ALTER TABLE reward DROP CONSTRAINT reward_points_check;
ALTER TABLE reward ADD CONSTRAINT reward_points_check CHECK (points >= 0);
ALTER TABLE reward ADD COLUMN pickup_days SMALLINT DEFAULT '3' NOT NULL;
ALTER TABLE reward ADD CONSTRAINT reward_pickup_check CHECK (pickup_days between 1 and 60);

ALTER TABLE reward_stock ADD COLUMN reserved INTEGER DEFAULT '0' NOT NULL;
ALTER TABLE reward_stock ADD COLUMN low_at INTEGER;
ALTER TABLE reward_stock ADD CONSTRAINT reward_stock_reserved_check CHECK (reserved between 0 and on_hand);
ALTER TABLE reward_stock ADD CONSTRAINT reward_stock_low_check CHECK (low_at >= 0);

CREATE TABLE stock_movement (
  movement_id BIGINT GENERATED ALWAYS AS IDENTITY,
  reward_code TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  on_hand INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor TEXT NOT NULL,
  redemption_id UUID,
  business_date DATE,
  receipt_id UUID,
  offer_code TEXT,
  note TEXT,
  CONSTRAINT stock_movement_pkey PRIMARY KEY (movement_id),
  CONSTRAINT stock_movement_kind_check CHECK (case kind
    when 'opening' then on_hand >= 0 and reserved >= 0
    when 'delivery' then on_hand > 0 and reserved = 0
    when 'count' then reserved = 0
    when 'reserve' then on_hand = 0 and reserved > 0
    when 'release' then on_hand = 0 and reserved < 0
    when 'hand_over' then on_hand < 0 and reserved in (0, on_hand)
    when 'put_back' then on_hand > 0 and reserved = 0
    else false end),
  CONSTRAINT stock_movement_receipt_check CHECK ((business_date is null) = (receipt_id is null)),
  CONSTRAINT stock_movement_reward_code_fkey FOREIGN KEY(reward_code, store_id) REFERENCES reward_stock (reward_code, store_id)
);

CREATE INDEX stock_movement_stock_idx ON stock_movement (store_id, reward_code, movement_id);

CREATE INDEX stock_movement_receipt_idx ON stock_movement (receipt_id) WHERE receipt_id is not null;

CREATE INDEX stock_movement_redemption_idx ON stock_movement (redemption_id) WHERE redemption_id is not null;

CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Until now a held piece had left the stock: it comes back into what lies there, as held.

UPDATE reward_stock AS stock SET on_hand = on_hand + held.pieces, reserved = held.pieces
FROM (
  SELECT reward_code, store_id, count(*)::integer AS pieces
  FROM redemption WHERE state = 'reserved' AND reward_code IS NOT NULL GROUP BY reward_code, store_id
) AS held
WHERE held.reward_code = stock.reward_code AND held.store_id = stock.store_id;

INSERT INTO stock_movement (reward_code, store_id, kind, on_hand, reserved, moved_at, actor)
SELECT reward_code, store_id, 'opening', on_hand, 0, now(), 'migration' FROM reward_stock;

INSERT INTO stock_movement (reward_code, store_id, kind, on_hand, reserved, moved_at, actor, redemption_id)
SELECT reward_code, store_id, 'reserve', 0, 1, reserved_at, 'migration', redemption_id
FROM redemption JOIN reward_stock USING (reward_code, store_id) WHERE state = 'reserved';

-- Who puts a stock down with pieces in it says that they lay there.

CREATE FUNCTION open_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stock_movement (reward_code, store_id, kind, on_hand, reserved, moved_at, actor)
  VALUES (NEW.reward_code, NEW.store_id, 'opening', NEW.on_hand, NEW.reserved, clock_timestamp(), 'opening');
  RETURN NULL;
END $$;

CREATE TRIGGER reward_stock_opened AFTER INSERT ON reward_stock
  FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0) EXECUTE FUNCTION open_stock();

-- loyalty: gifts that members pick up later, by a code of their own, reserved at a desk or a till.

ALTER TABLE redemption ALTER COLUMN till_id DROP NOT NULL;
ALTER TABLE redemption ADD COLUMN pickup_code TEXT;
ALTER TABLE redemption ADD COLUMN reserved_by TEXT;

CREATE UNIQUE INDEX redemption_pickup_idx ON redemption (store_id, pickup_code) WHERE state = 'reserved' AND pickup_code is not null;

GRANT SELECT, INSERT ON stock_movement TO regulars_app;

-- rewards: vouchers. A voucher is redeemed once: by a conditional update, and by this trigger for everybody.

CREATE TABLE voucher_batch (
  batch_code TEXT NOT NULL,
  name JSONB NOT NULL,
  value_amount BIGINT,
  currency TEXT,
  minimum_amount BIGINT DEFAULT '0' NOT NULL,
  valid_days INTEGER,
  residual TEXT DEFAULT 'forfeit' NOT NULL,
  symbology TEXT DEFAULT 'code128' NOT NULL,
  ean_prefix TEXT DEFAULT '27' NOT NULL,
  store_ids INTEGER[] DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by TEXT NOT NULL,
  CONSTRAINT voucher_batch_pkey PRIMARY KEY (batch_code),
  CONSTRAINT voucher_batch_code_check CHECK (batch_code ~ '^[A-Z0-9_-]{1,32}$'),
  CONSTRAINT voucher_batch_value_check CHECK (value_amount >= 0),
  CONSTRAINT voucher_batch_currency_check CHECK ((value_amount is null and minimum_amount = 0) or currency is not null),
  CONSTRAINT voucher_batch_minimum_check CHECK (minimum_amount >= 0),
  CONSTRAINT voucher_batch_days_check CHECK (valid_days between 0 and 36500),
  CONSTRAINT voucher_batch_residual_check CHECK (residual in ('forfeit', 'keep', 'reissue')),
  CONSTRAINT voucher_batch_symbology_check CHECK (symbology in ('ean13', 'code128', 'qr')),
  CONSTRAINT voucher_batch_prefix_check CHECK (ean_prefix ~ '^2[0-9]$')
);

CREATE TABLE voucher (
  voucher_code TEXT NOT NULL,
  batch_code TEXT NOT NULL,
  account_id UUID,
  bound BOOLEAN DEFAULT 'false' NOT NULL,
  state TEXT DEFAULT 'issued' NOT NULL,
  value_amount BIGINT,
  left_amount BIGINT,
  currency TEXT,
  minimum_amount BIGINT DEFAULT '0' NOT NULL,
  valid_until DATE,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_by TEXT NOT NULL,
  business_date DATE,
  receipt_id UUID,
  offer_code TEXT,
  replaces TEXT,
  reserved_until TIMESTAMP WITH TIME ZONE,
  redemption_id UUID,
  redeemed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT voucher_pkey PRIMARY KEY (voucher_code),
  CONSTRAINT voucher_code_check CHECK (voucher_code ~ '^[A-Z0-9-]{4,32}$'),
  CONSTRAINT voucher_state_check CHECK (state in ('issued', 'reserved', 'redeemed', 'cancelled', 'expired')),
  CONSTRAINT voucher_bound_check CHECK (account_id is not null or not bound),
  CONSTRAINT voucher_value_check CHECK ((value_amount is null) = (left_amount is null) and (left_amount between 0 and value_amount)),
  CONSTRAINT voucher_currency_check CHECK ((value_amount is null and minimum_amount = 0) or currency is not null),
  CONSTRAINT voucher_reserved_check CHECK ((state = 'reserved') = (reserved_until is not null) and (state = 'reserved') = (redemption_id is not null)),
  CONSTRAINT voucher_redeemed_check CHECK ((state = 'redeemed') = (redeemed_at is not null)),
  CONSTRAINT voucher_receipt_check CHECK ((business_date is null) = (receipt_id is null)),
  CONSTRAINT voucher_batch_code_fkey FOREIGN KEY(batch_code) REFERENCES voucher_batch (batch_code),
  CONSTRAINT voucher_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (account_id),
  CONSTRAINT voucher_replaces_fkey FOREIGN KEY(replaces) REFERENCES voucher (voucher_code)
);

CREATE INDEX voucher_batch_code_idx ON voucher (batch_code, issued_at, voucher_code);

CREATE INDEX voucher_account_id_idx ON voucher (account_id) WHERE account_id is not null;

CREATE INDEX voucher_due_idx ON voucher (valid_until) WHERE state = 'issued';

CREATE INDEX voucher_receipt_idx ON voucher (receipt_id) WHERE receipt_id is not null;

CREATE INDEX voucher_replaces_idx ON voucher (replaces) WHERE replaces is not null;

CREATE TABLE voucher_event (
  event_id BIGINT GENERATED ALWAYS AS IDENTITY,
  voucher_code TEXT NOT NULL,
  event TEXT NOT NULL,
  happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor TEXT NOT NULL,
  amount BIGINT,
  store_id INTEGER,
  business_date DATE,
  receipt_id UUID,
  redemption_id UUID,
  note TEXT,
  CONSTRAINT voucher_event_pkey PRIMARY KEY (event_id),
  CONSTRAINT voucher_event_event_check CHECK (event in ('issued', 'reserved', 'released', 'redeemed', 'redeemed_again', 'given_back', 'cancelled', 'restored', 'expired', 'reprinted')),
  CONSTRAINT voucher_event_receipt_check CHECK ((business_date is null) = (receipt_id is null)),
  CONSTRAINT voucher_event_voucher_code_fkey FOREIGN KEY(voucher_code) REFERENCES voucher (voucher_code)
);

CREATE INDEX voucher_event_voucher_code_idx ON voucher_event (voucher_code, event_id);

CREATE INDEX voucher_event_receipt_idx ON voucher_event (receipt_id) WHERE receipt_id is not null;

CREATE TRIGGER voucher_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON voucher_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE voucher_reservation (
  redemption_id UUID NOT NULL,
  voucher_code TEXT NOT NULL,
  store_id INTEGER NOT NULL,
  till_id INTEGER NOT NULL,
  value_amount BIGINT NOT NULL,
  state TEXT NOT NULL,
  reserved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  business_date DATE,
  receipt_id UUID,
  CONSTRAINT voucher_reservation_pkey PRIMARY KEY (redemption_id),
  CONSTRAINT voucher_reservation_state_check CHECK (state in ('reserved', 'posted', 'released', 'expired')),
  CONSTRAINT voucher_reservation_resolved_check CHECK ((state = 'reserved') = (resolved_at is null)),
  CONSTRAINT voucher_reservation_value_check CHECK (value_amount >= 0),
  CONSTRAINT voucher_reservation_voucher_code_fkey FOREIGN KEY(voucher_code) REFERENCES voucher (voucher_code),
  CONSTRAINT voucher_reservation_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT voucher_reservation_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id)
);

CREATE UNIQUE INDEX voucher_reservation_open_idx ON voucher_reservation (voucher_code) WHERE state = 'reserved';

CREATE FUNCTION keep_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER voucher_kept BEFORE UPDATE ON voucher FOR EACH ROW EXECUTE FUNCTION keep_voucher();
CREATE TRIGGER voucher_never_deleted BEFORE DELETE OR TRUNCATE ON voucher
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE ON voucher_batch TO regulars_app;
GRANT SELECT, INSERT ON voucher, voucher_event, voucher_reservation TO regulars_app;
GRANT UPDATE (state, left_amount, valid_until, reserved_until, redemption_id, redeemed_at) ON voucher TO regulars_app;
GRANT UPDATE (state, resolved_at, business_date, receipt_id) ON voucher_reservation TO regulars_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO regulars_app;

-- rewards: nothing goes live but what was rehearsed as it is, or what an administrator's import made live.

CREATE FUNCTION demand_rehearsal() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$;

CREATE TRIGGER offer_version_rehearsed BEFORE INSERT OR UPDATE OF state ON offer_version
  FOR EACH ROW EXECUTE FUNCTION demand_rehearsal();

-- rewards: gift cards. Stored money apart from points, in double-entry books of its own: what a card holds, what was paid in
-- for it, and what was paid with it. The cached balance is the lock under which money moves.

CREATE TABLE gift_card (
  gift_card_number TEXT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT DEFAULT 'active' NOT NULL,
  balance BIGINT DEFAULT '0' NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_by TEXT NOT NULL,
  CONSTRAINT gift_card_pkey PRIMARY KEY (gift_card_number),
  CONSTRAINT gift_card_number_check CHECK (gift_card_number ~ '^[0-9A-Z]{16}$'),
  CONSTRAINT gift_card_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT gift_card_state_check CHECK (state in ('active', 'blocked')),
  CONSTRAINT gift_card_balance_check CHECK (balance >= 0)
);

CREATE TABLE gift_card_entry (
  entry_id UUID NOT NULL,
  gift_card_number TEXT NOT NULL,
  reason TEXT NOT NULL,
  booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor TEXT NOT NULL,
  store_id INTEGER,
  till_id INTEGER,
  receipt_number TEXT,
  returns UUID,
  CONSTRAINT gift_card_entry_pkey PRIMARY KEY (entry_id),
  CONSTRAINT gift_card_entry_reason_check CHECK (reason in ('load', 'spend', 'return')),
  CONSTRAINT gift_card_entry_returns_check CHECK ((reason = 'return') = (returns is not null)),
  CONSTRAINT gift_card_entry_gift_card_number_fkey FOREIGN KEY(gift_card_number) REFERENCES gift_card (gift_card_number),
  CONSTRAINT gift_card_entry_store_id_fkey FOREIGN KEY(store_id) REFERENCES store (store_id),
  CONSTRAINT gift_card_entry_till_id_fkey FOREIGN KEY(till_id) REFERENCES till (till_id),
  CONSTRAINT gift_card_entry_returns_fkey FOREIGN KEY(returns) REFERENCES gift_card_entry (entry_id)
);

CREATE INDEX gift_card_entry_gift_card_number_idx ON gift_card_entry (gift_card_number, entry_id);

CREATE INDEX gift_card_entry_returns_idx ON gift_card_entry (returns) WHERE returns is not null;

CREATE TABLE gift_card_leg (
  entry_id UUID NOT NULL,
  book TEXT NOT NULL,
  amount BIGINT NOT NULL,
  CONSTRAINT gift_card_leg_pkey PRIMARY KEY (entry_id, book),
  CONSTRAINT gift_card_leg_book_check CHECK (book in ('held', 'paid_in', 'spent')),
  CONSTRAINT gift_card_leg_amount_check CHECK (amount <> 0),
  CONSTRAINT gift_card_leg_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES gift_card_entry (entry_id)
);

CREATE FUNCTION check_gift_card_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  unbalanced uuid;
BEGIN
  SELECT entry_id INTO unbalanced FROM new_legs GROUP BY entry_id HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the legs of gift-card entry % do not sum to zero', unbalanced
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER gift_card_leg_zero_sum AFTER INSERT ON gift_card_leg
  REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION check_gift_card_zero_sum();
CREATE TRIGGER gift_card_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER gift_card_leg_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gift_card_leg
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON gift_card, gift_card_entry, gift_card_leg TO regulars_app;
GRANT UPDATE (state, balance) ON gift_card TO regulars_app;
