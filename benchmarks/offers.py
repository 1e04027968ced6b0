"""
What offers cost: a nine-line basket with 10, 100, 1,000 and 10,000 live offers, against django-oscar's applicator.

    python3 dev bench offers [--sizes 10,100,1000,10000] [--rounds 5] [--no-oscar] [--patience 10]

Both sides get the same articles, offers and basket; rounds are interleaved, and what is reported is the median of processor
time per basket. Ours includes reading the lines, every discount with its reason, and the earning parts; the answer
"what is missing" is shown apart, and so is the first basket after the offers changed. django-oscar lives in an environment
of its own under .local, made at the first run from the index that pip or uv is set to; its database is SQLite in
memory. Where it takes longer than `--patience` seconds per basket one round is measured, and above `--largest-oscar` none.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from frame import ROOT, console, progress, record
from rich.table import Table

from rewards.applicator import Evaluation, apply_offers
from rewards.book import OfferBook
from rewards.carts import Cart, CartLine, Occasion, Shopper
from rewards.codec import read_offer
from rewards.offers import Offer

ENVIRONMENT = ROOT / ".local" / "bench-oscar"
WANTED = ["django-oscar==4.1", "django==5.2.*", "django-treebeard==4.7.1"]
PATIENCE_TO_INSTALL = 300
ARTICLES, CATEGORIES, SEED = 3_000, 250, 20_261_122
AT = datetime(2026, 11, 21, 9, 15, tzinfo=UTC)
OCCASION = Occasion(AT, "Europe/Prague", "S1", "CZK", Shopper("M1"))


class Workload:
    """An assortment, a basket of nine of its articles, and offers on articles, categories and everything."""

    def __init__(self) -> None:
        random = Random(SEED)
        self.random = random
        self.articles = [
            [f"S{number}", f"C{random.randrange(CATEGORIES)}", random.randint(500, 20_000)]
            for number in range(ARTICLES)
        ]
        self.lines = [[each[0], random.choice((1, 1, 2, 3))] for each in random.sample(self.articles, 9)]
        largest = 10_000
        self.offers = [self._offer(number) for number in range(largest)]

    def _offer(self, number: int) -> dict[str, Any]:
        random = self.random
        skus, category = [], None
        aim = random.random()
        if number < 3:  # something of the basket is always on offer
            skus = [self.lines[number][0]]
        elif aim < 0.75:
            skus = sorted({random.choice(self.articles)[0] for _ in range(random.randint(1, 3))})
        elif aim < 0.998:
            category = random.choice(self.articles)[1]
        kind = random.choice(("percent", "amount", "nth"))
        return {
            "skus": skus,
            "category": category,
            "kind": kind,
            "quantity": 3 if kind == "nth" else random.choice((1, 1, 2)),
            "off": str(random.choice((5, 10, 20))) if kind == "percent" else str(random.randint(50, 900)),
            # What is on everything comes last, or nothing else would apply.
            "priority": random.randint(1, 999) if skus or category else 0,
        }

    def of_size(self, size: int) -> dict[str, Any]:
        """Return what django-oscar is told: the offers with the articles and categories that they and the basket name."""
        offers = self.offers[:size]
        skus = {sku for told in offers for sku in told["skus"]} | {sku for sku, _quantity in self.lines}
        named = {told["category"] for told in offers}
        articles = [each for each in self.articles if each[0] in skus or each[1] in named]
        return {"articles": articles, "lines": self.lines, "offers": offers}

    @property
    def cart(self) -> Cart:
        """The basket as ours."""
        known = {sku: (category, price) for sku, category, price in self.articles}
        return tuple(
            CartLine(number, Decimal(quantity), "pcs", known[sku][1], sku, None, known[sku][0])
            for number, (sku, quantity) in enumerate(self.lines, 1)
        )


def ours(number: int, told: dict[str, Any]) -> Offer:
    """Return one offer of the workload as ours: exclusive, as django-oscar's are."""
    benefits = {
        "percent": {"kind": "percent", "off": told["off"]},
        "amount": {"kind": "amount", "off": int(float(told["off"])), "per": "application"},
        "nth": {"kind": "nth", "off": "100", "which": "cheapest"},
    }
    select: dict[str, Any] = {"skus": told["skus"]} if told["skus"] else {}
    if told["category"]:
        select = {"categories": [told["category"]]}
    return read_offer(
        {
            "code": f"O{number}",
            "name": {"en": f"Offer {number}"},
            "priority": told["priority"],
            "exclusive_group": "EXCLUSIVE",
            "condition": {"kind": "items", "select": select, "quantity": str(told["quantity"])},
            "benefit": benefits[told["kind"]],
        }
    )


