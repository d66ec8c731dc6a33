"""Each new bar is forecast by every model at work; `/invocations` for who asks."""
