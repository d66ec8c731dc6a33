"""Coming back: from memory, from the log, to the live stream, with no hole and no double at any seam."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.stream.clients import Client
from gateway.stream.hub import Hub
from gateway.stream.messages import Message
from gateway.stream.resume import Resume, parse_resume, resume
from streaming.errors import KafkaAway
from tests.support.event_streams import TOPIC, MemoryLog, drain, everything, gaps, made, offsets, read, run


def hub_with(messages: Mapping[int, list[Message]], floors: Mapping[int, int], epoch: str = "e1") -> Hub:
    """Return a hub that has read messages to their end and remembers them from floors on."""
    hub = Hub()
    nexts = {partition: own[-1].offset + 1 if own else 0 for partition, own in messages.items()}
    past = [each for partition, own in messages.items() for each in own if each.offset >= floors[partition]]
    hub.open(TOPIC, epoch, nexts, floors=floors, past=past)
    return hub


async def resumed(hub: Hub, log: MemoryLog, request: Resume, limit: int = 100) -> list[dict[str, object]]:
    client = Client(everything(), limit=limit)
    await resume(client, hub, log, request)
    return await drain(client)


def ten() -> dict[int, list[Message]]:
    return {0: [made(offset) for offset in range(10)]}


def test_resume_within_memory_reads_no_log() -> None:
    async def check() -> None:
        log = MemoryLog(ten())
        got = await resumed(hub_with(ten(), {0: 4}), log, Resume({0: 5}))
        assert offsets(got) == [6, 7, 8, 9]
        assert log.reads == 0

    run(check())


def test_resume_before_memory_reads_the_log_and_then_memory() -> None:
    async def check() -> None:
        log = MemoryLog(ten())
        got = await resumed(hub_with(ten(), {0: 6}), log, Resume({0: 1}))
        assert offsets(got) == [2, 3, 4, 5, 6, 7, 8, 9]
        assert log.reads == 1

    run(check())


def test_resume_from_the_very_beginning_gets_everything() -> None:
    async def check() -> None:
        got = await resumed(hub_with(ten(), {0: 10}), MemoryLog(ten()), Resume({0: -1}))
        assert offsets(got) == list(range(10))

    run(check())


def test_resume_beyond_retention_tells_the_gap_and_gives_the_rest() -> None:
    async def check() -> None:
        got = await resumed(hub_with(ten(), {0: 8}), MemoryLog(ten(), {0: 5}), Resume({0: 1}))
        assert gaps(got) == [(0, 2, 4, "retention")]
        assert offsets(got) == [5, 6, 7, 8, 9]

    run(check())


def test_resume_of_another_epoch_tells_the_gap_and_goes_live() -> None:
    async def check() -> None:
        hub = hub_with(ten(), {0: 0}, epoch="new")
        client = Client(everything())
        await resume(client, hub, MemoryLog(ten()), Resume({0: 3}, "old"))
        hub.publish([made(10)])
        while not hub.idle:
            await asyncio.sleep(0)
        got = await drain(client)
        assert gaps(got) == [(0, 0, 9, "epoch")]
        assert offsets(got) == [10]

    run(check())


def test_resume_ahead_of_the_log_tells_the_gap() -> None:
    async def check() -> None:
        got = await resumed(hub_with(ten(), {0: 0}), MemoryLog(ten()), Resume({0: 500}))
        assert gaps(got) == [(0, 10, 500, "ahead of the log")]

    run(check())


def test_resume_ahead_of_memory_but_not_of_the_log_gets_nothing_twice() -> None:
    async def check() -> None:
        hub = hub_with({0: [made(offset) for offset in range(6)]}, {0: 0})
        client = Client(everything())
        await resume(client, hub, MemoryLog(ten()), Resume({0: 7}))  # seen where the reader was ahead of ours
        hub.publish([made(offset) for offset in range(6, 10)])
        while not hub.idle:
            await asyncio.sleep(0)
        got = await drain(client)
        assert gaps(got) == []
        assert offsets(got) == [8, 9]

    run(check())


def test_resume_while_the_reader_loses_a_partition_gets_nothing_of_another_twice() -> None:
    async def check() -> None:
        hub = hub_with({0: [made(0)], 1: []}, {0: 0, 1: 0})

        class Losing(MemoryLog):
            async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
                if not self.reads:
                    self.reads = 1
                    hub.open(TOPIC, "e1", {0: 5, 1: 0})  # retention overtook the reader of one partition
                return await super().marks(topic)

        log = Losing({0: [made(offset) for offset in range(5)], 1: [made(0, partition=1)]}, {0: 5})
        client = Client(everything())
        await resume(client, hub, log, Resume({0: 0, 1: 0}))  # of the other, this gateway has read less than the client
        hub.publish([made(0, partition=1), made(5), made(1, partition=1)])
        while not hub.idle:
            await asyncio.sleep(0)
        got = await drain(client)
        assert gaps(got) == [(0, 1, 4, "retention")]
        assert offsets(got) == [5]
        assert offsets(got, 1) == [1]

    run(check())


def test_resume_of_a_partition_that_is_not_there_tells_the_gap() -> None:
    async def check() -> None:
        got = await resumed(hub_with(ten(), {0: 0}), MemoryLog(ten()), Resume({0: 8, 9: 3}))
        assert gaps(got) == [(9, 0, 3, "no such partition")]
        assert offsets(got) == [9]

    run(check())


def test_resume_while_the_log_is_away_waits_and_then_misses_nothing() -> None:
    async def check() -> None:
        class Failing(MemoryLog):
            failures = 2

            async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
                if self.failures:
                    self.failures -= 1
                    raise KafkaAway("broker away")
                return await super().marks(topic)

        client = Client(everything())
        await resume(client, hub_with(ten(), {0: 9}), Failing(ten()), Resume({0: 2}), retry=0.01)
        assert offsets(await drain(client)) == list(range(3, 10))

    run(check())


def test_resume_before_the_topic_is_known_waits_for_it() -> None:
    async def check() -> None:
        hub = Hub()
        client = Client(everything())
        resuming = asyncio.create_task(resume(client, hub, MemoryLog(ten()), Resume({0: 4})))
        await asyncio.sleep(0.01)
        assert not resuming.done()
        hub.open(TOPIC, "e1", {0: 10})
        await resuming
        assert offsets(await drain(client)) == [5, 6, 7, 8, 9]

    run(check())


def test_resume_whose_topic_is_made_anew_meanwhile_tells_the_gap() -> None:
    async def check() -> None:
        hub = hub_with(ten(), {0: 10})

        class Turning(MemoryLog):
            async def marks(self, topic: str) -> dict[int, tuple[int, int]]:
                hub.open(TOPIC, "e2", {0: 0})
                return await super().marks(topic)

        client = Client(everything())
        await resume(client, hub, Turning(ten()), Resume({0: 2}))
        got = await drain(client)
        assert got[0]["epochs"] == {TOPIC: "e2"}
        assert gaps(got) == [(0, 0, -1, "epoch")]
        assert offsets(got) == []

    run(check())


def test_resume_of_a_client_that_leaves_ends() -> None:
    async def check() -> None:
        client = Client(everything(), limit=2)
        resuming = asyncio.create_task(resume(client, hub_with(ten(), {0: 10}), MemoryLog(ten()), Resume({0: -1})))
        await asyncio.sleep(0.01)
        assert not resuming.done()  # its queue is full, and nobody drains it
        assert len(client) <= 2
        client.close(1012, "restart")
        await resuming

    run(check())


def test_resume_under_a_subscription_gives_only_what_is_wanted() -> None:
    async def check() -> None:
        from gateway.stream.messages import Subscription

        messages = {0: [made(offset, "AAPL" if offset % 3 else "IBM") for offset in range(10)]}
        client = Client(Subscription(TOPIC, frozenset({"IBM"})))
        await resume(client, hub_with(messages, {0: 5}), MemoryLog(messages), Resume({0: -1}))
        assert offsets(await drain(client)) == [0, 3, 6, 9]

    run(check())


@pytest.mark.parametrize(
    "data",
    [
        {"positions": []},
        {"positions": {TOPIC: 3}},
        {"positions": {TOPIC: {"x": 3}}},
        {"positions": {TOPIC: {"0": "3"}}},
        {"positions": {TOPIC: {"0": -2}}},
        {"positions": {TOPIC: {"0": True}}},
        {"positions": {TOPIC: {"0": 1.5}}},
        {"positions": {TOPIC: {"9" * 40: 1}}},
        {"epochs": {TOPIC: 3}},
        {"epochs": "e1"},
    ],
)
def test_resume_that_makes_no_sense_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"position|partition|epoch"):
        parse_resume(data, TOPIC)


def test_resume_of_other_topics_is_left_aside() -> None:
    assert parse_resume({"positions": {"corporate-actions": {"0": 5}}, "epochs": None}, TOPIC) == Resume()


@st.composite
def logs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Readable offsets of each partition: holes are records that nobody can read."""
    found = {}
    for partition in range(draw(st.integers(1, 3))):
        steps = draw(st.lists(st.integers(1, 3), max_size=25))
        offset, own = -1, []
        for step in steps:
            offset += step
            own.append(offset)
        found[partition] = own
    return found


