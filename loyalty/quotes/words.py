"""What a till shows beside a quote, in the member's language."""

from collections.abc import Iterator, Sequence

from core.i18n import show_number, translations
from customers.queries import CardHolder
from loyalty.programme.rules import Programme
from rewards.queries import RewardView
from sales.baskets import Basket


def messages_of(
    basket: Basket,
    *,
    holder: CardHolder | None,
    currency: str,
    programme: Programme,
    spendable: int,
    spends: int,
    rewards: Sequence[RewardView],
    points_after: int,
    language: str,
) -> list[str]:
    """
    Return why a basket earns or spends less than one might expect, and what is missing for the next reward.

    `currency` is the store's; `programme` the rules of the day, and `spendable` what they let be spent on this purchase at
    most; `rewards` are those to be had there, the cheapest first, and `points_after` is what the account would hold
    with this purchase.
    """
    return [
        *_about_card(basket, holder, language),
        *_about_points(basket, holder, currency, programme, spendable, spends, language),
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


def _about_points(  # noqa: PLR0917 - all that points depend on
    basket: Basket,
    holder: CardHolder | None,
    currency: str,
    programme: Programme,
    spendable: int,
    spends: int,
    language: str,
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
    # To who could spend as many otherwise.
    if basket.points_to_spend > spendable:
        return
    if basket.points_to_spend < programme.minimum:
        many = words.ngettext(
            "At least %(num)s point is spent at a time.",
            "At least %(num)s points are spent at a time.",
            programme.minimum,
        )
        yield many % {"num": show_number(programme.minimum, language)}
    elif basket.points_to_spend % programme.step:
        yield words.gettext("Points are spent in steps of %(num)s.") % {
            "num": show_number(programme.step, language)
        }


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
