"""Tickets: what a browser shows instead of its token to open a socket; good once, for seconds."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.access.scopes import Caller

TICKET_SECONDS = 30.0
MOST_TICKETS = 10_000


class Tickets:
    """Hold the tickets that were given out, in this process: a restart costs a page one more request."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, random: Callable[[int], str] = secrets.token_urlsafe
    ) -> None:
        self._clock = clock
        self._random = random
        self._open: OrderedDict[str, tuple[float, Caller]] = OrderedDict()  # oldest first

    def give(self, caller: Caller) -> str:
        """Return a new ticket of a caller."""
        now = self._clock()
        while self._open and (len(self._open) >= MOST_TICKETS or next(iter(self._open.values()))[0] <= now):
            self._open.popitem(last=False)
        ticket = self._random(24)
        self._open[ticket] = (now + TICKET_SECONDS, caller)
        return ticket

    def take(self, ticket: str) -> Caller | None:
        """Return whose a ticket is, and forget it; None: unknown, used, or too old."""
        until, caller = self._open.pop(ticket, (0.0, None))
        return caller if until > self._clock() else None
