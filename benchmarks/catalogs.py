"""
Catalog copies: every page of every copy by WeasyPrint, against drawings made once and words set per copy.

Both sides make the same booklets of the theme's dummy data, each for another member, in one process;
loading the libraries is not counted. The first round of ours, which also makes the drawings, does not count
either and is told apart as "cold".

    .venv/bin/python -m benchmarks.catalogs [copies]
"""

import resource
import sys
import time
from dataclasses import replace

from benchmarks.frame import Side, compare, console
from catalogs.booklets import Reader, make_booklet
from catalogs.composing import compose
from catalogs.layouts import load_theme
from catalogs.pages import Booklet
from catalogs.previews import preview_parts
from catalogs.typesetting import Typesetter
from catalogs.webpages import whole_document

NAIVE = 2
"""So many copies are enough for the slow side; what is compared is copies per second."""


def booklet(number: int) -> Booklet:
    language = ("cs", "sk", "pl", "en")[number % 4]
    issue, picks, news = preview_parts(load_theme("trh"), language, colour=number)
    # Every member has other prices, as in another shop, so that nothing but drawings can be shared.
    offers = tuple(
        replace(offer, price=replace(offer.price, minor=offer.price.minor + number) if offer.price else None)
        for offer in issue.offers
    )
    reader = Reader(f"Jana Nováková {number}", language, number, f"70{number:08}")
    return make_booklet(load_theme("trh"), replace(issue, offers=offers), reader, picks=picks, news=news)


def main() -> None:
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    typesetter = Typesetter(load_theme("trh"), None)
    typesetter.write("<p>loaded</p>")
    started = time.process_time()
    first = compose(booklet(0), typesetter)
    cold = time.process_time() - started

    def naive() -> int:
        for number in range(NAIVE):
            typesetter.write(whole_document(booklet(number), typesetter))
        return NAIVE

    def ours() -> int:
        for number in range(copies):
            compose(booklet(number), typesetter)
        return copies

    sizes = {"copies": copies, "pages": first.pages, "bytes": len(first.content)}
    compare(
        "catalog copies",
        Side("WeasyPrint for every page", naive),
        Side("drawings once, words per copy", ours),
        rounds=3,
        sizes=sizes,
        more={
            "cold_cpu_seconds_of_first_copy": round(cold, 3),
            "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        },
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(
        f"first copy, cold: {cold:.2f} CPU s; peak memory of the process: {peak:.0f} MiB (both sides)"
    )


if __name__ == "__main__":
    main()
