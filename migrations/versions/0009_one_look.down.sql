-- Takes 0009_one_look.sql back.
SET LOCAL lock_timeout = '5s';

DROP FUNCTION quote_scene(text, text[], text[], timestamp with time zone, timestamp with time zone, date, integer, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval);

CREATE OR REPLACE FUNCTION account_sums(held uuid, seen_at timestamp with time zone, OUT pending bigint, OUT due bigint, OUT lapsed bigint, OUT expire_at timestamp with time zone[], OUT expire_points bigint[])
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
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
END $function$;
