"""Cards: what a till should know when one is scanned."""

from pos_api.openapi import Calls

cards = Calls("cards", "Cards and their holders")
