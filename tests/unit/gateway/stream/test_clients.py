"""A client's queue: bounded, in order, conflated to the newest, closed when that does not help."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.clients import CONTROL_LIMIT, FRAME_MESSAGES, SLOW_CONSUMER, Client, Frame, Frames
from gateway.stream.messages import Gap, frame
from gateway.stream.transport import encoded
from tests.support.event_streams import TOPIC, drain, everything, gaps, made, offsets, read, run


def test_client_idle_gets_one_message_as_it_is() -> None:
    async def check() -> None:
        client = Client(everything())
        message = made(7)
        client.offer([message])
        frame = await client.take()
        assert frame.text == message.body
        assert frame.events == [message]

    run(check())


def test_client_with_several_waiting_gets_one_array() -> None:
    async def check() -> None:
        client = Client(everything())
        client.offer([made(1), made(2)])
        client.offer([made(3)])
        frame = await client.take()
        assert frame.text.startswith("[")
        assert offsets(read(frame.text)) == [1, 2, 3]

    run(check())


def test_client_with_very_many_waiting_gets_several_frames_in_order() -> None:
    async def check() -> None:
        client = Client(everything(), limit=1000)
        client.offer([made(offset) for offset in range(FRAME_MESSAGES + 10)])
        first = read((await client.take()).text)
        assert len(first) == FRAME_MESSAGES
        assert offsets(first + await drain(client)) == list(range(FRAME_MESSAGES + 10))

    run(check())


def test_client_full_keeps_the_newest_of_each_symbol_and_tells_the_gap() -> None:
    async def check() -> None:
        dropped: list[int] = []
        client = Client(everything(), limit=10, on_conflate=dropped.append)
        client.offer([made(offset, "AAPL" if offset % 2 else "IBM") for offset in range(11)])
        messages = await drain(client)
        assert offsets(messages) == [8, 9, 10]
        assert gaps(messages) == [(0, 0, 7, "conflated")]
        assert messages[0]["type"] == "gap"
        assert dropped == [8]
        assert client.open

    run(check())


def test_client_full_of_symbols_that_each_have_one_message_is_closed_as_slow() -> None:
    async def check() -> None:
        client = Client(everything(), limit=10)
        client.offer([made(offset, f"S{offset}") for offset in range(11)])
        assert client.closing.result()[0] == SLOW_CONSUMER
        assert len(client) == 0

    run(check())


def test_client_that_takes_nothing_for_its_patience_is_closed_as_slow() -> None:
    async def check() -> None:
        now = 100.0
        client = Client(everything(), patience=5, clock=lambda: now)
        client.offer([made(1)])
        await client.take()
        client.sending()
        now = 104.0
        client.check()
        assert client.open
        now = 105.5
        client.check()
        assert client.closing.result()[0] == SLOW_CONSUMER

    run(check())


def test_client_that_takes_each_frame_in_time_is_never_closed() -> None:
    async def check() -> None:
        now = 0.0
        client = Client(everything(), patience=5, clock=lambda: now)
        for _ in range(10):
            client.sending()
            now += 4
            client.check()
            client.sent(Frame("{}"))
            now += 60  # idle
            client.check()
        assert client.open

    run(check())


def test_client_that_reads_no_answers_is_closed_as_slow() -> None:
    async def check() -> None:
        client = Client(everything())
        for number in range(CONTROL_LIMIT + 1):
            client.tell(f'{{"type":"error","id":{number}}}')
        assert client.closing.result()[0] == SLOW_CONSUMER

    run(check())


def test_client_with_heartbeats_waiting_gets_only_the_newest() -> None:
    async def check() -> None:
        client = Client(everything())
        client.beat('{"type":"heartbeat","at":1}')
        client.beat('{"type":"heartbeat","at":2}')
        assert await drain(client) == [{"type": "heartbeat", "at": 2}]

    run(check())


def test_client_with_two_gaps_of_a_partition_gets_them_as_one() -> None:
    async def check() -> None:
        client = Client(everything())
        client.miss(Gap(TOPIC, 0, 5, 7, "retention"))
        client.miss(Gap(TOPIC, 0, 8, 9, "conflated"))
        client.miss(Gap(TOPIC, 1, 1, 1, "conflated"))
        assert gaps(await drain(client)) == [(0, 5, 9, "retention"), (1, 1, 1, "conflated")]

    run(check())


def test_client_waiting_for_room_goes_on_when_the_queue_is_drained() -> None:
    async def check() -> None:
        client = Client(everything(), limit=4)
        client.offer([made(offset) for offset in range(4)])
        waiting = asyncio.create_task(client.room(2))
        await asyncio.sleep(0)
        assert not waiting.done()
        await client.take()
        await waiting

    run(check())


def test_client_waiting_for_room_goes_on_when_it_is_closed() -> None:
    async def check() -> None:
        client = Client(everything(), limit=1)
        client.offer([made(0)])
        waiting = asyncio.create_task(client.room(1))
        await asyncio.sleep(0)
        client.close(1012, "restart")
        await waiting

    run(check())


def test_frames_of_the_same_messages_are_one_text() -> None:
    frames = Frames()
    messages = [made(1), made(2)]
    assert frames.of(messages) is frames.of(list(messages))
    assert frames.of(messages).text != frames.of([messages[0], made(2, "IBM")]).text


@given(
    limit=st.integers(4, 40),
    steps=st.lists(
        st.one_of(
            st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(0, 2)), min_size=1, max_size=30),
            st.none(),
            st.booleans(),
        ),
        max_size=30,
    ),
)
def test_client_whatever_comes_keeps_order_bounds_and_never_a_silent_hole(
    limit: int, steps: list[list[tuple[str, int]] | bool | None]
) -> None:
    async def check() -> None:
        got: list[dict[str, Any]] = []
        taking = False
        client = Client(
            everything(), limit=limit, write=lambda _: taking, on_sent=lambda frame: got.extend(read(frame.text))
        )
        nexts = {0: 0, 1: 0, 2: 0}
        newest: dict[tuple[str, int], int] = {}
        for step in [*steps, None]:
            if step is None:  # the client reads
                got += await drain(client)
            elif isinstance(step, bool):  # from now on the socket takes what it is given, or does not
                taking = step
            else:
                batch = []
                for symbol, partition in step:
                    symbol = f"{symbol}{partition}"  # a symbol has one partition
                    batch.append(made(nexts[partition], symbol, partition))
                    newest[symbol, partition] = nexts[partition]
                    nexts[partition] += 1
                client.offer(batch)
            assert len(client) <= limit
        if not client.open:
            assert client.closing.result()[0] == SLOW_CONSUMER
            return
        told = gaps(got)
        for partition, end in nexts.items():
            seen = offsets(got, partition)
            assert seen == sorted(set(seen)), "in order, each once"
            for offset in set(range(end)) - set(seen):
                assert any(p == partition and first <= offset <= last for p, first, last, _ in told)
        for (symbol, partition), offset in newest.items():
            assert offset in offsets(got, partition), f"the newest of {symbol} always arrives"

    run(check())


def test_messages_go_straight_to_a_socket_that_takes_them_and_wait_in_order_where_it_does_not() -> None:
    async def check() -> None:
        written: list[bytes] = []
        sent: list[Frame] = []
        open_now = True

        def write(data: bytes) -> bool:
            if open_now:
                written.append(data)
            return open_now

        client = Client(everything(), write=write, on_sent=sent.append)
        first, second, third, fourth = (made(offset) for offset in range(4))
        client.offer([first])
        assert written == [encoded(first.body)]
        assert [list(each.events) for each in sent] == [[first]]
        open_now = False
        client.offer([second])
        open_now = True
        client.offer([third])  # not before what waits
        assert len(written) == 1
        taken = await client.take()
        assert list(taken.events) == [second, third]
        client.sending()
        client.offer([fourth])  # nor beside what is being sent
        assert len(written) == 1
        client.sent(taken)
        assert list((await client.take()).events) == [fourth]

    run(check())


def test_what_a_client_saw_elsewhere_is_not_written_to_it() -> None:
    async def check() -> None:
        written: list[bytes] = []
        client = Client(everything(), write=lambda data: not written.append(data))
        client.skip_until(0, 2)
        messages = [made(offset) for offset in range(4)]
        client.offer(messages[:1])
        client.offer(messages[1:])
        assert written == [encoded(frame([messages[2].body, messages[3].body]))]

    run(check())
