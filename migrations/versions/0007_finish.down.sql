-- Takes 0007_finish.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- customers and loyalty: what every till asks
DROP FUNCTION basket_scene(text, text[], text[], timestamptz, boolean);
DROP FUNCTION card_holder(text);

-- loyalty
DROP INDEX lot_given_idx;
DROP TABLE points_owed;

-- sales
DROP INDEX receipt_card_number_idx;
DROP INDEX receipt_number_idx;
DROP TABLE article_code;

-- customers
DROP INDEX member_joined_on_idx;
DROP INDEX member_name_idx;
DROP INDEX member_given_name_idx;
DROP INDEX member_family_name_idx;
CREATE INDEX member_family_name_idx ON member (lower(family_name), lower(given_name));
DROP INDEX member_phone_end_idx;

-- contacts
DROP TABLE consent_request;
