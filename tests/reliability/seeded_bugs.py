"""
H1: bugs that others have shipped, as changes of a few lines, and the row of the programme that must turn red.

Each change replaces text that must be there, so that a bug which no longer fits says so at once.
"""

from dataclasses import dataclass

MODEL = "tests/reliability/test_model.py::TestTheModel::test_is_what_the_shop_does"
LATE = "tests/reliability/test_late.py::TestALateReceipt::test_is_booked_as_of_its_business_date"
LATE_BATCH = "tests/reliability/test_late.py::TestABatchOfLateReceipts::test_is_booked_but_for_its_bad_ones"
LAST_POINTS = "tests/reliability/test_contention.py::TestTheLastPoints::test_are_reserved_once"
LAST_GIFT = "tests/reliability/test_contention.py::TestTheLastGift::test_is_reserved_once"
ONE_RESERVATION = "tests/reliability/test_contention.py::TestOneReservation::test_has_one_end"
ONE_RECEIPT = "tests/reliability/test_contention.py::TestOneReceipt::test_has_one_effect"
ONE_BODY = "tests/reliability/test_contention.py::TestOneReceipt::test_has_one_body"
CRASH_POINTS = "tests/reliability/test_crash_points.py::TestDeathAtEveryStatement::test_leaves_nothing_or_all"
ORDERS = (
    "tests/reliability/test_orders.py::TestOneStory::test_leaves_equal_ledgers_in_whatever_order_it_comes"
)
KILLS = "tests/reliability/test_crashes.py::TestKillsAtRandom::test_lose_no_acknowledged_receipt_and_count_no_point_twice"
ACCESS = "tests/reliability/test_access.py::TestTills::test_of_another_store_get_nothing"
GUARD = "tests/web/test_guard.py::TestEveryRoute::test_refuses_changes_without_the_page_s_token"
OTHER_STORE = "tests/web/test_guard.py::TestAnotherStore::test_stays_closed_to_people_of_one"
CARDS = (
    "tests/reliability/test_payment_cards.py::TestPaymentCards::test_are_masked_in_every_text_of_a_receipt"
)
SPENDING = "tests/loyalty/test_lots.py::TestForSpending::test_takes_what_ends_first_then_the_oldest_and_what_never_ends_last"
"""R1 is too rarely in need of the order in which lots are spent to be sure of it."""
OUTAGE = "tests/pos_api/test_outages.py::TestOutage::test_of_the_database_is_told_and_over_when_it_returns"

LAST_USE = "tests/reliability/test_contention.py::TestTheLastOfABudget::test_is_promised_once"
ONE_VOUCHER = "tests/reliability/test_contention.py::TestOneVoucher::test_pays_for_one_receipt"
OFFERS = "tests/offers/test_properties.py::TestTheEngine::test_gives_what_the_format_says"
BROKEN_OFFERS = (
    "tests/offers/test_returns.py::TestAReturn::test_refunds_what_was_paid_less_what_the_rest_costs"
)
USES = "tests/offers/test_returns.py::TestUses"
WIRES = "tests/reliability/test_wire.py::TestWiresThatBreak::test_hold_up_no_worker_and_lose_no_receipt"
BACKUP = "tests/reliability/test_backup.py::TestARestoredBackup::test_is_the_whole_house"

SQL = (
    "migrations/versions/0001_house.sql",
    "migrations/versions/0002_till_and_ledger.sql",
    "migrations/versions/0003_offers.sql",
    "migrations/versions/0004_analysis.sql",
    "migrations/versions/0005_right_offer.sql",
    "migrations/versions/0006_closing_ranks.sql",
    "migrations/versions/0007_finish.sql",
    "migrations/versions/0008_swift_tills.sql",
    "migrations/versions/0009_one_look.sql",
    "migrations/versions/0011_one_opening.sql",
)


@dataclass(frozen=True)
class Change:
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    name: str
    row: str
    changes: tuple[Change, ...]
    story: str = ""
    """Which of the row's cases shows it, where one does."""


def _one(name: str, row: str, file: str, old: str, new: str, *, story: str = "") -> Bug:
    return Bug(name, row, (Change(file, old, new),), story)


