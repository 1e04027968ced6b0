"""A theme's styles: what is said in theme.toml about words, made ready for the lettering."""

from functools import lru_cache
from typing import Any

from catalogs.layouts import Theme, Words
from catalogs.pages import Price
from catalogs.pdf.lettering import Box, Paragraph, PriceStyle, Run, set_block, set_price_runs


class Letterer:
    """Sets the words of one theme in one language and colour scheme; without a scheme, runs tell what their colour is called."""

    def __init__(self, theme: Theme, colour: int | None, language: str) -> None:
        self._styles: dict[str, dict[str, Any]] = theme.data["styles"]
        self._fonts: dict[str, str] = theme.data["fonts"]
        self._colours: dict[str, str] = (
            theme.data["colours"][colour]
            if colour is not None
            else {name: name for name in theme.data["colours"][0]}
        )
        self._language = language

    def runs(self, words: Words) -> list[Run]:
        """Return the pieces of text of `words` in their box, not yet turned."""
        style = self._styles[words.style]
        box = Box(words.x, words.y, words.width, words.height)
        if isinstance(words.content, Price):
            return set_price_runs(words.content, box, self._price(words.style))
        texts = [
            (paragraph, str(getattr(words.content, name) if name else words.content))
            for name, paragraph in self._paragraphs(words.style)
        ]
        return set_block(
            texts,
            box,
            language=self._language,
            align=style.get("align", "left"),
            stand=style.get("stand", "top"),
            inline=style.get("inline", False),
        )

    def names(self, style: str) -> tuple[str, ...]:
        """Return which part of the content each paragraph of a style says; empty for one that says all of it."""
        return tuple(entry["of"] for entry in self._styles[style].get("paragraphs", ()))

    @lru_cache(maxsize=64)  # noqa: B019 - a letterer lives as long as its process
    def _paragraphs(self, style: str) -> tuple[tuple[str, Paragraph], ...]:
        return tuple(
            (
                entry["of"],
                Paragraph(
                    face=self._fonts[entry["font"]],
                    sizes=tuple(float(size) for size in entry["sizes"]),
                    colour=self._colours[entry["colour"]],
                    leading=float(entry.get("leading", 1.15)),
                    lines=int(entry.get("lines", 1)),
                    gap=float(entry.get("gap", 0)),
                    hyphenate=bool(entry.get("hyphenate", False)),
                    balance=bool(entry.get("balance", False)),
                    strike=bool(entry.get("strike", False)),
                ),
            )
            for entry in self._styles[style]["paragraphs"]
        )

    @lru_cache(maxsize=16)  # noqa: B019
    def _price(self, style: str) -> PriceStyle:
        entry = self._styles[style]["price"]
        return PriceStyle(
            face=self._fonts[entry["font"]],
            small_face=self._fonts[entry["small"]],
            largest=float(entry["largest"]),
            colour=self._colours[entry["colour"]],
            small_colour=self._colours[entry["small_colour"]],
            unit_face=self._fonts[entry["unit"]],
            unit_size=float(entry["unit_size"]),
            align=entry.get("align", "right"),
        )


@lru_cache(maxsize=64)
def letterer(theme: Theme, colour: int | None, language: str) -> Letterer:
    """Return the letterer of a theme, colour scheme (or none) and language."""
    return Letterer(theme, colour, language)
