"""
Catalog copies: every page of every copy by WeasyPrint, against shared pages made once and a member's own per copy.

Both sides make the same booklets of the theme's dummy data, from reader to finished bytes: nine pages, at
least 72 pictures, 7 EAN-13 and 6 QR codes, for members of five shops in four languages, sorted by what they
share, as a run gives them, in a process that is set up like those of a run. Every member has another name, card, picks and voucher codes. Loading the libraries
is not counted; the first copy of each shop and language, which makes what is shared, is told apart as "cold".
The printer's file of fifty copies and the peak memory of a process of its own are measured beside it.

    .venv/bin/python -m benchmarks.catalogs [copies] [theme] [size]
"""

import multiprocessing
import random
import resource
import sys
import tempfile
import time
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

from stdnum import ean

from benchmarks.frame import Side, compare, console
from catalogs.booklets import make_booklet
from catalogs.issues import FilledPage, Issue, Pick, Reader
from catalogs.layouts import BARCODE, Placement, Theme, Words, load_theme
from catalogs.page_words import show_period
from catalogs.pages import Booklet, Picture, PrintedVoucher
from catalogs.pdf.composing import Document, compose_all
from catalogs.pdf.printing import PrintCopy, write_print_file
from catalogs.pdf.typesetting import Typesetter
from catalogs.personal_words import PersonalWords
from catalogs.previews import preview_parts, preview_vouchers
from catalogs.render import collect_seldom
from catalogs.webpages import whole_document

NAIVE = 2
"""So many copies are enough for the slow side; what is compared is copies per second."""
SHOPS = 5
LANGUAGES = ("cs", "sk", "pl", "en")
CHUNK = 25
THEMED = 5


