"""What serving and scoring follow: topics to their present end, and the last bars of each symbol."""
