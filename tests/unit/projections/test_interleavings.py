"""Writers, zombies and rebuilds in any order: the real writer, sink and takeover over a store in memory.

Hypothesis chooses the steps.  Two writers may believe at once that a partition is theirs (one of them is a zombie),
read any batch from where they think that they stand, and die between any two single writes; a rebuild may be overtaken
at every step of its protocol.  Time is a number that only the rules move.  Readers ask for a position and then for the
documents, as the gateway does, and what they saw is held against the log at the end.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.documents import CHECKPOINTS_COLLECTION
from contracts.topics import STOCK_DATA
from projections import sink as sinks
from projections import takeover
from projections.answers import Superseded
from projections.comparison import compare
from projections.read_models.bars import BARS
from projections.sink import ReadModelSink
from projections.writer import Writer
from streaming.errors import StoreAway
from streaming.records import Batch
from streaming.settings import StreamSettings
from tests.support.histories import Entry, Read, of_reads
from tests.support.logs import CLOSED, bar, folded, record
from tests.support.memory_store import WholeStore

NAME = BARS.name
PARTITIONS = (0, 1)
WRITERS = ("one", "other")
READERS = ("reader", "another")
PLACES = [(STOCK_DATA.name, partition) for partition in PARTITIONS]


class Rebuild:
    """A rebuild between two steps of its protocol."""

    def __init__(self, token: str, collection: str) -> None:
        self.token = token
        self.collection = collection
        self.step = "fill"
        self.generation = 0


class Sink(ReadModelSink):
    """The live writer; its topics are never made again."""

    def _epochs(self, topics: set[str]) -> dict[str, str]:
        return dict.fromkeys(topics, "epoch")


class Interleavings(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.store = WholeStore()
        self.store.now = self.now
        self.time = CLOSED
        self.log: dict[int, list[Any]] = {partition: [] for partition in PARTITIONS}
        self.sinks: dict[str, Sink] = {}
        self.rebuilds: list[Rebuild] = []
        self.named = 0
        self.reads: list[Read] = []
        self.reading: dict[str, tuple[int, dict[tuple[str, int], int]]] = {}
        self.patches = [
            mock.patch.object(sinks, "now", self.now),
            mock.patch.object(sinks, "restored", self.restored),
        ]
        for patch in self.patches:
            patch.start()

    def teardown(self) -> None:
        for patch in getattr(self, "patches", ()):
            patch.stop()
        self.hold_reads_against_the_log()

    def now(self):
        return self.time

    def restored(self, _settings, rows) -> list[str]:
        """Hold what checkpoints say of the last event against the log, which is never restored here."""
        lasts = [(row["partition"], row["last"]) for row in rows if row["last"]]
        assert all(self.log[place][last["offset"]].event_id == last["event_id"] for place, last in lasts)
        return []

    # The log and the clock

    @rule(
        partition=st.sampled_from(PARTITIONS),
        bars=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=6),
    )
    def publish(self, partition: int, bars: list[tuple[int, int]]) -> None:
        for day, revision in bars:
            end = len(self.log[partition])
            event = bar(f"S{partition}", day, revision, close=411.0 + end % 12 / 8)
            self.log[partition].append(record(event, end, partition))

    @rule(seconds=st.sampled_from([1, 5, 16, 40, 3600, -3600]))
    def pass_time(self, seconds: int) -> None:
        """Let time pass; somebody may also set the server's clock, forward or back."""
        self.time += timedelta(seconds=seconds)

    # Writers

    @rule(name=st.sampled_from(WRITERS))
    def assign(self, name: str) -> None:
        """Give a writer every partition, whether or not another believes to have them."""
        self.sinks.setdefault(name, self._new_sink(name))
        try:
            self.sinks[name].positions(PLACES)
        except StoreAway:
            self.sinks[name].held = {}

    @rule(
        name=st.sampled_from(WRITERS),
        sizes=st.tuples(st.integers(0, 5), st.integers(0, 5)),
        dies_after=st.none() | st.integers(0, 8),
    )
    def take_batch(self, name: str, sizes: tuple[int, int], dies_after: int | None) -> None:
        """Take in the next messages; the process may be killed after some of the single writes."""
        sink = self.sinks.get(name)
        if sink is None or not sink.held:
            return
        batch = Batch()
        for place, size in zip(PLACES, sizes, strict=True):
            start = sink.held[place]["next_offset"]
            records = self.log[place[1]][start : start + size]
            if records:
                batch.records.extend(records)
                batch.next_offsets[place] = start + len(records)
        if not batch.next_offsets:
            return
        self.store.writes_left = dies_after
        try:
            sink.apply(batch)
        except (StoreAway, Superseded):
            if self.store.writes_left == 0:
                del self.sinks[name]  # killed; it says goodbye to nobody
        finally:
            self.store.writes_left = None

    @rule(name=st.sampled_from(WRITERS))
    def attend(self, name: str) -> None:
        if sink := self.sinks.get(name):
            try:
                sink.attend()
            except Superseded:
                del self.sinks[name]  # the process ends

    @rule(name=st.sampled_from(WRITERS))
    def kill(self, name: str) -> None:
        self.sinks.pop(name, None)

    @rule(partition=st.sampled_from(PARTITIONS), share=st.floats(0, 1))
    def move_back(self, partition: int, share: float) -> None:
        """Let a checkpoint be moved back by hand, while no writer runs."""
        row = self.store.data.get(CHECKPOINTS_COLLECTION, {}).get(f"{NAME}|{STOCK_DATA.name}|{partition}")
        if row and not self.sinks:
            self.hold_reads_against_the_log()  # what is read from now on may know less
            row["next_offset"] = int(row["next_offset"] * share)

    # Readers

    @rule(name=st.sampled_from(READERS))
    def ask_position(self, name: str) -> None:
        position = {(row["topic"], row["partition"]): row["next_offset"] for row in self.store.checkpoints(NAME)}
        self.reading[name] = self._moment(), position

    @rule(name=st.sampled_from(READERS))
    def read(self, name: str) -> None:
        if name in self.reading:
            began, position = self.reading.pop(name)
            found = {row["_id"]: _entry(row) for row in self.store.scan(NAME)}
            self.reads.append(Read(name, began, self._moment(), "", "", {}, position, found))

    def _moment(self) -> int:
        """Return the number of a moment, each of its own."""
        self.moment = getattr(self, "moment", 0) + 1
        return self.moment

    def hold_reads_against_the_log(self) -> None:
        reads, self.reads, self.reading = getattr(self, "reads", []), [], {}
        if reads:
            log = {
                place: {
                    each.offset: _entry(each.event.to_record() | {"_id": each.event.bar_id})
                    for each in self.log[place[1]]
                }
                for place in PLACES
            }
            assert list(of_reads(reads, log)) == []

    # Rebuilds, step by step: any of them may be the one that nobody waits for any more

    @precondition(lambda self: len(self.rebuilds) < 3)
    @rule()
    def claim(self) -> None:
        self.named += 1
        row = takeover.claim(self.store, NAME, f"rebuild-{self.named}")
        if row:
            rebuild = Rebuild(row["rebuild"]["token"], row["rebuild"]["collection"])
            self.store.create(rebuild.collection)
            self.rebuilds.append(rebuild)

    @precondition(lambda self: self.rebuilds)
    @rule(which=st.integers(0, 2))
    def renew(self, which: int) -> None:
        rebuild = self.rebuilds[which % len(self.rebuilds)]
        try:
            takeover.renew(self.store, NAME, rebuild.token)
        except Superseded:
            self.rebuilds.remove(rebuild)

    @precondition(lambda self: self.rebuilds)
    @rule(which=st.integers(0, 2))
    def go_on(self, which: int) -> None:
        """Let a rebuild make its next step, however long it slept before it."""
        rebuild = self.rebuilds[which % len(self.rebuilds)]
        try:
            self._step(rebuild)
        except Superseded:
            self.rebuilds.remove(rebuild)

    @precondition(lambda self: self.rebuilds)
    @rule(which=st.integers(0, 2))
    def kill_rebuild(self, which: int) -> None:
        del self.rebuilds[which % len(self.rebuilds)]

    def _step(self, rebuild: Rebuild) -> None:
        if rebuild.step == "fill":
            takeover.ask_for_pause(self.store, NAME, rebuild.token)
            rebuild.step = "fence"
        elif rebuild.step == "fence":
            if not takeover.still_writing(self.store, NAME, rebuild.token):
                rebuild.generation = takeover.fence_writers(self.store, NAME, rebuild.token)
                rebuild.step = "compare"
        elif rebuild.step == "compare":
            self._fill(rebuild.collection)
            comparison = compare(self.store, NAME, rebuild.collection)
            # A late batch of a zombie may be in the live one, and not yet below its checkpoint: not equal, refused.
            if comparison.equal:
                takeover.commit(self.store, NAME, rebuild.token, comparison.fingerprints)
                rebuild.step = "rename"
            else:
                takeover.release_lease(self.store, NAME, rebuild.token)
                self.store.drop(rebuild.collection)
                self.rebuilds.remove(rebuild)
        else:
            self.store.rename(rebuild.collection, NAME)
            takeover.release_lease(self.store, NAME, rebuild.token)
            self.rebuilds.remove(rebuild)

    def _fill(self, collection: str) -> None:
        if collection not in self.store.data:
            return
        for row in self.store.checkpoints(NAME):
            Writer(self.store, BARS, collection).write(self.log[row["partition"]][: row["next_offset"]])

    # What holds always

    @invariant()
    def nothing_before_a_checkpoint_is_missing(self) -> None:
        """Find every event before its partition's checkpoint in a document, once; nothing that is not in the log."""
        if not hasattr(self, "store"):
            return
        live = self.store.data.get(NAME, {})
        for document in live.values():
            ((partition, last),) = document["_at"][STOCK_DATA.name].items()
            own = [each for each in self.log[int(partition)] if each.event.bar_id == document["_id"]]
            before = [each for each in own if each.offset <= last]
            assert document == folded(BARS, before)[document["_id"]]
            assert document["_n"] == len(before)
        for row in self.store.checkpoints(NAME):
            for each in self.log[row["partition"]][: row["next_offset"]]:
                found = live.get(each.event.bar_id)
                assert found is not None, f"{each.event.bar_id} is lost"
                assert found["_at"][STOCK_DATA.name][str(row["partition"])] >= each.offset

    @invariant()
    def counts_reconcile(self) -> None:
        if hasattr(self, "store"):
            for row in self.store.checkpoints(NAME):
                assert row["read"] == row["applied"] + row["fenced"] + row["dead"]
                assert row["read"] >= row["next_offset"]

    @rule()
    def a_fresh_writer_brings_it_to_the_plain_fold(self) -> None:
        """Look ahead: whatever happened, a new writer ends at the fold of the log.  Then go back to where we were."""
        kept = self.store
        self.store = WholeStore()
        self.store.now = self.now
        self.store.data = {name: {key: {**row} for key, row in rows.items()} for name, rows in kept.data.items()}
        time, self.time = self.time, self.time + timedelta(minutes=5)  # every lease has run out
        last = self._new_sink("last")
        last.positions(PLACES)
        for place in PLACES:
            records = self.log[place[1]][last.held[place]["next_offset"] :]
            if records:
                last.apply(Batch(records=records, next_offsets={place: len(self.log[place[1]])}))
        found = self.store.data.get(NAME, {})
        assert found == folded(BARS, [each for records in self.log.values() for each in records])
        self.store, self.time = kept, time

    def _new_sink(self, name: str) -> Sink:
        self.named += 1
        return Sink(StreamSettings(), self.store, BARS, f"{name}-{self.named}")


def _entry(bar: Mapping[str, Any]) -> Entry:
    return Entry(bar["_id"], bar["revision"], str(bar["close"]))


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=int(os.environ.get("FORETICK_INTERLEAVINGS", "100")), stateful_step_count=40, deadline=None
)
