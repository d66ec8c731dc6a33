"""Do a training or a forecast again, from the log and the registered version alone, and compare."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from contracts.events import BarClosed, CorporateActionAnnounced, ForecastIssued, ForecastScored
from contracts.ids import forecast_id
from contracts.topics import STOCK_FORECASTS
from forecasting.data import history
from forecasting.data.code_version import code_version
from forecasting.data.frames import frame_sha256, newest_bars, symbol_frame
from forecasting.data.offsets import OffsetVector
from forecasting.data.windows import Floats
from forecasting.models.conformal import ASKED
from forecasting.models.families import family
from forecasting.modelstore.recipe import Recipe
from forecasting.modelstore.registry import ModelRegistry
from forecasting.reproduce.differences import Compared, Reproduction, compare_identity, compare_steps, compare_values
from forecasting.reproduce.runs import LoggedRun, read_logged_run
from forecasting.serving.calibration import Calibrations, calibrated_quantiles
from forecasting.serving.issue import forecast_steps
from forecasting.settings import ForecastingSettings
from forecasting.training.holdout import Scores, score_holdout, split_holdout
from forecasting.training.progress import TrainingProgress
from forecasting.training.workers import workers
from streaming.reader import read_all
from streaming.records import Record
from streaming.series_ids import SeriesIds

_METRICS = ("n", "mase", "scrps", "coverage_80", "coverage_95")


class NoForecast(LookupError):
    """The log holds no forecast of that id."""


def reproduce_run(settings: ForecastingSettings, run_id: str, progress: TrainingProgress) -> list[Reproduction]:
    """Rebuild a run's training set from the log and train again: the same bytes, and the same metrics?

    Returns:
        One for a family's run; for a run around several, its data and then each family's.

    Raises:
        NoModel: no such run; HistoryGone: the log no longer holds its offsets.
        KafkaAway, RegistryAway, ModelsAway, WorkersAway: a server does not answer.
    """
    run = read_logged_run(settings, run_id)
    progress.stage(f"{run.name}: reading the log")
    if run.recipe is not None:
        return [_train_again(settings, run, run.recipe, progress)]
    inner = [found for found in (read_logged_run(settings, each) for each in run.inner) if found.recipe is not None]
    first = inner[0].recipe if inner else None
    again = history.load_history(_as_then(settings, first) if first else settings, run.vector)
    around = Reproduction(f"run {run_id} ({run.name})", tuple(_data(run, again)))
    return [around, *(_train_again(settings, found, found.recipe, progress) for found in inner if found.recipe)]


def reproduce_forecast(settings: ForecastingSettings, identifier: str, progress: TrainingProgress) -> Reproduction:
    """Read a forecast's inputs from the log, ask its version again, and compare.

    Raises:
        NoForecast: the log does not hold it; NoModel: its version is gone; HistoryGone: its inputs are.
        KafkaAway, RegistryAway, ModelsAway: a server does not answer.
    """
    progress.stage("looking for the forecast in the log")
    forecast = _find(settings, identifier)
    progress.stage("reading its inputs")
    records = list(_inputs(settings, forecast))
    bars = [record.event for record in records if isinstance(record.event, BarClosed)]
    read = newest_bars(bars, interval=forecast.interval, origin=forecast.origin)[-forecast.lineage.input_bars :]
    actions = [record.event for record in records if isinstance(record.event, CorporateActionAnnounced)]
    frame = symbol_frame(read, actions, interval=forecast.interval, exchange=settings.exchange_calendar)
    digest = frame_sha256(frame)
    model = forecast.model
    again = forecast_id(forecast.symbol, forecast.interval, forecast.origin, model.name, model.version, digest)
    checks = [
        compare_values("code version", forecast.lineage.code_version, code_version(), decisive=False),
        *compare_identity(forecast, again, digest, len(read)),
    ]
    if len(frame):
        progress.stage(f"asking version {model.version} of {model.name} again")
        loaded = ModelRegistry(settings.model_copy(update={"model_name": model.name})).load(model.version)
        levels = [quantile.level for quantile in forecast.steps[0].quantiles]
        horizon = len(forecast.steps)
        raw = loaded.predict(frame, horizon, ASKED.tolist())
        scores = (record.event for record in records if isinstance(record.event, ForecastScored))
        alphas = _alphas(forecast, scores, horizon)
        answer = forecast_steps(calibrated_quantiles(raw, {forecast.symbol: alphas}, levels), levels)
        checks += [
            compare_values("family", model.family, loaded.family),
            compare_values("run", model.run_id, loaded.run_id),
        ]
        checks += compare_steps(forecast.steps, answer[forecast.symbol])
    return Reproduction(f"forecast {identifier} ({forecast.symbol} from {forecast.origin:%Y-%m-%d})", tuple(checks))


def _alphas(forecast: ForecastIssued, scores: Iterable[ForecastScored], horizon: int) -> Floats:
    """Return how the intervals of a forecast's symbol had held, by the scores that its lineage names."""
    with closing(sqlite3.connect(":memory:")) as file:
        model, calibrations = forecast.model, Calibrations(file, SeriesIds(file), forecast.model.name)
        for score in scores:
            calibrations.fold(score)
        asked = (forecast.symbol, forecast.interval, model.version, model.family, forecast.origin)
        return calibrations.alphas(*asked, horizon)


