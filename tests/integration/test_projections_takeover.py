"""Sleepers and stalled rebuilds: nobody writes to a collection from a position that is not its own."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from contracts.topics import STOCK_DATA
from projections import sink as sinks
from projections import takeover
from projections.answers import Superseded
from projections.lease import Lease
from projections.mongo import Store, now
from projections.read_models.bars import BARS
from projections.rebuild import rebuild
from projections.sink import ReadModelSink
from streaming.errors import StoreAway
from streaming.reader import read_all, watermarks
from streaming.records import Batch
from tests.integration.projecting import Running, bars, documents, expected, publish
from tests.support.waiting import until

pytestmark = pytest.mark.realtime
NAME = BARS.name


@pytest.fixture
def store(settings) -> Iterator[Store]:
    store = Store(settings)
    store.ensure_generation(NAME)
    yield store
    store.close()


def later():
    return now() + takeover.COMMIT + timedelta(seconds=1)


def partitions(settings):
    return [(STOCK_DATA.name, partition) for partition in watermarks(settings, STOCK_DATA)]


def batch(settings) -> Batch:
    """Return the whole log as one batch."""
    records = list(read_all(settings, STOCK_DATA))
    ends = {(STOCK_DATA.name, place): high for place, (_, high) in watermarks(settings, STOCK_DATA).items()}
    return Batch(records=records, next_offsets=ends)


def test_claim_only_one_rebuild_holds_the_lease_and_collections_have_new_names(store):
    first = takeover.claim(store, NAME, "one")
    assert first["rebuild"]["collection"] == "stock_data__2"
    assert takeover.claim(store, NAME, "two") is None

    takeover.release_lease(store, NAME, "one")

    assert takeover.claim(store, NAME, "two")["rebuild"]["collection"] == "stock_data__3"


def test_claim_lease_that_ran_out_is_taken_and_the_old_rebuild_can_do_nothing_more(store, monkeypatch):
    takeover.claim(store, NAME, "one")
    store.create("stock_data__2")

    with monkeypatch.context() as patch:
        patch.setattr(store, "now", later)
        assert takeover.claim(store, NAME, "two") is not None

    assert store.collections("stock_data__") == []
    for act in (
        lambda: takeover.renew(store, NAME, "one"),
        lambda: takeover.commit(store, NAME, "one", []),
        lambda: takeover.fence_writers(store, NAME, "one"),
        lambda: takeover.ask_for_pause(store, NAME, "one"),
    ):
        with pytest.raises(Superseded, match="set aside"):
            act()
    with pytest.raises(Superseded, match="dropped before"):
        store.rename("stock_data__2", NAME)
    takeover.release_lease(store, NAME, "one")
    assert store.generation(NAME)["rebuild"]["token"] == "two"


def test_clear_abandoned_lease_that_is_kept_is_left_alone(store):
    row = takeover.claim(store, NAME, "one")
    takeover.renew(store, NAME, "one")

    takeover.clear_abandoned(store, row)

    takeover.commit(store, NAME, "one", [])


def test_clear_abandoned_halfway_is_finished_by_the_next_who_looks(store):
    row = takeover.claim(store, NAME, "one")
    store.create("stock_data__2")
    store.change_generation(NAME, {}, {"$set": {"rebuild.abandoned": True}})

    with pytest.raises(Superseded):
        takeover.commit(store, NAME, "one", [])
    takeover.clear_abandoned(store, store.generation(NAME))

    assert row["rebuild"]["collection"] not in store.collections(NAME)
    assert "rebuild" not in store.generation(NAME)


def test_sink_stops_for_a_rebuild_and_goes_on_after_it(settings, store):
    publish(settings, bars(10))
    sink = ReadModelSink(settings, store, BARS, "writer")
    sink.positions(partitions(settings))

    with Lease(store, NAME) as lease:
        stopped = threading.Thread(target=lease.pause_writers)
        stopped.start()
        until(lambda: (sink.attend(), not stopped.is_alive())[1], "the writer has stopped")
        with pytest.raises(StoreAway, match="paused"):
            sink.apply(batch(settings))
        with pytest.raises(StoreAway, match="taking over"):
            ReadModelSink(settings, store, BARS, "newcomer").positions(partitions(settings))
    assert documents(settings, NAME) == {}

    sink.attend()
    sink.apply(batch(settings))

    assert documents(settings, NAME) == expected(settings, BARS)


def test_sink_goes_on_by_itself_after_a_rebuild_that_died_while_it_paused(settings, store, monkeypatch):
    publish(settings, bars(10))
    sink = ReadModelSink(settings, store, BARS, "writer")
    sink.positions(partitions(settings))
    collection = takeover.claim(store, NAME, "dead")["rebuild"]["collection"]
    store.create(collection)
    takeover.ask_for_pause(store, NAME, "dead")
    sink.attend()
    takeover.fence_writers(store, NAME, "dead")
    with pytest.raises(StoreAway):
        sink.apply(batch(settings))

    monkeypatch.setattr(store, "now", later)
    sink.attend()
    sink.attend()
    sink.apply(batch(settings))

    assert documents(settings, NAME) == expected(settings, BARS)
    with pytest.raises(Superseded):
        store.rename(collection, NAME)


def test_sink_that_slept_through_a_takeover_cannot_move_its_checkpoint(settings, store, monkeypatch):
    publish(settings, bars(200))
    sleeper = ReadModelSink(settings, store, BARS, "sleeper")
    sleeper.positions(partitions(settings))
    whole = batch(settings)
    monkeypatch.setattr(takeover, "LEASE", timedelta(seconds=0.5))

    def sleep_through(moves):
        """The documents are written; before the checkpoint is, a rebuild and another writer come and go."""
        monkeypatch.undo()
        monkeypatch.setattr(takeover, "LEASE", timedelta(seconds=0.5))
        with Running(settings, BARS) as other:
            other.catch_up()
            publish(settings, bars(100, first=200))
            other.catch_up()
        monkeypatch.undo()
        store.change_generation(NAME, {}, {"$unset": {"writers": ""}})  # it was not seen for long
        assert rebuild(settings, NAME, accept_difference=True).equal
        store.advance(moves)

    monkeypatch.setattr(sleeper, "_store", _Sleeping(store, sleep_through))
    with pytest.raises(StoreAway, match="moved by another writer or by a rebuild"):
        sleeper.apply(whole)

    assert documents(settings, NAME) == expected(settings, BARS)
    with Running(settings, BARS) as running:
        running.catch_up()
    assert documents(settings, NAME) == expected(settings, BARS)
    assert rebuild(settings, NAME, verify_only=True).equal


def test_sink_superseded_for_long_stops_loudly(settings, store, monkeypatch):
    publish(settings, bars(5))
    sink = ReadModelSink(settings, store, BARS, "writer")
    sink.positions(partitions(settings))
    store.stamp_checkpoints(NAME, 99)
    whole = batch(settings)
    with pytest.raises(StoreAway):
        sink.apply(whole)

    monkeypatch.setattr(sinks, "_GRACE_SECONDS", -1.0)

    with pytest.raises(Superseded, match="generation 1"):
        sink.apply(whole)


class _Sleeping:
    """A store whose owner falls asleep before it moves its checkpoints."""

    def __init__(self, store: Store, advance) -> None:
        self._store = store
        self.advance = advance

    def __getattr__(self, name: str):
        return getattr(self._store, name)
