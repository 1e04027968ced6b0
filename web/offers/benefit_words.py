"""What an offer gives, in words: "a discount of 10% on these goods", "the cheapest piece free", "a mug as a gift"."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from web.offers.condition_words import CLAIMS_NOTHING, goods, is_everything, on_goods
from web.offers.names import Json, Teller


def benefit_words(say: Teller, benefit: Json, condition: Json) -> str:
    """Return what is given, after "gets"; what it is given on depends on the condition when nothing is selected."""
    return _TOLD[benefit["kind"]](say, benefit, condition)


def _percent(say: Teller, benefit: Json, condition: Json) -> str:
    words = say.gettext(
        "a discount of %(off)s %(target)s",
        off=say.percent(str(benefit["off"])),
        target=_target(say, benefit, condition),
    )
    most = benefit.get("max_amount")
    return words if most is None else f"{words}, " + say.gettext("at most %(amount)s", amount=say.money(most))


def _gift(say: Teller, benefit: Json, _condition: Json) -> str:
    quantity = int(benefit.get("quantity") or 1)
    reward = say.names.of("rewards", benefit["reward"])
    if quantity == 1:
        return say.gettext("%(reward)s as a gift", reward=reward)
    return say.gettext(
        "%(number)s \N{MULTIPLICATION SIGN} %(reward)s as a gift", number=say.number(quantity), reward=reward
    )


def _voucher(say: Teller, benefit: Json, _condition: Json) -> str:
    return say.gettext("a voucher %(batch)s for next time", batch=say.names.of("batches", benefit["batch"]))


def _points(say: Teller, benefit: Json, _condition: Json) -> str:
    return say.ngettext("%(num)s bonus point", "%(num)s bonus points", int(benefit["points"]))


def _amount(say: Teller, benefit: Json, condition: Json) -> str:
    off, target = say.money(benefit["off"]), _target(say, benefit, condition)
    if benefit.get("per", "application") == "unit":
        return say.gettext("a discount of %(off)s for each piece %(target)s", off=off, target=target)
    return say.gettext("a discount of %(off)s %(target)s", off=off, target=target)


def _price(say: Teller, benefit: Json, _condition: Json) -> str:
    price = say.money(benefit["price"])
    if is_everything(benefit.get("select")):
        if benefit.get("per", "application") == "unit":
            return say.gettext("each piece for %(price)s", price=price)
        return say.gettext("all of it together for %(price)s", price=price)
    chosen = goods(say, benefit["select"])
    if benefit.get("per", "application") == "unit":
        return say.gettext("each piece %(goods)s for %(price)s", goods=chosen, price=price)
    return say.gettext("what is bought %(goods)s together for %(price)s", goods=chosen, price=price)


def _nth(say: Teller, benefit: Json, _condition: Json) -> str:
    count, free = int(benefit.get("count") or 1), Decimal(str(benefit["off"])) == 100
    off = say.percent(str(benefit["off"]))
    if benefit["which"] == "cheapest":
        words = (
            say.ngettext("the cheapest piece free", "the %(num)s cheapest pieces free", count)
            if free
            else say.ngettext(
                "the cheapest piece %(off)s cheaper",
                "the %(num)s cheapest pieces %(off)s cheaper",
                count,
                off=off,
            )
        )
    else:
        words = (
            say.ngettext("the dearest piece free", "the %(num)s dearest pieces free", count)
            if free
            else say.ngettext(
                "the dearest piece %(off)s cheaper",
                "the %(num)s dearest pieces %(off)s cheaper",
                count,
                off=off,
            )
        )
    chosen = benefit.get("select")
    return words if is_everything(chosen) else f"{words} {goods(say, chosen)}"


def _multiplied(say: Teller, benefit: Json, condition: Json) -> str:
    times, target = Decimal(str(benefit["times"])), _target(say, benefit, condition)
    if times == 0:
        return say.gettext("no points %(target)s", target=target)
    return say.gettext(
        "%(times)s\N{MULTIPLICATION SIGN} points %(target)s",
        times=say.number(times.normalize()),
        target=target,
    )


def _target(say: Teller, benefit: Json, condition: Json) -> str:
    """Return what a benefit works on, after "10% off"."""
    if benefit.get("select") is not None:
        return on_goods(say, benefit["select"])
    if condition["kind"] in CLAIMS_NOTHING or _is_whole(condition):
        return say.gettext("on the whole purchase")
    return say.gettext("on these goods")


def _is_whole(condition: Json) -> bool:
    """Return whether a condition is about a basket's value without choosing among its goods."""
    return condition["kind"] == "value" and is_everything(condition.get("select"))


_TOLD: Final[dict[str, Callable[[Teller, Json, Json], str]]] = {
    "percent": _percent,
    "amount": _amount,
    "fixed_price": _price,
    "nth": _nth,
    "points_multiplier": _multiplied,
    "points": _points,
    "gift": _gift,
    "voucher": _voucher,
}
