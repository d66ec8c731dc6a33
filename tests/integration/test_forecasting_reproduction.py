"""Trainings and forecasts done again from the log: equal where nothing was touched, and not where something was."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from contracts.events import ForecastIssued
from contracts.topics import FORECAST_SCORES
from forecasting.data.history import freeze_as_of
from forecasting.modelstore.registry import NoModel
from forecasting.reproduce.command import reproduction_lines
from forecasting.reproduce.differences import Reproduction
from forecasting.reproduce.run import NoForecast, reproduce_forecast, reproduce_run
from forecasting.training.progress import PlainProgress
from forecasting.training.run import Outcome, train
from tests.conftest import Isolated
from tests.integration.serving import SCORING, SERVING, SYMBOLS, ClockServer, Desk
from tests.support.markets import bar, split
from tests.support.waiting import until

pytestmark = pytest.mark.mlflow

SMALL = {"lstm": {"width": 8, "epochs": 2}, "arima": {"max_order": 1}}
DAYS = 340


@pytest.fixture(scope="module")
def desk(isolated_module: Isolated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a history in which one symbol has split, on which three families have trained."""
    with ClockServer().running() as clock:
        desk = Desk(tmp_path_factory.mktemp("desk"), clock)
        desk.settings = desk.settings.model_copy(update={"family_parameters": SMALL, "holdout_sessions": 60})
        desk.publish([split("IBM", bar(day=DAYS - 20).closed_at, 2.0)])
        desk.close_sessions(range(DAYS))
        yield desk
        desk.close()


@pytest.fixture(scope="module")
def outcome(desk: Desk) -> Outcome:
    found = train(desk.settings, progress=PlainProgress(), families=["arima", "lstm"])
    assert found is not None
    assert sorted(found.trained) == ["arima", "lstm", "naive"]
    return found


@pytest.fixture(scope="module")
def forecasts(desk: Desk, outcome: Outcome) -> list[ForecastIssued]:
    serving, scoring = desk.process(SERVING), desk.process(SCORING)
    count = 3 * len(SYMBOLS)
    try:
        serving.start()
        until(lambda: len(desk.forecasts()) >= count, "each version has forecast each symbol", 120)
        scoring.start()
        desk.close_sessions([DAYS])
        until(lambda: len(desk.records(FORECAST_SCORES)) >= count, "what closed was scored", 120)
        for turn in range(1, 6):  # serving may hear of a score after the next bar
            desk.close_sessions([DAYS + turn])
            expected = (2 + turn) * count
            until(lambda expected=expected: len(desk.forecasts()) >= expected, "the next session was forecast", 120)
            if any(part.topic == FORECAST_SCORES.name for each in desk.forecasts() for part in each.lineage.inputs):
                break
        return desk.forecasts()
    finally:
        serving.end(signal.SIGKILL)
        scoring.end(signal.SIGKILL)


def said(reproduction: Reproduction) -> dict[str, tuple[str, str]]:
    return {check.what: (check.said, check.found) for check in reproduction.differences}


def test_training_done_again_has_the_same_bytes_and_the_same_metrics(desk: Desk, outcome: Outcome) -> None:
    client = MlflowClient(desk.settings.mlflow)
    around = client.get_run(outcome.candidates["lstm"].run_id).data.tags["mlflow.parentRunId"]

    data, *families = reproduce_run(desk.settings, around, PlainProgress())

    assert data.equal
    assert {check.what for check in data.checks} >= {"training sha256", "schema ids", "calendar", "code version"}
    assert [found.equal for found in families] == [True, True, True], [said(found) for found in families]
    for found in families:
        assert {"mase", "scrps", "coverage_80", "coverage_95"} <= {check.what for check in found.checks}
        assert found.differences == ()


