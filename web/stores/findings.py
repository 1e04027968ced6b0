"""What a store's figures say: charts with their finding in the title, and what changed, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from babel.numbers import get_currency_precision
from flask import url_for

from basket_analysis.assortment.store_lists import ArticleView, CategoryHere, StoreGroup, StoreRule, StoreView
from basket_analysis.assortment.suggestion_changes import SuggestionChanges
from sales.figures import WeekOfSales
from web.charts import Axis, Chart, Series, diverging_options, paired_options
from web.groups.shown import GroupsShown, colour_of, name_of
from web.stores import suggestion_words
from web.words import date_text, money_estimate, money_whole, ngettext, number_text, percent_text, readable
from web.words import gettext as _

SURE = 0.1
"""False-discovery rate up to which a difference is said as a finding."""
CLEAR = 1.96
"""From so many standard errors on a group's share is said to differ."""
USUAL_WEEKS = 4
STILL = 0.02
_DRAWN = 6
_MOVED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: its icon, what it says, and where it leads."""

    icon: str
    words: str
    href: str | None = None


def sales_change(weeks: Sequence[WeekOfSales], currency: str) -> Change | None:
    """Return the last full week's sales with card against the four weeks before; None of fewer than five weeks."""
    if len(weeks) <= USUAL_WEEKS:
        return None
    last, before = weeks[-1], weeks[-1 - USUAL_WEEKS : -1]
    usual = sum(week.amount_with_card for week in before) / USUAL_WEEKS
    if usual <= 0:
        return None
    change = last.amount_with_card / usual - 1
    values = {"amount": money_whole(last.amount_with_card, currency), "share": percent_text(abs(change))}
    if abs(change) < STILL:
        return Change(
            "arrow-right", _("Last week cards brought %(amount)s, as in the four weeks before", **values)
        )
    if change > 0:
        return Change(
            "arrow-up-right",
            _("Last week cards brought %(amount)s, %(share)s more than in the four weeks before", **values),
        )
    return Change(
        "arrow-down-right",
        _("Last week cards brought %(amount)s, %(share)s less than in the four weeks before", **values),
    )


def suggestion_changes(since: SuggestionChanges, store_code: str) -> Iterator[Change]:
    """Yield what came, went and changed its worth among the suggestions since the run before."""
    if since.previous_day is None:
        return
    href = url_for("assortment.index", store=store_code)
    day = date_text(since.previous_day)
    new = [row for row in since.new if row.decision is None]
    if new:
        best = max(new, key=lambda row: row.value_per_week)
        yield Change(
            "circle-plus",
            ngettext(
                "%(num)s new suggestion since the night of %(day)s: %(best)s",
                "%(num)s new suggestions since the night of %(day)s, the largest: %(best)s",
                len(new),
                day=day,
                best=suggestion_words.title(best),
            ),
            url_for("assortment.show", suggestion_id=best.suggestion_id) if len(new) == 1 else href,
        )
    for one in sorted(since.moved, key=lambda one: -abs(one.view.value_per_week - one.before))[:_MOVED]:
        yield Change(
            "arrow-right",
            _(
                "%(title)s: now worth %(now)s a week, before %(before)s",
                title=suggestion_words.title(one.view),
                now=money_estimate(one.view.value_per_week, one.view.currency),
                before=money_estimate(one.before, one.view.currency),
            ),
            url_for("assortment.show", suggestion_id=one.view.suggestion_id),
        )
    if since.gone:
        yield Change(
            "circle-minus",
            ngettext(
                "%(num)s suggestion is not made any more: %(article)s",
                "%(num)s suggestions are not made any more, among them %(article)s",
                len(since.gone),
                article=since.gone[0].article,
            ),
        )


def moved_categories(store: StoreView, store_code: str) -> Iterator[Change]:
    """Yield the categories that moved otherwise here than in the other stores, the surest first."""
    moved = [one for one in store.categories if one.moved_q is not None and one.moved_q <= SURE]
    for one in sorted(moved, key=lambda one: one.moved_q or 0)[:_DRAWN]:
        assert one.lately is not None
        assert one.before is not None
        up = one.lately * one.before_elsewhere > one.before * one.lately_elsewhere
        yield Change(
            "arrow-up-right" if up else "arrow-down-right",
            _(
                "%(category)s: %(lately)s households in four weeks, %(before)s in the four before; the other stores did not move like that",
                category=readable(one.category),
                lately=number_text(one.lately),
                before=number_text(one.before),
            ),
            url_for("store_page.category", store_code=store_code, category=one.category),
        )


