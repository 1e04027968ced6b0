"""Tables: runs of the analysis, what they counted and found, and what managers decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base


class AnalysisRun(Base):
    """One run over the baskets: what went in, how, and how long it took."""

    __tablename__ = "analysis_run"
    __table_args__ = (
        CheckConstraint("state in ('running', 'completed', 'failed', 'refused')", name="state"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    business_day: Mapped[date]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    version: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]
    timings: Mapped[dict[str, Any]]
    error: Mapped[str | None]


class ServedRun(Base):
    """The one completed run that screens, tills and catalogs read; swapped in one statement."""

    __tablename__ = "served_run"
    __table_args__ = (CheckConstraint("served", name="served"),)

    served: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    run_id: Mapped[UUID] = mapped_column(ForeignKey("analysis_run.run_id"))
    served_at: Mapped[datetime]


class MinedRule(Base):
    """An association rule with its evidence."""

    __tablename__ = "mined_rule"
    __table_args__ = (
        Index("mined_rule_group_id_idx", "run_id", "group_id"),
        Index("mined_rule_z_idx", "run_id", "z", "rule_number"),
        Index("mined_rule_adjusted_lift_idx", "run_id", "adjusted_lift", "rule_number"),
    )

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    rule_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[str]
    antecedent: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    consequent: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    count: Mapped[int]
    antecedent_count: Mapped[int]
    consequent_count: Mapped[int]
    households: Mapped[int]
    support: Mapped[float]
    confidence: Mapped[float]
    lift: Mapped[float]
    leverage: Mapped[float]
    conviction: Mapped[float]
    adjusted_lift: Mapped[float]
    z: Mapped[float]
    q: Mapped[float]
    group_id: Mapped[str | None]
    improvement: Mapped[float | None]
    """Confidence above the best of every shorter antecedent, the empty one included; NULL in the oldest rules."""


class ShopperGroup(Base):
    """A theme and the members it drew, as one run saw it; `group_id` lives on from run to run."""

    __tablename__ = "shopper_group"
    __table_args__ = (CheckConstraint("kind in ('theme', 'none', 'new')", name="kind"),)

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    items: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    members: Mapped[int]
    baskets: Mapped[int]
    kept_members: Mapped[int | None]
    """How many of its members were in it in the run before; NULL in the first run."""
    colour: Mapped[int]
    """Index into the palette, kept with the identity so that a group has one colour everywhere."""
    detail: Mapped[dict[str, Any]]


class Suggestion(Base):
    """What a store might list, delist, keep or place together, with its evidence."""

    __tablename__ = "suggestion"
    __table_args__ = (
        CheckConstraint("kind in ('list', 'delist', 'keep', 'place_together')", name="kind"),
        CheckConstraint("low <= value_per_week and value_per_week <= high", name="interval"),
        Index("suggestion_store_id_idx", "run_id", "store_id", "kind", "rank"),
    )

    suggestion_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("analysis_run.run_id", ondelete="CASCADE"))
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    kind: Mapped[str]
    rank: Mapped[int]
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    other_article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    value_per_week: Mapped[int] = mapped_column(BigInteger)
    low: Mapped[int] = mapped_column(BigInteger)
    high: Mapped[int] = mapped_column(BigInteger)
    households: Mapped[int]
    baskets: Mapped[int]
    group_id: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]


class SuggestionDecision(Base):
    """What a manager said to a suggestion, with the reason and what was shown; append-only, the newest one holds."""

    __tablename__ = "suggestion_decision"
    __table_args__ = (
        CheckConstraint("decision in ('accepted', 'rejected', 'undone')", name="decision"),
        Index("suggestion_decision_subject_idx", "store_id", "kind", "article_id", "other_article_id"),
    )

    decision_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"))
    kind: Mapped[str]
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    other_article_id: Mapped[int | None] = mapped_column(ForeignKey("article.article_id"))
    decision: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    shown: Mapped[dict[str, Any]]


class DecisionEffect(Base):
    """
    What came of a decision: nothing yet, a measurement against comparison stores, or why there is none.

    Money is the change of revenue per week, minor units, of doing what was suggested; `done` says whether it
    was. A row that is not waiting any more is final.
    """

    __tablename__ = "decision_effect"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'measured', 'not_measurable')", name="state"),
        CheckConstraint(
            "(state = 'measured') = (effect is not null and low is not null and high is not null)",
            name="measured",
        ),
        CheckConstraint("low <= effect and effect <= high", name="interval"),
    )

    decision_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("suggestion_decision.decision_id"), primary_key=True, autoincrement=False
    )
    business_day: Mapped[date]
    measured_at: Mapped[datetime]
    state: Mapped[str]
    done: Mapped[bool]
    effective_on: Mapped[date | None]
    due_on: Mapped[date | None]
    predicted: Mapped[int] = mapped_column(BigInteger)
    predicted_low: Mapped[int] = mapped_column(BigInteger)
    predicted_high: Mapped[int] = mapped_column(BigInteger)
    effect: Mapped[int | None] = mapped_column(BigInteger)
    low: Mapped[int | None] = mapped_column(BigInteger)
    high: Mapped[int | None] = mapped_column(BigInteger)
    held: Mapped[bool | None]
    comparisons: Mapped[int]
    detail: Mapped[dict[str, Any]]


class RunQuality(Base):
    """How good the groups of a run are, measured before it was served, and whether it was let through."""

    __tablename__ = "run_quality"
    __table_args__ = (CheckConstraint("verdict in ('good', 'drifting', 'refused')", name="verdict"),)

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    verdict: Mapped[str]
    reasons: Mapped[list[Any]]
    figures: Mapped[dict[str, Any]]
    measured_at: Mapped[datetime]


class GroupEdit(Base):
    """What a person made of the groups: kept for ever, played again at every fit until it is undone."""

    __tablename__ = "group_edit"
    __table_args__ = (
        CheckConstraint("kind in ('rename', 'pin', 'split', 'merge', 'minimum_size')", name="kind"),
        CheckConstraint("(group_id is null) = (kind = 'minimum_size')", name="subject"),
        CheckConstraint("(undone_by is null) = (undone_at is null)", name="undone"),
        Index("group_edit_group_id_idx", "group_id"),
        Index(
            "group_edit_pinned_idx",
            "group_id",
            unique=True,
            postgresql_where=text("kind = 'pin' and undone_at is null"),
        ),
    )

    edit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    group_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]


class CountedDay(Base):
    """A business day whose baskets were counted, as its receipts were then; `articles` are the ids of what it sold."""

    __tablename__ = "counted_day"

    business_date: Mapped[date] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    articles: Mapped[bytes] = mapped_column(LargeBinary)
    counted_at: Mapped[datetime]


class CountedDayLevel(Base):
    """The tally of one day at one level."""

    __tablename__ = "counted_day_level"

    business_date: Mapped[date] = mapped_column(
        ForeignKey("counted_day.business_date", ondelete="CASCADE"), primary_key=True
    )
    level: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[bytes] = mapped_column(LargeBinary)


class CountedWindow(Base):
    """The sum of the tallies of [first_day, following_day) at one level, and the items whose pairs they count."""

    __tablename__ = "counted_window"

    level: Mapped[str] = mapped_column(primary_key=True)
    first_day: Mapped[date]
    following_day: Mapped[date]
    settings: Mapped[dict[str, Any]]
    tracked: Mapped[bytes] = mapped_column(LargeBinary)
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    recounted_at: Mapped[datetime]


class CountedItem(Base):
    """The number of a category, type or brand in tallies."""

    __tablename__ = "counted_item"
    __table_args__ = (UniqueConstraint("level", "name", name="counted_item_level_key"),)

    item_number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    level: Mapped[str]
    name: Mapped[str]


class CountedArticle(Base):
    """Where an article was filed when its days were counted."""

    __tablename__ = "counted_article"

    article_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    department: Mapped[str | None]
    category: Mapped[str | None]
    type: Mapped[str | None]
    brand: Mapped[str | None]


class GroupProfile(Base):
    """What a run's group buys and how it shops, against the whole chain; of everybody together as group `all`."""

    __tablename__ = "group_profile"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]]


