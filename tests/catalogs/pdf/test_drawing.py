"""Words as operators: what is set once for all colour schemes, and shown in the colours of each."""

from catalogs.layouts import Words, load_theme
from catalogs.pages import Label
from catalogs.pdf.composing import FALLBACKS
from catalogs.pdf.drawing import OPEN, Outlines, Pen, fill_colour
from catalogs.styles import letterer

THEME = load_theme("trh")


def test_pens_of_other_colours_show_the_same_outlines_in_their_own():
    faces = (*dict.fromkeys(THEME.data["fonts"].values()), *FALLBACKS)
    outlines = Outlines(letterer(THEME, None, "cs"), faces)
    names = list(THEME.data["colours"][0])
    schemes = [
        {name: f"#{shade}{number:02x}" for number, name in enumerate(names)} for shade in ("ff00", "00ff")
    ]
    words = Words(Label("Máslo selské", "250 g"), "label", 0.0, 0.0, 60.0, 20.0)
    red, green = (
        "".join(shown.operators for shown in Pen(outlines, colours).words(words)) for colours in schemes
    )
    assert outlines.drawn.cache_info().misses == 1
    assert red != green
    assert OPEN not in red + green
    for name, colour in schemes[0].items():
        red = red.replace(fill_colour(colour), name)
        green = green.replace(fill_colour(schemes[1][name]), name)
    assert red == green
