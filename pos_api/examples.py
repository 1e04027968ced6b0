"""Examples of the contract; the tests send every one of them to a real server."""

from collections.abc import Mapping
from typing import Any

Example = Mapping[str, Any]

CARD_NUMBER = "2990000000019"

SALE: Example = {
    "type": "sale",
    "mode": "live",
    "offline": False,
    "business_date": "2026-11-21",
    "receipt_number": "000123",
    "closed_at": "2026-11-21T10:16:02+01:00",
    "operator_code": "17",
    "card_number": CARD_NUMBER,
    "card_entry_mode": "scanned",
    "currency": "CZK",
    "lines": [
        {
            "line_number": 1,
            "gtin": "8594001021512",
            "sku": "10452",
            "name": "Čaj 40 g",
            "quantity": "2",
            "unit": "pcs",
            "unit_price": 5990,
            "discount_amount": 1198,
            "total_amount": 10782,
            "tax_rate": "12",
            "discounts": [{"offer_code": "TEA10", "offer_version": 3, "amount": 1198}],
        }
    ],
    "tenders": [{"type": "cash", "amount": 10800}],
    "totals": {
        "gross_amount": 11980,
        "discount_amount": 1198,
        "points_amount": 0,
        "rounding_amount": 18,
        "payable_amount": 10800,
    },
}

SHORTEST_SALE: Example = {
    "type": "sale",
    "business_date": "2026-11-21",
    "receipt_number": "000124",
    "closed_at": "2026-11-21T09:20:44Z",
    "currency": "CZK",
    "lines": [
        {
            "line_number": 1,
            "sku": "20117",
            "quantity": "0.754",
            "unit_price": 3990,
            "total_amount": 3008,
            "tax_rate": "12",
        }
    ],
    "totals": {"payable_amount": 3008},
}

RETURN: Example = {
    "type": "return",
    "business_date": "2026-11-22",
    "receipt_number": "000125",
    "closed_at": "2026-11-22T14:02:31+01:00",
    "currency": "CZK",
    "original": {
        "store_code": "S1",
        "till_code": "T1",
        "business_date": "2026-11-21",
        "receipt_number": "000123",
    },
    "lines": [
        {
            "line_number": 1,
            "original_line_number": 1,
            "sku": "10452",
            "quantity": "1",
            "unit_price": 5990,
            "discount_amount": 599,
            "total_amount": 5391,
            "tax_rate": "12",
            "reason": "unwanted",
        }
    ],
    "tenders": [{"type": "cash", "amount": 5391}],
    "totals": {"gross_amount": 5990, "discount_amount": 599, "payable_amount": 5391},
}

VOID: Example = {
    "type": "void",
    "business_date": "2026-11-22",
    "receipt_number": "000126",
    "closed_at": "2026-11-22T14:05:00+01:00",
    "currency": "CZK",
    "original": {
        "store_code": "S1",
        "till_code": "T1",
        "business_date": "2026-11-21",
        "receipt_number": "000124",
    },
}

QUOTE: Example = {
    "card_number": CARD_NUMBER,
    "card_entry_mode": "scanned",
    "currency": "CZK",
    "at": "2026-11-21T10:15:00+01:00",
    "lines": [
        {
            "line_number": 1,
            "gtin": "8594001021512",
            "sku": "10452",
            "name": "Čaj 40 g",
            "quantity": "2",
            "unit": "pcs",
            "unit_price": 5990,
            "tax_rate": "12",
        }
    ],
    "voucher_codes": [],
    "points_to_spend": 200,
}

SHORTEST_QUOTE: Example = {
    "currency": "CZK",
    "lines": [{"line_number": 1, "sku": "20117", "quantity": "0.754", "unit_price": 3990}],
}

QUOTES: Mapping[str, Example] = {
    "card": {"summary": "A basket with a card, and points to spend", "value": QUOTE},
    "anonymous": {"summary": "No more than a basket needs", "value": SHORTEST_QUOTE},
}

