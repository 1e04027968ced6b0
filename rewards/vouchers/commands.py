"""The command groups `regulars vouchers` and `regulars rewards`."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import NotFound
from core.i18n import LANGUAGES
from core.keyset import Ask
from customers.models import Member
from rewards.codes import typed
from rewards.stocks.lists import stock_row, stock_rows
from rewards.stocks.operations import Cause, count_stock, deliver, warn_below
from rewards.vouchers.batches import RESIDUALS, SYMBOLOGIES, Batch, batches, put_batch
from rewards.vouchers.changes import cancel_vouchers
from rewards.vouchers.issue import IssuedVoucher, issue_vouchers
from rewards.vouchers.lists import STATES, list_vouchers
from sales.business_days import chain_timezone
from sales.queries import store_of_code

ACTOR = "command line"
ROWS_AT_ONCE = 500


class NoSuchMember(NotFound):
    """Nobody is enrolled under this code."""


@click.group()
def vouchers() -> None:
    """Vouchers: batches, and codes that are worth something once."""


@vouchers.command("batch")
@click.argument("batch")
@click.option(
    "--value",
    "value_amount",
    type=int,
    help="What one takes off, in minor units; without it, only a key to offers.",
)
@click.option("--currency", help="Of the amounts, such as CZK.")
@click.option("--minimum", "minimum_amount", type=int, help="The smallest purchase, in minor units.")
@click.option("--days", "valid_days", type=int, help="How many days after the day of issue it is valid.")
@click.option("--rest", "residual", type=click.Choice(RESIDUALS), help="What becomes of a rest.")
@click.option("--print-as", "symbology", type=click.Choice(SYMBOLOGIES), help="How its code is printed.")
@click.option("--prefix", "ean_prefix", help="What its EAN-13 begins with, 20 to 29.")
@click.option("--store", "stores", multiple=True, help="Where it is taken; everywhere if not given.")
@click.option(
    "--name", "names", multiple=True, metavar="LANGUAGE=NAME", help="What it is called, such as cs=Poukázka."
)
@json_option
@pass_workplace
@refusals_exit_2
def set_batch(
    workplace: Workplace,
    /,
    *,
    batch: str,
    stores: tuple[str, ...],
    names: tuple[str, ...],
    as_json: bool,
    **parts: Any,
) -> None:
    """Make a batch of vouchers, or change what those issued from now on are."""
    given = {name: part for name, part in parts.items() if part is not None}
    if names:
        given["names"] = dict(map(_name, names))
    with workplace.sessions.begin() as session:
        if stores:
            given["store_ids"] = tuple(store_of_code(session, code).store_id for code in stores)
        before = batches(session, [batch]).get(batch) or Batch(batch)
        changed = put_batch(session, replace(before, **given), actor=ACTOR, now=clock.now())
        document = batches(session, [batch])[batch].document()
    if as_json:
        print_json({"changed": changed, "batch": document})
    else:
        click.echo(f"{batch} {'is changed' if changed else 'is as it was'}")


def _name(text: str) -> tuple[str, str]:
    language, known, name = text.partition("=")
    if not known or language not in LANGUAGES:
        raise click.UsageError(f"{text!r} is not a language of {', '.join(LANGUAGES)}, = and a name")
    return language, name


@vouchers.command("issue")
@click.argument("batch")
@click.option(
    "--count", type=int, default=1, show_default=True, help="How many, for each member if any is named."
)
@click.option("--member", "members", multiple=True, help="A member's code: bound to that member.")
@json_option
@pass_workplace
@refusals_exit_2
def issue(workplace: Workplace, *, batch: str, count: int, members: tuple[str, ...], as_json: bool) -> None:
    """Issue vouchers of a batch, for anybody or for members."""
    now = clock.now()
    issued: list[IssuedVoucher] = []
    with workplace.sessions.begin() as session:
        today = _today(session, now)
        common: dict[str, Any] = {
            "batch_code": batch,
            "count": count,
            "today": today,
            "now": now,
            "actor": ACTOR,
        }
        if not members:
            issued = issue_vouchers(session, **common)
        for member in dict.fromkeys(members):
            account_id = _account_of(session, member)
            issued += issue_vouchers(session, **common, account_id=account_id, bound=True)
    if as_json:
        print_json({"vouchers": [_issued(voucher) for voucher in issued]})
        return
    for voucher in issued:
        click.echo(f"{voucher.voucher_code}  {voucher.valid_until or ''}")


def _issued(voucher: IssuedVoucher) -> dict[str, Any]:
    document = voucher.document()
    return {name: document[name] for name in ("voucher_code", "batch", "valid_until")}


def _account_of(session: Session, member_code: str) -> Any:
    account_id = session.scalar(select(Member.account_id).where(Member.member_code == member_code))
    if account_id is None:
        raise NoSuchMember(f"there is no member {member_code!r}")
    return account_id


def _today(session: Session, now: datetime) -> date:
    return clock.business_day(now, chain_timezone(session))


@vouchers.command("cancel")
@click.argument("codes", nargs=-1)
@click.option("--batch", help="All of a batch that nobody has used.")
@click.option("--reason", default="cancelled on the command line", show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def cancel(
    workplace: Workplace, *, codes: tuple[str, ...], batch: str | None, reason: str, as_json: bool
) -> None:
    """Cancel vouchers that nobody has used; used ones stay as they are."""
    if bool(codes) == bool(batch):
        raise click.UsageError("name either vouchers or --batch")
    with workplace.sessions.begin() as session:
        cancelled = cancel_vouchers(
            session,
            codes=[typed(code) for code in codes] if codes else None,
            batch_code=batch,
            reason=reason,
            actor=ACTOR,
            now=clock.now(),
        )
    if as_json:
        print_json({"cancelled": cancelled})
    else:
        click.echo(f"{len(cancelled):,} cancelled")


@vouchers.command("list")
@click.option("--batch", help="Of this batch.")
@click.option("--state", type=click.Choice(STATES))
@click.option("--member", help="Of the member of this code.")
@json_option
@pass_workplace
@refusals_exit_2
def show(
    workplace: Workplace, *, batch: str | None, state: str | None, member: str | None, as_json: bool
) -> None:
    """List vouchers, by code."""
    given = {"batch": batch, "state": state, "member": member}
    ask = Ask(
        "voucher_code", limit=ROWS_AT_ONCE, filters={name: text for name, text in given.items() if text}
    )
    rows: list[dict[str, Any]] = []
    with workplace.sessions() as session:
        while True:
            page = list_vouchers(session, ask)
            rows += [
                {
                    "voucher_code": row.voucher_code,
                    "batch": row.batch_code,
                    "state": row.state,
                    "value_amount": row.left_amount,
                    "currency": row.currency,
                    "valid_until": row.valid_until,
                    "member_code": row.member_code,
                }
                for row in page.rows
            ]
            if page.following is None:
                break
            ask = ask.following(page.following, limit=ROWS_AT_ONCE)
    if as_json:
        print_json({"vouchers": rows})
        return
    for row in rows:
        click.echo(f"{row['voucher_code']:32} {row['batch']:16} {row['state']:10} {row['valid_until'] or ''}")


@click.group()
def rewards() -> None:
    """Rewards that points buy, and the stock of gifts."""


@rewards.command("stock")
@click.option("--store", help="Of one store.")
@json_option
@pass_workplace
@refusals_exit_2
def stock(workplace: Workplace, *, store: str | None, as_json: bool) -> None:
    """Show what lies in the stores, how much of it is held for somebody, and how much can be had."""
    with workplace.sessions() as session:
        store_id = store_of_code(session, store).store_id if store else None
        rows = stock_rows(session, store_id=store_id)
    if as_json:
        print_json({"stock": [row.document() for row in rows]})
        return
    for row in rows:
        low = "  low" if row.low else ""
        click.echo(
            f"{row.reward_code:20} {row.store_code:8} {row.on_hand:>7,} there {row.reserved:>7,} held "
            f"{row.available:>7,} to be had{low}"
        )


@rewards.command("deliver")
@click.argument("reward")
@click.argument("store")
@click.argument("pieces", type=int)
@pass_workplace
@refusals_exit_2
def note_delivery(workplace: Workplace, *, reward: str, store: str, pieces: int) -> None:
    """Note that pieces of a reward were delivered to a store."""
    with workplace.sessions.begin() as session:
        store_id = store_of_code(session, store).store_id
        deliver(
            session, reward_code=reward, store_id=store_id, pieces=pieces, cause=Cause(clock.now(), ACTOR)
        )
        row = stock_row(session, reward_code=reward, store_id=store_id)
    click.echo(f"{row.on_hand:,} {reward} lie in {store} now")


@rewards.command("count")
@click.argument("reward")
@click.argument("store")
@click.argument("pieces", type=int)
@pass_workplace
@refusals_exit_2
def note_count(workplace: Workplace, *, reward: str, store: str, pieces: int) -> None:
    """Note how many pieces of a reward lie in a store, held ones among them."""
    with workplace.sessions.begin() as session:
        store_id = store_of_code(session, store).store_id
        seen = stock_row(session, reward_code=reward, store_id=store_id).on_hand
        difference = count_stock(
            session,
            reward_code=reward,
            store_id=store_id,
            counted=pieces,
            seen=seen,
            cause=Cause(clock.now(), ACTOR),
        )
    click.echo(f"{difference:+,} against the books")


@rewards.command("warn")
@click.argument("reward")
@click.argument("store")
@click.argument("pieces", type=int, required=False)
@pass_workplace
@refusals_exit_2
def set_warning(workplace: Workplace, *, reward: str, store: str, pieces: int | None) -> None:
    """Let a store be told when so few pieces or fewer can be had; without a number, never."""
    with workplace.sessions.begin() as session:
        store_id = store_of_code(session, store).store_id
        warn_below(session, reward_code=reward, store_id=store_id, low_at=pieces)
    click.echo(f"{store} is told of {reward}: {'never' if pieces is None else f'{pieces} or fewer'}")


commands: tuple[click.Command, ...] = (vouchers, rewards)
