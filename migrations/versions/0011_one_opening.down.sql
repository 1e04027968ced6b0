-- Takes 0011_one_opening.sql back.
SET LOCAL lock_timeout = '5s';

DROP FUNCTION receipt_scene(text, integer, integer, date, text, text, timestamp with time zone, timestamp with time zone, text, text, text, date, text, text, uuid, text[], text[], boolean, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval, date);

ALTER FUNCTION quote_scene(text, text[], text[], timestamp with time zone, timestamp with time zone, date, integer, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval)
  RESET plan_cache_mode;

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