QUOTE_ANSWER: Example = {
    "quote_id": "019aa5ef-41d0-7f3e-a6c8-1d0f2c9b7a11",
    "valid_until": "2026-11-21T09:25:00+00:00",
    "lines": [
        {
            "line_number": 1,
            "gross_amount": 11980,
            "discount_amount": 1198,
            "net_amount": 10782,
            "discounts": [
                {"offer_code": "TEA10", "offer_version": 3, "amount": 1198, "reason": "Sleva 10 % na čaj"}
            ],
        }
    ],
    "totals": {
        "gross_amount": 11980,
        "discount_amount": 1198,
        "points_amount": 2000,
        "payable_amount": 8782,
    },
    "points": {
        "to_earn": 87,
        "to_spend": 200,
        "available": 940,
        "pending": 120,
        "spendable_now": 940,
        "spendable_value": 9400,
    },
    "gifts": [],
    "vouchers": [],
    "not_applied": [
        {"offer_code": "TEA3", "name": "Three teas for two", "reason": "1 more piece of TEA", "missing": "1"},
    ],
    "next_offers": [
        {
            "decision_id": "01943f60-8c00-7b3a-9d1e-5a7c2e4f6b80",
            "sku": "20311",
            "headline": "Med 500 g",
            "reason": "Často kupované spolu s Čaj 40 g.",
            "offer_code": None,
        }
    ],
    "member": {"greeting": "Žofie N.", "tier": None, "birthday": False},
    "messages": [],
}

REACTIONS: Mapping[str, Example] = {
    "never_again": {
        "summary": "Never this article again",
        "value": {"card_number": CARD_NUMBER, "sku": "10452", "reaction": "never", "scope": "item"},
    },
    "nothing_of_the_kind": {
        "summary": "Nothing of its kind for now",
        "value": {"card_number": CARD_NUMBER, "sku": "10452", "reaction": "not_now", "scope": "category"},
    },
    "nothing_at_all": {
        "summary": "No offers of any kind",
        "value": {"card_number": CARD_NUMBER, "reaction": "never", "scope": "all"},
    },
}

RECEIPTS: Mapping[str, Example] = {
    "sale": {"summary": "A sale with a card", "value": SALE},
    "shortest_sale": {"summary": "No more than a sale needs", "value": SHORTEST_SALE},
    "return": {"summary": "One of two pieces comes back", "value": RETURN},
    "void": {"summary": "A sale is undone", "value": VOID},
}

RECEIPT_ANSWER: Example = {
    "receipt_id": "019aa5f0-7d6e-7c1b-9f30-52f1a6b1c001",
    "replayed": False,
    "flags": [],
    "points": {
        "earned": 107,
        "spent": 0,
        "reversed": 0,
        "returned": 0,
        "pending_until": "2026-12-05",
        "balance": 1167,
        "available": 940,
        "pending": 227,
        "expiring": [{"points": 40, "on": "2026-12-31"}],
    },
    "tier": None,
    "vouchers_issued": [],
    "gifts": [],
    "differences": [],
    "next_offers": [
        {
            "decision_id": "01943f60-8c00-7b3a-9d1e-5a7c2e4f6b80",
            "sku": "20311",
            "headline": "Med 500 g",
            "reason": "Často kupované spolu s Čaj 40 g.",
            "offer_code": None,
        }
    ],
    "messages": [],
    "print": ["Žofie N.", "Získáno 107 bodů, stav 1167"],
}

CARD_ANSWER: Example = {
    "card_number": CARD_NUMBER,
    "state": "active",
    "member": {"greeting": "Žofie N.", "tier": None, "birthday": False},
    "tier": None,
    "points": {
        "balance": 1060,
        "available": 940,
        "pending": 120,
        "reserved": 0,
        "spendable_now": 940,
        "spendable_value": 9400,
        "expiring": [{"points": 40, "on": "2026-12-31"}],
    },
    "vouchers": [],
    "rewards": [],
    "messages": [],
}

BATCHES: Mapping[str, Example] = {
    "queued": {
        "summary": "A return before its sale",
        "value": {"receipts": [{**RETURN, "receipt_number": "000225"}, {**SALE, "receipt_number": "000223"}]},
    },
}

