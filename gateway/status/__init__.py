"""How this process and the whole system are doing."""
