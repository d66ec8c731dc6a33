"""What goes over the sockets, for the OpenAPI description: each message is a webhook, with an example that is real."""

from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field

from contracts.events import BarClosed, ForecastIssued
from contracts.samples import sample
from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from gateway.problems import ProblemDetails
from gateway.schemas.requests import HISTORY, SYMBOL, PredictRequest
from gateway.schemas.responses import Prediction
from gateway.stream import messages

_BAR, _FORECAST = sample(BarClosed), sample(ForecastIssued)
assert isinstance(_BAR, BarClosed)
assert isinstance(_FORECAST, ForecastIssued)
_EPOCH = "yDUAYa7YSiqlPwEGSUH2lg"


class _Event(BaseModel):
    topic: str
    partition: int
    offset: int = Field(description="Remember it: a client that comes back resumes after the last one it has seen.")
    epoch: str = Field(description="The topic's id in Kafka: offsets of another epoch mean nothing.")


class BarMessage(_Event):
    """A bar has closed, or was corrected (a higher `revision`)."""

    type: Literal["bar"]
    data: BarClosed


class ForecastMessage(_Event):
    """A forecast was issued."""

    type: Literal["forecast"]
    data: ForecastIssued


class HelloMessage(BaseModel):
    """The first message, and again if the log begins again: what comes next follows these positions."""

    type: Literal["hello"]
    epochs: dict[str, str]
    positions: dict[str, dict[str, int]] = Field(description="Last offset before the live stream, by partition.")
    source: Literal["starting", "live", "away"]


class HeartbeatMessage(BaseModel):
    """Sent every 2 seconds; three missing are worth telling, and after seven the connection is dead."""

    type: Literal["heartbeat"]
    at: datetime
    source: Literal["starting", "live", "away"] = Field(description="Whether Kafka can be read just now.")


class GapMessage(BaseModel):
    """Offsets, both ends included, that do not come on this socket: fetch again what is shown of this partition."""

    type: Literal["gap"]
    topic: str
    partition: int
    from_: int = Field(alias="from")
    to: int
    epoch: str
    reason: str = Field(description="conflated, retention, epoch, lost, late, and the like.")


class PredictionMessage(BaseModel):
    """The answer to a request made on the socket."""

    type: Literal["prediction"]
    id: str | int | None = Field(description="The request's own.")
    data: Prediction


class ErrorMessage(BaseModel):
    """What was wrong with a message of the client; the socket stays open."""

    type: Literal["error"]
    id: str | int | None = Field(description="The request's own, null if it had none.")
    error: ProblemDetails


class ResumeMessage(BaseModel):
    """Sent first by a client that comes back: it gets everything since, or a gap for what cannot be had."""

    type: Literal["resume"]
    positions: dict[str, dict[str, int]] = Field(description="Last offset seen, by topic and partition.")
    epochs: dict[str, str] | None = Field(None, description="The epochs they were seen in.")


class AskMessage(PredictRequest):
    """A prediction is asked for on `/forecast`; the answer carries the `id`."""

    id: str | int | None = Field(None, description="Comes back with the answer.")


def _encoded(event: BarClosed | ForecastIssued, topic: str, offset: int) -> str:
    return messages.message(event, topic=topic, partition=0, offset=offset, epoch=_EPOCH, read_at=0.0).body


_HELLO = messages.hello(STOCK_DATA.name, _EPOCH, {0: 1207, 1: 0}, "live")
_BEAT = messages.heartbeat(_BAR.closed_at, "live")
_GAP = messages.gap(messages.Gap(STOCK_DATA.name, 0, 7, 9, "conflated"), _EPOCH)
_SENT: dict[str, tuple[type[BaseModel], str]] = {
    "bar": (BarMessage, _encoded(_BAR, STOCK_DATA.name, 1206)),
    "forecast": (
        ForecastMessage,
        _encoded(_FORECAST, STOCK_FORECASTS.name, 412),
    ),
    "hello": (HelloMessage, _HELLO),
    "heartbeat": (HeartbeatMessage, _BEAT),
    "gap": (GapMessage, _GAP),
}
MODELS: tuple[type[BaseModel], ...] = (
    *(model for model, _ in _SENT.values()),
    PredictionMessage,
    ErrorMessage,
    ResumeMessage,
    AskMessage,
)


def webhooks() -> dict[str, Any]:
    """Return the OpenAPI `webhooks`: what the gateway sends on its sockets, and what it takes there."""
    examples: dict[str, list[Any]] = {name: [orjson.loads(text)] for name, (_, text) in _SENT.items()}
    resume = {"type": "resume", "positions": {STOCK_DATA.name: {"0": 1206}}, "epochs": {STOCK_DATA.name: _EPOCH}}
    return {
        **{name: _webhook(model, f"Sent by the gateway: {name}", examples[name]) for name, (model, _) in _SENT.items()},
        "prediction": _webhook(PredictionMessage, "Sent by the gateway on /forecast: prediction", []),
        "error": _webhook(ErrorMessage, "Sent by the gateway: error", []),
        "resume": _webhook(ResumeMessage, "Sent by the client: resume", [resume]),
        "ask": _webhook(
            AskMessage, "Sent by the client on /forecast: ask", [{"id": "x", **SYMBOL}, {"id": 2, **HISTORY}]
        ),
    }


def _webhook(model: type[BaseModel], summary: str, examples: list[Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if examples:
        content["examples"] = {str(number): {"value": value} for number, value in enumerate(examples)}
    return {
        "post": {
            "tags": ["sockets"],
            "summary": summary,
            "description": " ".join((model.__doc__ or "").split()),
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {"default": {"description": "Messages are not answered."}},
        }
    }
