-- All that a quote asks is one question, and what an account holds is asked without sorting. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';

CREATE OR REPLACE FUNCTION account_sums(held uuid, seen_at timestamp with time zone, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[])
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
END $function$;

CREATE FUNCTION quote_scene(scanned text, skus text[], gtins text[], paid_at timestamp with time zone, seen_at timestamp with time zone, today date, at_store integer, asks_first boolean, tier_period text, tier_measure text, tier_rates jsonb, asks_advice boolean, common integer[], most integer, asks_person boolean, patience interval)
 RETURNS json
 LANGUAGE plpgsql
 STABLE
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
END $function$;
