"""How often Python looks for objects that reference counts leave behind."""

import gc

_NEW_OBJECTS = 50_000  # by default 700
_YOUNG, _MIDDLE = 20, 100  # rounds of one generation until the next is looked at, too


def collect_rarely() -> None:
    """Let the collector of this process look at every 50,000 new objects only.

    A batch of events makes some ten thousand objects, none of them in a cycle, and drops them all at its end: looking
    for cycles every 700 takes a sixth of the processor time of whoever folds a log.
    """
    gc.set_threshold(_NEW_OBJECTS, _YOUNG, _MIDDLE)
