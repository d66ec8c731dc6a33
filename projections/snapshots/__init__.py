"""Snapshots of bars: their bytes, their files, their schedule."""
