-- What a till's receipts and quotes ask costs the database less: the same answers, by fewer statements. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';

CREATE OR REPLACE FUNCTION hold_account(held uuid, seen_at timestamp with time zone, OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[], OUT moved_to uuid)
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
END $function$;

CREATE OR REPLACE FUNCTION open_receipt(own_identity text, own_store integer, own_till integer, own_day date, own_number text, scanned text, closed timestamp with time zone, seen_at timestamp with time zone, skus text[], gtins text[], named_identity text, named_store text, named_till text, named_day date, named_number text, operator text, OUT known_receipt uuid, OUT known_fingerprint bytea, OUT known_answer jsonb, OUT card_state text, OUT card_blocked_at timestamp with time zone, OUT card_account uuid, OUT card_member uuid, OUT given_name text, OUT family_name text, OUT language text, OUT birth_date date, OUT articles integer[], OUT original_receipt uuid, OUT original_account uuid, OUT waiting boolean, OUT seen_today integer, OUT seen_near timestamp with time zone[], OUT seen_by_operator integer, OUT seen_by_operator_in_week integer, OUT own_card boolean, OUT account uuid, OUT points bigint, OUT reserved bigint, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[])
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
END $function$;

CREATE OR REPLACE FUNCTION basket_scene(scanned text, skus text[], gtins text[], seen_at timestamp with time zone, asks_first boolean, OUT generation bigint, OUT goods json, OUT member_code text, OUT birth_date date, OUT company boolean, OUT group_ids jsonb, OUT staff boolean, OUT first_purchase boolean, OUT phase text, OUT value_class text)
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
END $function$;

CREATE OR REPLACE FUNCTION book_offer_uses(of_date date, of_receipt uuid, own_till integer, at_store integer, at_day date, of_person uuid, own_quote uuid, closed timestamp with time zone, seen_at timestamp with time zone, used jsonb)
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
END $function$;
