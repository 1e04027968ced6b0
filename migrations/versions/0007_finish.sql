-- What was missing for the issues of the first six revisions to be closed. Each section says whose it is. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';

-- contacts: what the mailbox itself is asked before it is written to.
CREATE TABLE consent_request (
  request_id UUID NOT NULL,
  member_id UUID NOT NULL,
  purposes TEXT[] NOT NULL,
  email_sha256 BYTEA NOT NULL,
  text_version TEXT NOT NULL,
  source TEXT NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT consent_request_pkey PRIMARY KEY (request_id),
  CONSTRAINT consent_request_purposes_check CHECK (
    cardinality(purposes) > 0 and purposes <@ array['offers', 'catalog', 'surveys']::text[])
);

CREATE INDEX consent_request_member_id_idx ON consent_request (member_id, asked_at);

GRANT SELECT, INSERT ON consent_request TO regulars_app;

GRANT UPDATE (confirmed_at) ON consent_request TO regulars_app;

ALTER TABLE consent_request ADD CONSTRAINT consent_request_member_id_fkey
  FOREIGN KEY (member_id) REFERENCES member (member_id);

-- customers: whom a few words at the desk mean, and lists of members in their order, whatever the house's size.
CREATE INDEX member_phone_end_idx ON member (reverse(phone) text_pattern_ops) WHERE phone is not null;

DROP INDEX member_family_name_idx;

CREATE INDEX member_family_name_idx ON member (lower(family_name) text_pattern_ops);

CREATE INDEX member_given_name_idx ON member (lower(given_name) text_pattern_ops);

CREATE INDEX member_name_idx ON member (translate(lower(family_name || ' ' || given_name),
  'áàâäãåąāăčćçďđéèêëěęēíìîïīľĺłňńñóòôöõőøōřŕšśşșťţțúùûüůűūýÿžźżß',
  'aaaaaaaaacccddeeeeeeeiiiiilllnnnoooooooorrsssstttuuuuuuuyyzzzs'), member_id);

CREATE INDEX member_joined_on_idx ON member (joined_on, member_id);

-- sales: codes that tills go on sending for an article which the list knows by another.
CREATE TABLE article_code (
  code TEXT NOT NULL,
  article_id INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT article_code_pkey PRIMARY KEY (code)
);

