"""Backups of a home: what cannot be derived is kept in a folder, and a home is made of it again."""
