"""
Orders of copies: everything that a copy is made of, read for many members at once.

What stores have and what an edition shows in one of them is read once and kept while a run lasts:
neighbours share it. What is the member's own is read with every round, and so is what they refuse.
"""

from base64 import b32encode
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from basket_analysis.offers.lists import MemberOffers, offers_of_members
from catalogs.ignored import ignored_articles
from catalogs.issues import Issue, Offer, Pick, Reader
from catalogs.layouts import load_theme
from catalogs.operations import ArchivedCopy, OpenEdition
from catalogs.personal_vouchers import sample_vouchers, vouchers_of_copies
from catalogs.planning import kinds_of, make_issue
from catalogs.queries import Shop, categories_of, read_brought_back, read_histories, shops, tier_names
from catalogs.ranked_picks import is_short, ranked_picks
from catalogs.render import CopyOrder, MadeCopy
from catalogs.runs.recipients import NOTHING, REFUSES, Recipient
from catalogs.selection import NEWS, PICKS, Bought, choose_news, choose_picks
from catalogs.shelves import for_group, read_shelves
from contacts.queries import refusals_of
from contacts.reactions import Refusals
from loyalty.statements import balances

Period = tuple[date, date]

STORES_KEPT: Final = 16
"""Of so many stores is kept what they have, or as many as a round has: it bounds memory, and runs go store by store."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order with what the archive is to know of it."""

    order: CopyOrder
    recipient: Recipient
    edition: OpenEdition
    file: str
    currency: str

    def archived(self, made: MadeCopy) -> ArchivedCopy:
        """Return the archive's row for the finished copy."""
        return ArchivedCopy(
            copy_code=made.copy_code,
            edition_id=self.edition.edition_id,
            member_id=self.recipient.member_id,
            store_id=self.recipient.store_id,
            language=self.order.reader.language,
            path=self.file,
            sha256=made.sha256,
            size=made.size,
            pages=made.pages,
            picks=list(self.items(made)),
            channel=self.recipient.channel,
        )

    def items(self, made: MadeCopy) -> Iterator[dict[str, Any]]:
        """Yield what stands on which page at which place, and why, at which price; with what a reason points to."""
        offers = {offer.article_id: Pick(offer, "group") for offer in self.order.issue.offers}
        own = {pick.offer.article_id: pick for pick in (*self.order.picks, *self.order.news)}
        personal = max((page for page, article_id in made.items if article_id in own), default=0)
        places: Counter[int] = Counter()
        for page, article_id in made.items:
            places[page] += 1
            known = own if page == personal and article_id in own else offers
            pick = known.get(article_id) or own[article_id]
            price = pick.offer.price
            yield {
                "page": page,
                "place": places[page],
                "article_id": article_id,
                "why": pick.why,
                "price": price.minor if price else None,
                "currency": price.currency if price else None,
                "listed": pick.offer.listed,
                **pick.points_to,
            }


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of a round by copy code, and why some of its members get no copy."""

    made: Mapping[str, Ordered]
    left_out: Mapping[UUID, str]


class OrderDesk:
    """
    Writes orders of copies of `editions`; what stores have is read once for the day and kept.

    Vouchers of the copies are issued with them; `samples` prints some that are worth nothing instead.
    """

    def __init__(
        self,
        editions: Sequence[OpenEdition],
        *,
        data: Path,
        day: date,
        now: datetime,
        samples: bool = False,
    ) -> None:
        self.editions = {edition.edition_id: edition for edition in editions}
        self.data = data
        self.day = day
        self.now = now
        self.samples = samples
        self._shops: dict[int, Shop] = {}
        self._shelves: OrderedDict[int, dict[Period, Mapping[int, Offer]]] = OrderedDict()
        self._priced: dict[tuple[UUID, int], Mapping[int, Offer]] = {}
        self._issues: dict[tuple[UUID, int], Issue] = {}
        self._kinds: dict[int, str] | None = None

    def write(
        self, session: Session, readers: Sequence[Recipient], *, folder: str = "", version: int = 1
    ) -> Orders:
        """
        Return the orders for `readers`.

        Those are left out for whose shop there is nothing to show, who refuse every offer, and
        against whose copy something speaks by now.
        """
        left_out = {reader.member_id: reader.against for reader in readers if reader.against}
        asked = [reader for reader in readers if not reader.against]
        self._stock_up(session, {reader.store_id for reader in asked})
        known = _Known.read(
            session,
            asked,
            self._shelved(asked),
            groups={key: one.plan.ranking for key, one in self.editions.items()},
            day=self.day,
            now=self.now,
        )
        made: dict[str, Ordered] = {}
        for reader in sorted(
            asked, key=lambda one: (one.store_id, one.group_id, one.language, one.member_id)
        ):
            refused = known.refusals.get(reader.member_id, Refusals())
            if refused.everything:
                left_out[reader.member_id] = REFUSES
                continue
            ordered = self._ordered(reader, known, refused, folder=folder, version=version)
            if ordered.order.issue.offers or ordered.order.picks:
                made[ordered.order.copy_code] = ordered
            else:
                left_out[reader.member_id] = NOTHING
        return Orders(self._with_vouchers(session, made), left_out)

    def _shelved(self, readers: Sequence[Recipient]) -> dict[UUID, Mapping[int, Offer]]:
        """Return by member what their store has."""
        shelved = {}
        for reader in readers:
            edition = self.editions[reader.edition_id]
            shelved[reader.member_id] = self._shelves[reader.store_id][edition.valid_from, edition.valid_to]
        return shelved

    def _with_vouchers(self, session: Session, orders: Mapping[str, Ordered]) -> Mapping[str, Ordered]:
        """Return `orders` with the vouchers that are issued for them, or with samples."""
        readers = [ordered.recipient for ordered in orders.values()]
        currencies = {store_id: shop.currency for store_id, shop in self._shops.items()}
        if self.samples:
            found = sample_vouchers(session, readers, editions=self.editions, currencies=currencies)
        else:
            found = vouchers_of_copies(
                session, readers, editions=self.editions, currencies=currencies, now=self.now
            )
        if not found:
            return orders
        return {
            code: replace(
                ordered,
                order=replace(
                    ordered.order,
                    vouchers=tuple(
                        voucher.printed(ordered.recipient.language, ordered.edition.valid_from)
                        for voucher in found.get(ordered.recipient.member_id, ())
                    ),
                ),
            )
            for code, ordered in orders.items()
        }

    def shop(self, store_id: int) -> Shop:
        """Return a store that was read about."""
        return self._shops[store_id]

    def _stock_up(self, session: Session, store_ids: set[int]) -> None:
        """Read what stores have, at the prices of the editions' periods, unless it is known."""
        if self._kinds is None:
            wanted = {
                article
                for edition in self.editions.values()
                for page in edition.plan.pages
                for article in page.articles
            }
            self._kinds = kinds_of(categories_of(session, wanted))
        missing = store_ids - set(self._shelves)
        if missing:
            found = shops(session, missing)
            self._shops |= found
            self._shelves.update({store_id: {} for store_id in found})
            for first, following in {(one.valid_from, one.valid_to) for one in self.editions.values()}:
                shelves = read_shelves(
                    session, found.values(), day=self.day, valid_from=first, valid_to=following
                )
                for store_id, shelf in shelves.items():
                    self._shelves[store_id][first, following] = shelf
        for store_id in store_ids:
            self._shelves.move_to_end(store_id)
        while len(self._shelves) > max(STORES_KEPT, len(store_ids)):
            gone, _shelf = self._shelves.popitem(last=False)
            for kept in (self._priced, self._issues):
                for key in [key for key in kept if key[1] == gone]:
                    del kept[key]

    def _ordered(
        self, reader: Recipient, known: "_Known", refused: Refusals, *, folder: str, version: int
    ) -> Ordered:
        edition, shop = self.editions[reader.edition_id], self._shops[reader.store_id]
        shelf = self._shelf_of(edition, shop)
        issue = self._general(edition, shop, shelf)
        back = known.brought_back.get(reader.account_id, set())
        if back or refused != Refusals():
            shelf = {
                key: offer
                for key, offer in shelf.items()
                if key not in back and not refused.cover(key, offer.category, offer.name)
            }
            # Pages that show nothing refused stay the ones that all have.
            if any(offer.article_id not in shelf for offer in issue.offers):
                issue = self._issue(edition, shop, shelf)
        picks, news = _picks(reader, edition, shelf, known)
        code = copy_code(edition, reader.member_id)
        file = folder + file_of(edition, code, version=version)
        order = CopyOrder(
            copy_code=code,
            theme=edition.theme,
            issue=issue,
            reader=Reader(
                reader.name,
                reader.language,
                known.points.get(reader.account_id),
                reader.card_number,
                tier=known.tiers.get(reader.account_id, {}).get(reader.language),
                copy_code=code,
            ),
            picks=picks,
            news=news,
            path=self.data / file,
            size=edition.plan.size,
        )
        return Ordered(order, reader, edition, file, shop.currency)

    def _shelf_of(self, edition: OpenEdition, shop: Shop) -> Mapping[int, Offer]:
        """Return what a store has at the prices of an edition's group."""
        key = (edition.edition_id, shop.store_id)
        if key not in self._priced:
            shelf = self._shelves[shop.store_id][edition.valid_from, edition.valid_to]
            self._priced[key] = for_group(shelf, edition.plan.group_id)
        return self._priced[key]

    def _general(self, edition: OpenEdition, shop: Shop, shelf: Mapping[int, Offer]) -> Issue:
        """Return the issue that all members of a store get who refuse nothing of it."""
        key = (edition.edition_id, shop.store_id)
        if key not in self._issues:
            self._issues[key] = self._issue(edition, shop, shelf)
        return self._issues[key]

    def _issue(self, edition: OpenEdition, shop: Shop, shelf: Mapping[int, Offer]) -> Issue:
        return make_issue(
            edition.plan,
            theme=load_theme(edition.theme, edition.plan.size),
            shop_name=shop.name,
            shelf=shelf,
            valid_from=edition.valid_from,
            valid_to=edition.valid_to,
            kinds=self._kinds,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of readers, read for all of them at once."""

    histories: Mapping[UUID, list[Bought]]
    brought_back: Mapping[UUID, set[int]]
    refusals: Mapping[UUID, Refusals]
    points: Mapping[UUID, int]
    ranked: Mapping[UUID, MemberOffers]
    ignored: Mapping[UUID, Mapping[int, int]]
    tiers: Mapping[UUID, Mapping[str, str]]
    short: Collection[UUID]
    """Of whose lists the store has little: what their groups buy stands in for it."""

    @classmethod
    def read(
        cls,
        session: Session,
        readers: Sequence[Recipient],
        shelved: Mapping[UUID, Collection[int]],
        *,
        groups: Mapping[UUID, Sequence[int]],
        day: date,
        now: datetime,
    ) -> "_Known":
        """Read it; `shelved` says by member what could be shown at all, `groups` by edition what its group buys."""
        accounts = {reader.account_id for reader in readers}
        members = [reader.member_id for reader in readers]
        ranked = offers_of_members(session, members)
        short = {member for member, lists in ranked.items() if is_short(lists, shelved.get(member, ()))}
        return cls(
            short=short,
            histories=read_histories(
                session, accounts, day=day, only=_asked_about(readers, ranked, shelved, groups)
            ),
            brought_back=read_brought_back(session, accounts, day=day),
            refusals=refusals_of(
                session, {reader.member_id: reader.account_id for reader in readers}, now=now
            ),
            points=balances(session, accounts),
            ranked=ranked,
            ignored=ignored_articles(session, members, now=now),
            tiers=tier_names(session, accounts, day=day),
        )


def _asked_about(
    readers: Sequence[Recipient],
    ranked: Mapping[UUID, MemberOffers],
    shelved: Mapping[UUID, Collection[int]],
    groups: Mapping[UUID, Sequence[int]],
) -> dict[UUID, set[int]]:
    """
    Return by account what its members' lists and shelves have, where each of them has a list: nothing else is looked up.

    Where a store has little of a list, what the group buys may stand in for it, and nobody is told that something is
    new who buys it: that is asked about as well.
    """
    found: dict[UUID, set[int]] = {}
    whole: set[UUID] = set()
    for reader in readers:
        lists = ranked.get(reader.member_id)
        if lists is None or not (lists.all or lists.new):
            whole.add(reader.account_id)
        else:
            listed = found.setdefault(reader.account_id, set())
            there = shelved[reader.member_id]
            listed.update(one.article_id for one in (*lists.all, *lists.new) if one.article_id in there)
            if is_short(lists, there):
                listed.update(article for article in groups[reader.edition_id] if article in there)
    return {account: articles for account, articles in found.items() if account not in whole}


def _picks(
    reader: Recipient, edition: OpenEdition, shelf: Mapping[int, Offer], known: _Known
) -> tuple[tuple[Pick, ...], tuple[Pick, ...]]:
    """Return what stands on a member's own page: as the night ranked it, else from the own purchases and the group."""
    bought = known.histories.get(reader.account_id, [])
    ranked = known.ranked.get(reader.member_id)
    ignored = known.ignored.get(reader.member_id, {})
    listed = ranked is not None and (ranked.all or ranked.new)
    if ranked is not None and listed:
        picks, news = ranked_picks(
            ranked,
            shelf,
            bought=bought,
            refused=known.refusals.get(reader.member_id, Refusals()),
            back=known.brought_back.get(reader.account_id, ()),
        )
    else:
        picks = choose_picks(
            [replace(one, recency=one.recency * 0.5 ** ignored.get(one.article_id, 0)) for one in bought],
            shelf,
        )
        news = ()
    room = (NEWS if picks or not listed else NEWS + PICKS) - len(news)
    if room <= 0 or (listed and reader.member_id not in known.short):
        return picks, news
    own = [shelf[one.article_id].category for one in bought if one.article_id in shelf]
    more = choose_news(
        sorted(edition.plan.ranking, key=lambda article_id: ignored.get(article_id, 0)),
        shelf,
        known={one.article_id for one in bought},
        own_categories=[name for name, _count in Counter(filter(None, own)).most_common()],
        beside=edition.plan.beside,
        picks=(*picks, *news),
        count=room,
    )
    return picks, (*news, *more)


def copy_code(edition: OpenEdition, member_id: UUID) -> str:
    """
    Return the code of a member's copy of an edition, always the same and not to be guessed.

    The edition's identifier, which no reader knows, is what makes it so.
    """
    digest = sha256(edition.edition_id.bytes + member_id.bytes).digest()
    return f"{edition.edition_code}-{b32encode(digest)[:10].decode('ascii').lower()}"


def file_of(edition: OpenEdition, code: str, *, version: int = 1) -> str:
    """Return where a copy lies under the data folder: in one of a thousand folders, so that none holds very many."""
    again = f"-v{version}" if version > 1 else ""
    return f"catalogs/{edition.edition_code}/{code[-10:-8]}/{code}{again}.pdf"
