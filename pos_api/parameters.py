"""Parameters of the contract, in headers, paths and queries, as the OpenAPI description tells them."""

from collections.abc import Mapping
from typing import Any

from pos_api.examples import CARD_NUMBER, REDEMPTION_ANSWER, SALE

IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Unique per till; kept for at least 24 hours. With another body it is an error.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "T1-2026-11-21-000123",
}


def path_parameter(name: str, description: str, *, example: str, **schema: Any) -> Mapping[str, Any]:
    """Return the OpenAPI parameter of a part of the path; `example` is of the same case as the bodies' examples."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


PLACE_CODE = "^[A-Za-z0-9._-]{1,40}$"

RECEIPT_IDENTITY = (
    path_parameter("store_code", "The own store.", example="S1", pattern=PLACE_CODE),
    path_parameter("till_code", "Any till of it.", example="T1", pattern=PLACE_CODE),
    path_parameter("business_date", "YYYY-MM-DD", example=SALE["business_date"], format="date"),
    path_parameter(
        "receipt_number", "As posted, leading zeros too.", example=SALE["receipt_number"], pattern=PLACE_CODE
    ),
)

CARD_PARAMETER = path_parameter("card_number", "As scanned, digits only.", example=CARD_NUMBER)

REDEMPTION_PARAMETER = path_parameter(
    "redemption_id",
    "As answered to the reservation.",
    example=REDEMPTION_ANSWER["redemption_id"],
    format="uuid",
)

SINCE: Mapping[str, Any] = {
    "name": "since",
    "in": "query",
    "required": False,
    "description": "The `ETag` of the snapshot that the till has: only cards that changed since are answered.",
    "schema": {"type": "string"},
    "example": "8342.1795252802000.1795252802000.5d0c7a3be9f1",
}

IF_NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the snapshot that the till has.",
    "schema": {"type": "string"},
    "example": f'"{SINCE["example"]}"',
}
