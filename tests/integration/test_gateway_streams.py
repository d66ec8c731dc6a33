"""The live stream from real Kafka to real sockets: nothing missed, nothing twice, whoever goes away."""

import asyncio
import signal
from collections import Counter
from dataclasses import replace

import pytest
from confluent_kafka import Producer

from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from streaming.reader import topic_epoch, watermarks
from streaming.settings import StreamSettings
from tests.integration.gatewaying import (
    TOPIC,
    GatewayProcess,
    bars,
    forecasts,
    last_seen,
    publish,
    run,
)
from tests.support.topics import clear_topics, make_anew
from tests.support.waiting import until


@pytest.fixture
def settings(isolated):
    settings = StreamSettings()
    yield settings
    clear_topics(settings)  # the servers may be shared


@pytest.fixture
def gateway(isolated, tmp_path):
    gateway = GatewayProcess(tmp_path, isolated.environment)
    yield gateway
    gateway.end(signal.SIGKILL)


@pytest.fixture
def live(gateway):
    gateway.start()
    gateway.live()
    return gateway


def in_log(settings, topic=STOCK_DATA):
    """Return every offset of a topic."""
    return {p: list(range(low, high)) for p, (low, high) in watermarks(settings, topic).items() if high > low}


def test_live_sends_published_bars_with_their_offsets_and_fields(live, settings):
    async def check():
        async with live.socket() as ear:
            (hello,) = await ear.hear(1, "hello")
            assert hello["epochs"] == {TOPIC: topic_epoch(settings, STOCK_DATA)}
            assert hello["positions"] == {TOPIC: {str(partition): -1 for partition in range(6)}}
            sent = bars(25)
            await asyncio.to_thread(publish, settings, sent)
            heard = await ear.hear(25, "bar")
            assert ear.seen() == in_log(settings)
            assert {message["epoch"] for message in heard} == {hello["epochs"][TOPIC]}
            by_bar = {(message["data"]["symbol"], message["data"]["closed_at"]) for message in heard}
            assert by_bar == {(bar.symbol, bar.closed_at.isoformat().replace("+00:00", "Z")) for bar in sent}
            assert set(heard[0]["data"]) == set(sent[0].to_record())

    run(check())


def test_live_of_a_symbol_with_a_slash_sends_it(live, settings):
    async def check():
        async with live.socket("/live?symbols=BF%2FB") as ear:
            await ear.say(type="resume", positions={})
            await ear.hear(1, "hello")
            await asyncio.to_thread(publish, settings, [replace(bar, symbol="BF/B") for bar in bars(2)])
            heard = await ear.hear(2, "bar")
            assert {message["data"]["symbol"] for message in heard} == {"BF/B"}

    run(check())


def test_live_of_some_symbols_sends_only_those(live, settings):
    async def check():
        async with live.socket("/live?symbols=IBM,FB") as ear:
            await ear.say(type="resume", positions={})
            await ear.hear(1, "hello")
            await asyncio.to_thread(publish, settings, bars(25))
            heard = await ear.hear(10, "bar")
            assert Counter(message["data"]["symbol"] for message in heard) == {"IBM": 5, "FB": 5}

    run(check())


def test_forecast_sends_forecasts_of_the_roles_asked_for(live, settings):
    async def check():
        async with live.socket("/forecast?roles=CHAMPION") as ear:
            await ear.hear(1, "hello")
            await asyncio.to_thread(publish, settings, forecasts(10))
            heard = await ear.hear(5, "forecast")
            assert {message["data"]["model"]["role"] for message in heard} == {"CHAMPION"}
            assert len(watermarks(settings, STOCK_FORECASTS)) == 6
            assert heard[0]["data"]["steps"][0]["quantiles"][0]["level"] == 0.025

    run(check())


def test_client_dropped_in_the_middle_gets_exactly_what_it_missed(live, settings):
    async def check():
        await asyncio.to_thread(publish, settings, bars(20))
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            await ear.hear(20, "bar")
            before = ear.seen()
        await asyncio.to_thread(publish, settings, bars(30, first=20))
        async with live.socket() as ear:
            epochs = {TOPIC: topic_epoch(settings, STOCK_DATA)}
            await ear.say(type="resume", positions={TOPIC: last_seen(before)}, epochs=epochs)
            await ear.hear(30, "bar")
            await asyncio.to_thread(publish, settings, bars(10, first=50))
            await ear.hear(40, "bar")
            after = ear.seen()
            assert not ear.of("gap")
        together = {p: before.get(p, []) + after.get(p, []) for p in range(6) if p in before or p in after}
        assert together == in_log(settings)

    run(check())


def test_client_far_behind_gets_everything_from_kafka_while_bars_go_on(gateway, settings, isolated, tmp_path):
    publish(settings, bars(3000))
    small = {"FORETICK_PRELOAD_MESSAGES": "20", "FORETICK_CLIENT_QUEUE": "64", "FORETICK_MEMORY_MESSAGES": "50"}
    gateway = GatewayProcess(tmp_path, isolated.environment | small)
    gateway.start()
    gateway.live()

    async def check():
        async with gateway.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            publishing = asyncio.create_task(asyncio.to_thread(publish, settings, bars(1000, first=3000)))
            await ear.hear(4000, "bar", seconds=60)
            await publishing
            assert not ear.of("gap")
            assert ear.seen() == in_log(settings)

    try:
        run(check())
    finally:
        gateway.end(signal.SIGKILL)


