"""Who may see what: the roles, and which of them may enter each route; a route not listed here is not served."""

from collections.abc import Iterable
from typing import Final

CASHIER: Final = "cashier"
STORE_MANAGER: Final = "store_manager"
MARKETING: Final = "marketing"
DESK: Final = "desk"
ANALYST: Final = "analyst"
AUDITOR: Final = "auditor"
ADMINISTRATOR: Final = "administrator"

CUSTOMER: Final = "customer"
"""A member on their own pages; none of our people's roles, and not in `ROLES`."""

ROLES: Final = (CASHIER, STORE_MANAGER, MARKETING, DESK, ANALYST, AUDITOR, ADMINISTRATOR)
STORE_ROLES: Final = frozenset({CASHIER, STORE_MANAGER})
"""Roles that belong to one store and see nothing of another."""

NAMELESS_ROLES: Final = frozenset({ANALYST})
"""Roles that see numbers about people, never their names."""

Roles = frozenset[str]

ANYBODY: Final[Roles] = frozenset({"anybody"})
"""Marks routes that need no sign-in."""

SIGNED_LINKS: Final = frozenset({"unsubscribe.withdraw"})
"""Changes that no page of ours sends: mail programs make them (RFC 8058), and a signed address lets them."""

_CUSTOMER: Final[Roles] = frozenset({CUSTOMER})
SIGNED_IN: Final[Roles] = frozenset(ROLES)
_LOOK: Final[Roles] = SIGNED_IN - {CASHIER}
_PERSONAL: Final[Roles] = frozenset({DESK, MARKETING, AUDITOR, ADMINISTRATOR, ANALYST})
_NAMED: Final[Roles] = _PERSONAL - NAMELESS_ROLES
_QUEUE: Final[Roles] = frozenset({STORE_MANAGER, DESK, AUDITOR, ADMINISTRATOR})
_DECIDES: Final[Roles] = _QUEUE - {AUDITOR}
_ADJUSTS: Final[Roles] = frozenset({DESK, MARKETING})
_DESK: Final[Roles] = frozenset({DESK, ADMINISTRATOR})
_ADMINISTRATION: Final[Roles] = frozenset({ADMINISTRATOR})
_REPORTS: Final[Roles] = frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR})
_PROGRAMME: Final[Roles] = frozenset({MARKETING, ADMINISTRATOR})

_STORES_WORK: Final[Roles] = frozenset({STORE_MANAGER, MARKETING, ANALYST, AUDITOR, ADMINISTRATOR})
_STOCK: Final[Roles] = frozenset({STORE_MANAGER, ADMINISTRATOR})
_COUNTER: Final[Roles] = frozenset({CASHIER, STORE_MANAGER, DESK, ADMINISTRATOR})

