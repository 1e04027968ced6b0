"""The audit trail in words: what was done to what, and the details of it, never the keys they are kept under."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from web.wording import role_name
from web.words import gettext as _
from web.words import number_text

_MOST_IN_A_ROW = 3
_LONGEST = 60


def action_words(action: str) -> str:
    """Return what was done, such as "Member: looked at" for "member.view"."""
    kind, _dot, verb = action.partition(".")
    return f"{kind_words(kind)}: {_verbs().get(verb, _plain(verb)).lower()}"


def kind_words(kind: str) -> str:
    """Return what kind of thing it was done to."""
    return _kinds().get(kind, _plain(kind))


def subject_words(kind: str, subject: str) -> tuple[str, str | None]:
    """Return what it was done to and, quieter, its kind; of a list what it was narrowed by, if by anything."""
    if kind == "list":
        return (kind_words(kind) if subject == "all" else subject), None
    return subject, kind_words(kind)


def details(detail: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return every detail as a pair of a name and a value; what lies within others is named by all its names."""
    return [
        (
            " · ".join(_name(part) for part in path),
            role_name(value) if path[-1:] == ("role",) else _value(value),
        )
        for path, value in _leaves(detail or {})
    ]


def in_short(detail: Mapping[str, Any] | None) -> str | None:
    """Return the first details in one line; None where there are none."""
    found = details(detail)
    if not found:
        return None
    words = "; ".join(
        f"{name}: {value if len(value) <= _LONGEST else value[:_LONGEST] + '…'}"
        for name, value in found[:_MOST_IN_A_ROW]
    )
    rest = len(found) - _MOST_IN_A_ROW
    return words if rest <= 0 else f"{words}; +{number_text(rest)}"


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif _is_list(value) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, (*path, str(number)))
    else:
        yield path, value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _value(value: Any) -> str:
    if value is None or value in ("", []):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if _is_list(value):
        return ", ".join(_value(one) for one in value)
    return str(value)


def _name(key: str) -> str:
    return _names().get(key, _plain(key))


def _plain(code: str) -> str:
    """Return a code without the marks that make it one; capitals and digits say that it is a name already."""
    return code if not code.islower() else code.replace("_", " ").capitalize()


def _kinds() -> dict[str, str]:
    return {
        "account": _("Account"),
        "adjustment": _("Adjustment"),
        "alert": _("Alert"),
        "analysis": _("Analysis"),
        "analysis_run": _("Analysis"),
        "article_code": _("Code of an article"),
        "barcode": _("Bar-code layout"),
        "barcode_layout": _("Bar-code layout"),
        "body": _("Second body"),
        "card": _("Card"),
        "cards": _("Cards"),
        "case": _("Case"),
        "catalog": _("Catalog"),
        "catalog_copy": _("Catalog copy"),
        "catalog_handover": _("Hand-over of catalogs"),
        "catalog_proof": _("Proof of a catalog run"),
        "catalog_run": _("Catalog run"),
        "consent": _("Consent"),
        "customer": _("Customer"),
        "decisions": _("Next offers"),
        "edition": _("Edition"),
        "file": _("File"),
        "flag": _("Entry of the work queue"),
        "gift": _("Gift"),
        "gift_card": _("Gift card"),
        "group": _("Shopper group"),
        "household": _("Household"),
        "liability": _("Points owed"),
        "list": _("Whole list"),
        "mail": _("Mail"),
        "member": _("Member"),
        "members": _("Members"),
        "offer": _("Offer"),
        "person": _("Person"),
        "pickup": _("Gift to hand over"),
        "programme": _("Programme"),
        "programme_version": _("Version of the programme"),
        "queue": _("Work queue"),
        "reaction": _("Answer to an offer"),
        "receipt": _("Receipt"),
        "redemption": _("Redemption"),
        "referral": _("Referral"),
        "rehearsal": _("Rehearsal of offers"),
        "reward": _("Reward"),
        "role": _("Role"),
        "sensitive_word": _("Sensitive word"),
        "settings": _("Settings"),
        "signing_key": _("Signing key"),
        "staff_card": _("Staff card"),
        "suggestion": _("Suggestion"),
        "tier_scheme": _("Tiers"),
        "tiers": _("Tiers"),
        "till": _("Till"),
        "voucher": _("Voucher"),
        "voucher_batch": _("Batch of vouchers"),
    }