def test_gateway_killed_in_the_middle_of_a_stream_costs_no_bar(live, settings):
    async def check():
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            publishing = asyncio.create_task(asyncio.to_thread(publish, settings, bars(2000)))
            await ear.hear(100, "bar")
            live.end(signal.SIGKILL)
            await ear.to_the_end()
            before = ear.seen()
            await publishing
        await asyncio.to_thread(live.start)
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen(before)})
            await ear.hear(2000 - sum(map(len, before.values())), "bar")
            after = ear.seen()
        together = {p: before.get(p, []) + after.get(p, []) for p in range(6) if p in before or p in after}
        assert together == in_log(settings)

    run(check())


def test_unreadable_messages_are_passed_over_and_the_stream_goes_on(live, settings):
    async def check():
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            await asyncio.to_thread(publish, settings, bars(5))
            await ear.hear(5, "bar")
            producer = Producer({"bootstrap.servers": settings.kafka})
            for partition in range(6):
                producer.produce(settings.physical(TOPIC), b"poison", b"poison", partition=partition)
            assert producer.flush(10) == 0
            await asyncio.to_thread(publish, settings, bars(5, first=5))
            await ear.hear(10, "bar")
            seen = ear.seen()
        async with live.socket() as ear:  # from before the poison, across it
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            await ear.hear(10, "bar")
            assert ear.seen() == seen
            assert not ear.of("gap")

    run(check())


def test_client_of_another_epoch_is_told_the_gap(live, settings):
    async def check():
        await asyncio.to_thread(publish, settings, bars(10))
        await asyncio.to_thread(until, lambda: live.metric("foretick_gateway_relayed_total") == 10, "they were read")
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})}, epochs={TOPIC: "another"})
            await ear.hear(6, "gap")
            assert {gap["reason"] for gap in ear.of("gap")} == {"epoch"}
            await asyncio.to_thread(publish, settings, bars(5, first=10))
            assert len(await ear.hear(5, "bar")) == 5

    run(check())


def test_topic_made_anew_under_a_client_is_told_and_followed(live, settings):
    async def check():
        await asyncio.to_thread(publish, settings, bars(10))
        async with live.socket() as ear:
            await ear.say(type="resume", positions={TOPIC: last_seen({})})
            await ear.hear(10, "bar")
            old = topic_epoch(settings, STOCK_DATA)
            await asyncio.to_thread(make_anew, settings, STOCK_DATA)
            await asyncio.to_thread(publish, settings, bars(7, first=10))
            await ear.hear(17, "bar", seconds=40)
            assert ear.of("hello")[-1]["epochs"] != {TOPIC: old}
            assert "epoch" in {gap["reason"] for gap in ear.of("gap")}
            assert {message["epoch"] for message in ear.of("bar")[10:]} == {topic_epoch(settings, STOCK_DATA)}

    run(check())


def test_slow_client_is_closed_while_another_gets_everything(gateway, isolated, settings, tmp_path):
    gateway = GatewayProcess(
        tmp_path, isolated.environment | {"FORETICK_CLIENT_QUEUE": "40", "FORETICK_CLIENT_PATIENCE": "4"}
    )
    gateway.start()
    gateway.live()

    async def check():
        from tests.unit.gateway.stream.test_sockets import quiet

        stalled = await quiet(gateway.port)
        async with gateway.socket() as brisk:
            await brisk.say(type="resume", positions={})
            await brisk.hear(1, "hello")
            total = 5
            publish(settings, bars(total))
            both = 2 * total  # a client that is still catching up has the backlog wait for it, and nothing is conflated
            await asyncio.to_thread(
                until, lambda: gateway.metric("foretick_gateway_delivered_total") == both, "both are live"
            )
            while gateway.metric('foretick_gateway_closes_total{code="3008"}') < 1:
                # Long ones, so that the stalled socket's buffers are full before it is missed for want of a pong; and
                # no more at once than the brisk one's queue holds, however slow this machine is; two such fill the
                # stalled one's within its patience.
                large = [replace(bar, source="x" * 50_000) for bar in bars(35, first=total)]
                publishing = asyncio.create_task(asyncio.to_thread(publish, settings, large))
                total += len(large)
                await brisk.hear(total, "bar")  # meanwhile, or its own buffer would fill
                await publishing
            assert brisk.seen() == in_log(settings)
        assert gateway.metric("foretick_gateway_conflated_total") > 0
        stalled.close()

    try:
        run(check())
    finally:
        gateway.end(signal.SIGKILL)


def test_gateway_stopped_politely_says_that_it_comes_back(live):
    async def check():
        async with live.socket() as ear:
            await ear.hear(1, "hello")
            ending = asyncio.create_task(asyncio.to_thread(live.end))
            assert await ear.to_the_end() == 1012
            assert await ending == 0

    run(check())