def everything(found: Evaluation) -> int:
    """Look at all that a receipt needs, and return the discount."""
    _ = (
        found.discounts,
        found.nets,
        found.applications,
        found.multiplied,
        found.gifts,
        found.vouchers,
        found.points,
    )
    return found.amount


class Ours:
    """Our side at one size."""

    def __init__(self, workload: Workload, size: int) -> None:
        self.cart = workload.cart
        offers = [ours(number, told) for number, told in enumerate(workload.offers[:size])]
        started = time.process_time()
        self.book = OfferBook(offers)
        self.compile_seconds = time.process_time() - started
        started = time.process_time()
        self.found = apply_offers(self.cart, self.book, OCCASION)
        self.discount = everything(self.found)
        self.first_seconds = time.process_time() - started
        self.repeats = max(20, 20_000 // (10 + 3 * len(self.found.applications)) // max(1, size // 1_000))

    @property
    def candidates(self) -> int:
        """How many offers something in the basket triggers."""
        return len({rank for line in self.cart for rank in self.book.seen(line[4:], "S1").ranks})

    def run(self) -> float:
        """Return the processor time of a basket."""
        started = time.process_time()
        for _ in range(self.repeats):
            everything(apply_offers(self.cart, self.book, OCCASION))
        return (time.process_time() - started) / self.repeats

    def explain(self) -> float:
        """Return the processor time of a basket with the answer what is missing."""
        started = time.process_time()
        for _ in range(self.repeats):
            _ = apply_offers(self.cart, self.book, OCCASION).not_applied
        return (time.process_time() - started) / self.repeats


class Oscar:
    """django-oscar in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [
                ENVIRONMENT / "bin" / "python",
                "-W",
                "ignore",
                ROOT / "benchmarks" / "offer_parts" / "oscar_side.py",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._answer()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send one document and return the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"django-oscar ended with exit code {self.process.wait()}, see above")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def why_no_oscar() -> str:
    """Make django-oscar's environment where it is not there yet; return in one line why that failed, or nothing."""
    python = ENVIRONMENT / "bin" / "python"
    made = ENVIRONMENT / "made-from"
    try:
        if not made.exists() or made.read_text() != "\n".join(WANTED):
            progress(f"making an environment for django-oscar in {ENVIRONMENT.relative_to(ROOT)}")
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            _call([sys.executable, "-m", "venv", "--without-pip", ENVIRONMENT])
            uv = shutil.which("uv")
            if uv:
                _call([uv, "pip", "install", "-qq", "--python", python, *WANTED])
            else:
                _call([sys.executable, "-m", "pip", "-qq", "--python", python, "install", *WANTED])
            made.write_text("\n".join(WANTED))
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def _call(command: list[Any]) -> None:
    subprocess.run(
        [str(word) for word in command], check=True, timeout=PATIENCE_TO_INSTALL, stdout=sys.stderr
    )


def measure(
    workload: Workload, size: int, rounds: int, oscar: Oscar | None, patience: float
) -> dict[str, Any]:
    """Compare both sides at one size."""
    side = Ours(workload, size)
    facts: dict[str, Any] = {}
    if oscar is not None:
        progress(f"{size} offers: filling django-oscar")
        oscar.ask({"build": workload.of_size(size)})
        started = time.monotonic()
        facts = oscar.ask({"run": 0}) | oscar.versions
        if time.monotonic() - started > patience:
            rounds = 1
    took, theirs = [], []
    for number in range(rounds):
        took.append(side.run())
        if oscar is not None:
            theirs.append(oscar.ask({"run": 1})["cpu_seconds"])
        progress(f"{size} offers: round {number + 1} of {rounds}")
    document: dict[str, Any] = {
        "offers": size,
        "could_apply": side.candidates,
        "applied": len(side.found.applications),
        "discount": side.discount,
        "compile_seconds": side.compile_seconds,
        "first_basket_seconds": side.first_seconds,
        "cpu_seconds": statistics.median(took),
        "rounds": took,
        "with_not_applied_cpu_seconds": side.explain(),
    }
    if theirs:
        document["oscar"] = facts | {"cpu_seconds": statistics.median(theirs), "rounds": theirs}
    return document


def compared(workload: Workload, size: int, asked: argparse.Namespace, *, with_oscar: bool) -> dict[str, Any]:
    """Return the figures of one size, without django-oscar's where it failed or would take too long."""
    if with_oscar and size <= asked.largest_oscar:
        try:
            oscar = Oscar()
            try:
                return measure(workload, size, asked.rounds, oscar, asked.patience)
            finally:
                oscar.close()
        except (OSError, RuntimeError) as error:
            console.print(f"[bold red]WITHOUT DJANGO-OSCAR at {size} offers: {error}[/bold red]")
    return measure(workload, size, asked.rounds, None, asked.patience)


def show(documents: list[dict[str, Any]]) -> None:
    """Print both sides at every size."""
    title = "CPU per nine-line basket"
    for versions in [each["oscar"] for each in documents if "oscar" in each][:1]:
        title += (
            f", against django-oscar {versions['oscar']} on Django {versions['django']} with SQLite in memory"
        )
    table = Table(title=title, title_justify="left")
    for head in (
        "live offers",
        "could apply",
        "applied",
        "ours",
        "with what is missing",
        "first basket",
        "oscar",
        "its queries",
        "ratio",
    ):
        table.add_column(head, justify="right")
    for each in documents:
        oscar = each.get("oscar")
        table.add_row(
            f"{each['offers']:,}",
            f"{each['could_apply']}",
            f"{each['applied']}",
            f"{each['cpu_seconds'] * 1e6:,.0f} µs",
            f"{each['with_not_applied_cpu_seconds'] * 1e6:,.0f} µs",
            f"{each['first_basket_seconds'] * 1e6:,.0f} µs",
            f"{oscar['cpu_seconds'] * 1e3:,.0f} ms" if oscar else "not run",
            f"{oscar['queries']:,}" if oscar else "",
            f"{oscar['cpu_seconds'] / each['cpu_seconds']:,.0f}" if oscar else "",
        )
    console.print(table)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="10,100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-oscar", action="store_true")
    parser.add_argument(
        "--patience", type=float, default=10, help="seconds per basket, beyond which one round is enough"
    )
    parser.add_argument(
        "--largest-oscar", type=int, default=1_000, help="the most offers that django-oscar gets"
    )
    asked = parser.parse_args()
    missing = "left out by --no-oscar" if asked.no_oscar else why_no_oscar()
    if missing:
        console.print(f"[bold red]WITHOUT DJANGO-OSCAR: {missing}[/bold red]")
    workload = Workload()
    documents = [
        compared(workload, int(size), asked, with_oscar=not missing) for size in asked.sizes.split(",")
    ]
    show(documents)
    record("offers", {"sizes": documents, "missing": missing or None, "seed": SEED})


if __name__ == "__main__":
    main()
