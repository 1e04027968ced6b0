-- Back to the till and the ledger: the reverse of 0003_offers.sql, last section first.

-- rewards: rehearsals.

DROP TABLE rehearsal_part;
DROP TABLE rehearsed_offer;
DROP TABLE rehearsal;
DROP FUNCTION keep_rehearsed();
