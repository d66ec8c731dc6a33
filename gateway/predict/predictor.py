"""Predictions on request: from a symbol's bars or the caller's history, by the champion or another model at work."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

import aiohttp
import orjson
import structlog

from contracts.measures import LEVELS
from gateway.access.rate_limit import RateLimit
from gateway.access.scopes import PREDICT, Caller
from gateway.metrics import GatewayMetrics
from gateway.predict.circuit_breaker import CLOSED, CircuitBreaker
from gateway.predict.history import (
    adjusted,
    frame_of_bars,
    frame_of_history,
    history_faults,
    history_warnings,
    input_sha256,
)
from gateway.problems import Problem
from gateway.reads.queries import Queries
from gateway.schemas.requests import PredictRequest, as_utc
from gateway.settings import GatewaySettings

log = structlog.get_logger()

RETRY_SECONDS = 5
_JSON = {"Content-Type": "application/json"}


class _Answer(NamedTuple):
    """What the forecasting service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Predictor:
    """Asks the forecasting service over MLflow's scoring protocol."""

    def __init__(self, settings: GatewaySettings, queries: Queries, metrics: GatewayMetrics) -> None:
        self._queries = queries
        self._metrics = metrics
        self._bars = settings.predict_bars
        self._seconds = settings.predict_seconds
        self._turn = asyncio.Semaphore(settings.predict_in_flight)
        self._budgets = RateLimit(settings.predict_per_minute)
        self.breaker = CircuitBreaker(settings.predict_failures, settings.predict_pause_seconds)
        metrics.breaker.set_function(lambda: float(self.breaker.state != CLOSED))
        # At a third of what httpx needs for a request; MLflow's own server has none to make.
        self._http = aiohttp.ClientSession()
        self._url = settings.forecasting.rstrip("/") + "/invocations"

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def predict(self, request: PredictRequest, caller: Caller) -> dict[str, Any]:
        """Return a forecast.

        Raises the problem 403 or 429 where the caller may not ask or asks too often, 422 where the input is at fault,
        503 while no model answers.
        """
        if PREDICT not in caller.scopes:
            raise Problem(
                403, "scope-needed", f"Predictions need the scope `{PREDICT}`, which the token does not have."
            )
        if wait := self._budgets.spend(caller.key):
            self._metrics.predictions.labels("limited").inc()
            raise Problem(429, "too-many-predictions", "That was too often; ask a little slower.", retry_after=wait)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._predict(request)
        except TimeoutError:
            self._metrics.predictions.labels("late").inc()
            detail = f"The prediction was not there within {self._seconds:g} s."
            raise Problem(503, "prediction-late", detail, retry_after=RETRY_SECONDS) from None
        except Problem as problem:
            self._metrics.predictions.labels("away" if problem.status == 503 else "refused").inc()
            raise
        self._metrics.predictions.labels("made").inc()
        return answer

    async def _predict(self, request: PredictRequest) -> dict[str, Any]:
        frame, stamps = await self._of_symbol(request) if request.symbol else _of_history(request)
        body = {"dataframe_split": frame, "params": {"horizon": request.horizon, "levels": list(LEVELS)}}
        async with self._turn:
            answer = _judged(await self._tried(body, request.model), request.model)
        version = answer.headers.get("X-Foretick-Model-Version", "")
        return {
            "model": {
                "name": answer.headers.get("X-Foretick-Model-Name", ""),
                "version": version,
                "family": answer.headers.get("X-Foretick-Model-Family", ""),
            },
            **({"symbol": request.symbol} if request.symbol else {}),
            "origin": stamps[-1],
            "steps": _steps(answer, request.horizon),
            "warnings": history_warnings(stamps),
            "input_sha256": input_sha256(frame),
        }

    async def _of_symbol(self, request: PredictRequest) -> tuple[dict[str, Any], list[datetime]]:
        symbol = str(request.symbol)
        rows = await self._queries.bars(symbol, request.interval, limit=self._bars)
        if not rows and not await self._queries.knows(symbol):
            raise Problem(
                422,
                "unknown-symbol",
                f"Nothing is known of {symbol}; /api/symbols lists what is.",
                errors=[{"where": "symbol", "what": f"{symbol} is unknown"}],
            )
        bars = rows[::-1]
        stamps = [bar["closed_at"] for bar in bars]
        if found := history_faults(stamps, [bar["close"] for bar in bars], "symbol"):
            raise Problem(
                422,
                "too-little-history",
                f"{symbol} {request.interval}: {found[0].what}.",
                errors=[{"where": fault.where, "what": fault.what} for fault in found[:20]],
            )
        return frame_of_bars(adjusted(bars, await self._queries.splits(symbol), stamps[-1])), stamps

    async def _tried(self, body: Mapping[str, Any], model: str | None) -> _Answer:
        """Ask, unless the service failed too often just now, and remember whether it is alive."""
        breaker = self.breaker
        if wait := breaker.wait():
            raise Problem(503, "models-away", "The models do not answer; they are tried again soon.", retry_after=wait)
        begun = time.monotonic()
        try:
            answer = await self._ask(body, model)
        except Problem:
            breaker.failed()
            raise
        except asyncio.CancelledError:  # the time budget is spent, or the caller has left
            (breaker.failed if time.monotonic() - begun > self._seconds / 2 else breaker.left)()
            raise
        # What refuses, or has no model yet, is alive; a failing model that somebody named is no reason to leave the
        # champion alone.
        failed = answer.status >= 500 and model is None and not _lacks_models(answer)
        (breaker.failed if failed else breaker.succeeded)()
        return answer

    async def _ask(self, body: Mapping[str, Any], model: str | None) -> _Answer:
        asked = {"alias": model} if model else {}
        try:
            async with self._http.post(
                self._url, params=asked, data=orjson.dumps(body), headers=_JSON, allow_redirects=False
            ) as answer:
                return _Answer(answer.status, answer.headers, await answer.read())
        except aiohttp.ClientError as error:
            log.warning("the forecasting service does not answer", error=f"{type(error).__name__}: {error}")
            raise Problem(
                503, "forecasting-away", "The forecasting service does not answer now.", retry_after=RETRY_SECONDS
            ) from error


