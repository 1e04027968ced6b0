"""One module per screen: its routes, what it reads, and what its forms do."""

from flask import Blueprint

from web.screens import (
    account,
    adjustments,
    alerts,
    articles,
    assortment,
    audit,
    bodies,
    cards,
    catalogs,
    claims,
    design,
    door,
    groups,
    households,
    jobs,
    liability,
    members,
    overview,
    people,
    points,
    programme,
    queue,
    receipts,
    search,
    staff,
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
        cards,
        households,
        claims,
        points,
        adjustments,
        liability,
        catalogs,
        programme,
        assortment,
        receipts,
        articles,
        queue,
        bodies,
        alerts,
        staff,
        till,
        jobs,
        stores,
        people,
        audit,
        design,
    )
)
"""The blueprints of all screens."""
