"""The rebuild's side of `takeover.py`: hold the lease, pause the writers, commit."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog

from projections import takeover
from projections.answers import Superseded
from projections.mongo import Store
from streaming.errors import StoreAway

log = structlog.get_logger()

_RENEW_SECONDS = 3.0
_POLL_SECONDS = 0.1
_PAUSE_SECONDS = 90.0  # a writer finishes its batch first, and may wait for a slow server meanwhile


class LeaseRefused(Exception):
    """Somebody else holds what is needed; the text says who."""


class Lease:
    """Holds a read model's rebuild lease while a `with` block runs; a thread keeps it."""

    def __init__(self, store: Store, model: str) -> None:
        self.collection = ""
        self._store = store
        self._model = model
        self._token = uuid4().hex
        self._done = threading.Event()
        self._lost: Superseded | None = None
        self._uncertain = False
        self._keeper = threading.Thread(target=self._keep, name=f"lease-{model}", daemon=True)

    def __enter__(self) -> Self:
        self._claim()
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._keeper.join()
        if self._uncertain:
            return
        try:
            takeover.release_lease(self._store, self._model, self._token)
        except StoreAway as away:  # it runs out by itself
            log.warning("the lease could not be given back", read_model=self._model, reason=str(away))

    def check(self) -> None:
        """Raise Superseded if the lease was lost."""
        if self._lost:
            raise self._lost

    def pause_writers(self) -> int:
        """Make all writers stop, and fence off those that do not; return the new generation.

        Raises:
            LeaseRefused: a writer lives and does not stop.
        """
        takeover.ask_for_pause(self._store, self._model, self._token)
        deadline = time.monotonic() + _PAUSE_SECONDS
        while writing := takeover.still_writing(self._store, self._model, self._token):
            self.check()
            if time.monotonic() > deadline:
                raise LeaseRefused(f"{self._model}: writers {', '.join(writing)} do not pause; is MongoDB overloaded?")
            time.sleep(_POLL_SECONDS)
        return takeover.fence_writers(self._store, self._model, self._token)

    @contextmanager
    def committed(self, expected: Sequence[str]) -> Iterator[None]:
        """Secure the lease for the rename, which is made inside.

        Args:
            expected: fingerprints that the live collection may have after it, whether it was made or not.

        Raises:
            Superseded: it was lost.
        """
        self.check()
        takeover.commit(self._store, self._model, self._token, expected)
        self._uncertain = True  # if this ends here, whoever finds the lease run out looks what became of the rename
        yield
        self._uncertain = False

    def _claim(self) -> None:
        """Take the lease; one that nobody renews any more is waited out."""
        seen = None
        while True:
            if row := takeover.claim(self._store, self._model, self._token):
                self.collection = row["rebuild"]["collection"]
                return
            held = self._store.generation(self._model).get("rebuild") or {}
            until = held.get("until")
            if seen and until and until != seen:
                raise LeaseRefused(f"another rebuild of {self._model} is under way, in {held.get('collection')}")
            if until and not seen:
                log.info("waiting for the lease of an earlier rebuild", read_model=self._model, until=until.isoformat())
            seen = until
            time.sleep(_POLL_SECONDS)

    def _keep(self) -> None:
        while not self._done.wait(_RENEW_SECONDS):
            try:
                takeover.renew(self._store, self._model, self._token)
            except Superseded as lost:
                self._lost = lost
                return
            except StoreAway as away:
                log.warning("the lease could not be renewed", read_model=self._model, reason=str(away))