def groups_finding(store: StoreView, groups: GroupsShown) -> str:
    """Return in one sentence how the store's groups differ from the chain's."""
    sure = [one for one in known_groups(store, groups) if abs(one.z) >= CLEAR]
    if not sure:
        return _("No group is clearly more at home here than in the other stores")
    one = max(sure, key=lambda one: abs(one.z))
    return _(
        "%(group)s: %(here)s of the baskets here, %(elsewhere)s in the other stores",
        group=groups.words(one.group_id) or "",
        here=percent_text(one.share),
        elsewhere=percent_text(one.elsewhere),
    )


def known_groups(store: StoreView, groups: GroupsShown) -> list[StoreGroup]:
    """Return the store's groups that are served now, themes first."""
    found = [(one, groups.find(one.group_id)) for one in store.groups]
    shown = [(one, group) for one, group in found if group is not None]
    shown.sort(key=lambda pair: (pair[1].kind != "theme", -pair[0].share))
    return [one for one, _group in shown]


def groups_chart(store: StoreView, groups: GroupsShown, currency: str) -> Chart | None:
    """Return the groups' shares of baskets here and elsewhere; None where no group is large enough."""
    rows = known_groups(store, groups)
    if not rows:
        return None
    views = [group for one in rows if (group := groups.find(one.group_id)) is not None]
    return Chart(
        key="store-groups",
        title=groups_finding(store, groups),
        note=_("Share of the baskets of known households; the thin bar is the other stores"),
        options=paired_options(
            [name_of(group) for group in views],
            Series(_("Here"), [one.share for one in rows]),
            Series(_("Other stores"), [one.elsewhere for one in rows], "rest"),
            [colour_of(group) for group in views],
            Axis("percent"),
        ),
        head=(
            _("Group"),
            _("Here"),
            _("Likely between"),
            _("Other stores"),
            _("Households"),
            _("Revenue per week"),
        ),
        rows=tuple(
            (
                name_of(group),
                percent_text(one.share, 1),
                f"{percent_text(one.low)}\N{EN DASH}{percent_text(one.high)}",
                percent_text(one.elsewhere, 1),
                number_text(one.households),
                money_whole(one.revenue, currency),
            )
            for one, group in zip(rows, views, strict=True)
        ),
        height="tall" if len(rows) > 6 else "normal",
        links=tuple(url_for("groups.show", group_id=one.group_id) for one in rows),
    )


def categories_finding(store: StoreView, currency: str) -> str:
    """Return in one sentence which category differs most from what the other stores' baskets let expect."""
    sure = [one for one in store.categories if one.q <= SURE]
    if not sure:
        return _("No category sells clearly more or less here than in the other stores")
    one = max(sure, key=lambda one: abs(one.gap))
    values = {"category": readable(one.category), "amount": money_estimate(abs(one.gap), currency)}
    if one.gap < 0:
        return _("%(category)s: %(amount)s a week less here than in stores with as many baskets", **values)
    return _("%(category)s: %(amount)s a week more here than in stores with as many baskets", **values)


def drawn_categories(store: StoreView) -> list[CategoryHere]:
    """Return the categories with the largest gaps on either side, sure ones first, from below to above."""
    below = sorted((one for one in store.categories if one.gap < 0), key=lambda one: (one.q > SURE, one.gap))
    above = sorted((one for one in store.categories if one.gap > 0), key=lambda one: (one.q > SURE, -one.gap))
    return sorted([*below[:_DRAWN], *above[:_DRAWN]], key=lambda one: one.gap)


