-- Back to the till and the ledger: the reverse of 0003_offers.sql, last section first.

DROP TABLE gift_card_leg, gift_card_entry, gift_card;
DROP FUNCTION check_gift_card_zero_sum();

-- rewards: nothing goes live but what was rehearsed.

DROP TRIGGER offer_version_rehearsed ON offer_version;
DROP FUNCTION demand_rehearsal();

DROP TABLE voucher_reservation, voucher_event, voucher, voucher_batch;
DROP FUNCTION keep_voucher();

-- Points reserved at a desk have no till there: without it they cannot be kept.
DROP INDEX redemption_pickup_idx;
ALTER TABLE redemption DROP COLUMN reserved_by;
ALTER TABLE redemption DROP COLUMN pickup_code;
UPDATE redemption SET till_id = (SELECT min(till.till_id) FROM till WHERE till.store_id = redemption.store_id)
WHERE till_id IS NULL;
ALTER TABLE redemption ALTER COLUMN till_id SET NOT NULL;

DROP TABLE stock_movement;
DROP TRIGGER reward_stock_opened ON reward_stock;
DROP FUNCTION open_stock();
ALTER TABLE reward_stock DROP CONSTRAINT reward_stock_reserved_check;
UPDATE reward_stock SET on_hand = on_hand - reserved;
ALTER TABLE reward_stock DROP COLUMN low_at;
ALTER TABLE reward_stock DROP COLUMN reserved;
ALTER TABLE reward DROP COLUMN pickup_days;
ALTER TABLE reward DROP CONSTRAINT reward_points_check;
UPDATE reward SET points = 1, active = false WHERE points = 0;
ALTER TABLE reward ADD CONSTRAINT reward_points_check CHECK (points > 0);

-- rewards: offers.

ALTER TABLE receipt DROP COLUMN offer_points;
ALTER TABLE quote DROP COLUMN used_by;
ALTER TABLE quote DROP COLUMN offers;
DROP FUNCTION count_offers(text[]);
DROP FUNCTION reverse_offer_uses(date, uuid, uuid, timestamptz, uuid);
DROP FUNCTION book_offer_uses(date, uuid, integer, integer, date, uuid, uuid, timestamptz, timestamptz, jsonb);
DROP FUNCTION count_offer_uses(text[], integer, date, jsonb);
DROP FUNCTION hold_offers(uuid, integer, integer, date, timestamptz, timestamptz, jsonb);
DROP FUNCTION let_go_of_offers(integer, uuid);
DROP FUNCTION offers_beyond(jsonb, integer, date, timestamptz, uuid);
DROP FUNCTION offer_spent(text[], integer, date, timestamptz, uuid);
DROP TABLE offer_hold, offer_counter, offer_use, offer_book;
DROP SEQUENCE offer_generation;
DROP TABLE offer_version, offer;
DROP FUNCTION keep_decided_offer();

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
