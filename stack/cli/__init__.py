"""The `foretick` command: its groups and their options."""
