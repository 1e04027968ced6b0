"""The choices of the offer builder in words: kinds of conditions and benefits, turns, days, audiences."""

from collections.abc import Iterable, Mapping

from customers.models import PHASES, VALUE_CLASSES
from web.offers.fields import Fields
from web.offers.forms import DEEPEST
from web.offers.names import Names, Teller
from web.offers.naming import Choices
from web.offers.words import class_words, day_name
from web.words import gettext as _
from web.words import language, number_text

Pairs = list[tuple[str, str]]


def condition_kinds(depth: int) -> Pairs:
    """Return what a shopper can do, as it stands after "when a shopper"; combinations only where they may stand."""
    plain = [
        ("items", _("buys")),
        ("value", _("makes a purchase")),
        ("each", _("buys a set of")),
        ("voucher", _("presents a voucher")),
        ("always", _("buys anything at all")),
    ]
    if depth >= DEEPEST:
        return plain
    return [
        *plain,
        ("all", _("does all of this")),
        ("any", _("does one of this")),
        ("not", _("does none of this")),
    ]


def benefit_kinds() -> Pairs:
    """Return what can be given, as it stands after "then give"."""
    return [
        ("percent", _("a discount in percent")),
        ("amount", _("money off")),
        ("fixed_price", _("a fixed price")),
        ("nth", _("some pieces free or cheaper")),
        ("points_multiplier", _("more points")),
        ("points", _("bonus points")),
        ("gift", _("a gift")),
        ("voucher", _("a voucher for next time")),
    ]


def stages() -> Pairs:
    """Return the turns."""
    return [
        ("article", _("with the offers on articles")),
        ("basket", _("with the offers on the whole basket")),
        ("points", _("with the offers of points")),
        ("voucher", _("with the vouchers")),
    ]


def weekdays(spoken: str) -> list[tuple[int, str]]:
    """Return the days of the week, Monday first."""
    say = Teller(spoken, Names())
    return [(day, day_name(say, day)) for day in range(1, 8)]


def _counted(say: Teller, codes: Iterable[str], counts: Mapping[str, int | None]) -> Pairs:
    """Return phases or classes in words, with how many members are in each tonight."""
    return [
        (
            code,
            f"{class_words(say, code)} ({number_text(count)})"
            if (count := counts.get(code))
            else class_words(say, code),
        )
        for code in codes
    ]


def audience_choices(known: Choices, form: Fields) -> list[tuple[str, str, Pairs]]:
    """Return what an audience can be narrowed to; what an offer names already stands there too."""
    say = Teller(language(), Names())
    lists: list[tuple[str, str, Pairs]] = [
        ("tiers", _("Tiers"), list(known.tiers)),
        ("groups", _("Shopper groups"), list(known.groups)),
        ("phases", _("Phase of membership"), _counted(say, PHASES, known.phases)),
        ("values", _("Value class"), _counted(say, VALUE_CLASSES, known.values)),
    ]
    return [
        (
            key,
            title,
            [
                *pairs,
                *(
                    (code, code)
                    for code in form.many(f"audience.{key}")
                    if code not in {one for one, _said in pairs}
                ),
            ],
        )
        for key, title, pairs in lists
    ]
