"""The read models: each one's documents, how events fold into them, and their table."""
