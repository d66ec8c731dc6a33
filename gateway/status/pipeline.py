"""How the whole system is doing: how far read models have come, which services are ready, what nobody could read."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import structlog

from contracts.topics import TOPICS
from gateway.cached import CachedAnswers
from gateway.reads.queries import Queries
from gateway.settings import GatewaySettings
from gateway.status.health import service_reasons
from gateway.threads import in_thread
from streaming.dead_letters import DeadLetters
from streaming.errors import KafkaAway
from streaming.reader import watermarks

log = structlog.get_logger()

PIPELINE_SECONDS = 3.0  # seconds: many pages may ask

EndOffsets = dict[tuple[str, int], int]


def topic_progress(rows: Sequence[Mapping[str, Any]], ends: EndOffsets | None) -> list[dict[str, Any]]:
    """Return one line for each read model and partition; without ends (Kafka away) lags are unknown."""
    lines = []
    for row in rows:
        end = None if ends is None else max(ends.get((row["topic"], row["partition"]), 0), row["next_offset"])
        lines.append(
            {
                "name": row["read_model"],
                "topic": row["topic"],
                "partition": row["partition"],
                "position": row["next_offset"],
                "end": end,
                "lag": None if end is None else end - row["next_offset"],
                "updated_at": row.get("updated_at"),
                **{name: row.get(name, 0) for name in ("applied", "fenced", "dead")},
            }
        )
    return lines


def _topics(ends: EndOffsets | None, dead: Mapping[str, int] | None) -> list[dict[str, Any]]:
    """Return how much each topic holds; retention is unlimited, so the ends count all messages."""
    return [
        {
            "name": topic.name,
            "messages": None if ends is None else sum(high for (name, _), high in ends.items() if name == topic.name),
            "dead_letters": None if dead is None else dead[topic.name],
        }
        for topic in TOPICS
    ]


class PipelineStatus:
    """Asks Kafka, MongoDB, the clock and every service, and remembers the answers for a moment."""

    def __init__(self, settings: GatewaySettings, queries: Queries) -> None:
        self._settings = settings
        self._queries = queries
        self._letters = DeadLetters(settings, timeout=2.0)
        self._http = httpx.AsyncClient(timeout=1.5)
        self._kept: CachedAnswers[None, dict[str, Any]] = CachedAnswers(PIPELINE_SECONDS, lambda _: self._ask())

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def state(self) -> dict[str, Any]:
        """Return it all; raises the problem 503 while MongoDB is away."""
        return await self._kept.of(None)

    async def _ask(self) -> dict[str, Any]:
        rows = await self._queries.checkpoints()
        log_state, services, clock, market = await asyncio.gather(
            in_thread(self._log_state), self._services(), self._clock(), self._market()
        )
        ends, dead = log_state
        return {
            "read_models": topic_progress(rows, ends),
            "services": services,
            "topics": _topics(ends, dead),
            "links": {"mlflow": self._settings.mlflow_link, "airflow": self._settings.airflow_link},
            "clock": clock,
            "market": market,
            "dead_letters": None if dead is None else sum(dead.values()),
        }

    def _log_state(self) -> tuple[EndOffsets | None, dict[str, int] | None]:
        ends: EndOffsets = {}
        dead: dict[str, int] = {}
        try:
            for topic in TOPICS:
                marks = watermarks(self._settings, topic, 2.0)
                ends.update({(topic.name, partition): high for partition, (_, high) in marks.items()})
                dead[topic.name] = len(self._letters.of(topic).open)
        except KafkaAway as error:
            log.warning("the pipeline's state lacks Kafka's", error=str(error))
            return None, None
        return ends, dead

    async def _services(self) -> list[dict[str, Any]]:
        watched = self._settings.watched_services
        found = await asyncio.gather(*(service_reasons(self._http, name, url) for name, url in watched.items()))
        return [
            {"name": name, "ready": not reasons, "reasons": reasons}
            for name, reasons in zip(watched, found, strict=True)
        ]

    async def _clock(self) -> dict[str, Any] | None:
        if not self._settings.clock_url:
            return None
        return await self._told("the exchange's clock", self._settings.clock_url)

    async def _market(self) -> dict[str, Any] | None:
        """Ask the producers whether the exchange trades: they know its calendar."""
        if self._settings.clock_url:
            return None
        told = await self._told("producers", f"{self._settings.watched_services['producers']}/status")
        market = (told or {}).get("market")
        return market if isinstance(market, dict) else None

    async def _told(self, who: str, url: str) -> dict[str, Any] | None:
        try:
            answer = (await self._http.get(url)).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the pipeline's state lacks a part", who=who, error=f"{type(error).__name__}: {error}")
            return None
        return answer if isinstance(answer, dict) else None
