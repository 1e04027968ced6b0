-- The right offer: what is offered to whom next, what members answer, cases, mail, and catalogs in runs.
-- Each section says whose it is. Locks wait five seconds at most, as in 0004.
SET LOCAL lock_timeout = '5s';

-- basket_analysis: what each member is offered, ranked by the night, and which words make an article too private for it.

CREATE TABLE member_offers (
  run_id UUID NOT NULL,
  member_id UUID NOT NULL,
  kind TEXT NOT NULL,
  article_ids BIGINT[] NOT NULL,
  scores REAL[] NOT NULL,
  reasons JSONB NOT NULL,
  CONSTRAINT member_offers_pkey PRIMARY KEY (member_id, run_id, kind),
  CONSTRAINT member_offers_kind_check CHECK (kind in ('all', 'new')),
  CONSTRAINT member_offers_lengths_check CHECK (cardinality(article_ids) = cardinality(scores) and cardinality(article_ids) = jsonb_array_length(reasons))
);

CREATE INDEX member_offers_run_id_idx ON member_offers (run_id);

CREATE TABLE sensitive_word (
  word TEXT NOT NULL,
  topic TEXT NOT NULL,
  sensitive BOOLEAN NOT NULL,
  set_by TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT sensitive_word_pkey PRIMARY KEY (word)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON member_offers, sensitive_word TO regulars_app;

ALTER TABLE member_offers ADD CONSTRAINT member_offers_run_id_fkey FOREIGN KEY (run_id) REFERENCES analysis_run (run_id) ON DELETE CASCADE;
ALTER TABLE member_offers ADD CONSTRAINT member_offers_member_id_fkey FOREIGN KEY (member_id) REFERENCES member (member_id);

-- sales: what lies in the stores, and what it costs when --------------------------------------------

CREATE TABLE article_stock (
  store_id INTEGER NOT NULL,
  article_id INTEGER NOT NULL,
  quantity NUMERIC(14, 3) NOT NULL,
  counted_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT article_stock_pkey PRIMARY KEY (store_id, article_id)
);

-- Periods may overlap: in force is the price of the store before that of the chain, and of these the one that began last.
CREATE TABLE article_price (
  price_id BIGINT GENERATED ALWAYS AS IDENTITY,
  store_id INTEGER,
  article_id INTEGER NOT NULL,
  price BIGINT NOT NULL,
  valid_from DATE NOT NULL,
  valid_to DATE,
  CONSTRAINT article_price_pkey PRIMARY KEY (price_id),
  CONSTRAINT article_price_begin_key UNIQUE NULLS NOT DISTINCT (article_id, store_id, valid_from),
  CONSTRAINT article_price_price_check CHECK (price >= 0),
  CONSTRAINT article_price_period_check CHECK (valid_from < valid_to)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON article_stock, article_price TO regulars_app;
ALTER TABLE article_stock ADD CONSTRAINT article_stock_store_id_fkey FOREIGN KEY (store_id) REFERENCES store (store_id);
ALTER TABLE article_stock ADD CONSTRAINT article_stock_article_id_fkey FOREIGN KEY (article_id) REFERENCES article (article_id);
ALTER TABLE article_price ADD CONSTRAINT article_price_store_id_fkey FOREIGN KEY (store_id) REFERENCES store (store_id);
ALTER TABLE article_price ADD CONSTRAINT article_price_article_id_fkey FOREIGN KEY (article_id) REFERENCES article (article_id);
