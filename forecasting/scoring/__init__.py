"""Each forecast is judged when its bars close, and drift of it is told."""
