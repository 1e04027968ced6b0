"""What people changed in the groups by hand, in words."""

from basket_analysis.groups.edit_lists import EditView
from web.groups.shown import GroupsShown
from web.words import NOTHING, language_name, number_text, readable
from web.words import gettext as _

_LISTED = 6


def items_words(items: list[str] | tuple[str, ...]) -> str:
    """Return items one after the other, the rest as a number."""
    words = " · ".join(readable(item) for item in items[:_LISTED])
    if len(items) > _LISTED:
        words += " · " + _("and %(count)s more", count=number_text(len(items) - _LISTED))
    return words


def edit_words(edit: EditView, groups: GroupsShown) -> str:
    """Return what was changed, as one sentence."""
    detail = edit.detail
    match edit.kind:
        case "rename":
            return _(
                "Named %(names)s",
                names=", ".join(
                    f"{name} ({language_name(code)})" for code, name in sorted(detail["names"].items())
                ),
            )
        case "pin":
            return _("Pinned: %(items)s stay together", items=items_words(detail["items"]))
        case "split":
            return _("Split: %(items)s leave for a theme of their own", items=items_words(detail["items"]))
        case "merge":
            other = groups.words(detail["other_id"]) or items_words(detail["other_items"])
            return _("Merged with %(other)s", other=other)
        case _:
            return _("Groups have at least %(members)s members", members=number_text(detail["members"]))


def subject_words(edit: EditView, groups: GroupsShown) -> str:
    """Return which group was changed; those that are gone keep their id."""
    if edit.group_id is None:
        return _("All groups")
    return groups.words(edit.group_id) or edit.group_id or NOTHING
