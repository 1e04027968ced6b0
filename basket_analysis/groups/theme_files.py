"""Themes as JSON, and households' places as CSV or parquet: the files of `regulars groups`."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from basket_analysis.groups.scoring import Place
from basket_analysis.groups.theme_profiles import NOTHING_LEARNT, Profiles
from basket_analysis.groups.themes import Theme, ThemeRule, Themes
from basket_analysis.mining.strata import STRATA, UPPER_SIZES
from basket_analysis.result_files import replacing, write_rows
from core.errors import Refused

FORMAT = 1
ROWS_AT_ONCE = 1 << 16

_PLACES = pa.schema(
    [
        ("household_id", pa.string()),
        ("group", pa.string()),
        ("strength", pa.float64()),
        ("second_group", pa.string()),
        ("second_strength", pa.float64()),
    ]
)


class BadThemesFile(Refused):
    """The file does not hold themes as `groups fit` writes them."""


class BadPlacesFile(Refused):
    """The file does not hold places as `groups score` writes them."""


class _Strict(Schema):
    class Meta:
        """Later versions may add facts; what is needed must be right."""

        unknown = EXCLUDE


class _RuleSchema(_Strict):
    antecedent = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    consequent = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    count = fields.Integer(required=True, strict=True)
    adjusted_lift = fields.Float(required=True)
    z = fields.Float(required=True)
    q = fields.Float(required=True)
    households = fields.Integer(required=True, strict=True)


class _ThemeSchema(_Strict):
    id = fields.String(required=True, validate=validate.Length(min=1))
    name = fields.String(required=True)
    items = fields.List(fields.String(), required=True)
    rules = fields.List(fields.Nested(_RuleSchema), required=True)


class _ScoringSchema(_Strict):
    min_baskets = fields.Integer(required=True, strict=True)
    next_number = fields.Integer(required=True, strict=True)
    profiles = fields.Dict(
        keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.Float())
    )
    named_after = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    merged = fields.Dict(keys=fields.String(), values=fields.String())
    item_rates = fields.Dict(
        keys=fields.String(), values=fields.List(fields.Float(), validate=validate.Length(equal=STRATA))
    )


class _ThemesSchema(_Strict):
    format = fields.Integer(required=True, strict=True, validate=validate.Equal(FORMAT))
    baskets = fields.Integer(required=True, strict=True)
    households = fields.Integer(required=True, strict=True)
    settings = fields.Dict(required=True)
    themes = fields.List(fields.Nested(_ThemeSchema), required=True)
    scoring = fields.Nested(_ScoringSchema, required=True)


def themes_document(themes: Themes) -> dict[str, Any]:
    """Return `themes` as the JSON document that a themes file holds."""
    profiles = themes.profiles
    return {
        "format": FORMAT,
        "baskets": themes.baskets,
        "households": themes.households,
        "settings": dict(themes.settings),
        "themes": [
            {
                "id": theme.id,
                "name": theme.name,
                "items": list(theme.items),
                "rules": [
                    {
                        "antecedent": list(rule.antecedent),
                        "consequent": list(rule.consequent),
                        "count": rule.count,
                        "adjusted_lift": rule.adjusted_lift,
                        "z": rule.z,
                        "q": rule.q,
                        "households": rule.households,
                    }
                    for rule in theme.rules
                ],
            }
            for theme in themes.themes
        ],
        "scoring": {
            "min_baskets": themes.min_baskets,
            "next_number": themes.next_number,
            "strata_up_to": list(UPPER_SIZES),
            "named_after": {theme.id: list(theme.named_after) for theme in themes.themes},
            "merged": dict(themes.merged),
            "profiles": {
                theme.id: {
                    item: weight for item, weight in zip(profiles.items, weights, strict=True) if weight
                }
                for theme, weights in zip(themes.themes, profiles.weights.tolist(), strict=True)
            },
            "item_rates": dict(zip(profiles.items, profiles.rates.tolist(), strict=True)),
        },
    }


def read_document(document: Any) -> Themes:
    """
    Return the themes of a document that `themes_document` made; raises BadThemesFile.

    Where a theme has no profile, as in documents of the first release, none can score, but their identities live on.
    """
    try:
        loaded = _ThemesSchema().load(document)
        profiles = _profiles(loaded)
    except ValidationError as error:
        raise BadThemesFile(f"these are not themes: {error}") from error
    except KeyError as error:
        raise BadThemesFile(f"{error} has no profile or no rates") from error
    named_after = loaded["scoring"].get("named_after", {})
    return Themes(
        themes=tuple(
            Theme(
                id=theme["id"],
                name=theme["name"],
                items=tuple(theme["items"]),
                rules=tuple(map(_rule, theme["rules"])),
                named_after=tuple(named_after.get(theme["id"], ())),
            )
            for theme in loaded["themes"]
        ),
        profiles=profiles,
        baskets=loaded["baskets"],
        households=loaded["households"],
        min_baskets=loaded["scoring"]["min_baskets"],
        next_number=loaded["scoring"]["next_number"],
        settings=loaded["settings"],
        merged=loaded["scoring"].get("merged", {}),
    )


def _profiles(loaded: Mapping[str, Any]) -> Profiles:
    scoring = loaded["scoring"]
    if not {theme["id"] for theme in loaded["themes"]} <= set(scoring.get("profiles", ())):
        return NOTHING_LEARNT
    rates = scoring["item_rates"]
    place = {item: number for number, item in enumerate(rates)}
    weights = np.zeros((len(loaded["themes"]), len(rates)))
    for row, theme in zip(weights, loaded["themes"], strict=True):
        for item, weight in scoring["profiles"][theme["id"]].items():
            row[place[item]] = weight
    return Profiles(
        tuple(rates), weights, np.array(list(rates.values()), np.float64).reshape(len(rates), STRATA)
    )


def _rule(rule: Mapping[str, Any]) -> ThemeRule:
    sides = {"antecedent": tuple(rule["antecedent"]), "consequent": tuple(rule["consequent"])}
    return ThemeRule(**{**rule, **sides})


def write_themes(path: Path, themes: Themes) -> None:
    """Write a themes file."""
    text = json.dumps(themes_document(themes), ensure_ascii=False, indent=1)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_themes(path: Path, *, to_score: bool = True) -> Themes:
    """Return the themes of a file, which must be able `to_score` unless only identities matter; raises BadThemesFile."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadThemesFile(f"{path} cannot be read: {error}") from error
    themes = read_document(document)
    if to_score and not themes.can_score:
        raise BadThemesFile(
            f"{path} has themes without profiles, as an earlier version wrote them: fit them again"
        )
    return themes


