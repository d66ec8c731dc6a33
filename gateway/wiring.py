"""What the routes are given: the parts of one gateway, held by its app."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Query
from starlette.requests import HTTPConnection
from starlette.responses import Response

from gateway.access import Caller
from gateway.doors import Keys
from gateway.health import Health
from gateway.hub import Hub
from gateway.leaderboards import Leaderboards
from gateway.messages import OPTIONS
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.predict import Predictor
from gateway.queries import Position, Queries
from gateway.settings import GatewaySettings
from gateway.sockets import Sockets


@dataclass(slots=True)
class Parts:
    """The parts of one gateway."""

    settings: GatewaySettings
    metrics: Metrics
    hub: Hub
    queries: Queries
    predictor: Predictor
    sockets: Sockets
    health: Health
    pipeline: Pipeline
    leaderboards: Leaderboards


async def parts(connection: HTTPConnection) -> Parts:
    """Return the parts of the app that got this request."""
    found: Parts = connection.app.state.parts
    return found


async def door(connection: HTTPConnection) -> Keys:
    """Return what knows the callers of the app that got this request."""
    found: Keys = connection.app.state.keys
    return found


async def calling(connection: HTTPConnection) -> Caller:
    """Return who made a request, as the doorman found."""
    found: Caller = connection.state.caller
    return found


IfNoneMatch = Annotated[
    str | None, Header(description="An ETag that the caller holds: answered by 304 while nothing has changed.")
]
MinPosition = Annotated[
    str | None,
    Query(
        max_length=4000,
        description="Wait (some seconds) until the answer includes this position, JSON as in `position`: what a client "
        "has seen on a socket, it then reads too. 503 if that takes too long.",
        examples=['{"stock-data":{"0":1207}}'],
    ),
]
Wired = Annotated[Parts, Depends(parts)]
Door = Annotated[Keys, Depends(door)]
Calling = Annotated[Caller, Depends(calling)]


@dataclass(frozen=True, slots=True)
class Json:
    """JSON to answer with, and the position in the log that it includes; `tagged`: with an ETag of its content.

    The position goes on while the content stays, so it is no part of the tag: a copy that is still right may name an
    older position, and resuming from there repeats some messages, but leaves none out.
    """

    value: Any
    position: Position | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    tagged: bool = False

    def response(self, if_none_match: str | None = None) -> Response:
        """Encode it, once, without another look at each field; 304 if the caller holds the same."""
        headers = {"Cache-Control": "private, no-cache" if self.tagged else "no-store", **self.headers}
        if self.position is not None:
            headers["X-Stream-Position"] = orjson.dumps(self.position).decode()
        if self.tagged:
            content = {name: value for name, value in self.value.items() if name != "position"}
            tag = f'"{blake2b(orjson.dumps(content, option=OPTIONS), digest_size=16).hexdigest()}"'
            headers["ETag"] = f"W/{tag}"
            held = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
            if held & {tag, "*"}:
                return Response(status_code=304, headers=headers)
        return Response(
            orjson.dumps(self.value, option=OPTIONS), self.status, headers=headers, media_type="application/json"
        )
