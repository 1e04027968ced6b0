"""Personal offers: what speaks for an article or a coupon in a member's hands, and what may be offered."""
