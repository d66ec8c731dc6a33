"""WebSockets `/live` and `/forecast`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.websockets import WebSocket

from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from gateway.routes.dependencies import CallerDep, PartsDep
from gateway.stream.messages import Subscription

router = APIRouter()

Names = Annotated[str, Query(max_length=8000, description="Separated by commas; empty: all.")]
Text = Annotated[str, Query(max_length=16)]


@router.websocket("/live")
async def live(
    parts: PartsDep, caller: CallerDep, websocket: WebSocket, symbols: Names = "", interval: Text = ""
) -> None:
    """Send bars as they close, and corrections of them."""
    await parts.sockets.serve(websocket, caller, Subscription(STOCK_DATA.name, names(symbols), interval))


@router.websocket("/forecast")
async def forecast(
    parts: PartsDep,
    caller: CallerDep,
    websocket: WebSocket,
    symbols: Names = "",
    interval: Text = "",
    roles: Names = "",
) -> None:
    """Send forecasts as they are issued, and answer requests for predictions."""
    wanted = Subscription(STOCK_FORECASTS.name, names(symbols), interval, names(roles))
    await parts.sockets.serve(websocket, caller, wanted, parts.predictor.predict)


def names(text: str) -> frozenset[str]:
    """Read a list of names separated by commas; an empty one means all."""
    return frozenset(name.strip() for name in text.split(",") if name.strip())