BATCH_ANSWER: Example = {
    "results": [
        {"index": 0, "status": 201, "receipt": RECEIPT_ANSWER},
        {
            "index": 1,
            "status": 422,
            "problem": {
                "type": "https://regulars.example/problems/invalid_content",
                "title": "The body breaks a rule",
                "status": 422,
                "detail": "One place breaks a rule.",
                "errors": [{"pointer": "/lines/0/quantity", "detail": "Missing data for required field."}],
            },
        },
    ]
}

REDEMPTIONS: Mapping[str, Example] = {
    "points": {"summary": "Points for money off", "value": {"card_number": CARD_NUMBER, "points": 500}},
    "reward": {"summary": "A reward", "value": {"card_number": CARD_NUMBER, "reward_code": "MUG"}},
    "voucher": {"summary": "A voucher", "value": {"voucher_code": "7Q4M-9XKD-2R"}},
}

REDEMPTION_ANSWER: Example = {
    "redemption_id": "019aa5f1-3c2b-7d40-8b7e-2f6f1a0d9c55",
    "state": "reserved",
    "expires_at": "2026-11-21T09:26:02+00:00",
    "points": 500,
    "value_amount": 5000,
}

MEMBERS: Mapping[str, Example] = {
    "member": {
        "summary": "A new member",
        "value": {
            "card_number": "2990000000040",
            "given_name": "Žofie",
            "family_name": "Nováková",
            "phone": "601 123 456",
            "email": "zofie@example.com",
            "language": "cs",
            "consents": ["email:offers"],
        },
    }
}

MEMBER_ANSWER: Example = {
    "member_code": "M-7Q4M9XKD2R",
    "card": {**CARD_ANSWER, "card_number": "2990000000040"},
}

BLOCKS: Mapping[str, Example] = {"lost": {"summary": "A lost card", "value": {"reason": "lost"}}}

REPLACEMENTS: Mapping[str, Example] = {
    "lost": {"summary": "A lost card", "value": {"new_card_number": "2990000000057", "reason": "lost"}}
}

RETURN_QUOTES: Mapping[str, Example] = {
    "one_of_two": {
        "summary": "One of two pieces",
        "value": {
            "original": RETURN["original"],
            "lines": [{"original_line_number": 1, "quantity": "1"}],
        },
    }
}

RETURN_QUOTE_ANSWER: Example = {
    "lines": [
        {
            "original_line_number": 1,
            "quantity": "1",
            "refund_amount": 5391,
            "points_reversed": 53,
            "points_returned": 0,
        }
    ],
    "totals": {"refund_amount": 5391},
    "points": {"reversed": 53, "returned": 0, "balance_after": 54},
    "flags": [],
}

SNAPSHOT_ANSWER: Example = {
    "generated_at": "2026-11-21T09:20:02+00:00",
    "key_id": "4f1c9a07be52",
    "payload": {
        "cards": [
            {
                "allowance": "k5e0a91c7.940.1795252802000.1795512002000.Jx0mV9m3J0Zr3kqQ0b8uYw",
                "card_number": CARD_NUMBER,
                "spendable_now": 940,
                "state": "active",
            },
            {"card_number": "2990000000026", "spendable_now": 0, "state": "blocked"},
        ],
        "offers": {"choice": "first", "offers": []},
        "programme": {
            "currency": "CZK",
            "earned_net_of_tax": False,
            "earned_on_points": False,
            "earned_per_amount": 100,
            "earned_points": 1,
            "pending_days": 14,
            "point_value": 10,
            "points_as": "discount",
            "points_minimum": 1,
            "points_share_percent": 100,
            "points_step": 1,
            "version": 0,
        },
        "since": None,
        "store_code": "S1",
        "till_code": "T1",
        "whole": True,
    },
    "signature": "0b3eb85ee94e4813c24ae29ff23ca20f38ba0b0272f9687e0675adfa4ffb465b",
    "valid_until": "2026-11-24T09:20:02+00:00",
}
