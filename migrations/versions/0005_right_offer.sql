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
