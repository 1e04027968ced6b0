"""Why a member is in a group, in sentences, in the reader's language."""

from basket_analysis.groups.naming import tidy
from basket_analysis.groups.reasons import Fit, ItemEvidence, RuleEvidence, Why
from basket_analysis.groups.scoring import MOVES_BY
from core.i18n import show_number, translations

NAMED_ITEMS = 4
CLEARLY = 1.25
"""Where a theme's goods are held less than so many times as often as by chance, single items are said first."""


def sentences(why: Why, language: str) -> tuple[str, ...]:
    """Return the answer in `language`: first the sentence that settles it, then what speaks for it."""
    return tuple(_Speaker(language).say(why))


class _Speaker:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = translations(language)

    def say(self, why: Why) -> list[str]:
        """Return the sentences that answer."""
        if why.kind == "theme" and why.fit is not None:
            return [*self._evidence(why, why.fit), *self._strength(why, why.fit)]
        if why.kind == "none" and why.fit is not None:
            return [self._no_theme(why, why.fit), *self._evidence(why, why.fit)]
        return [self._too_little(why) if why.kind == "new" else self._left_out(why)]

    def _left_out(self, why: Why) -> str:
        gettext = self._words.gettext
        left_out = {
            "objects": gettext(
                "Objects to profiling: left out of groups and of everything learnt from baskets; points are earned as ever."
            ),
            "company": gettext("A company: groups are made of consumers' baskets only."),
            "unknown_to_run": gettext(
                "Not seen by the last night: enrolled since, or no night has formed groups yet."
            ),
        }
        return left_out.get(why.kind) or gettext("There are no themes yet that a member could follow.")

    def _too_little(self, why: Why) -> str:
        words = self._words.ngettext(
            "Too little data yet: %(num)s basket in the last 52 weeks, and %(needed)s are needed.",
            "Too little data yet: %(num)s baskets in the last 52 weeks, and %(needed)s are needed.",
            why.baskets,
        )
        return words % {"num": self._number(why.baskets), "needed": self._number(why.min_baskets)}

    def _no_theme(self, why: Why, fit: Fit) -> str:
        if fit.group is None:
            return self._words.gettext(
                "The theme that fits best is followed by too few members to be shown as a group."
            )
        words = self._words.gettext(
            "No theme fits clearly: %(group)s comes nearest with a strength of %(strength)s, and %(needed)s is needed."
        )
        return words % {
            "group": fit.group.name_in(self._language),
            "strength": self._number(fit.strength, 1),
            "needed": self._number(why.needed, 1),
        }

    def _evidence(self, why: Why, fit: Fit) -> list[str]:
        """Return the counts, the clearer ones first: a broad theme's own may be no more than chance."""
        told = []
        if fit.group is not None and why.by_chance:
            told.append(self._counts(why, fit))
        if why.items:
            spoken = self._listed([self._item(item) for item in why.items])
            told.append(self._words.gettext("What says most for it: %(items)s.") % {"items": spoken})
        if why.holding < CLEARLY * why.by_chance:
            told.reverse()
        if why.rules:
            spoken = self._listed([self._rule(rule) for rule in why.rules])
            told.append(
                self._words.gettext("Bought together, as the theme has it: %(rules)s.") % {"rules": spoken}
            )
        return told

    def _counts(self, why: Why, fit: Fit) -> str:
        assert fit.group is not None
        words = self._words.gettext(
            "%(holding)s of %(baskets)s baskets hold something of %(group)s (%(items)s); by chance %(chance)s would."
        )
        items = ", ".join(tidy(item) or item for item in fit.group.items[:NAMED_ITEMS])
        return words % {
            "holding": self._number(why.holding),
            "baskets": self._number(why.baskets),
            "group": fit.group.name_in(self._language),
            "items": items + (" …" if len(fit.group.items) > NAMED_ITEMS else ""),
            "chance": self._number(round(why.by_chance), 0),
        }

    def _item(self, item: ItemEvidence) -> str:
        words = self._words.ngettext(
            "%(item)s in %(num)s basket (by chance %(chance)s)",
            "%(item)s in %(num)s baskets (by chance %(chance)s)",
            item.baskets,
        )
        return words % {
            "item": tidy(item.item) or item.item,
            "num": self._number(item.baskets),
            "chance": self._number(item.by_chance, 0 if item.by_chance >= 10 else 1),
        }

    def _rule(self, rule: RuleEvidence) -> str:
        words = self._words.ngettext(
            "%(first)s with %(second)s in %(num)s basket (in the chain %(lift)s times more often than by chance)",
            "%(first)s with %(second)s in %(num)s baskets (in the chain %(lift)s times more often than by chance)",
            rule.baskets,
        )
        return words % {
            "first": " + ".join(tidy(item) or item for item in rule.antecedent),
            "second": " + ".join(tidy(item) or item for item in rule.consequent),
            "num": self._number(rule.baskets),
            "lift": self._number(rule.adjusted_lift, 1),
        }

    def _strength(self, why: Why, fit: Fit) -> list[str]:
        strength, needed = self._number(fit.strength, 1), self._number(why.needed, 1)
        if fit.strength >= why.needed:
            told = [
                self._words.gettext("Strength %(strength)s; a group is joined from %(needed)s on.")
                % {"strength": strength, "needed": needed}
            ]
        else:
            told = [
                self._words.gettext(
                    "Strength %(strength)s, less than the %(needed)s from which a group is joined: the member was in it "
                    "before, and stays until that wears off clearly."
                )
                % {"strength": strength, "needed": needed}
            ]
        second = why.second
        if second is not None and second.group is not None:
            words = (
                self._words.gettext(
                    "%(group)s, with %(strength)s, would have to lead by %(lead)s for the member to move."
                )
                if second.strength > fit.strength
                else self._words.gettext("Second comes %(group)s with %(strength)s.")
            )
            told.append(
                words
                % {
                    "group": second.group.name_in(self._language),
                    "strength": self._number(second.strength, 1),
                    "lead": self._number(MOVES_BY, 1),
                }
            )
        return told

    def _listed(self, parts: list[str]) -> str:
        return "; ".join(parts)

    def _number(self, value: float, digits: int = 0) -> str:
        return show_number(value, self._language, digits=digits)
