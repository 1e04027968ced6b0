"""Puts the tills' interface into an application."""

from flask import Flask

from core.database import Sessions
from pos_api.batches import batches
from pos_api.cards import cards
from pos_api.documents import make_documents
from pos_api.gift_cards import gift_cards
from pos_api.health import health
from pos_api.members import members
from pos_api.openapi import make_contract
from pos_api.problems import answer_routing_errors
from pos_api.quotes import quotes
from pos_api.reactions import reactions
from pos_api.receipts import receipts
from pos_api.redemptions import redemptions
from pos_api.return_quotes import return_quotes
from pos_api.snapshots import snapshots
from pos_api.transactions import EXTENSION, SANDBOX

ROOT = "/pos"
PREFIX = f"{ROOT}/v1"
CALLS = (
    quotes,
    receipts,
    batches,
    return_quotes,
    cards,
    members,
    redemptions,
    gift_cards,
    reactions,
    snapshots,
)


def register(app: Flask, sessions: Sessions, sandbox: Sessions | None = None) -> None:
    """
    Make `app` speak the till contract under /pos/v1, on the database behind `sessions`.

    Who comes with a key of the sandbox is served from there, exactly as in the house.
    Health, openapi.json and docs are served at the root as well.
    """
    app.extensions[EXTENSION] = sessions
    app.extensions[SANDBOX] = sandbox
    documents = make_documents(make_contract(app, CALLS, PREFIX), PREFIX)
    answer_routing_errors(app, ROOT)
    app.register_blueprint(documents)
    app.register_blueprint(health)
    app.register_blueprint(health, url_prefix=PREFIX, name="pos_health_below")
