"""The demonstration from nothing to a shop that can be looked at; every part is skipped once it is done."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalogs.models import CatalogRun
from catalogs.opening import PERIOD, THEME, next_monday
from catalogs.runs.drafting import draft_run
from catalogs.runs.run import CHANNELS, Recipe
from catalogs.runs.standing_orders import approve_order
from core.clock import business_day
from core.database import Sessions
from core.errors import Conflict
from core.progress import Report
from core.tabular import Summary
from customers.importing import import_members
from demo.journey import TIMEZONE, last_day_of, package_source, weeks_to_last_week, write_files
from demo.offers import BATCH_NAMES, CATALOG_VOUCHERS, DRAFTS, catalog_vouchers, draft_document, live_document
from demo.record import DemoRecord, OtherDemonstration
from demo.tiers import demonstration_tiers
from loyalty.imports.receipts import import_receipts
from loyalty.rehearsals.plans import ask_for_rehearsal, newest_open, stores_for, usual_period
from loyalty.rehearsals.rehearsing import run_rehearsal
from loyalty.tiers.changes import approve_scheme, draft_scheme
from loyalty.tiers.versions import all_schemes
from night import run_night
from rewards.models import OfferCode
from rewards.offer_operations import import_document
from rewards.vouchers.batches import batches, put_batch
from sales.business_days import last_closed_day
from sales.importing import import_articles, import_stores
from sales.models import Receipt, Store
from sales.operations import add_till
from web.models import Person
from web.operations import add_person
from web.passwords import generate_password

ACTOR = "demonstration"
COPIES = 100
TILL = "1"
NIGHT_HOUR = 3

PEOPLE = (
    ("admin", "administrator", "Ada Winters", "en"),
    ("marketing", "marketing", "Markéta Říhová", "cs"),
    ("manager", "store_manager", "Oliver Marsh", "en"),
    ("desk", "desk", "Zuzana Šťastná", "sk"),
    ("analyst", "analyst", "Łukasz Wiśniewski", "pl"),
    ("auditor", "auditor", "Ruth Palmer", "en"),
    ("cashier", "cashier", "Daniel Reed", "en"),
)
"""Login, role, name and language of those who can sign in."""
OF_A_STORE = frozenset({"store_manager", "cashier"})

Show = Callable[[str], AbstractContextManager[Report]]


class NightFailed(Conflict):
    """The night of the demonstration did not end well."""


@dataclass(frozen=True)
class Demonstration:
    """A demonstration in a data folder, on its way."""

    sessions: Sessions
    data: Path
    now: datetime
    show: Show
    refresh_statistics: Callable[[], None]
    """Tells the database's planner about what was loaded."""

    @property
    def folder(self) -> Path:
        """Where the import files are."""
        return self.data / "demo"

    @property
    def file(self) -> Path:
        """Where the record is."""
        return self.data / "demo.json"

    def load(self, *, as_is: bool) -> DemoRecord:
        """
        Do what is not done yet and return the record.

        Raises `OtherDemonstration` when the folder holds something else, `SourceMissing`
        without the data's package, `NightFailed`.
        """
        record = self._begun(as_is=as_is)
        if record.complete:
            return record
        self._write_files(record)
        self._import(record)
        store_code = self._busiest_store()
        self._add_people(record, store_code)
        self._add_till(record, store_code)
        self._set_up_offers(record, store_code)
        order_catalogs(self.sessions, now=self.now)
        self._run_night(record)
        record.complete = True
        record.write(self.file)
        return record

    def _begun(self, *, as_is: bool) -> DemoRecord:
        record = DemoRecord.read(self.file)
        if record is not None:
            if record.as_is != as_is:
                stands = "as it is" if record.as_is else "moved to last week"
                raise OtherDemonstration(
                    f"{self.data} holds the demonstration with its dates {stands}; use another --data, or --fresh"
                )
            return record
        with self.sessions() as session:
            if session.scalar(select(func.count()).select_from(Store)):
                raise OtherDemonstration(
                    f"the database of {self.data} has stores already; the demonstration wants one of its own (--data)"
                )
        last_day = last_day_of(package_source)
        weeks = 0 if as_is else weeks_to_last_week(last_day, business_day(self.now, TIMEZONE))
        record = DemoRecord(
            as_is=as_is, weeks=weeks, last_day=date.fromordinal(last_day.toordinal() + 7 * weeks)
        )
        record.write(self.file)
        return record

    def _write_files(self, record: DemoRecord) -> None:
        if record.files:
            return
        self.folder.mkdir(exist_ok=True)
        with self.show("Writing import files, lines") as report:
            written = write_files(self.folder, source=package_source, weeks=record.weeks, report=report)
        record.files = written.as_json()
        record.write(self.file)

    def _import(self, record: DemoRecord) -> None:
        imports: dict[str, Callable[[Session, Path, Report], Summary]] = {
            "stores": lambda session, path, report: import_stores(session, path, report=report),
            "articles": lambda session, path, report: import_articles(session, path, report=report),
            "members": lambda session, path, report: import_members(
                session, path, now=self.now, actor=ACTOR, report=report
            ),
        }
        for name, importing in imports.items():
            if name not in record.imported:
                path = self.folder / f"{name}.parquet"
                with self.show(f"Importing {name}, %") as report, self.sessions.begin() as session:
                    summary = importing(session, path, report)
                record.imported[name] = summary.as_json()
                record.write(self.file)
        self._set_up_tiers(record)
        if "receipts" not in record.imported:
            path = self.folder / "receipts.parquet"
            done = import_receipts(self.sessions, path, now=self.now, show=self.show)
            self.refresh_statistics()
            record.imported["receipts"] = done.as_json()
            record.write(self.file)

    def _set_up_tiers(self, record: DemoRecord) -> None:
        """Let tiers hold from the first day of the data on, as long as there is no receipt of it."""
        with self.sessions.begin() as session:
            if "receipts" in record.imported or all_schemes(session):
                return
            currency = session.scalars(select(Store.currency).limit(1)).one()
            version = draft_scheme(
                session,
                scheme=demonstration_tiers(currency),
                valid_from=record.last_day - timedelta(days=365),
                note="Green, silver and gold, by what is bought in a calendar year",
                actor="marketing",
                now=self.now,
            )
            approve_scheme(session, version=version, seen=self.now, actor="admin", now=self.now)

    def _set_up_offers(self, record: DemoRecord, store_code: str) -> None:
        """Let some offers run, and rehearse others that marketing has drafted."""
        today = record.last_day + timedelta(days=1) if record.as_is else business_day(self.now, TIMEZONE)
        with self.sessions.begin() as session:
            if session.scalar(select(func.count()).select_from(OfferCode)):
                return
            import_document(
                session,
                document=live_document(today=today, store_code=store_code),
                actor="admin",
                now=self.now,
                live=True,
            )
            for batch in batches(session, list(BATCH_NAMES)).values():
                named = replace(batch, names=BATCH_NAMES[batch.batch_code])
                put_batch(session, named, actor="marketing", now=self.now)
            import_document(session, document=draft_document(today=today), actor="marketing", now=self.now)
            first_day, following_day = usual_period(session, now=self.now)
            rehearsal_id = ask_for_rehearsal(
                session,
                offers=[newest_open(session, draft["code"]) for draft in DRAFTS],
                first_day=first_day,
                following_day=following_day,
                store_ids=stores_for(session, codes=(), currency=None),
                actor="marketing",
                now=self.now,
            )
        run_rehearsal(
            self.sessions,
            data=self.data,
            rehearsal_id=rehearsal_id,
            business_day=business_day(self.now, TIMEZONE),
            show=self.show,
        )

    def _busiest_store(self) -> str:
        """Return the store with the most receipts."""
        statement = (
            select(Store.store_code)
            .join(Receipt, Receipt.store_id == Store.store_id)
            .group_by(Store.store_id)
            .order_by(func.count().desc(), Store.store_code)
            .limit(1)
        )
        with self.sessions() as session:
            return session.scalars(statement).one()

    def _add_people(self, record: DemoRecord, store_code: str) -> None:
        """Add those who sign in; a password is on record before its owner exists, so that none is ever lost."""
        for login, role, name, language in PEOPLE:
            if login not in record.passwords:
                record.passwords[login] = generate_password()
                record.write(self.file)
            with self.sessions.begin() as session:
                if not session.scalar(select(Person.person_id).where(Person.login == login)):
                    add_person(
                        session,
                        login=login,
                        role=role,
                        name=name,
                        store_code=store_code if role in OF_A_STORE else None,
                        password=record.passwords[login],
                        language=language,
                        actor=ACTOR,
                        now=self.now,
                    )

    def _add_till(self, record: DemoRecord, store_code: str) -> None:
        if record.till:
            return
        with self.sessions.begin() as session:
            key = add_till(session, store_code=store_code, till_code=TILL, now=self.now, actor=ACTOR)
        record.till = {"store_code": store_code, "till_code": TILL, "key": key}
        record.write(self.file)

    def _run_night(self, record: DemoRecord) -> None:
        """Run the night of the last closed day, or of the data's own last day where they stay as they are."""
        if record.night is None:
            closed = last_closed_day(self.now, hour=NIGHT_HOUR, timezone=TIMEZONE)
            record.night = record.last_day if record.as_is else closed
            record.write(self.file)
        run = run_night(
            self.sessions, data=self.data, business_day=record.night, now=self.now, show=self.show
        )
        if run.state != "completed":
            failed = next((step for step in run.steps if step.state != "completed"), None)
            why = f": {failed.name}: {failed.error}" if failed else ""
            raise NightFailed(f"the night of {run.business_day} is {run.state}{why}")


def order_catalogs(sessions: Sessions, *, now: datetime) -> None:
    """Let a catalog be ordered for every period, made by one person and approved by another; the night makes it."""
    with sessions.begin() as session:
        if session.scalar(select(func.count()).select_from(CatalogRun)):
            return
        currency = session.scalars(select(Store.currency).limit(1)).one()
        put_batch(session, catalog_vouchers(currency), actor="marketing", now=now)
        first = next_monday(business_day(now, TIMEZONE))
        order = draft_run(
            session,
            Recipe(
                name="Every two weeks",
                theme=THEME,
                size="A4",
                channels=CHANNELS,
                valid_from=first,
                valid_to=first + PERIOD,
                group_ids=(),
                voucher_batches=(CATALOG_VOUCHERS,),
                first_part=COPIES,
            ),
            day=first,
            actor="marketing",
            now=now,
            standing=True,
        )
        approve_order(session, run_id=order, actor="admin", now=now)


def clear(data: Path) -> None:
    """Remove what the demonstration and its catalogs keep beside the database."""
    for name in ("demo", "catalogs", "proofs"):
        shutil.rmtree(data / name, ignore_errors=True)
    (data / "demo.json").unlink(missing_ok=True)