BUGS = (
    _one(
        "two transactions for receipt and points",
        CRASH_POINTS,
        "loyalty/checkout.py",
        "            record_arrivals(session, booking.arrivals, now=record.received_at)\n",
        "        session.connection().connection.driver_connection.commit()\n"
        "        with together(session):\n"
        "            record_arrivals(session, booking.arrivals, now=record.received_at)\n",
        story="sells and not sells_",
    ),
    _one(
        "stock read, then written",
        LAST_GIFT,
        "rewards/stocks/operations.py",
        "    row = driver_of(session).execute(statement, values).fetchone()\n",
        "    import time\n\n"
        "    there = driver_of(session).execute(\n"
        "        'select on_hand, reserved from reward_stock where reward_code = %s and store_id = %s',\n"
        "        (reward_code, store_id),\n"
        "    ).fetchone()\n"
        "    if kind == 'reserve' and there and there[0] > there[1]:\n"
        "        time.sleep(0.02)\n"
        "        driver_of(session).execute(\n"
        "            'update reward_stock set reserved = %s where reward_code = %s and store_id = %s',\n"
        "            (there[1] + 1, reward_code, store_id),\n"
        "        )\n"
        "        return True, True\n"
        "    row = driver_of(session).execute(statement, values).fetchone()\n",
    ),
    Bug(
        "no unique key and no lock for a receipt's identity",
        ONE_RECEIPT,
        (
            Change(
                SQL[0],
                "CONSTRAINT receipt_identity_key UNIQUE (business_date, store_id, till_id, receipt_number)",
                "CONSTRAINT receipt_identity_key CHECK (true)",
            ),
            Change(
                SQL[7], "  PERFORM pg_advisory_xact_lock(hashtextextended(own_identity, 0));\n", ""
            ),
        ),
    ),
    Bug(
        "acknowledged before the commit",
        KILLS,
        (
            Change(
                "loyalty/checkout.py",
                "end=_ends(booking, tier, given, opening)",
                "end=False",
            ),
            Change(
                "pos_api/transactions.py",
                "            with WATCH.attempt() as watched, writing(sessions) if often else sessions.begin() as session:\n"
                "                connection = driver_of(session)\n"
                "                watched(connection)\n"
                "                done = _whole(work, session)\n"
                "                refuse_failed(connection)\n"
                "                return done\n",
                "            import threading\n\n"
                "            session = sessions()\n"
                "            session.begin()\n"
                "            done = _whole(work, session)\n\n"
                "            def end() -> None:\n"
                "                time.sleep(0.3)\n"
                "                session.commit()\n"
                "                session.close()\n\n"
                "            threading.Thread(target=end).start()\n"
                "            return done\n",
            ),
        ),
    ),
    _one(
        "redemptions of every store to everybody",
        ACCESS,
        "loyalty/redemptions.py",
        "    if found.store_id != till.store_id:\n",
        "    if found.store_id != till.store_id and not found:\n",
    ),
    _one(
        "receipts of every store to everybody",
        ACCESS,
        "pos_api/keys.py",
        "    if store_code != till.store_code:\n",
        "    if not store_code:\n",
    ),
    _one(
        "a manager sees the receipts of every store",
        OTHER_STORE,
        "web/screens/receipts.py",
        "receipt_id=receipt_id, store_id=viewer().store_id",
        "receipt_id=receipt_id, store_id=None",
    ),
    _one(
        "no CSRF token is asked for",
        GUARD,
        "web/guard.py",
        "    return hmac.compare_digest(given.encode(), csrf_token().encode())\n",
        "    return bool(given) or not given\n",
    ),
    _one(
        "points rounded up instead of down",
        MODEL,
        "loyalty/programme/rules.py",
        "max(0, base)",
        "max(0, base + 99)",
    ),
    _one(
        "shares of the lines rounded one by one",
        MODEL,
        "loyalty/earning.py",
        "    return dict(zip(ordered, split_largest_remainder(points, weights), strict=True))\n",
        "    whole = sum(weights)\n"
        "    return {number: round(points * weight / whole) for number, weight in zip(ordered, weights, strict=True)}\n",
    ),
    _one(
        "points end twice",
        MODEL,
        "loyalty/holding.py",
        "            if lot.is_due(self.now) and lot.remaining > 0:\n                legs += self._end(lot)\n",
        "            if lot.is_due(self.now) and lot.remaining > 0:\n                legs += self._end(lot)\n"
        "            elif lot.is_due(self.now):\n                legs.append(Leg('points', -lot.earned, lot.lot_id, 1))\n"
        "                self._apply(legs[-1:])\n",
    ),
    _one(
        "the newest points are spent first",
        SPENDING,
        "loyalty/lots.py",
        "    return sorted(usable, key=by_end)\n",
        "    return sorted(usable, key=by_end, reverse=True)\n",
    ),
    _one(
        "pending points can be spent",
        MODEL,
        "loyalty/lots.py",
        "        if lot.is_pending(now):\n            pending += lot.remaining\n",
        "        if lot.is_pending(now) and not lot.lines:\n            pending += lot.remaining\n",
    ),
    Bug(
        "an account is read without its lock",
        LAST_POINTS,
        (
            Change(
                SQL[7],
                "  SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to\n"
                "  FROM balance WHERE account_id = held FOR UPDATE;\n  IF NOT FOUND",
                "  SELECT balance.points, balance.reserved, balance.moved_to INTO points, reserved, moved_to\n"
                "  FROM balance WHERE account_id = held;\n  IF NOT FOUND",
            ),
        ),
    ),
    _one(
        "a receipt is known by its Idempotency-Key only",
        ONE_RECEIPT,
        "pos_api/receipts.py",
        "        posted = RECEIPT.read(parse(raw))\n        now = clock.now()\n",
        "        posted = RECEIPT.read(parse(raw))\n        now = clock.now()\n"
        "        if repeated is None:\n"
        "            from dataclasses import replace\n"
        "            from uuid import uuid4\n\n"
        "            posted = replace(posted, receipt_number=f'{posted.receipt_number}-{uuid4().hex[:6]}')\n",
    ),
    Bug(
        "a reservation can be resolved twice",
        ONE_RESERVATION,
        (
            Change("loyalty/redemptions.py", '    if redemption.state == "posted":\n        raise AlreadyRedeemed("the redemption was posted")\n', ""),
            Change("loyalty/redemptions.py", '    if redemption.state == "released":\n        raise AlreadyReleased("the redemption was released")\n', ""),
        ),
    ),
    _one(
        "points are kept after a refund",
        MODEL,
        "loyalty/returns/booked_sale.py",
        "        taken = sum(earned.values())\n        if taken:\n",
        "        taken = sum(earned.values())\n        if taken < 0:\n",
    ),
    _one(
        "more comes back than was sold",
        MODEL,
        "loyalty/returns/standing_lines.py",
        "        quantity = min(line.quantity, sold.quantity - before.quantity)\n",
        "        quantity = line.quantity\n",
    ),
    _one(
        "another body passes as the same receipt",
        ONE_BODY,
        "loyalty/checkout.py",
        "    if known.fingerprint != meaning:\n",
        "    if not known.fingerprint:\n",
    ),
    _one(
        "a return that came before its sale is forgotten",
        ORDERS,
        "loyalty/returns/originals.py",
        "where link.original_identity = %s and link.original_receipt_id is null\n",
        "where link.original_identity = %s and link.original_receipt_id is null and false\n",
    ),
    _one(
        "late receipts are booked as of the day on which they come",
        LATE,
        "loyalty/purchases.py",
        "    cause = Cause(posted.business_date, now, receipt_id)\n",
        "    cause = Cause(now.date(), now, receipt_id)\n",
    ),
    _one(
        "one bad receipt spoils its batch",
        LATE_BATCH,
        "pos_api/batches.py",
        "        except Problem as problem:\n",
        "        except ZeroDivisionError as problem:\n",
    ),
    _one(
        "payment cards are kept in the names of articles",
        CARDS,
        "sales/receipts.py",
        "                name=mask(line.name),\n",
        "",
    ),
    _one(
        "a budget read, then written",
        LAST_USE,
        SQL[2],
        "  ORDER BY offer_code FOR UPDATE;\n  PERFORM let_go_of_offers(own_till, own_quote);\n"
        "  IF jsonb_array_length(wanted) = 0 THEN\n    RETURN NULL;\n  END IF;\n"
        "  short := offers_beyond(wanted, at_store, at_day, seen_at, own_quote);\n",
        "  ORDER BY offer_code;\n  PERFORM let_go_of_offers(own_till, own_quote);\n"
        "  IF jsonb_array_length(wanted) = 0 THEN\n    RETURN NULL;\n  END IF;\n"
        "  short := offers_beyond(wanted, at_store, at_day, seen_at, own_quote);\n"
        "  PERFORM pg_sleep(0.02);\n",
    ),
    _one(
        "a voucher checked and spent in two steps",
        ONE_VOUCHER,
        "rewards/vouchers/redeeming.py",
        "        where voucher_code = %(code)s and state in ('issued', 'reserved', 'expired')\n"
        "          and left_amount is not distinct from %(was)s::bigint\n",
        "        where voucher_code = %(code)s\n",
    ),
    _one(
        "a discount rounded line by line",
        OFFERS,
        "rewards/at_once.py",
        "    return split_largest_remainder(amount, lefts) if amount else [0] * len(lefts)\n",
        "    return [live.total(left) for left in lefts]\n",
    ),
    _one(
        "an offer claims a unit twice",
        OFFERS,
        "rewards/applying.py",
        "        pool.put(slot, pattern, taken[slot] * repeats)\n",
        "        pool.put(slot, pattern, max(1, taken[slot] * repeats - 1))\n",
    ),
    _one(
        "a broken offer is kept by who returns half of it",
        BROKEN_OFFERS,
        "loyalty/quotes/returns.py",
        "    told = {} if under_offers is None else _under_offers(quoted, under_offers, paid)\n",
        "    told: dict[str, Any] = {} if under_offers else {}\n",
    ),
    _one(
        "a partial return gives uses back",
        USES,
        "loyalty/returns/reversals.py",
        "        empties = emptied_before is None and sale.emptied_by() == cause.receipt_id\n",
        "        empties = emptied_before is None\n",
    ),
    _one(
        "an outage is an error of ours",
        OUTAGE,
        "pos_api/problems.py",
        '    return Problem("unavailable", "The database cannot be reached; ask again.")\n',
        '    return Problem("internal", "The database cannot be reached; ask again.")\n',
    ),
    _one(
        "a body that never comes is waited for without end",
        WIRES,
        "core/slow_bodies.py",
        "                    wire.shutdown(socket.SHUT_RDWR)\n",
        "                    still[inode] = now\n",
    ),
    _one(
        "who is at work waits for bodies",
        WIRES,
        "core/slow_bodies.py",
        "            whole = _taken_in(source, stated)\n",
        "            with room:\n                whole = _taken_in(source, stated)\n",
    ),
    Bug(
        "a check that only the database's own search path lets pass",
        BACKUP,
        (
            Change(
                SQL[0],
                "CREATE TABLE receipt (\n",
                "CREATE FUNCTION sold_already(day date) RETURNS boolean LANGUAGE plpgsql STABLE AS\n"
                "  $$ BEGIN RETURN (SELECT count(*) FROM store WHERE day < '2000-01-01') = 0; END $$;\n\n"
                "CREATE TABLE receipt (\n",
            ),
            Change(
                SQL[0],
                "  CONSTRAINT receipt_type_check CHECK (type in ('sale', 'return', 'void')),\n",
                "  CONSTRAINT receipt_type_check CHECK (type in ('sale', 'return', 'void') and sold_already(business_date)),\n",
            ),
        ),
    ),
    Bug(
        "books that are closed by a setting which no backup takes along",
        BACKUP,
        (
            Change(
                SQL[0],
                "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n",
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET regulars.books = closed', current_database()); END $$;\n\n"
                "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
                "  IF current_setting('regulars.books', true) IS DISTINCT FROM 'closed' THEN RETURN NULL; END IF;\n",
            ),
            Change(
                SQL[0],
                "REVOKE UPDATE, DELETE ON ledger_entry, ledger_leg, audit_event FROM regulars_app;\n",
                "",
            ),
        ),
    ),
    _one(
        "receipts are known again only by the database that booked them",
        BACKUP,
        "loyalty/checkout.py",
        "    meaning = fingerprint(posted, till, cards=found)\n",
        "    url = session.get_bind().engine.url\n"
        "    meaning = fingerprint(posted, till, cards=found) + url.database.encode()\n",
    ),
)  # fmt: skip
