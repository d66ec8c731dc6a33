"""Run the `foretick` command as a module."""

from stack.cli import app

app()
