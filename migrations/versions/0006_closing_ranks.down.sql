-- Takes 0006_closing_ranks.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';
