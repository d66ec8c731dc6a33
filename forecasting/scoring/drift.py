"""Whether a version still does live what it promised, and whether the market still moves as it did.  Pure.

Folded from `forecast-scores` alone, one step ahead: scores by session, over all symbols.  Symbols of one session move
together, so a session is one observation.  An alarm is raised where a measure leaves its band beyond noise, and
cleared only once it is well inside again; what was raised is folded from the alarms themselves, so a restart raises
nothing again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Literal, get_args

from contracts.events import DriftDetected, ForecastScored
from forecasting.models.bands import BAND_80, BAND_95

WINDOW_SESSIONS = 60  # of the window that is judged
REFERENCE_SESSIONS = 250  # sessions before the window, that its returns are compared with
RAISE_ERRORS, CLEAR_ERRORS = 3.0, 1.0  # standard errors
RAISE_CHANCE, CLEAR_CHANCE = 1e-6, 1e-3  # p-value; volatility comes in waves, so a small one alone is no shift

Measure = Literal["COVERAGE_80", "COVERAGE_95", "SKILL", "RETURNS"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
AlarmKey = tuple[object, ...]
_NEVER = datetime.min.replace(tzinfo=UTC)
_COVERAGES: tuple[tuple[Measure, float, tuple[float, float]], ...] = (
    ("COVERAGE_80", 0.80, BAND_80),
    ("COVERAGE_95", 0.95, BAND_95),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One score, one step ahead; a higher revision of its bar takes its place."""

    revision: int
    inside: tuple[bool, bool]  # 80 %, 95 %
    error: float  # in units of the input's mean |one-step change|
    naive_error: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A measure over the window: what it is, what it should be, how far beyond noise it is off."""

    value: float
    expected: float
    statistic: float
    n: int
    off: bool  # outside its band, beyond noise
    well: bool  # well inside
    words: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A reading, and whose it is: a version's, or (without one) a symbol's."""

    measure: Measure
    reading: Reading
    since: datetime  # close of the window's first session
    version: str | None = None
    family: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An alarm begins or ends, with the session `until`."""

    interval: str
    measured: Measured
    until: datetime
    state: Literal["RAISED", "CLEARED"]


ScoresBySession = dict[datetime, dict[str, Seen]]
Moves = dict[datetime, tuple[int, float]]  # session -> revision of its bar, |one-session return|


@dataclass(slots=True)
class Drifts:
    """Folds scores and alarms, in any order, and says which alarms are due.

    Args:
        model_name: whose scores count.
    """

    model_name: str
    raised: set[AlarmKey] = field(default_factory=set)
    _versions: dict[tuple[str, str, str], ScoresBySession] = field(default_factory=dict)  # interval, version, family
    _moves: dict[tuple[str, str], Moves] = field(default_factory=dict)  # interval, symbol
    _told: dict[AlarmKey, datetime] = field(default_factory=dict)
    _judged: dict[str, datetime] = field(default_factory=dict)  # interval -> last session judged

    def fold_score(self, score: ForecastScored) -> None:
        """Take up a score."""
        if score.step != 1 or score.model_name != self.model_name or score.scale <= 0:
            return
        if not score.in_sample:
            self._fold_version(score)
        moves = self._moves.setdefault((score.interval, score.symbol), {})  # the same, whatever version is scored
        if score.bar.revision >= moves.get(score.target_at, (0, 0.0))[0]:
            moves[score.target_at] = (score.bar.revision, score.naive_absolute_error / score.actual)
        _forget(moves, WINDOW_SESSIONS + REFERENCE_SESSIONS)

    def _fold_version(self, score: ForecastScored) -> None:
        sessions = self._versions.setdefault((score.interval, score.model_version, score.family), {})
        known = sessions.setdefault(score.target_at, {}).get(score.symbol)
        if known is None or score.bar.revision > known.revision:
            sessions[score.target_at][score.symbol] = Seen(
                score.bar.revision,
                (score.inside_80, score.inside_95),
                score.absolute_error / score.scale,
                score.naive_absolute_error / score.scale,
            )
        _forget(sessions, WINDOW_SESSIONS)

    def fold_alarm(self, alarm: DriftDetected) -> None:
        """Take up what was raised or cleared."""
        if alarm.model_name != self.model_name or alarm.to_session < self._told.get(alarm.watched, alarm.to_session):
            return
        self._told[alarm.watched] = alarm.to_session
        if alarm.state == "RAISED":
            self.raised.add(alarm.watched)
        else:
            self.raised.discard(alarm.watched)

    def due(self) -> list[AlarmChange]:
        """Judge the windows that end before the newest session: of that one, scores may be missing yet."""
        turns: list[AlarmChange] = []
        for interval in {interval for interval, _, _ in self._versions}:
            seen = {moment for key, sessions in self._versions.items() if key[0] == interval for moment in sessions}
            until = sorted(seen)[-2] if len(seen) > 1 else None
            if until is None or until <= self._judged.get(interval, _NEVER):
                continue
            self._judged[interval] = until
            readings = [
                reading
                for (of, version, family), sessions in self._versions.items()
                if of == interval and until in sessions
                for reading in _of_version(version, family, sessions, until)
            ]
            for (of, symbol), moves in self._moves.items():
                if of == interval and until in moves:
                    readings += _of_symbol(symbol, moves, until)
            for measured in readings:
                sits = (self.model_name, interval, measured.measure, measured.version, measured.symbol) in self.raised
                if measured.reading.well if sits else measured.reading.off:
                    turns.append(AlarmChange(interval, measured, until, "CLEARED" if sits else "RAISED"))
        return turns


def alarm_event(turn: AlarmChange, model_name: str, now: datetime) -> DriftDetected:
    """Write a turn down as an event."""
    measured, reading = turn.measured, turn.measured.reading
    return DriftDetected(
        model_name=model_name,
        measure=measured.measure,
        state=turn.state,
        model_version=measured.version,
        family=measured.family,
        symbol=measured.symbol,
        interval=turn.interval,
        value=reading.value,
        expected=reading.expected,
        statistic=reading.statistic,
        sessions=WINDOW_SESSIONS,
        n=reading.n,
        from_session=measured.since,
        to_session=turn.until,
        reason=f"{reading.words} over {WINDOW_SESSIONS} sessions",
        recorded_at=now,
    )


def _of_version(version: str, family: str, sessions: ScoresBySession, until: datetime) -> Iterator[Measured]:
    window = [moment for moment in sorted(sessions) if moment <= until][-WINDOW_SESSIONS:]
    if len(window) < WINDOW_SESSIONS:
        return
    rows = [list(sessions[moment].values()) for moment in window]
    for place, (measure, nominal, band) in enumerate(_COVERAGES):
        reading = coverage_reading([[seen.inside[place] for seen in row] for row in rows], nominal, band)
        yield Measured(measure, reading, window[0], version, family)
    if family != "naive":
        yield Measured("SKILL", skill_reading(rows), window[0], version, family)


def _of_symbol(symbol: str, moves: Moves, until: datetime) -> Iterator[Measured]:
    window = [moment for moment in sorted(moves) if moment <= until][-WINDOW_SESSIONS - REFERENCE_SESSIONS :]
    if len(window) < WINDOW_SESSIONS + REFERENCE_SESSIONS:
        return
    sizes = [moves[moment][1] for moment in window]
    yield Measured(
        "RETURNS",
        returns_reading(sizes[REFERENCE_SESSIONS:], sizes[:REFERENCE_SESSIONS]),
        window[REFERENCE_SESSIONS],
        symbol=symbol,
    )


def _forget(sessions: dict[datetime, Any], keep: int) -> None:
    """Drop the oldest sessions now and then: sorting is dearer than keeping."""
    if len(sessions) > 2 * keep:
        for old in sorted(sessions)[: len(sessions) - keep - 1]:
            del sessions[old]


def coverage_reading(rows: Iterable[Iterable[bool]], nominal: float, band: tuple[float, float]) -> Reading:
    """Judge the share of outcomes inside an interval, by session; noise is at least that of independent outcomes."""
    hits = [[float(hit) for hit in row] for row in rows]
    by_session = [fmean(row) for row in hits]
    n = sum(map(len, hits))
    share = sum(map(sum, hits)) / n
    error = max(stdev(by_session) / sqrt(len(by_session)), sqrt(nominal * (1 - nominal) / n))
    errors = (share - nominal) / error
    low, high = band
    return Reading(
        value=share,
        expected=nominal,
        statistic=errors,
        n=n,
        off=not low <= share <= high and abs(errors) > RAISE_ERRORS,
        well=(low + nominal) / 2 <= share <= (high + nominal) / 2,
        words=f"{nominal:.0%} intervals cover {share:.3f}, band {low:g} to {high:g}, {errors:+.1f} standard errors off",
    )


def skill_reading(rows: Iterable[Iterable[Seen]]) -> Reading:
    """Judge errors against the random walk's, by session: worse beyond noise is off."""
    known = [list(row) for row in rows]
    gains = [fmean(seen.naive_error - seen.error for seen in row) for row in known]
    naive = sum(seen.naive_error for row in known for seen in row)
    skill = 1 - sum(seen.error for row in known for seen in row) / naive if naive else 0.0
    error = stdev(gains) / sqrt(len(gains))
    errors = fmean(gains) / error if error else 0.0
    return Reading(
        value=skill,
        expected=0.0,
        statistic=errors,
        n=sum(map(len, known)),
        off=errors < -RAISE_ERRORS,
        well=errors > -CLEAR_ERRORS,
        words=f"skill against the random walk {skill:+.2%}, {errors:+.1f} standard errors from none",
    )


def returns_reading(recent: list[float], earlier: list[float]) -> Reading:
    """Compare the sizes of returns with those before them (two-sample Kolmogorov-Smirnov, asymptotic)."""
    from scipy.stats import ks_2samp  # takes a second to import: not before there is enough to judge

    found = ks_2samp(recent, earlier, method="asymp")
    distance, chance = float(found.statistic), float(found.pvalue)
    return Reading(
        value=distance,
        expected=0.0,
        statistic=chance,
        n=len(recent),
        off=chance < RAISE_CHANCE,
        well=chance > CLEAR_CHANCE,
        words=f"returns of size {fmean(recent):.4f} after {fmean(earlier):.4f} (KS {distance:.3f}, p {chance:.1e})",
    )


def by_measure(watched: Iterable[AlarmKey]) -> dict[str, int]:
    """Count what is raised by measure."""
    counts: defaultdict[str, int] = defaultdict(int)
    for _, _, measure, *_ in watched:
        counts[str(measure)] += 1
    return counts
