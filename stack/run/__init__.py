"""How a stack is brought up and taken down, backed up and restored."""
