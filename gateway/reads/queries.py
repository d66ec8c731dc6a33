"""The read models, as the gateway asks them: the only file here that knows MongoDB.

Positions are always read before documents: a snapshot then holds at least what its position says.

A filter on more fields than an index has is a `$match` of its own, after the one that the index answers: MongoDB makes
them one, the embedded server would scan the collection.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, cast

from pymongo import DESCENDING, AsyncMongoClient
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError

from contracts.actions import Split, newest_splits
from contracts.documents import (
    ACTIONS_COLLECTION,
    BARS_COLLECTION,
    CHECKPOINTS_COLLECTION,
    FORECASTS_COLLECTION,
    LEADERBOARD_COLLECTION,
    NOT_SHOWN,
    OFFSET,
    PARTITION,
    PROMOTIONS_COLLECTION,
    REVISIONS_COLLECTION,
    SYMBOLS_COLLECTION,
    CheckpointDocument,
    LeaderboardDocument,
    SeriesDocument,
)
from contracts.events import BarClosed, ForecastIssued
from contracts.versions import newest as newest_version
from gateway.problems import away
from gateway.reads.asof import known_action, known_scores
from gateway.reads.embedded_server import search_bounds
from gateway.schemas.responses import Position
from gateway.settings import GatewaySettings

StoredDocument = dict[str, Any]

# A collection that a rebuild puts another in the place of, or a server that comes up, goes down or elects.
_PASSING = {43, 89, 91, 175, 189, 262, 10107, 11600, 11602, 13435, 13436}
_HIDDEN = dict.fromkeys(NOT_SHOWN, 0)
# A document has no fields that its event did not know.
_BAR = dict.fromkeys(newest_version(BarClosed).field_names)
_FORECAST = dict.fromkeys(newest_version(ForecastIssued).field_names)


class Queries:
    """Reads of one database. MongoDB away raises the problem 503 of it."""

    def __init__(self, settings: GatewaySettings) -> None:
        milliseconds = int(settings.mongodb_seconds * 1000)
        self._client: AsyncMongoClient[StoredDocument] = AsyncMongoClient(
            settings.mongodb.get_secret_value(),
            tz_aware=True,
            tzinfo=UTC,
            appname="foretick-gateway",
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds,
        )
        self._database = self._client[settings.mongodb_database]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ping(self) -> None:
        """Ask whether the server answers."""
        async with _reachable():
            await self._client.admin.command("ping")

    async def checkpoints(self) -> list[CheckpointDocument]:
        """Return where each read model stands in each partition."""
        return cast(list[CheckpointDocument], await self._all(CHECKPOINTS_COLLECTION, {}, [("_id", 1)]))

    async def position(self, *read_models: str) -> Position:
        """Return the next offset by topic and partition that read models have reached; of several the least."""
        return _position(row for row in await self.checkpoints() if row["read_model"] in read_models)

    async def symbols(self) -> list[StoredDocument]:
        """Return what is known of each symbol, by name."""
        return await self._all(SYMBOLS_COLLECTION, {}, [("_id", 1)])

    async def knows(self, symbol: str) -> bool:
        """Tell whether there is anything of a symbol."""
        async with _reachable():
            return await self._database[SYMBOLS_COLLECTION].find_one({"_id": symbol}, {"_id": 1}) is not None

    async def bars(
        self,
        symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        before: datetime | None = None,
        as_of: datetime | None = None,
        limit: int,
    ) -> list[StoredDocument]:
        """Return the newest `limit` raw bars of a range, newest first; as known at `as_of` if that is given.

        `start` and `end` belong to the range, `before` does not.
        """
        ends = _given({"$lte": end, "$lt": before})
        series = await self._series(symbol, interval)
        rows: list[StoredDocument] = []
        for since in search_bounds(series, limit, start, (end, before, as_of)):
            closed_at = _given({"$gte": since}) | ends
            where = _given({"symbol": symbol, "interval": interval, "closed_at": closed_at})
            rows = await (self._bars(where, limit) if as_of is None else self._bars_as_of(where, as_of, limit))
            if len(rows) == limit:
                break
        return rows

    async def _bars(self, where: StoredDocument, limit: int) -> list[StoredDocument]:
        rows = await self._all(BARS_COLLECTION, where, [("closed_at", DESCENDING)], limit)
        return [_BAR | row for row in rows]

    async def _bars_as_of(self, where: StoredDocument, as_of: datetime, limit: int) -> list[StoredDocument]:
        newest: dict[datetime, StoredDocument] = {}
        known = {"recorded_at": {"$lte": as_of}}
        stages = [{"$match": where}, {"$match": known}, {"$sort": {"closed_at": DESCENDING}}, {"$project": _HIDDEN}]
        async with _reachable(), await self._database[REVISIONS_COLLECTION].aggregate(stages) as cursor:
            async for row in cursor:
                held = newest.get(row["closed_at"])
                if held is None and len(newest) == limit:
                    break
                if held is None or row["revision"] > held["revision"]:
                    newest[row["closed_at"]] = _BAR | _shown(row, drop=("position",))
        return list(newest.values())

    async def actions(self, symbol: str, as_of: datetime | None = None) -> list[StoredDocument]:
        """Return a symbol's splits and dividends by ex-date; as known at `as_of` if that is given."""
        where = {"symbol": symbol}
        if as_of is None:
            return await self._all(ACTIONS_COLLECTION, where, [("_id", 1)])
        rows = await self._whole(ACTIONS_COLLECTION, where)
        known = (known_action(row, as_of) for row in sorted(rows, key=itemgetter("_id")))
        return [_shown(row) for row in known if row is not None]

    async def splits(self, symbol: str, as_of: datetime | None = None) -> tuple[Split, ...]:
        """Return a symbol's splits, in order; as known at `as_of` if that is given."""
        known = await self.actions(symbol, as_of)
        return newest_splits({**row, "ex_date": datetime.fromisoformat(row["ex_date"]).date()} for row in known)

    async def forecasts(
        self,
        symbol: str,
        interval: str,
        *,
        role: str | None = None,
        family: str | None = None,
        before: tuple[datetime, str] | None = None,
        origin: datetime | None = None,
        as_of: datetime | None = None,
        limit: int,
    ) -> list[StoredDocument]:
        """Return the newest forecasts with their scores, newest origin first; `before`: an origin and an id.

        With `as_of` those issued by then, with the scores recorded by then.
        """
        rest = _given(
            {
                "model.role": role,
                "model.family": family or None,
                "issued_at": _given({"$lte": as_of}),
                "$or": [{"origin": {"$lt": before[0]}}, {"_id": {"$lt": before[1]}}] if before else None,
            }
        )
        until = before[0] if before else None
        # An origin has as many forecasts as models are at work: mostly more than one.
        series = None if origin else await self._series(symbol, interval)
        rows: list[StoredDocument] = []
        for since in search_bounds(series, limit / 4, None, (until, as_of)):
            origins = _given({"$eq": origin, "$gte": since, "$lte": until})
            where = _given({"symbol": symbol, "interval": interval, "origin": origins})
            rows = await self._forecasts(where, rest, as_of, limit)
            if len(rows) == limit:
                break
        return rows

    async def _forecasts(
        self, where: StoredDocument, rest: StoredDocument, as_of: datetime | None, limit: int
    ) -> list[StoredDocument]:
        order = {"origin": DESCENDING, "_id": DESCENDING}
        stages: list[StoredDocument] = [{"$match": where}, {"$match": rest}, {"$sort": order}, {"$limit": limit}]
        if as_of is None:
            stages.append({"$project": _HIDDEN})
        async with _reachable():
            rows = await (await self._database[FORECASTS_COLLECTION].aggregate(stages)).to_list()
        if as_of is None:
            return [_FORECAST | _shown(row) for row in rows]
        return [_FORECAST | _shown(row) | {"scores": known_scores(row, as_of)} for row in rows]

    async def forecast(self, forecast_id: str) -> StoredDocument | None:
        """Return one forecast; None where there is none (a score alone does not make one)."""
        found = await self._all(FORECASTS_COLLECTION, {"_id": forecast_id}, [("_id", 1)], 1)
        return found[0] if found and "symbol" in found[0] else None

    async def promotions(self) -> list[StoredDocument]:
        """Return every move of an alias, newest first."""
        return await self._all(PROMOTIONS_COLLECTION, {}, [("decided_at", DESCENDING), ("_id", DESCENDING)])

    async def leaderboard_state(self) -> tuple[object, Position]:
        """Return what the leaderboard is made of, another one after a rebuild, and the position it has reached."""
        rows = [row for row in await self.checkpoints() if row["read_model"] == LEADERBOARD_COLLECTION]
        return {(row["topic"], row["epoch"], row["generation"]) for row in rows}, _position(rows)

    async def leaderboard_periods(self, interval: str) -> set[str]:
        """Return the periods that the leaderboard has documents of."""
        async with _reachable():
            return set(await self._database[LEADERBOARD_COLLECTION].distinct("period", {"interval": interval}))

    async def leaderboard_changes(self, since: Position, until: Position) -> set[tuple[str, str]]:
        """Return interval and period of the leaderboard's documents that changed between two positions."""
        before, after = (next(iter(position.values()), {}) for position in (since, until))
        moved = {place: before.get(place, 0) for place, end in after.items() if end > before.get(place, 0)}
        where: list[StoredDocument] = [
            {PARTITION: int(place), OFFSET: {"$gte": offset}} for place, offset in moved.items()
        ]
        rows = [
            row for each in where for row in await self._whole(LEADERBOARD_COLLECTION, each, ("interval", "period"))
        ]
        return {(row["interval"], row["period"]) for row in rows}

    async def leaderboard(
        self, interval: str, *, period: str | None = None, symbol: str | None = None, since: str = ""
    ) -> list[LeaderboardDocument]:
        """Return the leaderboard's documents of a period, or of a symbol `since` a session."""
        periods = period or {"$gte": since[:7]}  # of months, days or hours: each begins with its month
        where = _given({"interval": interval, "symbol": symbol, "period": periods})
        return cast(list[LeaderboardDocument], await self._whole(LEADERBOARD_COLLECTION, where))

    async def _series(self, symbol: str, interval: str) -> SeriesDocument | None:
        """Return the ends of a series and how many bars it has; None where there is none."""
        async with _reachable():
            found = await self._database[SYMBOLS_COLLECTION].find_one({"_id": symbol}, {"intervals": 1})
        series: SeriesDocument | None = (found or {}).get("intervals", {}).get(interval)
        return series

    async def _whole(
        self, collection: str, where: Mapping[str, Any], fields: Sequence[str] = ()
    ) -> list[StoredDocument]:
        """Return documents (`fields` of them, if given) with what is the projections' own: earlier revisions."""
        async with _reachable():
            return await self._database[collection].find(where, list(fields) or None).to_list()

    async def _all(
        self, collection: str, where: Mapping[str, Any], order: Iterable[tuple[str, int]], limit: int = 0
    ) -> list[StoredDocument]:
        async with _reachable():
            cursor = self._database[collection].find(where, _HIDDEN).sort(list(order)).limit(limit)
            return [_shown(row) for row in await cursor.to_list()]


def _position(checkpoints: Iterable[CheckpointDocument]) -> Position:
    """Return the next offset by topic and partition; of several read models the least."""
    position: Position = {}
    for row in checkpoints:
        partitions, partition = position.setdefault(row["topic"], {}), str(row["partition"])
        partitions[partition] = min(row["next_offset"], partitions.get(partition, row["next_offset"]))
    return position


def _given(values: Mapping[str, Any]) -> StoredDocument:
    """Return what there is of some values: a filter has no terms for what was not asked."""
    return {name: value for name, value in values.items() if value not in (None, {})}


def _shown(document: StoredDocument, drop: Iterable[str] = ()) -> StoredDocument:
    """Return a document without what is the projections' own."""
    hidden = set(drop)
    return {name: value for name, value in document.items() if not name.startswith("_") and name not in hidden}


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout) as error:
        raise away("MongoDB", "MongoDB does not answer now; the read models are safe and come back with it.") from error
    except OperationFailure as error:
        if error.code not in _PASSING:
            raise
        raise away("MongoDB", "MongoDB is changing something just now; ask again.", 1) from error
    except PyMongoError as error:
        if not error.timeout:
            raise
        raise away("MongoDB", "MongoDB took too long to answer.") from error
