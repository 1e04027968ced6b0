"""How the layouts of catalog pages are called."""

from catalogs.layouts import Theme
from web.words import gettext as _
from web.words import ngettext, number_text


def pages_layouts(theme: Theme) -> tuple[str, ...]:
    """Return the layouts of a theme that pages for a whole group may have, as its folder lists them."""
    return tuple(
        name
        for name, layout in theme.data["layouts"].items()
        if any(cell.get("of", "items") == "items" for cell in layout.get("cells", ()))
    )


def layout_words(name: str, theme: Theme) -> str:
    """Return what a layout looks like, in the reader's words; of one that nobody named, how much it holds."""
    known = {
        "hero": _("One large, four small below"),
        "hero-right": _("Four small, one large below"),
        "six": _("Six alike"),
        "list": _("A list with small pictures"),
        "four": _("Four large"),
        "three": _("Three wide"),
        "solo": _("One, very large"),
        "solo-low": _("One very large, three small below"),
    }
    room = theme.room(name)
    return known.get(name) or ngettext(
        "%(name)s, %(num)s article", "%(name)s, %(num)s articles", room, name=name, num=number_text(room)
    )


def topic_words(topic: str) -> str:
    """Return what makes an article private, in the reader's words; a chain's own topic as it is."""
    return {
        "health": _("health"),
        "alcohol": _("alcohol"),
        "baby": _("small children"),
        "intimate": _("intimate things"),
        "tobacco": _("tobacco"),
        "faith": _("faith"),
    }.get(topic, topic)
