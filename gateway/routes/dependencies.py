"""What the routes are given: the parts of one gateway, held by its app."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Query
from starlette.requests import HTTPConnection
from starlette.responses import Response

from gateway.access.keys import Keys
from gateway.access.scopes import Caller
from gateway.metrics import GatewayMetrics
from gateway.predict.predictor import Predictor
from gateway.reads.leaderboards import Leaderboards
from gateway.reads.positions import AskPosition, await_position, parse_position
from gateway.reads.queries import Queries
from gateway.schemas.responses import Position
from gateway.settings import GatewaySettings
from gateway.status.health import HealthCheck
from gateway.status.pipeline import PipelineStatus
from gateway.stream.hub import Hub
from gateway.stream.messages import OPTIONS
from gateway.stream.sockets import Sockets


@dataclass(slots=True)
class Parts:
    """The parts of one gateway."""

    settings: GatewaySettings
    metrics: GatewayMetrics
    hub: Hub
    queries: Queries
    predictor: Predictor
    sockets: Sockets
    health: HealthCheck
    pipeline: PipelineStatus
    leaderboards: Leaderboards


async def get_parts(connection: HTTPConnection) -> Parts:
    """Return the parts of the app that got this request."""
    found: Parts = connection.app.state.parts
    return found


async def get_keys(connection: HTTPConnection) -> Keys:
    """Return what knows the callers of the app that got this request."""
    found: Keys = connection.app.state.keys
    return found


async def get_caller(connection: HTTPConnection) -> Caller:
    """Return who made a request, as the authentication found."""
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
PartsDep = Annotated[Parts, Depends(get_parts)]
KeysDep = Annotated[Keys, Depends(get_keys)]
CallerDep = Annotated[Caller, Depends(get_caller)]


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


@dataclass(frozen=True, slots=True)
class ListRead:
    """How a caller reads a list: no older than what it has seen, and nothing if that is what it has."""

    parts: Parts
    min_position: str | None
    if_none_match: str | None

    async def position(self, *read_models: str) -> Position:
        """Return how far the read models are, once they are as far as the caller has seen."""
        return await self.reached(lambda: self.parts.queries.position(*read_models))

    async def reached(self, ask: AskPosition) -> Position:
        """Return the position that `ask` tells, once it is as far as the caller has seen."""
        return await await_position(ask, parse_position(self.min_position), self.parts.settings.min_position_seconds)

    def answer(self, items: Sequence[Any], position: Position, **more: Any) -> Response:
        """Return the list with its position; 304 if the caller holds the same."""
        content = {"items": items, **more, "position": position}
        return Json(content, position, tagged=True).response(self.if_none_match)


async def get_list_read(
    parts: PartsDep, min_position: MinPosition = None, if_none_match: IfNoneMatch = None
) -> ListRead:
    """Return how a list is to be read; each list route asks for it."""
    return ListRead(parts, min_position, if_none_match)


ListDep = Annotated[ListRead, Depends(get_list_read)]
