"""`python -m producers.exchange.api`: a stock exchange of the past, replayed in the shape of Yahoo's chart API.

Real daily history of five US shares from PyPI's `bokeh_sampledata`, on a clock of its own (`/clock`), so that the
`yahoo` source runs for real without internet.  Where FORETICK_EXCHANGE_FAULTS is true, `PUT /faults` makes it misbehave
as vendors do, for tests and demonstrations: `{"status": 503}`, `{"body": "html"}`, `{"correct": {"symbol": "IBM",
"session": "2012-01-03", "close": 186.5}}`; `{}` ends what lasts.
"""

import json
import sys
from html import escape
from typing import Annotated, Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from producers.exchange.market import NoData
from producers.exchange.replay import ClockChange, Exchange, Faults, load_listings
from producers.settings import ExchangeSettings
from streaming.operations import configure_logging, ops_router
from streaming.policies import by_hash, csp
from streaming.serving import Guarded, serving

_STYLE = "body{font-family:system-ui;max-width:40em;margin:2em auto;padding:0 1em}"
_FAULTS = "<a href='/faults'>faults</a>, "
COMMAND = {"X-Foretick-Command": "yes"}  # beside what changes the market: no page can send it to another's server


def application(exchange: Exchange, *, faults: bool = False) -> FastAPI:
    """Return the HTTP application over an exchange; with `faults`, one that may be told to misbehave."""
    app = FastAPI(title="Foretick replay exchange", description=__doc__, docs_url=None, redoc_url=None)
    app.include_router(ops_router(exchange.clock, lambda: []))

    @app.get("/", include_in_schema=False)
    def get_index() -> HTMLResponse:
        """Say to whoever comes by what this is, where its clock stands and what can be asked."""
        return HTMLResponse(_index(exchange, faults), headers={"Content-Security-Policy": csp(by_hash(_STYLE))})

    @app.get("/v8/finance/chart/{symbol:path}")
    def get_chart(
        symbol: str,
        period1: Annotated[int, Query(ge=-10_000_000_000)] = 0,
        period2: Annotated[int, Query(le=100_000_000_000)] = 9_999_999_999,
        interval: str = "1d",
    ) -> Response:
        """Return the daily bars, splits and dividends of a share as Yahoo does."""
        faults = exchange.faults
        if faults.status:
            text = "Too Many Requests\r\n" if faults.status == 429 else "<html><body>upstream error</body></html>"
            asked = {} if faults.retry_after is None else {"retry-after": str(faults.retry_after)}
            return Response(text, faults.status, asked, media_type="text/html")
        if faults.body == "html":
            return Response("<!doctype html><title>Just a moment…</title>", media_type="text/html")
        if interval != "1d":
            raise HTTPException(422, "this exchange has daily bars only: interval=1d")
        try:
            text = json.dumps(exchange.chart(symbol, period1, period2))
        except NoData as error:
            return JSONResponse(error.body, error.status)
        return Response(text[: len(text) // 2] if faults.body else text, media_type="application/json")

    @app.get("/clock")
    def get_clock() -> dict[str, Any]:
        """Return market time."""
        return exchange.clock()

    @app.put("/clock", dependencies=[Depends(commanded)])
    def put_clock(change: ClockChange) -> dict[str, Any]:
        """Start, stop, hasten or set the clock."""
        try:
            return exchange.set_clock(change)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    @app.get("/symbols")
    def get_symbols() -> list[dict[str, Any]]:
        """Return what is listed."""
        return exchange.symbols()

    if faults:
        app.include_router(_faults(exchange))
    return app


def _faults(exchange: Exchange) -> APIRouter:
    """Return the routes by which the exchange is told to misbehave: they have no place beside a real market."""
    router = APIRouter()

    @router.get("/faults")
    def get_faults() -> Faults:
        """Return the present faults."""
        return exchange.faults

    @router.put("/faults", dependencies=[Depends(commanded)])
    def put_faults(faults: Faults) -> Faults:
        """Set the faults, and correct a session."""
        if faults.correct:
            try:
                exchange.correct(faults.correct)
            except ValueError as error:
                raise HTTPException(422, str(error)) from error
        exchange.faults = faults.model_copy(update={"correct": None})
        return exchange.faults

    return router


def commanded(
    x_foretick_command: Annotated[str | None, Header(description="Anything: no page of elsewhere can send it.")] = None,
) -> None:
    """Refuse what does not carry the header."""
    if not x_foretick_command:
        raise HTTPException(403, "This changes the market: send the header `X-Foretick-Command: yes` with it.")


def _index(exchange: Exchange, faults: bool) -> str:
    """Return a page of links, without a script."""
    clock, listed = exchange.clock(), exchange.symbols()
    pace = f"a session every {clock['seconds_per_session']:g} s" if clock["running"] else "held"
    rows = "".join(f"<li>{_entry(each)}</li>" for each in listed)
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Foretick replay exchange</title>"
        "<meta name='viewport' content='width=device-width'><meta name='color-scheme' content='dark light'>"
        f"<style>{_STYLE}</style><body>"
        "<h1>Foretick replay exchange</h1>"
        "<p>A stock exchange of the past, replayed in the shape of Yahoo's chart API.</p>"
        f"<p>It is at the session of <b>{clock['session']}</b>, {pace}; {clock['sessions_left']} sessions are left.</p>"
        f"<ul>{rows}</ul>"
        "<p><a href='/clock'>Clock</a>, <a href='/symbols'>symbols</a>, "
        f"{_FAULTS if faults else ''}<a href='/openapi.json'>how to set them</a>.</p></body></html>"
    )


def _entry(listed: dict[str, Any]) -> str:
    """Return a share's line; one of which no session is visible yet has no chart to lead to."""
    symbol, name = escape(listed["symbol"]), escape(listed["name"])
    if not listed["visible"]:
        return f"{symbol} {name}, from {listed['first_session']} on"
    link = f"<a href='/v8/finance/chart/{symbol}'>{symbol}</a>"
    return f"{link} {name}, {listed['visible']} of {listed['sessions']} sessions"


def main() -> int:
    """Serve until stopped; return the exit code."""
    configure_logging("exchange")
    settings = ExchangeSettings()
    exchange = Exchange(
        load_listings(),
        settings.home / "exchange",
        settings.exchange_live_from,
        settings.exchange_seconds_per_session,
    )
    config = serving(
        Guarded(application(exchange, faults=settings.exchange_faults), settings.hosts),
        host=settings.bind,
        port=settings.exchange_port,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
