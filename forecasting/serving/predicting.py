"""Make the forecasts of all symbols that closed together: one call a model, whoever is refused left out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pandas as pd
import structlog

from contracts.actions import split_factor
from contracts.events import BrokenInvariant, ForecastIssued
from contracts.measures import LEVELS
from contracts.parts import ForecastStep, Lineage, ModelRef
from forecasting.data.calendars import session_of
from forecasting.data.code_version import code_version
from forecasting.data.frames import piece_hashes
from forecasting.data.windows import Floats
from forecasting.models.base import BadFrame
from forecasting.models.conformal import ASKED
from forecasting.modelstore.registry import LoadedModel
from forecasting.prometheus import PREDICTING
from forecasting.serving.calibration import calibrated_quantiles
from forecasting.serving.issue import forecast_event, forecast_steps, lineage_of
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.pending import PendingForecast
from forecasting.serving.state import ServingPart
from forecasting.settings import ServeSettings
from streaming.codec import utc

log = structlog.get_logger()


_COLUMNS: tuple[tuple[str, str, type], ...] = (
    ("ds", "closed_at", np.int64),
    ("y", "close", np.float64),
    ("high", "high", np.float64),
    ("low", "low", np.float64),
)


@dataclass(frozen=True, slots=True)
class OriginInputs:
    """What the forecasts of one origin are made from.

    Attributes:
        due: what is owed, by symbol, in order.
        frame: the long frame of all of them.
        edges: row `edges[i]` is the first of the i-th symbol's; the last one is the number of rows.
        made_from: the lineage of each.
    """

    due: dict[str, PendingForecast]
    frame: pd.DataFrame
    edges: list[int]
    made_from: dict[str, Lineage]

    def only(self, symbols: Collection[str]) -> pd.DataFrame:
        """Return the rows of some symbols."""
        if len(symbols) == len(self.due):
            return self.frame
        kept = np.repeat([symbol in symbols for symbol in self.due], np.diff(self.edges))
        return self.frame[kept].reset_index(drop=True)


class BatchPredictor:
    """Makes the forecasts that are pending.

    Args:
        parts: what is known of splits and of how intervals held, by partition number.

    Attributes:
        refusals: by symbol and family, why there is no forecast.
    """

    def __init__(self, settings: ServeSettings, parts: Mapping[int, ServingPart]) -> None:
        self.refusals: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._settings, self._parts = settings, parts

    def forecasts(
        self, owed: Iterable[PendingForecast], loaded: LoadedModels, now: datetime
    ) -> Iterator[ForecastIssued]:
        """Make the pending forecasts of one origin by every version that owes them, the champion first.

        A version is not asked for origins before the end of what its training saw: it knows what came.
        """
        inputs = self._inputs({due.series[0]: due for due in owed})
        for version, role in loaded.roles.items():
            model = loaded.by_version[version]
            asked = [
                symbol for symbol, due in inputs.due.items() if version in due.versions and not _foreknown(due, model)
            ]
            reference = ModelRef(name=model.name, version=version, family=model.family, run_id=model.run_id, role=role)
            for symbol, steps in self._ask(model, inputs, asked).items():
                due, made_from = inputs.due[symbol], inputs.made_from[symbol]
                try:
                    forecast = forecast_event(due, reference, steps, made_from, now, model.trained_until)
                except BrokenInvariant as error:
                    self._refuse(model, symbol, str(error))
                else:
                    self.refusals[symbol].pop(model.family, None)
                    yield forecast

    def _inputs(self, owed: dict[str, PendingForecast]) -> OriginInputs:
        """Lay out what models read: prices in the share terms of the origin's session."""
        exchange = self._settings.exchange_calendar
        windows = [due.bars for due in owed.values()]
        edges = list(accumulate((len(window.closed_at) for window in windows), initial=0))
        columns: dict[str, Any] = {
            name: np.fromiter(chain.from_iterable(getattr(window, of) for window in windows), kind, edges[-1])
            for name, of, kind in _COLUMNS
        }
        known = []
        for place, (symbol, due) in enumerate(owed.items()):
            first, last = (session_of(utc(due.bars.closed_at[end]), exchange) for end in (0, -1))
            splits = self._parts[due.cause.partition].splits.between(symbol, first, last)
            known.append(splits)
            if splits:
                sessions = [session_of(utc(at), exchange) for at in due.bars.closed_at]
                factors = [split_factor([split.split for split in splits], session, last) for session in sessions]
                for name in ("y", "high", "low"):
                    columns[name][edges[place] : edges[place + 1]] /= factors
        columns["ds"] = columns["ds"].astype("datetime64[us]").astype("datetime64[ns]")
        names = np.repeat(np.array(list(owed), dtype=object), np.diff(edges))
        frame = pd.DataFrame({"unique_id": names, **columns})
        made_from = {}
        for (symbol, due), splits, digest in zip(owed.items(), known, piece_hashes(frame, edges), strict=True):
            at = due.cause.partition
            scores = self._parts[at].calibrated_from(symbol, due.series[1], at)
            made_from[symbol] = lineage_of(due.bars, at, splits, digest, code_version(), scores)
        return OriginInputs(owed, frame, edges, made_from)

    def _ask(
        self, model: LoadedModel, inputs: OriginInputs, symbols: Sequence[str]
    ) -> dict[str, tuple[ForecastStep, ...]]:
        """Ask a model for all symbols at once; leave out those that it refuses."""
        if not symbols:
            return {}
        frame = inputs.only(symbols)
        if short := model.lacking(frame):
            for symbol, why in short.items():
                self._refuse(model, symbol, why)
            return self._ask(model, inputs, [symbol for symbol in symbols if symbol not in short])
        try:
            with PREDICTING.labels(model.family).time():
                raw = model.predict(frame, self._settings.horizon, ASKED.tolist())
            alphas = {symbol: self._alphas(model, inputs.due[symbol]) for symbol in symbols}
            return forecast_steps(calibrated_quantiles(raw, alphas), LEVELS)
        except Exception as error:  # a model is a guest: its fault must not keep the others from forecasting
            if not isinstance(error, BadFrame):
                log.exception("a model failed", family=model.family, version=model.version, symbols=list(symbols))
            if len(symbols) == 1:
                self._refuse(model, symbols[0], f"{type(error).__name__}: {error}")
                return {}
        # One symbol spoils the batch: ask for each alone.
        return {found: steps for one in symbols for found, steps in self._ask(model, inputs, [one]).items()}

    def _alphas(self, model: LoadedModel, due: PendingForecast) -> Floats:
        """Return how a symbol's intervals have held so far."""
        calibrations = self._parts[due.cause.partition].calibrations
        return calibrations.alphas(*due.series, model.version, model.family, due.origin, self._settings.horizon)

    def _refuse(self, model: LoadedModel, symbol: str, why: str) -> None:
        if model.family not in self.refusals[symbol]:  # the reason counts bars: it is another one each day
            log.info("not forecast", symbol=symbol, family=model.family, version=model.version, reason=why)
        self.refusals[symbol][model.family] = why


def _foreknown(due: PendingForecast, model: LoadedModel) -> bool:
    return model.trained_until is not None and due.origin < model.trained_until
