"""What callers send and what the gateway answers."""
