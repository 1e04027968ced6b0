-- Takes 0005_right_offer.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- sales

DROP TABLE article_price;
DROP TABLE article_stock;

-- basket_analysis: what each member is offered.

DROP TABLE sensitive_word;
DROP TABLE member_offers;
