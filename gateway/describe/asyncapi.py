"""`/asyncapi.json`: the wire contract of the topics, and beside it what goes over the gateway's WebSockets."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from contracts.tools import asyncapi
from gateway.describe.socket_messages import (
    AskMessage,
    BarMessage,
    ErrorMessage,
    ForecastMessage,
    GapMessage,
    HeartbeatMessage,
    HelloMessage,
    PredictionMessage,
    ResumeMessage,
)

router = APIRouter(include_in_schema=False)

_BOTH = (HelloMessage, HeartbeatMessage, GapMessage, ErrorMessage)
_SENT: dict[str, tuple[type[BaseModel], ...]] = {
    "live": (BarMessage, *_BOTH),
    "forecast": (ForecastMessage, PredictionMessage, *_BOTH),
}
_TAKEN: dict[str, tuple[type[BaseModel], ...]] = {"live": (ResumeMessage,), "forecast": (ResumeMessage, AskMessage)}
_QUERY = {"live": ("symbols", "interval"), "forecast": ("symbols", "roles")}


@router.get("/asyncapi.json")
async def describe_sockets() -> Response:
    """Return the AsyncAPI document."""
    return Response(_served(), media_type="application/json")


@cache
def _served() -> str:
    return asyncapi_text()


def asyncapi_text() -> str:
    """Return the document as it is served and committed."""
    return asyncapi.topics_asyncapi_text(asyncapi_document())


def asyncapi_document() -> dict[str, Any]:
    """Return the AsyncAPI document of the topics and the sockets."""
    made = asyncapi.topics_asyncapi()
    made["info"]["tags"].append({"name": "sockets", "description": "JSON messages on the gateway's WebSockets."})
    made["servers"]["gateway"] = {
        "host": "127.0.0.1:8000",
        "protocol": "ws",
        "description": "The gateway. A frame is one message or an array of them.",
    }
    for name in _SENT:
        made["channels"][name] = _channel(name)
        made["operations"][f"{name}Sends"] = _operation(name, "send", _SENT[name])
        made["operations"][f"{name}Takes"] = _operation(name, "receive", _TAKEN[name])
    for model in dict.fromkeys(model for group in (_SENT, _TAKEN) for models in group.values() for model in models):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", by_alias=True)
        made["components"]["schemas"] |= schema.pop("$defs", {}) | {model.__name__: schema}
        made["components"]["messages"][model.__name__] = {
            "name": model.__name__,
            "title": model.__name__.removesuffix("Message"),
            "summary": " ".join((model.__doc__ or "").split()),
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        }
    return made


def _channel(name: str) -> dict[str, Any]:
    query = {parameter: {"type": "string"} for parameter in _QUERY[name]}
    return {
        "address": f"/{name}",
        "description": f"WebSocket /{name}; a client may subscribe to less by {' and '.join(_QUERY[name])}.",
        "servers": [{"$ref": "#/servers/gateway"}],
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in (*_SENT[name], *_TAKEN[name])
        },
        "bindings": {
            "ws": {"method": "GET", "query": {"type": "object", "properties": query}, "bindingVersion": "0.1.0"}
        },
    }


def _operation(name: str, action: str, models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    address = f"#/channels/{name}"
    return {
        "action": action,
        "channel": {"$ref": address},
        "messages": [{"$ref": f"{address}/messages/{model.__name__}"} for model in models],
    }
