"""Predictions on request."""
