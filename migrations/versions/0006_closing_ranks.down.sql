-- Takes 0006_closing_ranks.sql back; the newest section stands first.
SET LOCAL lock_timeout = '5s';

-- till

CREATE OR REPLACE FUNCTION decision_scene(
  card_scanned text, of_member uuid, of_account uuid, of_store integer, common integer[], seen_at timestamptz, today date,
  most integer, asks_person boolean, hold boolean, patience interval
) RETURNS json LANGUAGE plpgsql VOLATILE SET lock_timeout = '15ms' AS $$
DECLARE
  began CONSTANT timestamptz := clock_timestamp();
  run uuid;
  number text := card_scanned;
  card_state text;
  following text;
  silent text;
  person json;
  own record;
  all_ids integer[];
  all_reasons jsonb;
  new_ids integer[];
  new_reasons jsonb;
  ids integer[];
  there integer[];
  gone integer[];
  answers json;
  told json;
  faulty json;
BEGIN
  SELECT served_run.run_id INTO run FROM served_run;
  IF run IS NULL THEN
    RETURN json_build_object('silent', 'no run');
  END IF;
  IF number IS NOT NULL THEN
    FOR step IN 0..100 LOOP
      SELECT card.state, card.replaced_by, card.member_id, card.account_id
      INTO card_state, following, of_member, of_account FROM card WHERE card.card_number = number;
      EXIT WHEN NOT FOUND OR card_state <> 'replaced' OR following IS NULL;
      number := following;
    END LOOP;
    IF card_state IN ('blocked', 'expired') THEN
      RETURN json_build_object('silent', 'card');
    END IF;
  END IF;
  IF of_member IS NOT NULL THEN
    SELECT CASE WHEN member.profiling_objected_at IS NOT NULL THEN 'objects'
                WHEN coalesce(member.company_name, member.company_id, member.vat_id) IS NOT NULL THEN 'company' END,
           member.account_id
    INTO silent, of_account FROM member WHERE member.member_id = of_member;
    IF silent IS NOT NULL THEN
      RETURN json_build_object('silent', silent);
    END IF;
    FOR own IN
      SELECT of_run.kind, of_run.article_ids, of_run.reasons FROM member_offers AS of_run
      WHERE of_run.member_id = of_member AND of_run.run_id = run
    LOOP
      IF own.kind = 'all' THEN
        all_ids := own.article_ids[1:most];
        all_reasons := own.reasons;
      ELSE
        new_ids := own.article_ids[1:most];
        new_reasons := own.reasons;
      END IF;
    END LOOP;
  END IF;
  ids := all_ids || new_ids;
  IF ids IS NULL THEN
    ids := common;
  END IF;
  IF cardinality(ids) IS NULL OR cardinality(ids) = 0 THEN
    RETURN json_build_object('silent', 'no list', 'run', run);
  END IF;
  SELECT array_agg(stock.article_id) FILTER (WHERE stock.quantity > 0),
         array_agg(stock.article_id) FILTER (WHERE stock.quantity <= 0)
  INTO there, gone
  FROM article_stock AS stock WHERE stock.store_id = of_store AND stock.article_id = ANY (ids);
  IF asks_person AND of_member IS NOT NULL THEN
    SELECT json_build_array(
             member.member_code, member.birth_date,
             (SELECT json_agg(of_run.group_id) FROM group_membership AS of_run
              WHERE of_run.member_id = member.member_id AND of_run.run_id = run),
             EXISTS (SELECT FROM staff_card JOIN card ON card.card_number = staff_card.card_number
                     WHERE card.member_id = member.member_id AND staff_card.registered_at <= seen_at
                       AND (staff_card.ended_at IS NULL OR staff_card.ended_at > seen_at)),
             standing.phase, standing.value_class)
    INTO person
    FROM member
    LEFT JOIN member_standing AS standing ON standing.run_id = run AND standing.member_id = member.member_id
    WHERE member.member_id = of_member;
  END IF;
  IF clock_timestamp() > began + patience THEN
    RETURN json_build_object('failed', 'slow');
  END IF;
  IF of_account IS NOT NULL THEN
    -- What contacts.refusal_questions asks, for one member.
    SELECT json_agg(json_build_array(said.reaction, said.scope, said.article_id, said.category, said.recorded_at,
             said.offer_code) ORDER BY said.recorded_at, said.reaction_id)
    INTO answers
    FROM (
      SELECT reaction.reaction_id, reaction.reaction, reaction.scope,
             coalesce(reaction.article_id, article.article_id) AS article_id,
             coalesce(reaction.category, CASE WHEN reaction.scope = 'category' THEN article.category END) AS category,
             reaction.recorded_at, reaction.offer_code
      FROM reaction LEFT JOIN article ON article.sku = reaction.sku AND reaction.article_id IS NULL
      WHERE reaction.member_id = of_member
      UNION ALL
      SELECT reaction.reaction_id, reaction.reaction, reaction.scope,
             coalesce(reaction.article_id, article.article_id),
             coalesce(reaction.category, CASE WHEN reaction.scope = 'category' THEN article.category END),
             reaction.recorded_at, reaction.offer_code
      FROM reaction LEFT JOIN article ON article.sku = reaction.sku AND reaction.article_id IS NULL
      WHERE reaction.member_id IS NULL AND reaction.account_id = of_account
      UNION ALL
      SELECT 0, 'open_case', 'item', member_case.article_id, article.category, member_case.opened_at, NULL
      FROM member_case JOIN article ON article.article_id = member_case.article_id
      WHERE member_case.member_id = of_member AND member_case.state = 'open'
    ) AS said;
    IF of_member IS NOT NULL THEN
      SELECT json_agg(json_build_array(decision.article_id, decision.channel, today - decision.day)) INTO told
      FROM decision
      WHERE decision.member_id = of_member AND decision.day > today - 7 AND decision.day <= today;
    ELSE
      SELECT json_agg(json_build_array(decision.article_id, decision.channel, today - decision.day)) INTO told
      FROM decision
      WHERE decision.account_id = of_account AND decision.member_id IS NULL
        AND decision.day > today - 7 AND decision.day <= today;
    END IF;
    -- What the night has not written down yet stands on the returns of the last days.
    SELECT json_agg(back.article_id) INTO faulty
    FROM (
      SELECT returned_faulty.article_id FROM returned_faulty WHERE returned_faulty.account_id = of_account
      UNION ALL
      SELECT returned_faulty.article_id
      FROM balance JOIN returned_faulty ON returned_faulty.account_id = balance.account_id
      WHERE balance.moved_to = of_account
      UNION ALL
      SELECT line.article_id
      FROM receipt JOIN receipt_line AS line USING (business_date, receipt_id)
      WHERE receipt.account_id = of_account AND receipt.business_date > today - 4 AND receipt.business_date <= today + 1
        AND line.business_date > today - 4 AND line.business_date <= today + 1
        AND receipt.type = 'return' AND receipt.mode = 'live' AND line.return_reason = 'faulty'
        AND line.article_id IS NOT NULL
        AND NOT EXISTS (
          SELECT FROM receipt_link AS link JOIN receipt_link AS void ON void.original_identity = link.identity
          WHERE link.receipt_id = receipt.receipt_id AND void.type = 'void'
            AND void.original_receipt_id = link.receipt_id)
    ) AS back;
  END IF;
  IF hold THEN
    LOCK TABLE ONLY decision IN ROW EXCLUSIVE MODE;
  END IF;
  IF clock_timestamp() > began + patience THEN
    RETURN json_build_object('failed', 'slow');
  END IF;
  RETURN json_build_object(
    'run', run, 'member', of_member, 'account', of_account, 'person', person, 'all', all_ids, 'all_reasons', all_reasons,
    'new', new_ids, 'new_reasons', new_reasons, 'there', there, 'gone', gone, 'answers', answers, 'told', told,
    'faulty', faulty,
    'words', (SELECT json_build_array(count(*), max(sensitive_word.set_at)) FROM sensitive_word),
    'rules', (SELECT json_build_array(decision_rules.limits, decision_rules.exploration) FROM decision_rules));
EXCEPTION WHEN OTHERS THEN
  RETURN json_build_object('failed', SQLSTATE || ' ' || SQLERRM);
END $$;

-- basket_analysis --------------------------------------------------------------------------------

DROP TABLE ranking_trees;
