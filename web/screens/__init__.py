"""One module per screen: its routes, what it reads, and what its forms do."""

from flask import Blueprint

from web.screens import (
    account,
    articles,
    assortment,
    audit,
    bodies,
    catalogs,
    design,
    door,
    groups,
    jobs,
    members,
    overview,
    people,
    queue,
    receipts,
    search,
    stores,
    till,
)

SCREENS: tuple[Blueprint, ...] = tuple(
    module.blueprint
    for module in (
        door,
        account,
        overview,
        search,
        groups,
        members,
        catalogs,
        assortment,
        receipts,
        articles,
        queue,
        bodies,
        till,
        jobs,
        stores,
        people,
        audit,
        design,
    )
)
"""The blueprints of all screens."""
