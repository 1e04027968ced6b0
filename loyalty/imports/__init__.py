"""Past receipts from files, booked by the rules of the till."""
