"""What offers are about: whether two of them, or one and a basket, have an article in common. Pure."""

from collections.abc import Iterable

from rewards.condition_documents import read_select
from rewards.selections import KEYS, Article, Matcher, indexed, values_of
from web.offers.condition_words import is_everything
from web.offers.names import Json


def goods_of(offer: Json) -> list[Json]:
    """Return the goods that an offer looks for or gives something on; everything where it names none."""
    found: list[Json] = []
    waiting: list[Json] = [offer["condition"]]
    while waiting:
        part = waiting.pop()
        match part["kind"]:
            case "items" | "value":
                found.append(part.get("select") or {})
            case "each":
                found += [one.get("select") or {} for one in part["of"]]
            case "all" | "any":
                waiting += part["of"]
    if offer["benefit"].get("select") is not None:
        found.append(offer["benefit"]["select"])
    return found or [{}]


class Goods:
    """Some articles, or all there are (None), held so that most offers are seen to be about others at a glance."""

    def __init__(self, articles: Iterable[Article] | None) -> None:
        """Hold `articles`."""
        self._articles = None if articles is None else [values_of(one) for one in articles]
        self._values = [{one[place] for one in self._articles or ()} for place in range(len(KEYS))]

    def meet(self, offer: Json) -> bool:
        """Return whether an offer is about one of them."""
        about = goods_of(offer)
        if self._articles is None or any(is_everything(chosen) for chosen in about):
            return True
        return any(self._holds(chosen) for chosen in about)

    def _holds(self, chosen: Json) -> bool:
        for key, values in zip(KEYS, self._values, strict=True):
            wanted = chosen.get(key)
            if wanted and values.isdisjoint(indexed(key, one) for one in wanted):
                return False
        matcher = Matcher(read_select(dict(chosen), ""))
        return any(matcher.matches(article) for article in self._articles or ())
