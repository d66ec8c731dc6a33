"""Messages as they go over the wire."""

import json
from datetime import UTC, datetime

from contracts.events import BarClosed, ForecastIssued
from contracts.samples import sample
from gateway.stream import messages
from gateway.stream.messages import Gap, Subscription


def encoded(event: BarClosed | ForecastIssued, topic: str) -> messages.Message:
    return messages.message(event, topic=topic, partition=3, offset=41, epoch="e", read_at=1.0)


def test_message_of_a_bar_has_the_events_fields_and_rfc_3339_times() -> None:
    bar = sample(BarClosed)
    assert isinstance(bar, BarClosed)
    message = encoded(bar, "stock-data")
    body = json.loads(message.body)
    assert {name: body[name] for name in ("type", "topic", "partition", "offset", "epoch")} == {
        "type": "bar", "topic": "stock-data", "partition": 3, "offset": 41, "epoch": "e",
    }  # fmt: skip
    assert set(body["data"]) == set(bar.to_record())
    assert body["data"]["closed_at"] == "2012-01-03T21:00:00Z"
    assert body["data"]["close"] == bar.close
    assert message.key == ("AAPL", "P1D")


def test_message_of_a_forecast_is_kept_apart_by_model_when_conflated() -> None:
    forecast = sample(ForecastIssued)
    assert isinstance(forecast, ForecastIssued)
    message = encoded(forecast, "stock-forecasts")
    body = json.loads(message.body)
    assert body["type"] == "forecast"
    assert body["data"]["steps"][0]["target_at"].endswith("Z")
    assert message.role == forecast.model.role
    assert message.key == (forecast.symbol, forecast.interval, forecast.model.role, forecast.model.family)


def test_subscription_of_roles_wants_theirs_only() -> None:
    forecast = sample(ForecastIssued)
    assert isinstance(forecast, ForecastIssued)
    message = encoded(forecast, "stock-forecasts")
    other = {"CHAMPION": "SHADOW", "SHADOW": "CHAMPION"}[message.role]
    assert Subscription("stock-forecasts", roles=frozenset({message.role})).wants(message)
    assert not Subscription("stock-forecasts", roles=frozenset({other})).wants(message)
    assert not Subscription("stock-data").wants(message)


def test_control_messages_are_as_the_browser_reads_them() -> None:
    hello = json.loads(messages.hello("stock-data", "e", {1: 5, 0: 0}, "live"))
    assert hello == {
        "type": "hello",
        "epochs": {"stock-data": "e"},
        "positions": {"stock-data": {"0": -1, "1": 4}},
        "source": "live",
    }
    gap = json.loads(messages.gap(Gap("stock-data", 2, 5, 9, "retention"), "e"))
    assert (gap["type"], gap["from"], gap["to"], gap["partition"]) == ("gap", 5, 9, 2)
    beat = json.loads(messages.heartbeat(datetime(2012, 1, 3, tzinfo=UTC), "away"))
    assert beat == {"type": "heartbeat", "at": "2012-01-03T00:00:00Z", "source": "away"}
