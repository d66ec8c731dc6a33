"""Make the forecasts of all symbols that closed together: one call a model, whoever is refused left out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import structlog

from contracts.events import BrokenInvariant, ForecastIssued
from contracts.measures import LEVELS
from contracts.parts import ForecastStep, Lineage, ModelRef
from forecasting.data.calendars import session_of
from forecasting.data.code_version import code_version
from forecasting.data.frames import frame_sha256, symbol_frame
from forecasting.data.recent_bars import SplitHistory
from forecasting.data.windows import Floats
from forecasting.models.base import BadFrame
from forecasting.models.conformal import ASKED
from forecasting.modelstore.registry import LoadedModel
from forecasting.prometheus import PREDICTING
from forecasting.serving.calibration import Calibrations, calibrated_quantiles
from forecasting.serving.issue import forecast_event, forecast_steps, lineage_of
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.pending import PendingForecast
from forecasting.settings import ServeSettings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Input:
    """What a forecast of one symbol is made from."""

    due: PendingForecast
    frame: pd.DataFrame
    made_from: Lineage


class BatchPredictor:
    """Makes the forecasts that are pending.

    Attributes:
        refusals: by symbol and family, why there is no forecast.
    """

    def __init__(self, settings: ServeSettings, splits: SplitHistory, calibrations: Calibrations) -> None:
        self.refusals: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._settings = settings
        self._splits = splits
        self._calibrations = calibrations

    def forecasts(
        self, owed: Iterable[PendingForecast], loaded: LoadedModels, now: datetime
    ) -> Iterator[ForecastIssued]:
        """Make the pending forecasts of one origin by every version that owes them, the champion first.

        A version is not asked for origins before the end of what its training saw: it knows what came.
        """
        inputs = {due.series[0]: self._input(due) for due in owed}
        for version, role in loaded.roles.items():
            model = loaded.by_version[version]
            asked = {
                symbol: given
                for symbol, given in inputs.items()
                if version in given.due.versions and not _foreknown(given.due, model)
            }
            reference = ModelRef(name=model.name, version=version, family=model.family, run_id=model.run_id, role=role)
            for symbol, steps in self._ask(model, {symbol: given.frame for symbol, given in asked.items()}).items():
                given = asked[symbol]
                try:
                    forecast = forecast_event(given.due, reference, steps, given.made_from, now, model.trained_until)
                except BrokenInvariant as error:
                    self._refuse(model, symbol, str(error))
                else:
                    self.refusals[symbol].pop(model.family, None)
                    yield forecast

    def _input(self, due: PendingForecast) -> Input:
        exchange = self._settings.exchange_calendar
        symbol, interval = due.series
        first, last = (session_of(due.bars[end].event.closed_at, exchange) for end in (0, -1))
        splits = self._splits.between(symbol, first, last)
        frame = symbol_frame(
            [bar.event for bar in due.bars], [split.event for split in splits], interval=interval, exchange=exchange
        )
        return Input(
            due,
            frame,
            lineage_of(due.bars, splits, frame_sha256(frame), code_version(), self._calibrations.inputs(symbol)),
        )

    def _ask(self, model: LoadedModel, frames: Mapping[str, pd.DataFrame]) -> dict[str, tuple[ForecastStep, ...]]:
        """Ask a model for all symbols at once; leave out those that it refuses."""
        if not frames:
            return {}
        frame = pd.concat(list(frames.values()), ignore_index=True)
        if short := model.lacking(frame):
            for symbol, why in short.items():
                self._refuse(model, symbol, why)
            return self._ask(model, {symbol: frame for symbol, frame in frames.items() if symbol not in short})
        try:
            with PREDICTING.labels(model.family).time():
                raw = model.predict(frame, self._settings.horizon, ASKED.tolist())
            return forecast_steps(calibrated_quantiles(raw, self._alphas(model, frames)), LEVELS)
        except Exception as error:  # a model is a guest: its fault must not keep the others from forecasting
            if not isinstance(error, BadFrame):
                log.exception("a model failed", family=model.family, version=model.version, symbols=list(frames))
            if len(frames) == 1:
                self._refuse(model, next(iter(frames)), f"{type(error).__name__}: {error}")
                return {}
        # One symbol spoils the batch: ask for each alone.
        return {found: steps for one in frames for found, steps in self._ask(model, {one: frames[one]}).items()}

    def _alphas(self, model: LoadedModel, frames: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
        """Return how the intervals of each symbol have held so far."""
        return {
            symbol: self._calibrations.alphas(
                symbol,
                self._settings.interval,
                model.version,
                model.family,
                frame["ds"].iloc[-1].to_pydatetime().replace(tzinfo=UTC),
                self._settings.horizon,
            )
            for symbol, frame in frames.items()
        }

    def _refuse(self, model: LoadedModel, symbol: str, why: str) -> None:
        if model.family not in self.refusals[symbol]:  # the reason counts bars: it is another one each day
            log.info("not forecast", symbol=symbol, family=model.family, version=model.version, reason=why)
        self.refusals[symbol][model.family] = why


def _foreknown(due: PendingForecast, model: LoadedModel) -> bool:
    return model.trained_until is not None and due.origin < model.trained_until
