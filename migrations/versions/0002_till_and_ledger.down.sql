-- Takes back 0002_till_and_ledger.sql, last section first.

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
  -- Reservations whose ten minutes are over, but nobody has booked so.
  SELECT coalesce(sum(points), 0) INTO lapsed
  FROM redemption WHERE account_id = held AND state = 'reserved' AND expires_at <= seen_at;
END $$;

DROP INDEX lot_available_at_idx;
DROP TABLE offline_redemption, signing_key;

DROP FUNCTION open_receipt(text, integer, integer, date, text, text, timestamptz, timestamptz, text[], text[], text, text, text,
  date, text, text);
DROP FUNCTION hold_account(uuid, timestamptz);

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

DROP TABLE alert;
DROP TABLE receipt_claim;
ALTER TABLE ledger_leg DROP CONSTRAINT ledger_leg_book_check;
ALTER TABLE ledger_leg ADD CONSTRAINT ledger_leg_book_check
  CHECK (book in ('points', 'reserved', 'issued', 'spent', 'expired', 'adjusted')) NOT VALID;
ALTER TABLE lot DROP COLUMN moved_from;
ALTER TABLE balance DROP CONSTRAINT balance_moved_check;
ALTER TABLE balance DROP COLUMN moved_to;
DROP TABLE household_invitation;
DROP INDEX receipt_blind_return_idx;
DROP TABLE staff_card;

DROP TABLE barcode_layout;
ALTER TABLE quarantined_receipt DROP COLUMN note;
ALTER TABLE receipt_flag DROP COLUMN note;

-- loyalty: adjustments, warnings, figures

DROP INDEX lot_due_idx;
CREATE INDEX lot_due_idx ON lot (expires_at) WHERE remaining > 0;
DROP INDEX ledger_entry_booked_at_idx;
DROP INDEX ledger_entry_adjustment_idx;
DROP TABLE liability_line, liability_report, points_summary, points_day, expiry_warning, adjustment_limit, adjustment;

ALTER TABLE receipt DROP COLUMN excluded_lines;
ALTER TABLE receipt DROP COLUMN programme_version;
DROP TABLE programme_version;
DROP FUNCTION keep_decided_version();

DROP TABLE quote;
DROP TABLE reaction;

DROP INDEX receipt_link_waiting_idx;

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
