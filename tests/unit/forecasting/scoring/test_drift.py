"""Given scores, when sessions pass, then alarms are raised and cleared: once each, and not by noise."""

import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.events import DriftDetected, ForecastScored
from contracts.samples import sample
from forecasting.scoring.drift import Drifts, alarm_event
from forecasting.scoring.drift_table import REFERENCE_SESSIONS, WINDOW_SESSIONS, DriftTable
from streaming.series_ids import SeriesIds

SCORE = sample(ForecastScored)
assert isinstance(SCORE, ForecastScored)
MODEL = SCORE.model_name
SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG")
START = datetime(2010, 1, 4, 21, tzinfo=UTC)


def scores(
    days: Iterable[int],
    *,
    version: str = "4",
    family: str = "arima",
    inside_95: float = 0.95,
    worse: float = 1.0,
    move: float = 0.01,
    price: float = 100.0,
    seed: int = 1,
) -> list[ForecastScored]:
    """Return one-step scores: inside 95 % at a rate, errors so much worse than the random walk's, returns of a size."""
    found = []
    for day in days:
        for symbol in SYMBOLS:
            dice = random.Random(f"{day}{symbol}{seed}")
            naive = price * move * abs(dice.gauss(0, 1))
            inside = dice.random()
            found.append(
                replace(
                    SCORE,
                    forecast_id=f"{version}{symbol}{day}",
                    symbol=symbol,
                    model_version=version,
                    family=family,
                    target_at=START + timedelta(days=day),
                    bar=replace(SCORE.bar, closed_at=START + timedelta(days=day)),
                    actual=price,
                    absolute_error=naive * worse * dice.uniform(0.95, 1.05),
                    naive_absolute_error=naive,
                    scale=price * move,
                    inside_80=inside < 0.80,
                    inside_95=inside < inside_95,
                )
            )
    return found


def table_of(found: Iterable[ForecastScored] = ()) -> DriftTable:
    file = sqlite3.connect(":memory:")
    table = DriftTable(file, SeriesIds(file), MODEL)
    for score in found:
        table.fold(score)
    return table


class Live:
    """Folds session after session, as the service does, and keeps the alarms."""

    def __init__(self) -> None:
        self.drifts, self.table = Drifts(MODEL), table_of()
        self.alarms: list[DriftDetected] = []

    def run(self, found: Iterable[ForecastScored]) -> "Live":
        by_session: dict[datetime, list[ForecastScored]] = {}
        for score in found:
            by_session.setdefault(score.target_at, []).append(score)
        for session in sorted(by_session):
            for score in by_session[session]:
                self.table.fold(score)
            self.table.trim(wholly=False)
            for turn in self.drifts.due([self.table]):
                event = alarm_event(turn, MODEL, session)
                self.alarms.append(event)
                self.drifts.fold_alarm(event)
        return self

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.measure, event.state) for event in self.alarms]


def test_version_that_does_as_it_promised_raises_nothing() -> None:
    assert Live().run(scores(range(600))).told == []


def test_coverage_that_falls_is_raised_once_and_cleared_when_well_inside_again() -> None:
    live = Live().run(scores(range(100))).run(scores(range(100, 220), inside_95=0.85))
    assert live.told == [("COVERAGE_95", "RAISED")]
    event = live.alarms[0]
    assert (event.model_version, event.family, event.symbol, event.expected) == ("4", "arima", None, 0.95)
    assert event.value < 0.92
    assert event.statistic < -3
    assert (event.sessions, event.n) == (WINDOW_SESSIONS, WINDOW_SESSIONS * len(SYMBOLS))
    assert "95% intervals cover" in event.reason

    live.run(scores(range(220, 400)))
    assert live.told == [("COVERAGE_95", "RAISED"), ("COVERAGE_95", "CLEARED")]
    assert live.alarms[1].value >= 0.935