ROUTES: Final[dict[str, Roles]] = {
    "assets.static": ANYBODY,
    "door.sign_in": ANYBODY,
    "door.enter": ANYBODY,
    "door.language": ANYBODY,
    "door.sign_out": SIGNED_IN,
    "my_door.sign_in": ANYBODY,
    "my_door.ask": ANYBODY,
    "my_door.code": ANYBODY,
    "my_door.enter_code": ANYBODY,
    "my_door.language": ANYBODY,
    "my_door.sign_out": _CUSTOMER,
    "my.home": _CUSTOMER,
    "my.card": _CUSTOMER,
    "my_answers.index": _CUSTOMER,
    "my_answers.react": _CUSTOMER,
    "my_answers.withdraw": _CUSTOMER,
    "my_history.index": _CUSTOMER,
    "my_history.points": _CUSTOMER,
    "my_history.receipt": _CUSTOMER,
    "my_vouchers.index": _CUSTOMER,
    "my_catalogs.index": _CUSTOMER,
    "my_catalogs.download": _CUSTOMER,
    "my_catalogs.cover": _CUSTOMER,
    "my_choices.index": _CUSTOMER,
    "my_choices.decide": _CUSTOMER,
    "my_choices.profiling": _CUSTOMER,
    "my_choices.preferences": _CUSTOMER,
    "my_choices.export": _CUSTOMER,
    "account.preferences": SIGNED_IN,
    "account.choose_scope": SIGNED_IN,
    "account.password": SIGNED_IN,
    "account.change_password": SIGNED_IN,
    "overview.home": SIGNED_IN,
    "search.find": SIGNED_IN,
    "groups.index": _LOOK,
    "groups.show": _LOOK,
    "analysis_quality.index": _REPORTS,
    "group_edits.index": _REPORTS,
    "group_edits.show": _REPORTS,
    "group_edits.rename": frozenset({MARKETING}),
    "group_edits.pin": frozenset({MARKETING}),
    "group_edits.unpin": frozenset({MARKETING}),
    "group_edits.split": frozenset({MARKETING}),
    "group_edits.merge": frozenset({MARKETING}),
    "group_edits.minimum": frozenset({MARKETING}),
    "group_edits.undo": frozenset({MARKETING}),
    "group_map.index": _LOOK,
    "group_moves.index": _LOOK,
    "rules.index": _LOOK,
    "rules.show": _LOOK,
    "store_page.index": _STORES_WORK,
    "store_page.show": _STORES_WORK,
    "store_page.category": _STORES_WORK,
    "store_prints.of_store": _STORES_WORK,
    "store_prints.of_category": _STORES_WORK,
    "store_page.results": _STORES_WORK,
    "store_page.answer": frozenset({STORE_MANAGER}),
    "store_page.undo": frozenset({STORE_MANAGER}),
    "assortment.index": frozenset({STORE_MANAGER, MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "assortment.show": frozenset({STORE_MANAGER, MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "assortment.decide": frozenset({STORE_MANAGER}),
    "assortment.undo": frozenset({STORE_MANAGER}),
    "members.index": _PERSONAL,
    "members.show": _PERSONAL,
    "members.object_to_profiling": _DESK,
    "points.statement": _PERSONAL,
    "points.lots": _PERSONAL,
    "adjustments.index": _NAMED,
    "adjustments.show": _NAMED,
    "adjustments.new": _ADJUSTS,
    "adjustments.add": _ADJUSTS,
    "adjustments.approve": _ADJUSTS,
    "adjustments.reject": _ADJUSTS,
    "adjustments.withdraw": _ADJUSTS,
    "liability.index": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "cards.index": _NAMED,
    "cards.show": _NAMED,
    "cards.stocking": _DESK,
    "cards.stock": _DESK,
    "cards.import_file": _DESK,
    "cards.issue": _DESK,
    "cards.activate": _DESK,
    "cards.block": _DESK,
    "cards.expire": _DESK,
    "cards.replace": _DESK,
    "households.show": _DESK,
    "households.invite_one": _DESK,
    "households.uninvite": _DESK,
    "households.join": _DESK,
    "households.leave": _DESK,
    "households.role": _DESK,
    "households.adopt": _DESK,
    "claims.new": _DESK,
    "claims.add": _DESK,
    "alerts.index": _QUEUE,
    "alerts.show": _QUEUE,
    "alerts.settle": _DECIDES,
    "staff.index": frozenset({STORE_MANAGER, AUDITOR, ADMINISTRATOR}),
    "staff.add": frozenset({STORE_MANAGER, ADMINISTRATOR}),
    "staff.end": frozenset({STORE_MANAGER, ADMINISTRATOR}),
    "receipts.index": _LOOK,
    "receipts.show": _LOOK,
    "articles.index": SIGNED_IN,
    "articles.show": SIGNED_IN,
    "stores.index": frozenset({ADMINISTRATOR, AUDITOR}),
    "stores.show": frozenset({ADMINISTRATOR, AUDITOR}),
    "stores.new_key": _ADMINISTRATION,
    "stores.revoke_key": _ADMINISTRATION,
    "people.index": frozenset({ADMINISTRATOR, AUDITOR}),
    "people.new": _ADMINISTRATION,
    "people.add": _ADMINISTRATION,
    "people.show": frozenset({ADMINISTRATOR, AUDITOR}),
    "people.disable": _ADMINISTRATION,
    "people.enable": _ADMINISTRATION,
    "people.reset_password": _ADMINISTRATION,
    "audit.index": frozenset({ADMINISTRATOR, AUDITOR}),
    "programme.index": _LOOK,
    "programme.show": _LOOK,
    "programme.download": _LOOK,
    "programme.new": _PROGRAMME,
    "programme.add": _PROGRAMME,
    "programme.edit": _PROGRAMME,
    "programme.change": _PROGRAMME,
    "programme.preview": _PROGRAMME,
    "programme.decide": _PROGRAMME,
    "offers.index": _LOOK,
    "offers.show": _LOOK,
    "offers.version": _LOOK,
    "offers.decide": _PROGRAMME,
    "offers.stop": _PROGRAMME,
    "offer_builder.new": _PROGRAMME,
    "offer_builder.add": _PROGRAMME,
    "offer_builder.edit": _PROGRAMME,
    "offer_builder.change": _PROGRAMME,
    "offer_builder.preview": _PROGRAMME,
    "offer_builder.pick": _PROGRAMME,
    "offer_files.choose": _PROGRAMME | {AUDITOR},
    "offer_files.export": _PROGRAMME | {AUDITOR},
    "offer_files.upload": _PROGRAMME,
    "company_prices.index": _PROGRAMME | {DESK, AUDITOR},
    "company_prices.add": _PROGRAMME,
    "company_prices.renew": _PROGRAMME,
    "offer_plan.calendar": _LOOK,
    "store_offers.index": SIGNED_IN,
    "tiers.index": _LOOK,
    "tiers.show": _LOOK,
    "tiers.download": _LOOK,
    "tiers.new": _PROGRAMME,
    "tiers.add": _PROGRAMME,
    "tiers.edit": _PROGRAMME,
    "tiers.change": _PROGRAMME,
    "tiers.decide": _PROGRAMME,
    "referrals.index": frozenset({MARKETING, DESK, AUDITOR, ADMINISTRATOR, ANALYST}),
    "referrals.rules": _PROGRAMME,
    "referrals.make_code": _DESK | {MARKETING},
    "member_tiers.new_grant": _ADJUSTS,
    "member_tiers.give": _ADJUSTS,
    "rewards.index": _LOOK,
    "rewards.show": _LOOK,
    "rewards.take_delivery": _STOCK,
    "rewards.count": _STOCK,
    "rewards.warn": _STOCK,
    "reward_kinds.index": _LOOK,
    "reward_kinds.new": _PROGRAMME,
    "reward_kinds.add": _PROGRAMME,
    "reward_kinds.edit": _PROGRAMME,
    "reward_kinds.change": _PROGRAMME,
    "pickups.index": _COUNTER | {AUDITOR},
    "pickups.show": _COUNTER | {AUDITOR},
    "pickups.hand_over_by_code": _COUNTER,
    "pickups.hand_over_one": _COUNTER,
    "pickups.give_one_up": _COUNTER - {CASHIER},
    "pickups.reserve": _COUNTER - {CASHIER},
    "voucher_batches.index": _NAMED,
    "voucher_batches.show": _NAMED,
    "voucher_batches.new": _PROGRAMME,
    "voucher_batches.add": _PROGRAMME,
    "voucher_batches.edit": _PROGRAMME,
    "voucher_batches.change": _PROGRAMME,
    "voucher_batches.issue": _PROGRAMME,
    "voucher_batches.print_sheets": _PROGRAMME,
    "voucher_batches.cancel": _PROGRAMME,
    "vouchers.index": _NAMED,
    "vouchers.show": _NAMED,
    "vouchers.print_again": _PROGRAMME | {DESK},
    "vouchers.cancel": _PROGRAMME | {DESK},
    "gift_cards.index": _DESK | {AUDITOR},
    "gift_cards.show": _DESK | {AUDITOR},
    "gift_cards.load": _DESK,
    "gift_cards.block": _DESK,
    "rehearsals.index": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "rehearsals.show": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "rehearsal_pairs.show": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "rehearsals.new": _PROGRAMME,
    "rehearsals.add": _PROGRAMME,
    "rehearsals.stop": _PROGRAMME,
    "rehearsals.resume": _PROGRAMME,
    "jobs.index": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "jobs.show": frozenset({MARKETING, ANALYST, AUDITOR, ADMINISTRATOR}),
    "jobs.stop": _ADMINISTRATION,
    "jobs.resume": _ADMINISTRATION,
    "queue.index": _QUEUE,
    "queue.show": _QUEUE,
    "queue.settle": _DECIDES,
    "queue.settle_chosen": _DECIDES,
    "queue.link": _DECIDES,
    "queue.reopen": _DECIDES,
    "queue.find_articles": _DECIDES,
    "bodies.index": _QUEUE,
    "bodies.show": _QUEUE,
    "bodies.settle": _DECIDES,
    "bodies.settle_chosen": _DECIDES,
    "bodies.reopen": _DECIDES,
    "catalogs.index": _PERSONAL | {STORE_MANAGER},
    "catalogs.show": _PERSONAL | {STORE_MANAGER},
    "catalogs.download": _NAMED,
    "catalog_runs.index": _REPORTS,
    "catalog_runs.show": _REPORTS,
    "catalog_runs.new": _PROGRAMME,
    "catalog_runs.add": _PROGRAMME,
    "catalog_runs.prove": _PROGRAMME,
    "catalog_runs.approve_standing": _PROGRAMME,
    "catalog_runs.start": _PROGRAMME,
    "catalog_runs.stop": _PROGRAMME,
    "catalog_runs.cancel": _PROGRAMME,
    "catalog_runs.hand_over": _PROGRAMME,
    "catalog_runs.take": _PROGRAMME,
    "catalog_runs.manifest": _PROGRAMME,
    "catalog_proofs.show": _PROGRAMME | {AUDITOR},
    "catalog_proofs.picture": _PROGRAMME | {AUDITOR},
    "catalog_proofs.document": _PROGRAMME | {AUDITOR},
    "catalog_proofs.approve": _PROGRAMME,
    "catalog_proofs.return_it": _PROGRAMME,
    "catalog_results.show": _REPORTS,
    "till.simulator": frozenset({CASHIER, STORE_MANAGER, MARKETING, DESK, ADMINISTRATOR}),
    "till.articles": frozenset({CASHIER, STORE_MANAGER, MARKETING, DESK, ADMINISTRATOR}),
    "till.original": frozenset({CASHIER, STORE_MANAGER, MARKETING, DESK, ADMINISTRATOR}),
    "till.key": frozenset({CASHIER, STORE_MANAGER, ADMINISTRATOR}),
    "design.gallery": _ADMINISTRATION,
    "design.sample": _ADMINISTRATION,
}


def may(role: str | None, endpoint: str) -> bool:
    """Return whether somebody of `role` (None: not signed in) may enter the route called `endpoint`."""
    allowed = ROUTES.get(endpoint, frozenset())
    return allowed == ANYBODY or role in allowed


def unlisted(endpoints: Iterable[str]) -> list[str]:
    """Return those `endpoints` that nobody said who may enter, in order."""
    return sorted(endpoint for endpoint in endpoints if endpoint not in ROUTES)
