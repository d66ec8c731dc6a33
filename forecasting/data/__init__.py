"""From events to the windows that models learn from, and the name of that data."""
