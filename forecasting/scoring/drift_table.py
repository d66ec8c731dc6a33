"""Scores one step ahead as drift is judged by them: a table of the last sessions, folded from `forecast-scores`."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from contracts.events import ForecastScored
from streaming.codec import micros
from streaming.series_ids import SeriesIds

WINDOW_SESSIONS = 60  # of the window that is judged
REFERENCE_SESSIONS = 250  # sessions before the window, that its returns are compared with
_KEPT_SESSIONS = 2 * WINDOW_SESSIONS  # in which a version has its window, though it was out of work in between
_KEPT_MOVES = WINDOW_SESSIONS + REFERENCE_SESSIONS + 1

_TABLES = """
CREATE TABLE IF NOT EXISTS drift_scores (
    interval TEXT, target_at INTEGER, version TEXT, family TEXT, series INTEGER, revision INTEGER NOT NULL,
    inside_80 INTEGER NOT NULL, inside_95 INTEGER NOT NULL, error REAL NOT NULL, naive_error REAL NOT NULL,
    PRIMARY KEY (interval, target_at, version, family, series)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drift_moves (
    series INTEGER, target_at INTEGER, revision INTEGER NOT NULL, size REAL NOT NULL, PRIMARY KEY (series, target_at)
) WITHOUT ROWID;
"""
_FOLD = """
INSERT INTO drift_scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision,
    inside_80 = excluded.inside_80, inside_95 = excluded.inside_95, error = excluded.error,
    naive_error = excluded.naive_error
WHERE excluded.revision > revision
"""
_FOLD_MOVE = """
INSERT INTO drift_moves VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET revision = excluded.revision, size = excluded.size WHERE excluded.revision > revision
"""
_SUMS = """
SELECT version, family, target_at, count(*), sum(inside_80), sum(inside_95), sum(error), sum(naive_error)
FROM drift_scores WHERE interval = ? AND target_at <= ? GROUP BY version, family, target_at
"""
_MOVES = "SELECT target_at, size FROM drift_moves WHERE series = ? AND target_at <= ? ORDER BY target_at DESC LIMIT ?"
_TRIM_MOVES = """
DELETE FROM drift_moves WHERE series = ?1 AND target_at < (
    SELECT min(target_at) FROM
        (SELECT target_at FROM drift_moves WHERE series = ?1 ORDER BY target_at DESC LIMIT ?2))
"""


@dataclass(frozen=True, slots=True)
class SessionSums:
    """The scores of one version and session, added up over symbols; errors in units of the input's mean change."""

    n: int
    inside_80: int
    inside_95: int
    error: float
    naive_error: float

    def __add__(self, other: "SessionSums") -> "SessionSums":
        return SessionSums(
            self.n + other.n,
            self.inside_80 + other.inside_80,
            self.inside_95 + other.inside_95,
            self.error + other.error,
            self.naive_error + other.naive_error,
        )


class DriftTable:
    """Folds scores, in any order, any number of times; a higher revision of its bar takes a score's place.

    Args:
        series: the numbers of the file's series.
        model_name: whose scores count.

    Attributes:
        sessions: the sessions that are known, by interval; microseconds since 1970.
    """

    def __init__(self, file: sqlite3.Connection, series: SeriesIds, model_name: str) -> None:
        self._file, self._series, self._model_name = file, series, model_name
        file.executescript(_TABLES)
        self.sessions: defaultdict[str, set[int]] = defaultdict(set)
        for interval, target in file.execute("SELECT DISTINCT interval, target_at FROM drift_scores"):
            self.sessions[interval].add(target)
        self._moves = dict(file.execute("SELECT series, count(*) FROM drift_moves GROUP BY series"))

    def fold(self, score: ForecastScored) -> None:
        """Take up a score."""
        if score.step != 1 or score.model_name != self._model_name or score.scale <= 0:
            return
        series, target = self._series.of(score.symbol, score.interval), micros(score.target_at)
        revision = score.bar.revision
        if not score.in_sample:
            errors = (score.absolute_error / score.scale, score.naive_absolute_error / score.scale)
            key = (score.interval, target, score.model_version, score.family, series)
            self._file.execute(_FOLD, (*key, revision, score.inside_80, score.inside_95, *errors))
            self.sessions[score.interval].add(target)
        size = score.naive_absolute_error / score.actual  # the same, whatever version is scored
        added = self._file.execute(_FOLD_MOVE, (series, target, revision, size)).rowcount
        self._moves[series] = self._moves.get(series, 0) + added

    def sums(self, interval: str, until: int) -> Iterator[tuple[tuple[str, str], int, SessionSums]]:
        """Yield version and family, session, and what its scores add up to, of all sessions up to one."""
        for version, family, target, *sums in self._file.execute(_SUMS, (interval, until)):
            yield (version, family), target, SessionSums(*sums)

    def moves(self, interval: str, until: int) -> Iterator[tuple[str, list[tuple[int, float]]]]:
        """Yield each symbol that moved in a session, and up to there its sessions and |returns|, oldest first."""
        for (symbol, of), series in self._series:
            if of == interval:
                found = self._file.execute(_MOVES, (series, until, _KEPT_MOVES - 1)).fetchall()
                if found and found[0][0] == until:
                    yield symbol, found[::-1]

    def trim(self, *, wholly: bool) -> None:
        """Remove the sessions that no window reaches."""
        for interval, sessions in self.sessions.items():
            if wholly or len(sessions) > 2 * _KEPT_SESSIONS:
                kept = sorted(sessions)[-_KEPT_SESSIONS:]
                self._file.execute("DELETE FROM drift_scores WHERE interval = ? AND target_at < ?", (interval, kept[0]))
                self.sessions[interval] = set(kept)
        for series, count in self._moves.items():
            if wholly or count > 2 * _KEPT_MOVES:
                self._moves[series] = count - self._file.execute(_TRIM_MOVES, (series, _KEPT_MOVES)).rowcount
