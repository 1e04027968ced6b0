-- Takes 0004_analysis.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';