@settings(max_examples=300, deadline=None)
@given(logs(), st.data())
def test_resume_with_any_split_of_log_memory_and_live_has_no_hole_and_no_double(
    readable: dict[int, list[int]], data: st.DataObject
) -> None:
    """What is in the log only, in memory too, and yet to come; where the client stopped; when each thing happens."""
    every = {p: [made(offset, f"S{offset % 4}", p) for offset in own] for p, own in readable.items()}
    known = {p: data.draw(st.integers(0, len(own)), f"read before, {p}") for p, own in every.items()}
    past = {p: own[: known[p]] for p, own in every.items()}
    ends = {p: own[-1].offset + 1 if own else 0 for p, own in past.items()}
    floors = {p: data.draw(st.integers(0, end), f"floor {p}") for p, end in ends.items()}
    stopped = {p: data.draw(st.integers(-1, max(-1, end - 1)), f"stopped {p}") for p, end in ends.items()}
    memory = data.draw(st.integers(1, 30), "ring")
    limit = data.draw(st.integers(5, 15), "queue")
    turns = data.draw(st.lists(st.integers(0, 3), max_size=60), "turns")

    async def check() -> None:
        hub = Hub(ring_messages=memory)
        remembered = [each for p, own in past.items() for each in own if each.offset >= floors[p]]
        hub.open(TOPIC, "e1", ends, floors=floors, past=remembered)
        client = Client(everything(), limit=limit)
        log = MemoryLog(every)
        coming = {p: list(own[known[p] :]) for p, own in every.items()}
        resuming = asyncio.create_task(resume(client, hub, log, Resume(stopped)))
        got: list[dict[str, object]] = []
        moments = iter(turns)
        while any(coming.values()) or not resuming.done() or client.waiting:
            for _ in range(next(moments, 1)):
                await asyncio.sleep(0)
            if client.waiting:
                got += read((await client.take()).text)
            for own in coming.values():
                if own and (next(moments, 1) or resuming.done()):
                    hub.publish([own.pop(0)])
                    hub._flush()  # no gathering: every order of events shall be met
        assert client.open
        assert not [each for each in got if each["type"] == "gap" and each["reason"] != "conflated"]
        for p, own in readable.items():
            wanted = [offset for offset in own if offset > stopped[p]]
            missing = set(wanted) - set(offsets(got, p))
            told = [(first, last) for q, first, last, _ in gaps(got) if q == p]
            assert offsets(got, p) == [offset for offset in wanted if offset not in missing], "in order, none twice"
            assert all(any(first <= offset <= last for first, last in told) for offset in missing), "no silent hole"

    run(check())
