"""What a server's clock that is set back must not hold up: it leaves times to come behind."""

from datetime import timedelta

import pytest

from projections import takeover
from projections.read_models.bars import BARS
from tests.support.logs import CLOSED
from tests.support.memory_store import WholeStore

NAME = BARS.name
BACK = timedelta(hours=1)


@pytest.fixture
def store() -> WholeStore:
    store = WholeStore()
    store.now = lambda: CLOSED
    store.ensure_generation(NAME)
    return store


def set_back(store: WholeStore) -> None:
    store.now = lambda: CLOSED - BACK


def test_writer_that_died_before_the_clock_was_set_back_holds_up_no_rebuild(store):
    takeover.beat(store, NAME, "dead", "")
    set_back(store)
    takeover.beat(store, NAME, "alive", "")
    takeover.claim(store, NAME, "one")
    assert takeover.still_writing(store, NAME, "one") == ["alive"]


def test_lease_of_a_rebuild_that_died_before_the_clock_was_set_back_is_taken(store):
    takeover.claim(store, NAME, "one")
    set_back(store)
    assert takeover.claim(store, NAME, "two")["rebuild"]["token"] == "two"


def test_lease_that_is_kept_is_nobody_elses_however_it_is_renewed(store):
    takeover.claim(store, NAME, "one")
    takeover.commit(store, NAME, "one", [])
    assert takeover.claim(store, NAME, "two") is None
    store.now = lambda: CLOSED + takeover.COMMIT - timedelta(seconds=1)
    takeover.renew(store, NAME, "one")
    assert takeover.claim(store, NAME, "two") is None
