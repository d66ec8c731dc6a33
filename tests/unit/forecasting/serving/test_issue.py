"""Roles, steps, lineage and the memory of what was issued."""

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from contracts.events import BrokenInvariant
from contracts.ids import forecast_id
from contracts.parts import ModelRef
from forecasting.data.bar_table import BarWindow, PlacedBar
from forecasting.serving.issue import cast_roles, forecast_event, forecast_steps, lineage_of
from forecasting.serving.issued import IssuedForecasts, SeriesProgress
from forecasting.serving.pending import PendingForecast
from streaming.codec import micros
from streaming.series_ids import SeriesIds
from tests.support.markets import bar, sessions

FAMILIES = ("naive", "arima", "lstm", "transformer")
LEVELS = (0.1, 0.5, 0.9)
MODEL = ModelRef(name="stock-forecaster", version="4", family="arima", run_id="r", role="CHAMPION")


@pytest.mark.parametrize(
    ("aliases", "roles"),
    [
        ({}, {}),
        ({"naive": "1"}, {"1": "SHADOW"}),
        ({"champion": "1", "naive": "1"}, {"1": "CHAMPION"}),
        ({"naive": "1", "arima": "2", "champion": "2"}, {"2": "CHAMPION", "1": "SHADOW"}),
        ({"champion": "2", "arima": "5", "naive": "1"}, {"2": "CHAMPION", "1": "SHADOW", "5": "SHADOW"}),
        ({"champion": "2", "somebodys": "9"}, {"2": "CHAMPION"}),
    ],
)
def test_roles_of_aliases_are_one_champion_and_every_other_family_beside_it(aliases, roles):
    found = cast_roles(aliases, FAMILIES)
    assert found == roles
    assert list(found)[:1] == list(roles)[:1]


def prediction(symbols=("A", "B"), steps=2):
    rows = [
        {"unique_id": symbol, "ds": sessions(steps)[step - 1], "step": step, "mean": 10.0 * step}
        | {f"q{level:g}": 10.0 * step + level for level in LEVELS}
        for step in range(steps, 0, -1)
        for symbol in symbols
    ]
    return pd.DataFrame(rows)


def test_answers_are_each_symbols_steps_in_order():
    found = forecast_steps(prediction(), LEVELS)
    assert list(found) == ["A", "B"]
    first, second = found["B"]
    assert (first.step, first.mean, first.target_at) == (1, 10.0, bar(day=0).closed_at)
    assert [(quantile.level, quantile.value) for quantile in second.quantiles] == [
        (0.1, 20.1),
        (0.5, 20.5),
        (0.9, 20.9),
    ]


def due(*bars):
    rows = [(micros(item.closed_at), item.close, item.high, item.low, 40 + at, 3) for at, item in enumerate(bars)]
    newest = PlacedBar(bars[-1].closed_at, 0, 1, 39 + len(bars), bars[-1].recorded_at, bars[-1].close, {})
    return PendingForecast(("S0", "P1D"), BarWindow(*zip(*rows, strict=True)), newest, frozenset({"4"}))


def forecast(days=(-2, -1), **changes):
    # The day before the first session of `prediction`.
    origin = bar(day=0).closed_at - timedelta(days=1)
    bars = [
        replace(bar(), closed_at=origin - timedelta(days=-day - 1), opened_at=origin - timedelta(days=9))
        for day in days
    ]
    owed = due(*bars)
    made_from = lineage_of(owed.bars, 1, (), "abc", "v1")
    return forecast_event(
        owed,
        replace(MODEL, **changes),
        forecast_steps(prediction(("S0",)), LEVELS)["S0"],
        made_from,
        bars[-1].closed_at,
    )


def test_issued_forecast_is_named_by_what_went_into_it():
    found = forecast()
    assert found.forecast_id == forecast_id("S0", "P1D", found.origin, "stock-forecaster", "4", "abc")
    assert found.lineage.input_bars == 2
    assert found.lineage.inputs[0].from_offset == 40
    assert found.lineage.inputs[0].to_offset == 41
    assert found.lineage.schema_ids == (3,)


def test_quantiles_that_cross_are_refused():
    crossing = prediction(("S0",))
    crossing.loc[0, "q0.9"] = 0.1
    made_from = lineage_of(due(bar()).bars, 1, (), "abc", "v1")
    with pytest.raises(BrokenInvariant):
        forecast_event(due(bar()), MODEL, forecast_steps(crossing, LEVELS)["S0"], made_from, bar().closed_at)


def issued_forecasts():
    file = sqlite3.connect(":memory:")
    return IssuedForecasts(file, SeriesIds(file), "stock-forecaster")


def test_issued_marks_are_the_furthest_in_any_order():
    older, newer = forecast(days=(-3, -2)), forecast(days=(-3, -2, -1))
    for order in ((older, newer), (newer, older), (newer, older, newer)):
        issued = issued_forecasts()
        for item in order:
            issued.fold(item)
        assert issued.mark(("S0", "P1D"), "4") == SeriesProgress(newer.origin, 42)
        assert issued.has(newer)
        assert not issued.has(older)


def test_issued_forecasts_of_another_registered_model_do_not_count():
    issued = issued_forecasts()
    issued.fold(forecast(name="mine"))
    assert issued.mark(("S0", "P1D"), "4") is None
