"""Who gets it, and the books: programme, earning, the ledger and checkout."""