def _train_again(
    settings: ForecastingSettings, run: LoggedRun, recipe: Recipe, progress: TrainingProgress
) -> Reproduction:
    then = _as_then(settings, recipe)
    again = history.load_history(then, run.vector)
    checks = list(_data(run, again))
    if again.sha256 == run.params["training_sha256"]:  # else other metrics are no wonder
        known, held = split_holdout(again.frame, recipe.holdout_sessions, recipe.horizon)
        progress.stage(f"training {recipe.family} again")
        estimator = family(recipe.family)(**recipe.parameters)
        with workers(settings):
            estimator.fit(known, lambda epoch: progress.epoch(recipe.family, epoch))
        checks += _metrics(run, score_holdout(estimator, held))
    return Reproduction(f"run {run.run_id} ({run.name})", tuple(checks))


def _as_then(settings: ForecastingSettings, recipe: Recipe) -> ForecastingSettings:
    """Return settings that read the log as a training did."""
    return settings.model_copy(update={"interval": recipe.interval, "exchange_calendar": recipe.exchange_calendar})


def _data(run: LoggedRun, again: history.History) -> Iterator[Compared]:
    params, name = run.params, again.name
    yield compare_values("code version", params.get("code_version"), name.code_version, decisive=False)
    yield compare_values("calendar", params.get("training_calendar"), name.calendar, decisive=False)
    yield compare_values(
        "schema ids", params.get("training_schema_ids"), ",".join(map(str, name.schema_ids)), decisive=False
    )
    yield compare_values("training bars", params["training_bars"], str(name.bars))
    yield compare_values("training sha256", params["training_sha256"], name.sha256)


def _metrics(run: LoggedRun, scores: Scores) -> Iterator[Compared]:
    for name in _METRICS:
        yield compare_values(name, run.metrics.get(name), float(getattr(scores, name)))


def _find(settings: ForecastingSettings, identifier: str) -> ForecastIssued:
    for record in read_all(settings, STOCK_FORECASTS):
        if isinstance(record.event, ForecastIssued) and record.event.forecast_id == identifier:
            return record.event
    raise NoForecast(f"{STOCK_FORECASTS.name} at {settings.kafka} holds no forecast {identifier}")


def _inputs(settings: ForecastingSettings, forecast: ForecastIssued) -> Iterator[Record]:
    """Give the events of a forecast's symbol in the offsets that its lineage names: bars, splits, scores."""
    ranges: dict[str, dict[int, tuple[int, int]]] = {}
    for part in forecast.lineage.inputs:
        ranges.setdefault(part.topic, {})[part.partition] = (part.from_offset, part.to_offset + 1)
    for record in history.read_vector(settings, OffsetVector(ranges)):
        if getattr(record.event, "symbol", None) == forecast.symbol:
            yield record
