"""A training or a forecast done a second time, and compared."""