class StoreProfile(Base):
    """What one run found about a store against the others: its groups, categories and deviating rules."""

    __tablename__ = "store_profile"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True)
    figures: Mapped[dict[str, Any]]


class StoreCategory(Base):
    """What one run found about a category in a store: its figures there, and its articles."""

    __tablename__ = "store_category"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    store_id: Mapped[int] = mapped_column(ForeignKey("store.store_id"), primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]]


class CategoryProfile(Base):
    """What one run found about a category's articles in the whole chain."""

    __tablename__ = "category_profile"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    category: Mapped[str] = mapped_column(primary_key=True)
    figures: Mapped[dict[str, Any]]


class MemberOffers(Base):
    """What a run ranks for a member, best first: of everything (`all`) and of what the member never bought (`new`)."""

    __tablename__ = "member_offers"
    __table_args__ = (
        CheckConstraint("kind in ('all', 'new')", name="kind"),
        CheckConstraint(
            "cardinality(article_ids) = cardinality(scores) "
            "and cardinality(article_ids) = jsonb_array_length(reasons)",
            name="lengths",
        ),
        Index("member_offers_run_id_idx", "run_id"),
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("analysis_run.run_id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    article_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    scores: Mapped[list[float]] = mapped_column(ARRAY(REAL))
    reasons: Mapped[list[Any]]
    """One per article, as `offer_reasons` writes them."""


class RankingTrees(Base):
    """What was learnt last about what is bought next: LightGBM's trees as text, for one kind of list."""

    __tablename__ = "ranking_trees"
    __table_args__ = (CheckConstraint("kind in ('all', 'new')", name="kind"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[date]
    """Only what was before this day was learnt from."""
    settings: Mapped[str]
    """The hash of how it was learnt, and from which columns."""
    trees: Mapped[str]
    learnt_at: Mapped[datetime]


class SensitiveWord(Base):
    """A word of a chain's own that makes an article too private for personal offers, or a known one that does not."""

    __tablename__ = "sensitive_word"

    word: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str]
    sensitive: Mapped[bool]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
