"""Whether a version still does live what it promised, and whether the market still moves as it did.  Pure.

Judged by scores one step ahead (`drift_table`), over all symbols.  Symbols of one session move together, so a session
is one observation.  An alarm is raised where a measure leaves its band beyond noise, and cleared only once it is well
inside again; what was raised is folded from the alarms themselves, so a restart raises nothing again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from statistics import fmean, stdev
from typing import Literal, get_args

from contracts.events import DriftDetected
from forecasting.models.bands import BAND_80, BAND_95
from forecasting.scoring.drift_table import REFERENCE_SESSIONS, WINDOW_SESSIONS, DriftTable, SessionSums
from streaming.codec import utc

RAISE_ERRORS, CLEAR_ERRORS = 3.0, 1.0  # standard errors
RAISE_CHANCE, CLEAR_CHANCE = 1e-6, 1e-3  # p-value; volatility comes in waves, so a small one alone is no shift

Measure = Literal["COVERAGE_80", "COVERAGE_95", "SKILL", "RETURNS"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
AlarmKey = tuple[object, ...]
_COVERAGES: tuple[tuple[Measure, str, float, tuple[float, float]], ...] = (
    ("COVERAGE_80", "inside_80", 0.80, BAND_80),
    ("COVERAGE_95", "inside_95", 0.95, BAND_95),
)


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


@dataclass(slots=True)
class Drifts:
    """Folds alarms, in any order, and says which are due.

    Args:
        model_name: whose alarms count.
    """

    model_name: str
    raised: set[AlarmKey] = field(default_factory=set)
    _told: dict[AlarmKey, datetime] = field(default_factory=dict)
    _judged: dict[str, int] = field(default_factory=dict)  # interval -> last session judged

    def fold_alarm(self, alarm: DriftDetected) -> None:
        """Take up what was raised or cleared."""
        if alarm.model_name != self.model_name or alarm.to_session < self._told.get(alarm.watched, alarm.to_session):
            return
        self._told[alarm.watched] = alarm.to_session
        if alarm.state == "RAISED":
            self.raised.add(alarm.watched)
        else:
            self.raised.discard(alarm.watched)

    def due(self, tables: Sequence[DriftTable]) -> list[AlarmChange]:
        """Judge the windows that end before the newest session: of that one, scores may be missing yet.

        Args:
            tables: the scores, each of other symbols.
        """
        turns: list[AlarmChange] = []
        for interval in {interval for table in tables for interval in table.sessions}:
            newest = {session for table in tables for session in sorted(table.sessions[interval])[-2:]}
            until = sorted(newest)[-2] if len(newest) > 1 else None
            if until is None or until <= self._judged.get(interval, until - 1):
                continue
            self._judged[interval] = until
            for measured in _measured(tables, interval, until):
                sits = (self.model_name, interval, measured.measure, measured.version, measured.symbol) in self.raised
                if measured.reading.well if sits else measured.reading.off:
                    turns.append(AlarmChange(interval, measured, utc(until), "CLEARED" if sits else "RAISED"))
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


def _measured(tables: Sequence[DriftTable], interval: str, until: int) -> Iterator[Measured]:
    """Measure every version and symbol that has a score of the window's last session."""
    versions: defaultdict[tuple[str, str], dict[int, SessionSums]] = defaultdict(dict)
    for table in tables:
        for key, session, sums in table.sums(interval, until):
            held = versions[key].get(session)
            versions[key][session] = held + sums if held else sums
    for (version, family), sessions in versions.items():
        if until in sessions:
            yield from _of_version(version, family, sessions)
    for table in tables:
        for symbol, moves in table.moves(interval, until):
            yield from _of_symbol(symbol, moves)


def _of_version(version: str, family: str, sessions: Mapping[int, SessionSums]) -> Iterator[Measured]:
    window = sorted(sessions)[-WINDOW_SESSIONS:]
    if len(window) < WINDOW_SESSIONS:
        return
    sums, since = [sessions[session] for session in window], utc(window[0])
    for measure, inside, nominal, band in _COVERAGES:
        reading = coverage_reading([(getattr(row, inside), row.n) for row in sums], nominal, band)
        yield Measured(measure, reading, since, version, family)
    if family != "naive":
        yield Measured("SKILL", skill_reading(sums), since, version, family)


def _of_symbol(symbol: str, moves: Sequence[tuple[int, float]]) -> Iterator[Measured]:
    if len(moves) < WINDOW_SESSIONS + REFERENCE_SESSIONS:
        return
    sizes = [size for _, size in moves]
    reading = returns_reading(sizes[REFERENCE_SESSIONS:], sizes[:REFERENCE_SESSIONS])
    yield Measured("RETURNS", reading, utc(moves[REFERENCE_SESSIONS][0]), symbol=symbol)


def coverage_reading(rows: Sequence[tuple[int, int]], nominal: float, band: tuple[float, float]) -> Reading:
    """Judge the share of outcomes inside an interval; noise is at least that of independent outcomes.

    Args:
        rows: by session, how many outcomes lay inside, and how many there are.
    """
    by_session = [hits / outcomes for hits, outcomes in rows]
    n = sum(outcomes for _, outcomes in rows)
    share = sum(hits for hits, _ in rows) / n
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


def skill_reading(rows: Sequence[SessionSums]) -> Reading:
    """Judge errors against the random walk's, by session: worse beyond noise is off."""
    gains = [(row.naive_error - row.error) / row.n for row in rows]
    naive = sum(row.naive_error for row in rows)
    skill = 1 - sum(row.error for row in rows) / naive if naive else 0.0
    error = stdev(gains) / sqrt(len(gains))
    errors = fmean(gains) / error if error else 0.0
    return Reading(
        value=skill,
        expected=0.0,
        statistic=errors,
        n=sum(row.n for row in rows),
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