def _verbs() -> dict[str, str]:
    return {
        "accepted": _("Accepted"),
        "add": _("Added"),
        "adopt": _("Adopted"),
        "approve": _("Approved"),
        "articles": _("Articles looked for"),
        "ask": _("Asked for"),
        "approve_order": _("Standing order approved"),
        "block": _("Blocked"),
        "cancel": _("Cancelled"),
        "change": _("Changed"),
        "code": _("Code made"),
        "confirm": _("Confirmed"),
        "create": _("Made"),
        "disable": _("Closed"),
        "decide": _("Decided"),
        "dismiss": _("Dismissed"),
        "dismissed": _("Dismissed"),
        "drop": _("Taken out"),
        "download": _("Downloaded"),
        "draft": _("Drafted"),
        "edit": _("Changed"),
        "enable": _("Opened again"),
        "end": _("Ended"),
        "enrol": _("Enrolled"),
        "export": _("Exported"),
        "exploration": _("Share of trials set"),
        "expire": _("Expired"),
        "forget": _("Forgotten"),
        "give": _("Consent given"),
        "give_up": _("Given up"),
        "grant": _("Granted"),
        "hand_over": _("Handed over"),
        "import": _("Imported"),
        "invite": _("Invited"),
        "issue": _("Issued"),
        "join": _("Joined a household"),
        "key": _("Given a key"),
        "leave": _("Left the household"),
        "limit": _("Limit set"),
        "language": _("Language changed"),
        "let_through": _("Taken into use all the same"),
        "link": _("Linked"),
        "linked": _("Linked"),
        "list": _("List looked at"),
        "load": _("Loaded"),
        "lots": _("Lots looked at"),
        "merge": _("Merged"),
        "never": _("Never again"),
        "not_now": _("Not now"),
        "note": _("Noted"),
        "object": _("Objected to profiling"),
        "open": _("Opened"),
        "order": _("Ordered"),
        "password": _("Password renewed"),
        "pin": _("Pinned"),
        "print": _("Printed"),
        "proof": _("Proof asked for"),
        "register": _("Registered"),
        "rehearse": _("Rehearsed"),
        "reject": _("Rejected"),
        "remake": _("Made again"),
        "rename": _("Renamed"),
        "reopened": _("Opened again"),
        "reserve": _("Reserved"),
        "resolved": _("Resolved"),
        "replace": _("Replaced"),
        "request": _("Asked for"),
        "resolve": _("Resolved"),
        "revoke": _("Key revoked"),
        "role": _("Role changed"),
        "rotate": _("Renewed"),
        "rules": _("Rules changed"),
        "search": _("Searched for"),
        "send_back": _("Sent back"),
        "set": _("Set"),
        "sign_in": _("Signed in"),
        "sign_out_everywhere": _("Signed out everywhere"),
        "split": _("Split"),
        "resume": _("Gone on with"),
        "start": _("Run started"),
        "statement": _("Statement looked at"),
        "stock": _("Taken into stock"),
        "stop": _("Stopped"),
        "uninvite": _("Invitation taken back"),
        "undo": _("Undone"),
        "take": _("Fetched"),
        "take_again": _("Fetched again"),
        "unpin": _("Unpinned"),
        "view": _("Looked at"),
        "withdraw": _("Withdrawn"),
        "withdraw_objection": _("Objection withdrawn"),
    }


def _names() -> dict[str, str]:
    return {
        "after": _("After"),
        "amount": _("Amount"),
        "approved_by": _("Approved by"),
        "batches": _("Batches"),
        "before": _("Before"),
        "card_number": _("Card number"),
        "channels": _("Goes out by"),
        "code": _("Code"),
        "codes": _("Codes"),
        "copies": _("Copies"),
        "copy_code": _("Copy"),
        "currency": _("Currency"),
        "first_day": _("First day"),
        "first_part": _("First part"),
        "groups": _("Groups"),
        "hold_out": _("Held out"),
        "kind": _("Kind"),
        "live": _("Live at once"),
        "made_by": _("Made by"),
        "name": _("Name"),
        "names": _("Names"),
        "new": _("New"),
        "note": _("Note"),
        "offers": _("Offers"),
        "order": _("Standing order"),
        "points": _("Points"),
        "prefix": _("Key begins with"),
        "reason": _("Reason"),
        "refused": _("Refused"),
        "rewards": _("Rewards"),
        "role": _("Role"),
        "rules": _("Rules"),
        "size": _("Size"),
        "standing": _("Standing order"),
        "store_code": _("Store"),
        "stores": _("Stores"),
        "theme": _("Theme"),
        "tiers": _("Tiers"),
        "unchanged": _("Unchanged"),
        "valid_from": _("Valid from"),
        "valid_to": _("Valid to"),
        "versions": _("Versions"),
        "voucher_batches": _("Vouchers"),
        "written": _("Written"),
    }
