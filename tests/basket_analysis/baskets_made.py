"""Builders of basket tables and of the files they come from."""

import csv

import numpy as np

from basket_analysis.baskets import tabulate


def table_of(baskets, households=None, **options):
    """Return the table of `baskets`, each a collection of items; `households` names the buyer of each."""
    names = sorted({item for basket in baskets for item in basket})
    code = {name: number for number, name in enumerate(names)}
    filled = [basket for basket in baskets if basket]
    rows = [(number, code[item]) for number, basket in enumerate(filled) for item in basket]
    owners, buyers = None, ()
    if households is not None:
        buyers = sorted({buyer for buyer in households if buyer})
        place = {buyer: number for number, buyer in enumerate(buyers)}
        of_basket = [
            place.get(buyer, -1) for basket, buyer in zip(baskets, households, strict=True) if basket
        ]
        owners = np.array([of_basket[number] for number, _ in rows], np.int32)
    return tabulate(
        baskets=np.array([number for number, _ in rows], np.int32),
        items=np.array([item for _, item in rows], np.int32),
        names=names,
        basket_count=len(filled),
        owners=owners,
        households=buyers,
        **options,
    )


def write_csv(path, rows, columns=("basket_id", "item")):
    """Write `rows` as a baskets file and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def read_csv(path):
    """Return the rows of a CSV file as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shoppers(generator, *, households=300, baskets=40, themes=4, width=5, common=20):
    """
    Return baskets and their buyers, each of whom follows one of `themes` planted themes.

    Half of a shopper's baskets hold three items of the own theme; all hold common items, more of them
    in larger baskets. The third thing returned is each household's theme.
    """
    made, buyers, truth = [], [], {}
    for household in range(households):
        theme = int(generator.integers(themes))
        truth[f"h{household:04}"] = theme
        for _ in range(baskets):
            basket = {
                f"common{number:02}" for number in generator.integers(common, size=generator.integers(1, 8))
            }
            if generator.random() < 0.5:
                basket |= {f"theme{theme}-{number}" for number in generator.choice(width, 3, replace=False)}
            if generator.random() < 0.2:
                basket.add(f"theme{generator.integers(themes)}-{generator.integers(width)}")
            made.append(sorted(basket))
            buyers.append(f"h{household:04}")
    return made, buyers, truth