def write_places(path: Path, places: Sequence[Place]) -> int:
    """Write one row per household, in the given order; return how many."""
    return write_rows(path, _PLACES, _place_batches(places))


def _place_batches(places: Sequence[Place]) -> Iterator[Any]:
    for first in range(0, len(places), ROWS_AT_ONCE):
        block = places[first : first + ROWS_AT_ONCE]
        columns = (
            [place.household for place in block],
            [place.group for place in block],
            [place.strength for place in block],
            [place.second_group for place in block],
            [place.second_strength for place in block],
        )
        arrays = [pa.array(values, kind.type) for values, kind in zip(columns, _PLACES, strict=True)]
        yield pa.record_batch(arrays, schema=_PLACES)


def read_groups(path: Path) -> dict[str, str]:
    """Return the group of each household of a file that `write_places` wrote; raises BadPlacesFile."""
    try:
        return dict(_rows_of_places(path))
    except (OSError, EOFError, ValueError, KeyError, csv.Error, zlib.error, pa.ArrowInvalid) as error:
        raise BadPlacesFile(f"{path} does not hold households with their groups") from error


def _rows_of_places(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix == ".parquet":
        table = pa.parquet.read_table(path, columns=["household_id", "group"])
        yield from zip(table["household_id"].to_pylist(), table["group"].to_pylist(), strict=True)
        return
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    if not {"household_id", "group"} <= set(rows.fieldnames or ()):
        raise KeyError("household_id, group")
    for row in rows:
        if row["group"] is None:
            raise ValueError(row["household_id"])
        yield row["household_id"], row["group"]
