-- Takes 0011_one_opening.sql back.
SET LOCAL lock_timeout = '5s';

DROP FUNCTION receipt_scene(text, integer, integer, date, text, text, timestamp with time zone, timestamp with time zone, text, text, text, date, text, text, uuid, text[], text[], boolean, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval, date);

ALTER FUNCTION quote_scene(text, text[], text[], timestamp with time zone, timestamp with time zone, date, integer, boolean, text, text, jsonb, boolean, integer[], integer, boolean, interval)
  RESET plan_cache_mode;
