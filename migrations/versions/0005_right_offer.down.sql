-- Takes 0005_right_offer.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';
