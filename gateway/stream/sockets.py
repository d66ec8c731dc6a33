"""The life of a WebSocket: checked before accept, greeted, fed from where it stopped, heard, and ended with a code."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.access.scopes import PROTOCOL, Caller, protocols
from gateway.metrics import GatewayMetrics
from gateway.problems import BREACHES, Problem, invalid
from gateway.schemas.requests import PredictRequest
from gateway.settings import GatewaySettings
from gateway.stream import messages
from gateway.stream.clients import Client, Frame
from gateway.stream.hub import Hub
from gateway.stream.messages import Gap, Subscription
from gateway.stream.resume import EventLog, Resume, parse_resume, resume
from gateway.stream.transport import direct_write
from streaming.serving import from_us

log = structlog.get_logger()

Predict = Callable[[PredictRequest, Caller], Awaitable[dict[str, Any]]]

GOING_AWAY_FOR_A_MOMENT = 1012
UNAUTHORIZED = 3000  # IANA's
SECONDS_TO_CLOSE = 5.0
SECONDS_BETWEEN_LOOKS = 1.0  # at who may stay


class Sockets:
    """Serves sockets until the process ends."""

    def __init__(self, settings: GatewaySettings, hub: Hub, source: EventLog, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._hub = hub
        self._source = source
        self._metrics = metrics
        self._open: dict[Client, Caller] = {}
        self._taken: Counter[tuple[str, str]] = Counter()  # sockets open by address and by caller

    async def serve(
        self, websocket: WebSocket, caller: Caller, subscription: Subscription, predict: Predict | None = None
    ) -> None:
        """Serve one socket to its end; with `predict` it may also ask for predictions."""
        if refusal := self._refusal(websocket, caller):
            self._metrics.refused.labels(refusal.kind).inc()
            websocket.state.refused = refusal.kind
            await websocket.send_denial_response(refusal.response())
            return
        await websocket.accept(PROTOCOL if PROTOCOL in protocols(websocket.headers) else None)
        client = Client(
            subscription,
            limit=self._settings.client_queue,
            patience=self._settings.client_patience,
            frames=self._hub.frames,
            write=direct_write(websocket.scope),
            on_sent=self._sent,
            on_conflate=self._metrics.conflated.inc,
        )
        self._hub.admit(client)
        talk = _Talk(websocket, caller, client, self._hub, self._source, self._settings, predict)
        places = {("address", caller.address), caller.key}
        self._taken.update(places)
        self._open[client] = caller
        try:
            code, reason = await talk.hold()
        finally:
            self._hub.leave(client)
            self._taken -= Counter(places)  # drops what is zero
            del self._open[client]
        self._metrics.closes.labels(str(code)).inc()
        log.info("a socket ended", topic=subscription.topic, caller=caller.name, code=code, reason=reason)

    async def dismiss(self, fault: Callable[[Caller], str]) -> None:
        """Close, for ever, the sockets of those who may not stay, as `fault` says."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            for client, caller in list(self._open.items()):
                if why := fault(caller):
                    client.close(UNAUTHORIZED, why)

    async def restart(self, seconds: float = 3.0) -> None:
        """Send every client away for a moment, and wait until they are gone (bounded)."""
        for client in self._hub.everyone():
            client.close(GOING_AWAY_FOR_A_MOMENT, f"restarting; come back in {random.uniform(0.5, 5):.1f} s")
        deadline = time.monotonic() + seconds
        while self._hub.size and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def _sent(self, frame: Frame) -> None:
        metrics = self._metrics
        metrics.frames.inc()
        if not frame.events:
            return
        oldest = frame.events[0]
        metrics.delivery.observe(time.monotonic() - oldest.read_at)
        metrics.delivered.inc(len(frame.events))
        if oldest.published_at is not None:
            metrics.event_delivery.observe(time.time() - oldest.published_at)
        self._hub.deliveries.note(frame.events)

    def _refusal(self, websocket: WebSocket, caller: Caller) -> Problem | None:
        origin = websocket.headers.get("origin")
        if not from_us(origin, websocket.headers.get("host"), self._settings.allowed_origins):
            return Problem(
                403, "foreign-origin", f"Pages of {origin} may not open sockets here; FORETICK_ORIGINS names who may."
            )
        if self._hub.size >= self._settings.client_limit:
            return Problem(503, "too-many-sockets", "As many sockets are open as may be.", retry_after=5)
        if self._taken["address", caller.address] >= self._settings.client_limit_per_address:
            return Problem(429, "too-many-sockets", f"{caller.address} has as many sockets as it may.", retry_after=5)
        if caller.kind != "address" and self._taken[caller.key] >= self._settings.client_limit_per_token:
            return Problem(429, "too-many-sockets", f"{caller.name} has as many sockets as it may.", retry_after=5)
        return None


