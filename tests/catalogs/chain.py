"""Three groups of members who all shop in one store: what tests of catalogs make copies for."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from basket_analysis.models import AnalysisRun, MemberOffers, ServedRun, ShopperGroup
from basket_analysis.offers.reasons import Reason
from catalogs.jobs import make_copies
from catalogs.models import CatalogCopy
from contacts.operations import record_reaction
from core.database import Sessions
from core.ids import uuid7
from customers.models import Account, Card, Consent, GroupMembership, Member
from sales.models import Article, ArticleStock, Receipt, ReceiptLine, Store, Till

DAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KINDS = (
    "Čaj",
    "Sýry",
    "Těstoviny",
    "Chléb",
    "Mléko",
    "Banány",
    "Káva",
    "Rýže",
    "Med",
    "Vejce",
    "Máslo",
    "Jogurty",
)
GROUPS = {"t1": "theme", "t2": "theme", "none": "none"}


class Chain:
    """Three groups of members who all shop in one store that sells twelve kinds of things."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.members: dict[str, Member] = {}
        self.run_id = uuid7()
        with sessions.begin() as session:
            self.store = Store(store_code="S1", name="Náměstí", currency="CZK", timezone="Europe/Prague")
            session.add(self.store)
            session.flush()
            self.till = Till(store_id=self.store.store_id, till_code="T1")
            self.articles = [
                Article(sku=f"a{n}", name=f"{kind} 250 g", category=kind, unit="pcs", tax_rate=12)
                for n, kind in enumerate(KINDS)
            ]
            session.add_all([self.till, *self.articles])
            session.add(
                AnalysisRun(
                    run_id=self.run_id, business_day=DAY, state="completed", started_at=NOW, version="1",
                    parameters={}, inputs={}, timings={},
                )
            )  # fmt: skip
            session.flush()
            session.add(ServedRun(run_id=self.run_id, served_at=NOW))
        for group, kind in GROUPS.items():
            for number in range(4):
                self.join(f"{group}-{number}", group)
            self._serve(group, kind)

    def _serve(self, group: str, kind: str) -> None:
        with self.sessions.begin() as session:
            session.add(
                ShopperGroup(
                    run_id=self.run_id, group_id=group, kind=kind, name=group, items=["Sýry", "Máslo"], members=4,
                    baskets=40, colour=list(GROUPS).index(group), detail={},
                )
            )  # fmt: skip

    def join(
        self,
        code: str,
        group: str,
        *,
        language: str = "cs",
        consent: tuple[str, str] | None = ("catalog", "print"),
        name: tuple[str, str] = ("Jana", "Nováková"),
        email: str | None = None,
    ):
        """Enrol a member who has bought everything but the last two kinds three times lately."""
        account, member = uuid7(), uuid7()
        with self.sessions.begin() as session:
            session.add(Account(account_id=account, opened_at=NOW))
            session.flush()
            row = Member(
                member_id=member, member_code=code, account_id=account, given_name=name[0], family_name=name[1],
                email=email,
                language=language, home_store_code="S1", joined_on=DAY,
            )  # fmt: skip
            session.add(row)
            session.flush()
            number = f"70{len(self.members):08}"
            session.add(
                Card(
                    card_number=number,
                    state="active",
                    account_id=account,
                    member_id=member,
                    created_at=NOW,
                    issued_at=NOW,
                )
            )
            session.add(
                GroupMembership(
                    run_id=self.run_id, member_id=member, group_id=group, strength=3.0, baskets=12
                )
            )
            self.members[code] = row
        if consent:
            self.decide(code, *consent, granted=True)
        for back in (3, 10, 17):
            self.buy(
                code, self.articles[:10] if code.endswith("0") else self.articles, DAY - timedelta(days=back)
            )

    def decide(
        self, code: str, purpose: str, channel: str, *, granted: bool, at: datetime = NOW - timedelta(days=9)
    ) -> None:
        with self.sessions.begin() as session:
            session.add(
                Consent(
                    member_id=self.members[code].member_id, purpose=purpose, channel=channel, granted=granted,
                    text_version="1", source="desk", recorded_at=at,
                )
            )  # fmt: skip

    def buy(
        self,
        code: str,
        articles: list[Article],
        day: date,
        *,
        price: int = 1990,
        kind: str = "sale",
        received: datetime | None = None,
    ) -> None:
        member, receipt = self.members[code], uuid7()
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        with self.sessions.begin() as session:
            session.add(
                Receipt(
                    business_date=day, receipt_id=receipt, store_id=self.store.store_id, till_id=self.till.till_id,
                    receipt_number=str(receipt), type=kind, mode="live", offline=False, closed_at=moment,
                    received_at=received or moment, account_id=member.account_id, member_id=member.member_id, currency="CZK",
                    gross_amount=1, discount_amount=0, points_amount=0, rounding_amount=0, payable_amount=1,
                    fingerprint=b"x",
                )
            )  # fmt: skip
            session.flush()
            session.add_all(
                ReceiptLine(
                    business_date=day, receipt_id=receipt, line_number=number, article_id=article.article_id,
                    quantity=1, unit_price=price, discount_amount=0, total_amount=price,
                )
                for number, article in enumerate(articles, start=1)
            )  # fmt: skip

    def answer(self, code: str, reaction: str, article: Article | None, *, scope: str = "item") -> None:
        """Let a member react at the till."""
        with self.sessions.begin() as session:
            number = session.scalar(
                select(Card.card_number).where(Card.member_id == self.members[code].member_id)
            )
            record_reaction(
                session, card_number=number, reaction=reaction, scope=scope, sku=article and article.sku,
                channel="till", actor="test", now=NOW,
            )  # fmt: skip

    def rank(self, code: str, article: Article, reason: Reason) -> None:
        """Let the night have put one article on a member's list, for a reason."""
        with self.sessions.begin() as session:
            session.add(
                MemberOffers(
                    member_id=self.members[code].member_id, run_id=self.run_id, kind="all",
                    article_ids=[article.article_id], scores=[1.0], reasons=[reason.as_kept()],
                )
            )  # fmt: skip

    def run_out_of(self, article: Article) -> None:
        """Let nothing of an article be left in the store."""
        with self.sessions.begin() as session:
            session.add(
                ArticleStock(
                    store_id=self.store.store_id, article_id=article.article_id, quantity=0, counted_at=NOW
                )
            )

    def make(self, data: Path, **options):
        return make_copies(self.sessions, data=data, day=DAY, now=NOW, workers=1, **options)

    def copies(self) -> dict[str, CatalogCopy]:
        with self.sessions() as session:
            rows = session.execute(select(Member.member_code, CatalogCopy).join(CatalogCopy)).all()
        return dict(rows)
