"""What is sent: editions per shopper group and copies per member."""