class _Talk:
    """One socket's conversation: a sender, a listener and, until it has caught up, a feeder."""

    def __init__(
        self,
        websocket: WebSocket,
        caller: Caller,
        client: Client,
        hub: Hub,
        source: EventLog,
        settings: GatewaySettings,
        predict: Predict | None,
    ) -> None:
        self._websocket = websocket
        self._caller = caller
        self._client = client
        self._hub = hub
        self._source = source
        self._settings = settings
        self._predict = predict
        self._topic = client.subscription.topic
        self._first: asyncio.Future[Resume] = asyncio.get_running_loop().create_future()
        self._predictions: set[asyncio.Task[None]] = set()
        self._greeted: dict[int, int] = {}

    async def hold(self) -> tuple[int, str]:
        """Talk until one side ends it; return the code and why."""
        self._greet()
        sender = asyncio.create_task(self._send())
        listener = asyncio.create_task(self._listen())
        feeder = asyncio.create_task(self._feed())
        tasks: set[asyncio.Future[Any]] = {sender, listener, feeder, self._client.closing}
        try:
            while not (sender.done() or listener.done() or self._client.closing.done()):
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                tasks -= done
                if feeder in done:
                    feeder.result()  # a failure of ours must not leave a client that waits for ever
        finally:
            for task in (sender, listener, feeder, *self._predictions):
                task.cancel()
            await asyncio.gather(sender, listener, feeder, *self._predictions, return_exceptions=True)
        if listener.done() and not listener.cancelled() and listener.exception() is None:
            return listener.result()
        return await self._end()

    async def _end(self) -> tuple[int, str]:
        code, reason = self._client.closing.result() if self._client.closing.done() else (1011, "the sender failed")
        # A stalled peer takes no close frame either; what is left of the connection then is the kernel's to end.
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            async with asyncio.timeout(SECONDS_TO_CLOSE):
                await self._websocket.close(code, reason)
        return code, reason

    def _greet(self) -> None:
        self._hub.greet(self._client)
        self._greeted = self._hub.next_offsets(self._topic)

    async def _send(self) -> None:
        client, websocket = self._client, self._websocket
        with suppress(WebSocketDisconnect):  # the listener hears of it too, with the code
            while True:
                frame = await client.take()
                client.sending()
                await websocket.send({"type": "websocket.send", "text": frame.text})
                client.sent(frame)

    async def _feed(self) -> None:
        """Wait for the client to say where it stopped; begin where the greeting said if it does not."""
        if not self._greeted:
            await self._hub.opened(self._topic)
            self._greet()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._first), self._settings.resume_grace)
        if not self._first.done():
            self._first.set_result(Resume())
        asked = self._first.result()
        begin = {partition: offset - 1 for partition, offset in self._greeted.items()}
        await resume(self._client, self._hub, self._source, Resume({**begin, **asked.positions}, asked.epoch))

    async def _listen(self) -> tuple[int, str]:
        while True:
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                return int(event.get("code") or 1005), str(event.get("reason") or "the client left")
            self._hear(event.get("text") or event.get("bytes") or "")

    def _hear(self, text: str | bytes) -> None:
        """Take a message in; whatever is wrong with it is told, and the socket stays."""
        request_id: Any = None
        try:
            data = _object(text)
            request_id = _request_id(data)
            if data.get("type") == "resume":
                self._resume(parse_resume(data, self._topic))
                return
            if not self._first.done():
                self._first.set_result(Resume())
            self._ask(request_id, data)
        except Problem as problem:
            self._refuse(request_id, problem)
        except ValueError as error:  # no resume
            self._client.tell(messages.error(request_id, Problem(400, "invalid-message", str(error)).body()))

    def _refuse(self, request_id: Any, problem: Problem) -> None:
        if problem.status in BREACHES:
            self._websocket.app.state.journal.refused(problem.kind, self._websocket.scope)
        self._client.tell(messages.error(request_id, problem.body()))

    def _resume(self, asked: Resume) -> None:
        if not self._first.done():
            self._first.set_result(asked)
            return
        for partition, offset in asked.positions.items():  # never a silent hole
            if offset + 1 < self._greeted.get(partition, 0):
                self._client.miss(Gap(self._topic, partition, offset + 1, self._greeted[partition] - 1, "late"))
        detail = f"resume must be the first message, within {self._settings.resume_grace:g} s: fetch what is missing"
        raise Problem(400, "late-resume", detail)

    def _ask(self, request_id: Any, data: dict[str, Any]) -> None:
        if self._predict is None:
            detail = 'This socket takes {"type": "resume", ...} only; predictions are asked for on /forecast.'
            raise Problem(400, "invalid-message", detail)
        kind = data.pop("type", "predict")
        if kind != "predict":
            taken = 'it takes {"type": "resume", ...}, and {"symbol": ...} or {"history": ...} for a prediction.'
            raise Problem(400, "invalid-message", f"This socket does not know the type {kind!r:.80}; {taken}")
        if len(self._predictions) >= self._settings.socket_predictions:
            raise Problem(429, "too-many-requests", f"{len(self._predictions)} predictions are in flight already.")
        task = asyncio.create_task(self._answer(request_id, data, self._predict))
        self._predictions.add(task)
        task.add_done_callback(self._predictions.discard)

    async def _answer(self, request_id: Any, data: dict[str, Any], predict: Predict) -> None:
        try:
            answer = await predict(PredictRequest.model_validate(data), self._caller)
        except ValidationError as error:
            self._client.tell(messages.error(request_id, invalid(error).body()))
        except Problem as problem:
            self._refuse(request_id, problem)
        except Exception as error:
            log.error("a prediction on a socket failed", exc_info=error)
            failed = Problem(500, "internal-error", "The gateway failed; its log says why.")
            self._client.tell(messages.error(request_id, failed.body()))
        else:
            self._client.tell(messages.prediction(request_id, answer))


def _object(text: str | bytes) -> dict[str, Any]:
    """Read a message.

    Raises:
        Problem: it is no JSON object.
    """
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "invalid-message", f"A message is a JSON object; this is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise Problem(400, "invalid-message", "A message is a JSON object.")
    return data


def _request_id(data: dict[str, Any]) -> str | int | None:
    """Take the client's own id off a message; what could not be sent back is refused."""
    given = data.pop("id", None)
    if given is None or (isinstance(given, str) and len(given) <= 128) or type(given) is int:
        return given
    raise Problem(400, "invalid-message", "An id is a string of at most 128 characters, or an integer.")
