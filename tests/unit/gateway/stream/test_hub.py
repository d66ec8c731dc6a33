"""The fan-out: who gets what, in which order, and what is told when a log does not go on where it was."""

import asyncio

from gateway.stream.clients import Client
from gateway.stream.hub import Hub
from gateway.stream.messages import Subscription
from tests.support.event_streams import TOPIC, drain, everything, gaps, made, offsets, run


def opened(**settings: float) -> Hub:
    hub = Hub(**settings)  # type: ignore[arg-type]
    hub.open(TOPIC, "e1", {0: 0, 1: 0})
    return hub


async def settled(hub: Hub) -> None:
    while not hub.idle:
        await asyncio.sleep(0)


def listening(hub: Hub, subscription: Subscription | None = None, limit: int = 100) -> Client:
    client = Client(subscription or everything(), limit=limit, frames=hub.frames)
    hub.admit(client)
    assert hub.join(client)
    return client


def test_hub_with_clients_hands_each_only_what_it_wants() -> None:
    async def check() -> None:
        hub = opened()
        every = listening(hub)
        apple = listening(hub, Subscription(TOPIC, frozenset({"AAPL"})))
        hourly = listening(hub, Subscription(TOPIC, interval="PT1H"))
        champions = listening(hub, Subscription(TOPIC, roles=frozenset({"CHAMPION"})))
        elsewhere = listening(hub, Subscription("stock-forecasts"))
        hub.publish([made(0, "AAPL"), made(1, "IBM"), made(2, "AAPL", role="CHAMPION")])
        await settled(hub)
        assert offsets(await drain(every)) == [0, 1, 2]
        assert offsets(await drain(apple)) == [0, 2]
        assert await drain(hourly) == []
        assert offsets(await drain(champions)) == [2]
        assert await drain(elsewhere) == []

    run(check())


def test_hub_with_many_clients_of_one_subscription_joins_their_frame_once() -> None:
    async def check() -> None:
        hub = opened()
        clients = [listening(hub) for _ in range(5)]
        hub.publish([made(0), made(1)])
        await settled(hub)
        texts = {id((await client.take()).text) for client in clients}
        assert len(texts) == 1

    run(check())


def test_hub_given_an_offset_twice_hands_it_out_once() -> None:
    async def check() -> None:
        hub = opened()
        client = listening(hub)
        hub.publish([made(0), made(1)])
        hub.publish([made(1), made(2)])
        await settled(hub)
        assert offsets(await drain(client)) == [0, 1, 2]

    run(check())


def test_hub_under_load_gathers_and_loses_nothing() -> None:
    async def check() -> None:
        hub = opened()
        client = listening(hub, limit=1000)
        for offset in range(200):
            hub.publish([made(offset)])
            await asyncio.sleep(0)
        await settled(hub)
        assert offsets(await drain(client)) == list(range(200))

    run(check())


def test_hub_after_a_client_left_keeps_nothing_of_it() -> None:
    async def check() -> None:
        hub = opened()
        client = listening(hub)
        hub.leave(client)
        hub.publish([made(0)])
        await settled(hub)
        assert await drain(client) == []
        assert hub.size == 0
        assert not hub.clients

    run(check())


def test_hub_joined_from_an_offset_in_memory_gives_it_and_all_that_follows() -> None:
    async def check() -> None:
        hub = opened()
        hub.publish([made(0), made(1), made(2)])
        await settled(hub)
        client = Client(everything())
        assert hub.join(client, {0: 1})
        hub.publish([made(3)])
        await settled(hub)
        assert offsets(await drain(client)) == [1, 2, 3]

    run(check())


def test_hub_joined_below_memory_refuses() -> None:
    async def check() -> None:
        hub = Hub()
        hub.open(TOPIC, "e1", {0: 100}, floors={0: 50})
        client = Client(everything())
        assert not hub.join(client, {0: 49})
        assert hub.join(client, {0: 50})

    run(check())


def test_hub_joined_ahead_of_memory_leaves_out_what_was_seen() -> None:
    async def check() -> None:
        hub = opened()
        client = Client(everything())
        assert hub.join(client, {0: 2})
        hub.publish([made(0), made(1), made(2)])
        await settled(hub)
        assert offsets(await drain(client)) == [2]

    run(check())


def test_hub_whose_topic_is_made_anew_greets_and_tells_the_gap_and_goes_on() -> None:
    async def check() -> None:
        hub = opened()
        hub.publish([made(0), made(1)])
        client = listening(hub)
        await drain(client)
        hub.open(TOPIC, "e2", {0: 0, 1: 0})
        hub.publish([made(0)])
        await settled(hub)
        messages = await drain(client)
        assert [each["type"] for each in messages] == ["hello", "gap", "gap", "bar"]
        assert messages[0]["epochs"] == {TOPIC: "e2"}
        assert {reason for *_, reason in gaps(messages)} == {"epoch"}
        assert offsets(messages) == [0]

    run(check())


def test_hub_whose_log_went_on_without_it_tells_what_was_missed() -> None:
    async def check() -> None:
        hub = opened()
        client = listening(hub)
        hub.open(TOPIC, "e1", {0: 7, 1: 0})
        assert gaps(await drain(client)) == [(0, 0, 6, "lost")]

    run(check())


def test_hub_opened_again_where_it_was_tells_nothing() -> None:
    async def check() -> None:
        hub = opened()
        client = listening(hub)
        hub.publish([made(0)])
        hub.open(TOPIC, "e1", {0: 1, 1: 0})
        assert offsets(await drain(client)) == [0]

    run(check())


def test_hub_beating_tells_clients_whether_the_log_is_read() -> None:
    async def check() -> None:
        hub = Hub(heartbeat_every=0.05)
        client = Client(everything())
        hub.admit(client)
        beating = asyncio.create_task(hub.beat())
        (first,) = await drain_one(client)
        hub.source = "away"
        (second,) = await drain_one(client)
        beating.cancel()
        assert (first["type"], first["source"]) == ("heartbeat", "starting")
        assert (second["type"], second["source"]) == ("heartbeat", "away")

    async def drain_one(client: Client) -> list[dict[str, object]]:
        from tests.support.event_streams import read

        return read((await client.take()).text)

    run(check())


def test_hub_beating_closes_a_stalled_client_and_leaves_the_others() -> None:
    async def check() -> None:
        hub = Hub(heartbeat_every=0.05)
        stalled, brisk = Client(everything(), patience=0.05), Client(everything(), patience=0.05)
        hub.admit(stalled)
        hub.admit(brisk)
        stalled.sending()
        beating = asyncio.create_task(hub.beat())
        assert (await stalled.closing)[0] == 3008
        beating.cancel()
        assert brisk.open

    run(check())
