-- Back to the till and the ledger: the reverse of 0003_offers.sql, last section first.

-- loyalty: referral and tiers.

DROP TABLE referral;
DROP TABLE referral_code;
DROP TABLE referral_rules;
DROP FUNCTION tier_state(uuid, text, text, jsonb, date);
DROP FUNCTION tier_window_start(text, date, date);
DROP FUNCTION qualifying_facts(uuid[], date);
DROP TABLE tier_event;
DROP TABLE tier_grant;
DROP TABLE tier_standing;
DROP TABLE qualifying_entry;
DROP TABLE tier_scheme;
DROP FUNCTION keep_decided_scheme();

-- rewards: rehearsals.

DROP TABLE rehearsal_part;
DROP TABLE rehearsed_offer;
DROP TABLE rehearsal;
DROP FUNCTION keep_rehearsed();
