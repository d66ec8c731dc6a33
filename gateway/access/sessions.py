"""Sessions: what a browser holds after its person has signed in, instead of the token.

They live in this process: after a restart, people sign in again.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gateway.access.scopes import Caller
from gateway.access.tokens import token_digest

MOST_SESSIONS = 10_000
MOST_OF_A_CALLER = 20


@dataclass(slots=True)
class SignedIn:
    """One browser that is signed in; times are the clock's seconds."""

    caller: Caller
    begun: float
    used: float

    @property
    def name(self) -> str:
        """Return what the session is called here; it opens nothing."""
        return self.caller.session


class Sessions:
    """Hold the sessions; one that is unused too long, or too old, has ended."""

    def __init__(
        self,
        idle: float,
        longest: float,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.longest = longest
        self._idle = idle
        self._clock = clock
        self._random = random
        self._open: OrderedDict[str, SignedIn] = OrderedDict()  # by name, the one unused for longest first

    def begin(self, caller: Caller) -> str:
        """Return what the browser shows from now on; too many sessions of a caller, or of all, end those unused."""
        shown, now = self._random(32), self._clock()
        name = token_digest(shown)
        own = self.of(caller)
        self.end(each.name for each in own[MOST_OF_A_CALLER - 1 :])
        while len(self._open) >= MOST_SESSIONS:
            self._open.popitem(last=False)
        self._open[name] = SignedIn(replace(caller, session=name), now, now)
        return shown

    def use(self, shown: str) -> Caller | None:
        """Return who signed in, and note that they are here; None: no such session, or none any more."""
        name = token_digest(shown)
        if not self.lives(name):
            return None
        session = self._open[name]
        session.used = self._clock()
        self._open.move_to_end(name)
        return session.caller

    def lives(self, name: str) -> bool:
        """Tell whether a session has not ended, and forget it if it has."""
        session, now = self._open.get(name), self._clock()
        if session is None:
            return False
        if now - session.used < self._idle and now - session.begun < self.longest:
            return True
        del self._open[name]
        return False

    def of(self, caller: Caller) -> list[SignedIn]:
        """Return the sessions of who is the same caller, the one used last first."""
        own = [each for each in reversed(self._open.values()) if each.caller.key == caller.key]
        return [each for each in own if self.lives(each.name)]

    def end(self, names: Iterable[str]) -> None:
        """End sessions."""
        for name in names:
            self._open.pop(name, None)

    def age(self, moment: float) -> float:
        """Return how many seconds ago a moment of a session was."""
        return self._clock() - moment
