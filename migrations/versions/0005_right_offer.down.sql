-- Takes 0005_right_offer.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- basket_analysis: what each member is offered.

DROP TABLE sensitive_word;
DROP TABLE member_offers;
