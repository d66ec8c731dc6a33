"""From a frozen part of the log to versions, the gate and the aliases."""
