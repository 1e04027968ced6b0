"""One module per screen: its routes, what it reads, and what its forms do."""

from flask import Blueprint

from web.screens import account, design, door, overview, search

SCREENS: tuple[Blueprint, ...] = (
    door.blueprint,
    account.blueprint,
    overview.blueprint,
    search.blueprint,
    design.blueprint,
)
"""The blueprints of all screens."""
