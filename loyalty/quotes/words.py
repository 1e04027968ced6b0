"""What a till shows beside a quote, in the member's language."""

from collections.abc import Iterator, Sequence

from core.i18n import show_number, translations
from customers.queries import CardHolder
from rewards.queries import RewardView
from sales.baskets import Basket


def messages_of(
    basket: Basket,
    *,
    holder: CardHolder | None,
    currency: str,
    spends: int,
    rewards: Sequence[RewardView],
    points_after: int,
    language: str,
) -> list[str]:
    """
    Return why a basket earns or spends less than one might expect, and what is missing for the next reward.

    `currency` is the store's; `rewards` are those to be had there, the cheapest first, and
    `points_after` is what the account would hold with this purchase.
    """
    return [
        *_about_card(basket, holder, language),
        *_about_points(basket, holder, currency, spends, language),
        *(_about_rewards(rewards, points_after, language) if holder and holder.member_id else ()),
    ]


def _about_card(basket: Basket, holder: CardHolder | None, language: str) -> Iterator[str]:
    gettext = translations(language).gettext
    if basket.card_number is None:
        return
    if holder is None:
        yield gettext("This card is not known, so the purchase earns no points.")
    elif holder.successor_state == "blocked":
        yield gettext("This card is blocked, so the purchase earns no points.")
    elif holder.successor_state == "expired":
        yield gettext("This card is out of date, so the purchase earns no points.")


def _about_points(
    basket: Basket, holder: CardHolder | None, currency: str, spends: int, language: str
) -> Iterator[str]:
    words = translations(language)
    if basket.currency != currency:
        yield words.gettext("Points are earned and spent in %(currency)s only.") % {"currency": currency}
        return
    if spends >= basket.points_to_spend:
        return
    if holder is not None and holder.member_id is None and not spends:
        yield words.gettext("Points can be spent once the card is registered.")
    elif holder is not None and holder.state == "replaced":
        yield words.gettext("Points can be spent with the new card only.")
    elif not spends:
        yield words.gettext("No points can be spent on this purchase.")
    else:
        many = words.ngettext(
            "Only %(num)s point can be spent on this purchase.",
            "Only %(num)s points can be spent on this purchase.",
            spends,
        )
        yield many % {"num": show_number(spends, language)}


def _about_rewards(rewards: Sequence[RewardView], points_after: int, language: str) -> Iterator[str]:
    """Yield how far the next reward is, if there is one that the purchase does not bring within reach."""
    ahead = next((reward for reward in rewards if reward.points > points_after), None)
    if ahead is None:
        return
    missing = ahead.points - points_after
    words = translations(language).ngettext(
        "%(num)s more point for %(reward)s", "%(num)s more points for %(reward)s", missing
    )
    yield words % {"num": show_number(missing, language), "reward": ahead.name(language)}