def main() -> None:
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    theme = load_theme(
        sys.argv[2] if len(sys.argv) > 2 else "trh", sys.argv[3] if len(sys.argv) > 3 else "A4"
    )
    typesetter = Typesetter(theme, None)
    typesetter.write("<p>loaded</p>")
    collect_seldom()
    started = time.process_time()
    firsts = [number * copies // (SHOPS * len(LANGUAGES)) for number in range(SHOPS * len(LANGUAGES))]
    made = list(compose_all([booklet(theme, number, copies) for number in firsts], typesetter))
    cold = time.process_time() - started

    def naive() -> int:
        for number in range(NAIVE):
            typesetter.write(whole_document(booklet(theme, number, copies), typesetter))
        return NAIVE

    rounds = count()

    def ours() -> int:
        # Members that no round met before: what is remembered of names helps nobody.
        met = next(rounds) * 10**6
        for start in range(0, copies, CHUNK):
            chunk = [
                booklet(theme, number, copies, met=met) for number in range(start, min(start + CHUNK, copies))
            ]
            for _document in compose_all(chunk, typesetter):
                pass
        return copies

    printed = print_file(theme, typesetter)
    peak = peak_of_own_process(theme.name, theme.size, copies)
    compare(
        "catalog copies",
        Side("WeasyPrint for every page", naive),
        Side("shared pages once, own pages per copy", ours),
        rounds=3,
        sizes={"copies": copies, "theme": theme.name, "size": theme.size, **counted(theme, copies)},
        more={
            "cold_cpu_seconds": round(cold, 3),
            "shared_sets": len(firsts),
            "bytes_per_copy": round(sum(len(one.content) for one in made) / len(made)),
            "peak_memory_mib": round(peak, 1),
            **printed,
        },
    )
    console.print(
        f"{len(firsts)} sets of shared pages, cold: {cold:.2f} CPU s; {len(made[0].content):,} bytes a copy; "
        f"peak memory of a process that makes {copies:,}: {peak:.0f} MiB; printer's file of fifty copies: "
        f"{printed['print_bytes_of_50']:,} bytes, {printed['print_cpu_ms_per_copy']} ms of CPU a copy"
    )


@cache
def issue_of(theme: Theme, shop: int, language: str) -> tuple[Issue, tuple[Pick, ...]]:
    """Return what a shop shows, with pages that are as full of pictures as a theme's lists are, and what may be picked."""
    issue, picks, news = preview_parts(theme, language, colour=shop)
    offers = tuple(
        replace(offer, price=replace(offer.price, minor=offer.price.minor + shop * 10))
        for offer in issue.offers
        if offer.price
    )
    room = theme.room("list")
    pages = tuple(
        FilledPage("list", tuple(offers[(page * room + at) % len(offers)] for at in range(room)))
        for page in range(THEMED)
    )
    pool = (*picks, *news, *(Pick(offer, "often") for offer in offers))
    return replace(issue, shop=f"{issue.shop} {shop}", offers=offers, pages=pages), pool


def booklet(theme: Theme, number: int, copies: int, *, met: int = 0) -> Booklet:
    """Return the copy of one of `copies` members; neighbours are members of the same shop and language."""
    turn = number * SHOPS * len(LANGUAGES) // copies
    language = LANGUAGES[turn % len(LANGUAGES)]
    issue, pool = issue_of(theme, turn // len(LANGUAGES), language)
    number += met
    chosen = random.Random(number).sample(pool, 9)
    reader = Reader(
        f"Jana Nováková {number}", language, number, _ean(number), "Gold", f"2026-W48-g1-trh-{number:010}"
    )
    whole = make_booklet(
        theme,
        issue,
        reader,
        picks=chosen[:6],
        news=chosen[6:],
        vouchers=_vouchers(theme, language, number, "ean13"),
    )
    # A second page of vouchers, for the QR codes that belong to the goal.
    period = show_period(issue.valid_from, issue.valid_to, language)
    more = PersonalWords(reader, issue, period).vouchers_page(
        _vouchers(theme, language, number, "qr"), theme=theme, number=len(whole.pages) + 1
    )
    return replace(whole, pages=(*whole.pages, more))


def _vouchers(theme: Theme, language: str, number: int, symbology: str) -> tuple[PrintedVoucher, ...]:
    like = _like(theme, language)
    return tuple(
        replace(
            like[at % len(like)],
            voucher_code=_ean(number * 10 + at + 10**9)
            if symbology == "ean13"
            else f"KAVA{number:08}{at}7MTX",
            symbology=symbology,
        )
        for at in range(theme.room("vouchers"))
    )


@cache
def _like(theme: Theme, language: str) -> tuple[PrintedVoucher, ...]:
    return preview_vouchers(theme, language)


def _ean(number: int) -> str:
    digits = f"29{number:010}"
    return digits + ean.calc_check_digit(digits)


def counted(theme: Theme, copies: int) -> dict[str, int]:
    """Return what is on a copy."""
    things = [thing for sheet in theme.sheets(booklet(theme, 0, copies)) for thing in sheet]
    codes = [
        thing.content.symbology for thing in things if isinstance(thing, Words) and thing.style == BARCODE
    ]
    return {
        "pages": len(booklet(theme, 0, copies).pages),
        "pictures": sum(isinstance(t, Placement) and isinstance(t.fragment.content, Picture) for t in things),
        "ean13": codes.count("EAN-13"),
        "qr": codes.count("QR"),
    }


def print_file(theme: Theme, typesetter: Typesetter) -> dict[str, float]:
    """Return the size of the printer's file of fifty copies of one shop, and what it takes."""
    made: list[Document] = list(
        compose_all([booklet(theme, number, 50 * SHOPS * len(LANGUAGES)) for number in range(50)], typesetter)
    )
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for number, document in enumerate(made):
            path = Path(folder) / f"{number}.pdf"
            path.write_bytes(document.content)
            copies.append(PrintCopy(f"2026-W48-g1-trh-{number:010}", path, document.sha256))
        started = time.process_time()
        printed = write_print_file(Path(folder) / "print.pdf", copies, title="Benchmark")
        cpu = time.process_time() - started
    return {"print_bytes_of_50": printed.size, "print_cpu_ms_per_copy": round(cpu / 50 * 1000, 2)}


def peak_of_own_process(theme: str, size: str, copies: int) -> float:
    """Return the most memory, in MiB, of a process that makes `copies` and nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (theme, size, copies))


def _peak(name: str, size: str, copies: int) -> float:
    theme = load_theme(name, size)
    typesetter = Typesetter(theme, None)
    collect_seldom()
    for start in range(0, copies, CHUNK):
        chunk = [booklet(theme, number, copies) for number in range(start, min(start + CHUNK, copies))]
        for _document in compose_all(chunk, typesetter):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
