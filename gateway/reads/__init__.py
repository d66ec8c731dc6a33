"""The read models, asked for: by cursor, as of a moment, no older than what a caller has seen."""