def _judged(answer: _Answer, model: str | None) -> _Answer:
    """Return an answer that holds a forecast; say of another one whose fault it is."""
    if answer.status < 300:
        return answer
    detail = _detail(answer)
    if answer.status in (400, 422):
        raise Problem(422, "history-refused", detail, errors=[{"where": "history", "what": detail}])
    if answer.status == 404 and model:
        raise Problem(422, "unknown-model", detail, errors=[{"where": "model", "what": detail}])
    log.warning("the forecasting service fails", status=answer.status, detail=detail)
    if _lacks_models(answer):
        raise Problem(503, "no-model", detail, retry_after=_seconds(answer))
    raise Problem(503, "forecasting-away", "The forecasting service fails now.", retry_after=RETRY_SECONDS)


def _lacks_models(answer: _Answer) -> bool:
    """Tell the service that waits for its first model from a proxy before one that is away."""
    return answer.status == 503 and _detail(answer).startswith("no model is loaded yet")


def _of_history(request: PredictRequest) -> tuple[dict[str, Any], list[datetime]]:
    history = request.history or []
    stamps, values = [point.ds for point in history], [point.y for point in history]
    if found := history_faults(stamps, values):
        raise Problem(
            422,
            "invalid-history",
            "; ".join(f"{fault.where}: {fault.what}" for fault in found[:3]),
            errors=[{"where": fault.where, "what": fault.what} for fault in found[:20]],
        )
    return frame_of_history(stamps, [value for value in values if value is not None]), stamps


def _steps(answer: _Answer, horizon: int) -> list[dict[str, Any]]:
    """Read the long frame that came back; nonsense is the service's fault, not the caller's."""
    try:
        rows = sorted(json.loads(answer.body)["predictions"], key=lambda row: int(row["step"]))
        steps: list[dict[str, Any]] = [
            {
                "step": int(row["step"]),
                "target_at": as_utc(datetime.fromisoformat(row["ds"])).astimezone(UTC),
                "mean": float(row["mean"]),
                "quantiles": {f"{level:g}": float(row[f"q{level:g}"]) for level in LEVELS},
            }
            for row in rows
        ]
        numbers = [number for step in steps for number in (step["mean"], *step["quantiles"].values())]
        if [step["step"] for step in steps] != list(range(1, horizon + 1)):
            raise ValueError(f"{len(steps)} steps of {horizon}")
    except (KeyError, TypeError, ValueError) as error:
        log.error("the forecasting service answered nonsense", error=repr(error), answer=answer.body[:500])
        raise Problem(
            503, "forecasting-nonsense", "The forecasting service gave no forecast.", retry_after=RETRY_SECONDS
        ) from error
    if not all(map(isfinite, numbers)):
        what = "the prices move so far that a forecast of them is beyond all numbers"
        raise Problem(422, "history-refused", what, errors=[{"where": "history", "what": what}])
    return steps


def _detail(answer: _Answer) -> str:
    try:
        body = json.loads(answer.body)
        found = body.get("detail") or body.get("message")
    except (ValueError, AttributeError):
        found = None
    return found if isinstance(found, str) else "The model does not take this history."


def _seconds(answer: _Answer) -> int:
    given = answer.headers.get("Retry-After", "")
    return min(int(given), 300) if given.isdecimal() else RETRY_SECONDS
