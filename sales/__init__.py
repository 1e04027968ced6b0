"""What was bought, where: stores, tills, articles and receipts."""
