"""Codes of the database said in the reader's words."""

from web.words import gettext as _
from web.words import number_text


def role_name(role: str) -> str:
    """Return what a role is called."""
    return {
        "cashier": _("Cashier"),
        "store_manager": _("Store manager"),
        "marketing": _("Marketing"),
        "desk": _("Desk"),
        "analyst": _("Analyst"),
        "auditor": _("Auditor"),
        "administrator": _("Administrator"),
    }.get(role, role)


def job_state(state: str) -> tuple[str, str, str]:
    """Return words, meaning and icon of a job's state."""
    return {
        "waiting": (_("Waiting"), "", "clock"),
        "running": (_("Running"), "accent", "loader"),
        "completed": (_("Completed"), "good", "circle-check"),
        "failed": (_("Failed"), "bad", "octagon-alert"),
        "stopped": (_("Stopped"), "caution", "pause"),
    }.get(state, (state, "", "circle"))


def card_state(state: str) -> tuple[str, str]:
    """Return words and meaning of a card's state."""
    return {
        "stock": (_("In stock"), ""),
        "issued": (_("Issued"), ""),
        "active": (_("Active"), "good"),
        "blocked": (_("Blocked"), "bad"),
        "replaced": (_("Replaced"), "caution"),
        "expired": (_("Expired"), ""),
    }.get(state, (state, ""))


def receipt_type(kind: str) -> tuple[str, str]:
    """Return words and meaning of a receipt's type."""
    return {
        "sale": (_("Sale"), ""),
        "return": (_("Return"), "caution"),
        "void": (_("Void"), "bad"),
    }.get(kind, (kind, ""))


def receipt_mode(mode: str) -> str:
    """Return what a receipt's mode is called."""
    return {"live": _("Live"), "training": _("Training"), "suspended": _("Suspended")}.get(mode, mode)


def tender_name(kind: str) -> str:
    """Return what a tender is called; tills may send words of their own."""
    names = {"cash": _("Cash"), "card": _("Card payment"), "voucher": _("Voucher"), "points": _("Points")}
    return names.get(kind, kind)


def flag_name(code: str) -> str:
    """Return what a flag of an accepted receipt means, in a few words."""
    return {
        "unknown_card": _("Unknown card"),
        "blocked_card": _("Blocked card"),
        "unknown_article": _("Unknown article"),
        "unknown_offer": _("Unknown offer"),
        "offer_not_valid": _("Offer not valid"),
        "totals_mismatch": _("Amounts do not add up"),
        "clock_skew": _("Till's clock is wrong"),
        "late": _("Arrived late"),
        "quote_expired": _("Quote had expired"),
        "over_redeemed": _("More points spent than there were"),
        "original_missing": _("Original not found yet"),
        "over_returned": _("More returned than sold"),
        "suspicious": _("Unusual pattern"),
        "masked": _("Payment-card number masked"),
        "quarantined": _("Second body for one receipt"),
    }.get(code, code)


def flag_state(state: str) -> tuple[str, str]:
    """Return words and meaning of the state of a flag."""
    return {
        "open": (_("Open"), "caution"),
        "resolved": (_("Resolved"), "good"),
        "dismissed": (_("Dismissed"), ""),
    }.get(state, (state, ""))


def entry_reason(reason: str) -> str:
    """Return why points moved."""
    return {
        "earn": _("Earned"),
        "reverse": _("Taken back"),
        "spend": _("Spent"),
        "return": _("Given back"),
        "reserve": _("Reserved"),
        "release": _("Released"),
        "expire": _("Expired"),
        "adjust": _("Adjusted"),
        "merge": _("Merged"),
        "restore": _("Restored"),
    }.get(reason, reason)


def signed(points: int) -> str:
    """Return points with their sign, a true minus where they are taken."""
    sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
    return f"{sign}{number_text(abs(points))}"


def lot_state(state: str) -> tuple[str, str]:
    """Return words and meaning of what became of a lot of points."""
    return {
        "pending": (_("Pending"), "caution"),
        "available": (_("Available"), "good"),
        "used": (_("Used up"), ""),
        "expired": (_("Expired"), ""),
        "debt": (_("Below zero"), "bad"),
    }.get(state, (state, ""))


def adjustment_state(state: str) -> tuple[str, str]:
    """Return words and meaning of how far an adjustment is."""
    return {
        "requested": (_("Waits for approval"), "caution"),
        "approved": (_("Booked"), "good"),
        "rejected": (_("Rejected"), "bad"),
        "withdrawn": (_("Withdrawn"), ""),
    }.get(state, (state, ""))


def suggestion_kind(kind: str) -> tuple[str, str]:
    """Return words and icon of what is suggested."""
    return {
        "list": (_("List"), "circle-plus"),
        "delist": (_("Delist"), "circle-minus"),
        "keep": (_("Keep"), "circle-check"),
        "place_together": (_("Place together"), "link"),
    }.get(kind, (kind, "circle"))