def test_coverage_at_the_edge_of_its_band_neither_raises_nor_clears() -> None:
    def exactly(missed: int) -> Callable[[ForecastScored], ForecastScored]:
        def change(score: ForecastScored) -> ForecastScored:
            number = (score.target_at - START).days * len(SYMBOLS) + SYMBOLS.index(score.symbol)
            return replace(score, inside_95=7 * number % 40 >= missed, inside_80=number % 5 != 0)

        return change

    edge = list(map(exactly(3), scores(range(80, 300))))  # 0.925: inside the band, not well inside
    assert Live().run(map(exactly(3), scores(range(300)))).told == []
    fallen = Live().run(map(exactly(8), scores(range(80)))).run(edge)
    assert fallen.told == [("COVERAGE_95", "RAISED")]


def test_errors_worse_than_the_random_walks_are_raised_and_better_ones_are_not() -> None:
    assert Live().run(scores(range(100), worse=1.2)).told == [("SKILL", "RAISED")]
    assert Live().run(scores(range(100), worse=0.8)).told == []
    assert Live().run(scores(range(100), worse=1.2, family="naive")).told == []


def test_returns_that_grow_are_raised_by_symbol_and_prices_that_do_are_not() -> None:
    calm = scores(range(REFERENCE_SESSIONS + WINDOW_SESSIONS))
    later = range(REFERENCE_SESSIONS + WINDOW_SESSIONS, REFERENCE_SESSIONS + 2 * WINDOW_SESSIONS)
    wild = Live().run(calm).run(scores(later, move=0.04))
    dear = Live().run(calm).run(scores(later, price=1000.0))

    assert {(event.measure, event.state, event.symbol) for event in wild.alarms} == {
        ("RETURNS", "RAISED", symbol) for symbol in SYMBOLS
    }
    assert len(wild.alarms) == len(SYMBOLS)
    assert {event.model_version for event in wild.alarms} == {None}
    assert dear.told == []


def test_corrected_bar_takes_the_place_of_its_first_score() -> None:
    wrong = [replace(score, inside_95=False) for score in scores(range(80))]
    right = [replace(score, bar=replace(score.bar, revision=1)) for score in scores(range(80))]
    assert Drifts(MODEL).due([table_of([*wrong, *right, *wrong])]) == []
    assert Drifts(MODEL).due([table_of([*right, *wrong])]) == []
    assert Drifts(MODEL).due([table_of(wrong)]) != []


def test_scores_in_several_tables_are_judged_as_those_of_one() -> None:
    fallen = scores(range(400), inside_95=0.85, worse=1.1)
    halves = [[score for score in fallen if (score.symbol < "H") == first] for first in (True, False)]
    apart, together = (Drifts(MODEL).due(tables) for tables in ([*map(table_of, halves)], [table_of(fallen)]))
    assert len(together) == 2
    for one, other in zip(apart, together, strict=True):
        assert (one.measured.measure, one.measured.reading.n) == (other.measured.measure, other.measured.reading.n)
        assert one.measured.reading.value == pytest.approx(other.measured.reading.value)


def test_trimmed_table_judges_as_one_that_holds_all_whenever_it_was_trimmed() -> None:
    found = scores(range(700), inside_95=0.85)
    random.Random(4).shuffle(found)
    whole, often = table_of(found), table_of()
    for score in found:
        often.fold(score)
        often.trim(wholly=False)
    before = Drifts(MODEL).due([whole])
    for table in (whole, often):
        table.trim(wholly=True)
    assert Drifts(MODEL).due([whole]) == Drifts(MODEL).due([often]) == before
    assert whole.sessions == often.sessions


def test_restart_with_scores_in_any_order_raises_nothing_anew() -> None:
    fallen = scores(range(100), inside_95=0.8)
    before = Live().run(fallen)
    assert before.told == [("COVERAGE_95", "RAISED")]

    after = Drifts(MODEL)
    for event in before.alarms:
        after.fold_alarm(event)
    assert after.due([table_of(reversed(fallen))]) == []
    assert after.raised == before.drifts.raised


def test_scores_of_another_model_or_step_are_passed_over() -> None:
    fallen = scores(range(100), inside_95=0.5)
    assert Live().run(replace(score, model_name="another") for score in fallen).told == []
    assert Live().run(replace(score, step=2) for score in fallen).told == []
