-- All that a live sale must know before it is booked is one question; months that are there are waited for by nobody. Locks wait five
-- seconds at most.
SET LOCAL lock_timeout = '5s';

CREATE FUNCTION receipt_scene(own_identity text, own_store integer, own_till integer, own_day date, own_number text, scanned text, closed timestamp with time zone, seen_at timestamp with time zone, named_identity text, named_store text, named_till text, named_day date, named_number text, operator text, own_quote uuid, skus text[], gtins text[], asks_buyer boolean, asks_first boolean, tier_period text, tier_measure text, tier_rates jsonb, asks_advice boolean, common integer[], most integer, asks_person boolean, patience interval, today date)
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
END $function$;

-- The same holds for quotes.
ALTER FUNCTION quote_scene(text, text[], text[], timestamp with time zone, timestamp with time zone, date, integer, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval)
  SET plan_cache_mode TO 'force_generic_plan';

CREATE OR REPLACE FUNCTION ensure_receipt_months(first_day date, last_day date)
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
END $function$;
