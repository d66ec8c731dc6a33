"""Is everything there that the gateway needs? Asked of the servers themselves, at most once a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from gateway.problems import Problem
from gateway.reads.queries import Queries
from gateway.settings import GatewaySettings
from gateway.stream.hub import LIVE, Hub
from gateway.stream.relay import Relay

HEALTH_SECONDS = 1.0  # seconds


async def service_reasons(http: httpx.AsyncClient, name: str, url: str) -> list[str]:
    """Ask a service of ours why it is not ready; empty when it is."""
    try:
        answer = await http.get(f"{url}/health/ready")
    except httpx.HTTPError as error:
        return [f"{name} does not answer at {url}: {type(error).__name__}"]
    if answer.is_success:
        return []
    try:
        reasons = [str(reason) for reason in answer.json()["reasons"]]
    except (ValueError, KeyError, TypeError):
        reasons = []
    return reasons or [f"{name} answers {answer.status_code}"]


class HealthCheck:
    """Asks all dependencies at once and remembers the answer for a moment."""

    def __init__(self, settings: GatewaySettings, hub: Hub, relay: Relay, queries: Queries) -> None:
        self._settings = settings
        self._hub = hub
        self._relay = relay
        self._queries = queries
        self._http = httpx.AsyncClient(timeout=2.0)
        self._lock = asyncio.Lock()
        self._asked = -HEALTH_SECONDS
        self._reasons: list[str] = []

    @property
    def failed(self) -> bool:
        """Tell whether a bug has ended the process."""
        return bool(self._relay.failed)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def reasons(self) -> list[str]:
        """Return why the gateway is not ready; empty when it is."""
        async with self._lock:
            if time.monotonic() - self._asked >= HEALTH_SECONDS:
                checks: list[Callable[[], Awaitable[list[str]]]] = [
                    self._kafka,
                    self._mongodb,
                    self._registry,
                    self._forecasting,
                ]
                found = await asyncio.gather(*(check() for check in checks))
                self._reasons = [reason for reasons in found for reason in reasons]
                self._asked = time.monotonic()
            return self._reasons

    async def _kafka(self) -> list[str]:
        return [] if self._hub.source == LIVE else [f"Kafka: {self._relay.reason}"]

    async def _mongodb(self) -> list[str]:
        try:
            await self._queries.ping()
        except Problem as problem:
            return [problem.detail]
        return []

    async def _registry(self) -> list[str]:
        auth = self._settings.registry_auth
        user, _, password = auth.get_secret_value().partition(":") if auth else ("", "", "")
        try:
            answer = await self._http.get(
                f"{self._settings.registry}/subjects", auth=(user, password) if auth else None
            )
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            return [f"the schema registry answers {error.response.status_code}"]
        except httpx.HTTPError as error:
            return [f"the schema registry does not answer: {type(error).__name__}"]
        return []

    async def _forecasting(self) -> list[str]:
        return await service_reasons(self._http, "forecasting", self._settings.forecasting)