def test_run_whose_offsets_were_changed_is_not_equal(desk: Desk, outcome: Outcome, tmp_path: Path) -> None:
    second = train(desk.settings, progress=PlainProgress(), families=["naive"], decide=False)
    assert second is not None
    run_id = second.candidates["naive"].run_id
    vector = json.loads(outcome.history.vector.to_json())
    (partition, *_) = [name for name, (_, end) in vector["stock-data"].items() if end]
    vector["stock-data"][partition][1] -= 1
    (tmp_path / "offsets.json").write_text(json.dumps(vector))
    MlflowClient(desk.settings.mlflow).log_artifact(run_id, str(tmp_path / "offsets.json"))

    (found,) = reproduce_run(desk.settings, run_id, PlainProgress())

    assert not found.equal
    assert said(found)["training bars"] == (str(3 * DAYS), str(3 * DAYS - 1))
    assert "training sha256" in said(found)


def test_run_whose_metric_was_touched_up_is_not_equal(desk: Desk, outcome: Outcome) -> None:
    second = train(desk.settings, progress=PlainProgress(), families=["naive"], decide=False)
    assert second is not None
    run_id = second.candidates["naive"].run_id
    MlflowClient(desk.settings.mlflow).log_metric(run_id, "scrps", 0.1)

    (found,) = reproduce_run(desk.settings, run_id, PlainProgress())

    assert not found.equal
    assert set(said(found)) == {"scrps"}


def test_forecast_of_each_family_done_again_is_equal(
    desk: Desk, forecasts: list[ForecastIssued], capsys: pytest.CaptureFixture[str]
) -> None:
    assert {forecast.model.family for forecast in forecasts} == {"naive", "arima", "lstm"}
    read = [part.topic for forecast in forecasts for part in forecast.lineage.inputs]
    assert FORECAST_SCORES.name in read  # by which intervals are calibrated
    sessions = sorted({forecast.origin for forecast in forecasts})
    turns = {(symbol, sessions[number]) for number, symbol in enumerate(SYMBOLS)}  # each symbol once, each session once
    chosen = [forecast for forecast in forecasts if (forecast.symbol, forecast.origin) in turns]
    assert len(chosen) == 3 * len(SYMBOLS)
    for forecast in chosen:
        found = reproduce_forecast(desk.settings, forecast.forecast_id, PlainProgress())
        assert found.equal, said(found)
        assert found.differences == ()
    print(reproduction_lines(found))
    assert "EQUAL" in capsys.readouterr().out


def test_forecast_that_was_forged_is_not_equal(desk: Desk, forecasts: list[ForecastIssued]) -> None:
    honest = forecasts[0]
    dearer = replace(honest.steps[1], mean=honest.steps[1].mean * 1.0001)
    forged = replace(
        honest, forecast_id=str(uuid4()), steps=tuple(dearer if step.step == 2 else step for step in honest.steps)
    )
    moved = replace(
        honest, forecast_id=str(uuid4()), lineage=replace(honest.lineage, input_bars=honest.lineage.input_bars - 1)
    )
    desk.publish([forged, moved])

    prices = reproduce_forecast(desk.settings, forged.forecast_id, PlainProgress())
    inputs = reproduce_forecast(desk.settings, moved.forecast_id, PlainProgress())

    assert not prices.equal
    assert set(said(prices)) == {"forecast id", "prices", "step 2: mean"}
    assert not inputs.equal
    assert {"forecast id", "input sha256"} <= set(said(inputs))
    assert "NOT EQUAL" in reproduction_lines(inputs)


def test_reproducing_what_is_not_there_says_so(desk: Desk) -> None:
    with pytest.raises(NoForecast, match="holds no forecast"):
        reproduce_forecast(desk.settings, str(uuid4()), PlainProgress())
    with pytest.raises(NoModel, match="not found"):
        reproduce_run(desk.settings, uuid4().hex, PlainProgress())


def test_log_as_of_a_moment_ends_with_what_was_recorded_at_it(desk: Desk) -> None:
    recorded = bar(day=99).recorded_at

    vector = freeze_as_of(desk.settings, recorded)
    earlier = freeze_as_of(desk.settings, bar(day=0).recorded_at.replace(year=2000))

    assert sum(end - start for start, end in vector.ranges["stock-data"].values()) == 100 * len(SYMBOLS)
    assert sum(end - start for start, end in earlier.ranges["stock-data"].values()) == 0