def categories_chart(store: StoreView, store_code: str, currency: str) -> Chart | None:
    """Return the largest gaps between the store's categories and the other stores'."""
    rows = drawn_categories(store)
    if not rows:
        return None
    return Chart(
        key="store-categories-gap",
        title=categories_finding(store, currency),
        note=_("Revenue per week above or below the other stores, at their revenue per basket"),
        options=diverging_options(
            [readable(one.category) for one in rows],
            [one.gap for one in rows],
            Axis("money", currency, 10 ** get_currency_precision(currency)),
        ),
        head=(_("Category"), _("Gap per week"), _("Likely between"), _("Sells per week"), _("Households")),
        rows=tuple(
            (
                readable(one.category),
                money_estimate(one.gap, currency),
                gap_between(one, currency),
                money_estimate(one.revenue, currency),
                number_text(one.households),
            )
            for one in rows
        ),
        height="tall",
        links=tuple(
            url_for("store_page.category", store_code=store_code, category=one.category) for one in rows
        ),
    )


def gap_between(one: CategoryHere, currency: str) -> str:
    """Return the interval of a gap."""
    return _(
        "%(low)s to %(high)s", low=money_estimate(one.low, currency), high=money_estimate(one.high, currency)
    )


def category_sentence(one: CategoryHere, currency: str) -> str:
    """Return how a category stands against the other stores, and how sure that is."""
    values = {"amount": money_estimate(abs(one.gap), currency), "between": gap_between(one, currency)}
    if one.gap < 0:
        text = _(
            "Sells %(amount)s a week less than the other stores' baskets let expect (%(between)s)", **values
        )
    else:
        text = _(
            "Sells %(amount)s a week more than the other stores' baskets let expect (%(between)s)", **values
        )
    doubt = _("That may be chance.")
    return text if one.q <= SURE else f"{text}. {doubt}"


def rule_sentence(rule: StoreRule) -> str:
    """Return a deviating rule in words, with its evidence."""
    return _(
        "%(second)s is in %(share)s of the baskets with %(first)s here; in other stores it would be in %(expected)s (%(baskets)s of %(of)s baskets, %(households)s)",
        first=readable(rule.antecedent),
        second=readable(rule.consequent),
        share=percent_text(rule.baskets / max(rule.of_baskets, 1)),
        expected=percent_text(rule.expected / max(rule.of_baskets, 1)),
        baskets=number_text(rule.baskets),
        of=number_text(rule.of_baskets),
        households=ngettext("%(num)s household", "%(num)s households", rule.households),
    )


def no_rules_sentence(store: StoreView) -> str:
    """Return what it means that no rule deviates."""
    if not store.rules_tested:
        return _("There are too few baskets yet to hold this store's combinations against the chain's.")
    return ngettext(
        "%(num)s combination was held against the other stores; it differs no more than chance would let it.",
        "%(num)s combinations were held against the other stores; none differs more than chance would let it.",
        store.rules_tested,
    )


def _told_apart(rows: Sequence[ArticleView]) -> list[str]:
    """Return the names of articles; those that share a name also bear their codes."""
    count = Counter(one.name for one in rows)
    return [one.name if count[one.name] == 1 else f"{one.name} ({one.sku})" for one in rows]


def articles_chart(articles: Sequence[ArticleView], store: StoreView) -> Chart | None:
    """Return which share of a store's households buys a category's articles, here and where they are sold."""
    rows = [one for one in articles if one.here is not None][: 2 * _DRAWN]
    if not rows or not store.households:
        return None
    here = [one.here.households / store.households for one in rows if one.here]
    chain = [one.penetration for one in rows]
    names = _told_apart(rows)
    most = max(range(len(rows)), key=lambda at: abs(here[at] - chain[at]))
    return Chart(
        key="category-articles",
        title=_(
            "%(article)s: %(here)s of the households here buy it, %(chain)s in a store that sells it",
            article=names[most],
            here=percent_text(here[most]),
            chain=percent_text(chain[most]),
        ),
        note=_(
            "Share of a store's known households that bought it within a year; the thin bar is the mean of the stores that sell it"
        ),
        options=paired_options(
            names,
            Series(_("Here"), here),
            Series(_("Where sold"), chain, "rest"),
            ["0"] * len(rows),
            Axis("percent"),
        ),
        head=(_("Article"), _("Here"), _("Where sold"), _("Households")),
        rows=tuple(
            (
                name,
                percent_text(one, 1),
                percent_text(other, 1),
                number_text(row.here.households if row.here else None),
            )
            for name, one, other, row in zip(names, here, chain, rows, strict=True)
        ),
        height="tall" if len(rows) > 6 else "normal",
    )
