-- Offers, vouchers, gifts, tiers. Sections by package, lowest first; rights of the application's role at the end of each.

-- rewards: rehearsals of offers on past baskets. What was rehearsed is kept as it was; what it came to stands for ever,
-- since approvals rest on it. Parts are the days that are done, from which a rehearsal that was stopped goes on.

CREATE TABLE rehearsal (
  rehearsal_id UUID NOT NULL,
  first_day DATE NOT NULL,
  following_day DATE NOT NULL,
  store_ids INTEGER[] NOT NULL,
  beside JSONB NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  completed_at TIMESTAMP WITH TIME ZONE,
  results JSONB,
  CONSTRAINT rehearsal_pkey PRIMARY KEY (rehearsal_id),
  CONSTRAINT rehearsal_period_check CHECK (first_day < following_day),
  CONSTRAINT rehearsal_completed_check CHECK ((completed_at is null) = (results is null))
);

CREATE INDEX rehearsal_requested_at_idx ON rehearsal (requested_at);

CREATE TABLE rehearsed_offer (
  rehearsal_id UUID NOT NULL,
  offer_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  document JSONB NOT NULL,
  results JSONB,
  CONSTRAINT rehearsed_offer_pkey PRIMARY KEY (rehearsal_id, offer_code),
  CONSTRAINT rehearsed_offer_rehearsal_id_fkey FOREIGN KEY(rehearsal_id) REFERENCES rehearsal (rehearsal_id)
);

CREATE INDEX rehearsed_offer_version_idx ON rehearsed_offer (offer_code, version);

CREATE TABLE rehearsal_part (
  rehearsal_id UUID NOT NULL,
  business_date DATE NOT NULL,
  sums JSONB NOT NULL,
  CONSTRAINT rehearsal_part_pkey PRIMARY KEY (rehearsal_id, business_date),
  CONSTRAINT rehearsal_part_rehearsal_id_fkey FOREIGN KEY(rehearsal_id) REFERENCES rehearsal (rehearsal_id)
);

CREATE FUNCTION keep_rehearsed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.results IS NOT NULL
      OR to_jsonb(NEW) - 'results' - 'completed_at' IS DISTINCT FROM to_jsonb(OLD) - 'results' - 'completed_at' THEN
    RAISE EXCEPTION 'rehearsal % stays what it was: % is refused', OLD.rehearsal_id, TG_OP
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER rehearsal_kept BEFORE UPDATE ON rehearsal FOR EACH ROW EXECUTE FUNCTION keep_rehearsed();
CREATE TRIGGER rehearsal_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rehearsed_offer_kept BEFORE UPDATE ON rehearsed_offer FOR EACH ROW EXECUTE FUNCTION keep_rehearsed();
CREATE TRIGGER rehearsed_offer_not_deleted BEFORE DELETE OR TRUNCATE ON rehearsed_offer
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON rehearsal, rehearsed_offer TO regulars_app;
GRANT UPDATE (completed_at, results) ON rehearsal TO regulars_app;
GRANT UPDATE (results) ON rehearsed_offer TO regulars_app;
GRANT SELECT, INSERT, DELETE ON rehearsal_part TO regulars_app;