CREATE INDEX article_code_article_id_idx ON article_code (article_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON article_code TO regulars_app;

ALTER TABLE article_code ADD CONSTRAINT article_code_article_id_fkey
  FOREIGN KEY (article_id) REFERENCES article (article_id);

-- sales: a receipt by the number on it or by its card, however many there are.
CREATE INDEX receipt_number_idx ON receipt (receipt_number, business_date);

CREATE INDEX receipt_card_number_idx ON receipt (card_number, business_date) WHERE card_number is not null;

-- loyalty: what is owed, as kept sums and the little that they leave out. The next night keeps all sums anew.
CREATE TABLE points_owed (
  store_id INTEGER NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  points BIGINT NOT NULL,
  reserved BIGINT NOT NULL,
  CONSTRAINT points_owed_pkey PRIMARY KEY (store_id, expires_at)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON points_owed TO regulars_app;

ALTER TABLE points_owed ADD CONSTRAINT points_owed_store_id_fkey
  FOREIGN KEY (store_id) REFERENCES store (store_id);

CREATE INDEX lot_given_idx ON lot (expires_at) WHERE receipt_id is null and remaining <> 0;

DELETE FROM points_day;

UPDATE points_summary SET booked_before = '1970-01-01 00:00:00+00';

-- customers and loyalty: what every till asks, in functions that look no further than they must. A statement that holds all
-- of it is made ready and torn down as a whole each time, also for what is nobody's or nothing.
CREATE FUNCTION card_holder(
  scanned TEXT,
  OUT card_number TEXT, OUT state TEXT, OUT successor TEXT, OUT successor_state TEXT, OUT blocked_at TIMESTAMPTZ,
  OUT account_id UUID, OUT member_id UUID, OUT given_name TEXT, OUT family_name TEXT, OUT language TEXT,
  OUT birth_date DATE, OUT role TEXT
) RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
  next_number text;
  holder uuid;
  step integer := 0;
BEGIN
  SELECT card.card_number, card.state, card.card_number, card.state, card.blocked_at, card.account_id, card.member_id,
         card.replaced_by
  INTO card_number, state, successor, successor_state, blocked_at, account_id, holder, next_number
  FROM card WHERE card.card_number = scanned;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- More replacements than anybody loses cards.
  WHILE successor_state = 'replaced' AND step < 100 LOOP
    step := step + 1;
    SELECT card.card_number, card.state, card.blocked_at, card.account_id, card.member_id, card.replaced_by
    INTO successor, successor_state, blocked_at, account_id, holder, next_number
    FROM card WHERE card.card_number = next_number;
  END LOOP;
  IF holder IS NOT NULL THEN
    SELECT member.member_id, member.given_name, member.family_name, member.language, member.birth_date, member.role
    INTO member_id, given_name, family_name, language, birth_date, role
    FROM member WHERE member.member_id = holder;
  END IF;
  RETURN NEXT;
END $$;

CREATE FUNCTION basket_scene(
  scanned TEXT, skus TEXT[], gtins TEXT[], seen_at TIMESTAMPTZ, asks_first BOOLEAN,
  OUT generation BIGINT, OUT goods JSON, OUT member_code TEXT, OUT birth_date DATE, OUT company BOOLEAN,
  OUT group_ids JSONB, OUT staff BOOLEAN, OUT first_purchase BOOLEAN, OUT phase TEXT, OUT value_class TEXT
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  buyer uuid;
  account uuid;
  objects boolean;
  served uuid;
BEGIN
  SELECT offer_book.generation INTO generation FROM offer_book;
  SELECT json_agg(
           CASE WHEN by_sku.article_id IS NOT NULL THEN json_build_array(
             by_sku.sku, by_sku.gtin, by_sku.category, by_sku.type, by_sku.department, by_sku.brand)
           WHEN by_gtin.article_id IS NOT NULL THEN json_build_array(
             by_gtin.sku, by_gtin.gtin, by_gtin.category, by_gtin.type, by_gtin.department, by_gtin.brand) END
           ORDER BY line.position)
  INTO goods
  FROM unnest(skus, gtins) WITH ORDINALITY AS line (sku, gtin, position)
  LEFT JOIN article AS by_sku ON by_sku.sku = line.sku
  LEFT JOIN article AS by_gtin ON by_gtin.gtin = line.gtin AND by_sku.article_id IS NULL;
  IF scanned IS NULL THEN
    RETURN;
  END IF;
  SELECT holder.member_id, holder.account_id INTO buyer, account FROM card_holder(scanned) AS holder;
  IF buyer IS NULL THEN
    RETURN;
  END IF;
  SELECT member.member_code, member.birth_date,
         coalesce(member.company_name, member.company_id, member.vat_id) IS NOT NULL,
         member.profiling_objected_at IS NOT NULL
  INTO member_code, birth_date, company, objects
  FROM member WHERE member.member_id = buyer;
  staff := EXISTS (
    SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
    WHERE card.member_id = buyer AND staff_card.registered_at <= seen_at
      AND (staff_card.ended_at IS NULL OR staff_card.ended_at > seen_at));
  first_purchase := false;
  IF asks_first THEN
    first_purchase := NOT EXISTS (
      SELECT FROM receipt
      WHERE receipt.account_id = account AND receipt.type = 'sale' AND receipt.mode = 'live');
  END IF;
  -- Who objects is in no group and stands nowhere.
  SELECT run_id INTO served FROM served_run WHERE NOT objects;
  IF FOUND THEN
    SELECT jsonb_agg(membership.group_id) INTO group_ids
    FROM group_membership AS membership WHERE membership.run_id = served AND membership.member_id = buyer;
    SELECT standing.phase, standing.value_class INTO phase, value_class
    FROM member_standing AS standing WHERE standing.run_id = served AND standing.member_id = buyer;
  END IF;
END $$;