def purpose_name(purpose: str, channel: str | None) -> str:
    """Return what a consent is about."""
    purposes = {
        "offers": _("Offers"),
        "catalog": _("Catalog"),
        "profiling": _("Profiling by purchases"),
        "surveys": _("Surveys"),
    }
    channels = {
        "email": _("by e-mail"),
        "print": _("by post"),
        "sms": _("by text message"),
        "phone": _("by phone"),
    }
    words = purposes.get(purpose, purpose)
    return f"{words} {channels.get(channel, channel)}" if channel else words


def account_role(role: str) -> str:
    """Return what a member may do with the account's points."""
    return {"owner": _("Owner"), "spender": _("May spend"), "earner": _("Earns only")}.get(role, role)


def version_state(state: str) -> tuple[str, str]:
    """Return words and meaning of the state of a version of the programme."""
    return {
        "draft": (_("Waits for approval"), "caution"),
        "approved": (_("Approved"), "good"),
        "rejected": (_("Rejected"), "bad"),
        "withdrawn": (_("Withdrawn"), ""),
    }.get(state, (state, ""))


def offer_standing(standing: str) -> tuple[str, str]:
    """Return words and meaning of where an offer stands."""
    return {
        "runs": (_("Runs"), "good"),
        "planned": (_("Planned"), "accent"),
        "draft": (_("Draft"), "caution"),
        "exhausted": (_("Budget used up"), "bad"),
        "over": (_("Over"), ""),
        "stopped": (_("Stopped"), ""),
        "ended": (_("Not live"), ""),
    }.get(standing, (standing, ""))


def offer_version_state(state: str) -> tuple[str, str]:
    """Return words and meaning of the state of a version of an offer."""
    return {
        "draft": (_("Draft"), "caution"),
        "live": (_("In force"), "good"),
        "rejected": (_("Rejected"), "bad"),
        "withdrawn": (_("Withdrawn"), ""),
        "replaced": (_("Replaced"), ""),
        "stopped": (_("Stopped"), ""),
    }.get(state, (state, ""))


def job_name(job: str) -> str:
    """Return what a job is called."""
    return {
        "night": _("The night"),
        "rehearsal": _("Rehearsal of offers"),
        "catalog_run": _("Copies of a catalog run"),
        "catalog_proof": _("Proof of a catalog run"),
        "catalog_handover": _("Hand-over of catalogs"),
    }.get(job.partition(":")[0], job)


def step_name(step: str) -> str:
    """Return what a step of the night does, in a few words; a step not named here shows its own name."""
    return {
        "prepare_months": _("Make room for the coming months"),
        "clear_sessions": _("Clear ended sessions"),
        "clear_answers": _("Clear old answers to tills"),
        "clear_quotes": _("Clear old quotes"),
        "expire_points": _("Let points expire"),
        "renew_company_prices": _("Renew companies' own prices"),
        "warn_of_expiry": _("Warn of points that end soon"),
        "tell_of_expiry": _("Write to whose points end soon"),
        "tell_of_tiers": _("Write to whose tier ends soon"),
        "tell_of_pickups": _("Write to whose gifts wait"),
        "sum_points": _("Add up the points of each day"),
        "keep_liability": _("Keep what is owed in points"),
        "mine_rules": _("Mine rules from the baskets"),
        "form_groups": _("Form shopper groups"),
        "judge_members": _("Judge phases and values of members"),
        "describe_groups": _("Describe what groups buy"),
        "compare_stores": _("Hold stores against each other"),
        "suggest_assortment": _("Suggest what stores should carry"),
        "measure_decisions": _("Measure what decisions brought"),
        "make_catalogs": _("Make catalogs"),
        "rank_offers": _("Rank what to offer to whom"),
        "settle_tiers": _("Settle tiers"),
        "reward_referrals": _("Reward who brought somebody"),
        "expire_vouchers": _("Let vouchers expire"),
        "expire_reservations": _("Release points that stayed reserved"),
        "measure_quality": _("Measure how good the groups are"),
        "prepare_decisions": _("Prepare the next offers at the tills"),
        "follow_decisions": _("Follow what became of offers"),
        "verify": _("Check what must always hold"),
        "rehearse": _("Play past baskets with the offers"),
        "plan_pages": _("Plan the pages"),
        "make_copies": _("Make copies"),
        "make_proof": _("Make a proof"),
        "hand_over": _("Look at every copy again and prepare"),
    }.get(step, step.replace("_", " ").capitalize())


def referral_state(state: str) -> tuple[str, str]:
    """Return the words and the meaning of the state of a referral."""
    return {
        "waiting": (_("Waiting"), "accent"),
        "rewarded": (_("Rewarded"), "good"),
        "refused": (_("Refused"), "bad"),
        "lapsed": (_("No purchase in time"), ""),
    }.get(state, (state, ""))


def referral_reason(reason: str) -> str:
    """Return why a referral was refused, or why only one of both was rewarded, in words."""
    return {
        "off": _("there is no referral"),
        "card": _("the card had bought before"),
        "phone": _("the phone number was known"),
        "email": _("the e-mail address was known"),
        "household": _("of the same household"),
        "capped": _("rewarded often enough this year: only the new member was"),
    }.get(reason, reason)
