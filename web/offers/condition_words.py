"""When an offer applies, in words: "buys at least 3 pieces from the category Chocolate"."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from web.offers.names import Json, Teller

SELECT_KEYS: Final = ("categories", "types", "departments", "brands", "skus", "gtins")
CLAIMS_NOTHING: Final = frozenset({"always", "voucher", "not"})
"""Conditions after which a benefit works on the whole basket."""


def is_everything(select: Json | None) -> bool:
    """Return whether a selection leaves nothing out."""
    return not select or not any(select.get(key) for key in (*SELECT_KEYS, "except"))


def goods(say: Teller, select: Json | None) -> str:
    """Return which goods are meant, to be put after "3 pieces" or "something": "from the category Tea"."""
    if is_everything(select):
        return say.gettext("of anything")
    assert select is not None
    return _without(say, _kinds(say, select), select)


def on_goods(say: Teller, select: Json | None) -> str:
    """Return which goods something is given on: "on goods from the category Tea"."""
    if is_everything(select):
        return say.gettext("on everything else")
    assert select is not None
    if _is_articles(select):
        return say.gettext("on %(goods)s", goods=say.codes("skus", select["skus"]))
    words = say.gettext("on goods %(goods)s", goods=_kinds(say, select))
    return _without(say, words, select)


def condition_words(say: Teller, condition: Json) -> str:
    """Return when an offer applies, as what the shopper does: "buys ..., and ..."."""
    match condition["kind"]:
        case "always":
            return say.gettext("buys anything")
        case "items":
            return _items(say, condition)
        case "each":
            parts = [_part(say, part) for part in condition["of"]]
            return say.gettext("buys together %(parts)s", parts=say.both(parts))
        case "value":
            return _value(say, condition)
        case "voucher":
            return say.gettext(
                "presents a voucher %(batch)s", batch=say.names.of("batches", condition["batch"])
            )
        case _:
            return _several(say, condition)


def _several(say: Teller, condition: Json) -> str:
    parts = [_inner(say, part) for part in condition["of"]]
    if condition["kind"] == "all":
        return say.both(parts)
    if condition["kind"] == "any":
        return say.either(parts)
    return say.gettext("does none of this: %(parts)s", parts="; ".join(parts))


def _inner(say: Teller, condition: Json) -> str:
    """Return a part of a condition, in brackets when it has parts itself."""
    words = condition_words(say, condition)
    several = condition["kind"] in {"all", "any", "not"} and len(condition["of"]) > 1
    return f"({words})" if several else words


def _items(say: Teller, condition: Json) -> str:
    select, quantity = condition.get("select"), Decimal(str(condition.get("quantity", "1")))
    if quantity == 1:
        if is_everything(select):
            return say.gettext("buys anything")
        if select and _is_articles(select):
            return say.gettext("buys %(goods)s", goods=say.codes("skus", select["skus"]))
        return say.gettext("buys something %(goods)s", goods=goods(say, select))
    return say.gettext(
        "buys at least %(quantity)s %(goods)s", quantity=measure(say, quantity), goods=goods(say, select)
    )


def _part(say: Teller, part: Json) -> str:
    quantity = Decimal(str(part.get("quantity", "1")))
    return f"{measure(say, quantity)} {goods(say, part.get('select'))}"


def _value(say: Teller, condition: Json) -> str:
    amount, select = say.money(condition["amount"]), condition.get("select")
    if condition.get("measure") == "net":
        if is_everything(select):
            return say.gettext("buys for at least %(amount)s after discounts", amount=amount)
        return say.gettext(
            "buys for at least %(amount)s after discounts %(goods)s", amount=amount, goods=goods(say, select)
        )
    if is_everything(select):
        return say.gettext("buys for at least %(amount)s", amount=amount)
    return say.gettext("buys for at least %(amount)s %(goods)s", amount=amount, goods=goods(say, select))


def measure(say: Teller, quantity: Decimal) -> str:
    """Return a quantity: whole ones are pieces (a weighed article counts its kilograms), others kilograms."""
    if quantity == quantity.to_integral_value():
        return say.ngettext("%(num)s piece", "%(num)s pieces", int(quantity))
    return say.gettext("%(weight)s kg", weight=say.number(quantity))


def _is_articles(select: Json) -> bool:
    return bool(select.get("skus")) and not any(
        select.get(key) for key in (*SELECT_KEYS, "except") if key != "skus"
    )


def _kinds(say: Teller, select: Json) -> str:
    """Return all that a line has to be; one value of every kind that is named."""
    found = [_kind(say, key, select) for key in SELECT_KEYS if select.get(key)]
    return say.gettext(" and at once ").join(found) if found else say.gettext("of anything")


def _kind(say: Teller, key: str, select: Json) -> str:
    codes = list(select[key])
    names = say.codes(key, codes)
    number = len(codes)
    words: Mapping[str, str] = {
        "categories": say.ngettext(
            "from the category %(names)s", "from the categories %(names)s", number, names=names
        ),
        "types": say.ngettext("of the kind %(names)s", "of the kinds %(names)s", number, names=names),
        "departments": say.ngettext(
            "from the department %(names)s", "from the departments %(names)s", number, names=names
        ),
        "brands": say.ngettext("of the brand %(names)s", "of the brands %(names)s", number, names=names),
        "skus": say.ngettext("of the article %(names)s", "of the articles %(names)s", number, names=names),
        "gtins": say.ngettext("with the code %(names)s", "with the codes %(names)s", number, names=names),
    }
    return words[key]


def _without(say: Teller, words: str, select: Json) -> str:
    left_out = select.get("except")
    if is_everything(left_out):
        return words
    return f"{words} " + say.gettext("(but nothing %(goods)s)", goods=goods(say, left_out))
