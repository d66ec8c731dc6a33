"""ARIMA(p, 1, q) on log prices, one per symbol; its order by AICc, its parameters by maximum likelihood (`orders.py`).

Forecasting re-uses the parameters: the recursion below runs over the window's returns for all symbols at once and
gives what statsmodels' `apply` and `forecast` give, in microseconds (a test compares the two).

A mean is learned in units of the returns' root mean square and forecast in units of the volatility to come, as widths
are: a symbol that has come to a standstill, or was never fitted, does not drift as far as the others move.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from forecasting.data.windows import (
    FLOOR,
    MAX_HORIZON,
    MOST_WINDOWS,
    Floats,
    Windows,
    WindowSet,
    check_frame,
    log_returns,
    series_of,
    usual_volatility,
    volatility,
)
from forecasting.models.base import Epoch, Estimator, OnEpoch
from forecasting.models.orders import Arma, Order, search_all, searches_of
from forecasting.models.quantiles import spread, spread_table
from forecasting.models.tasks import Task, results_of, task_key
from forecasting.models.volatility import Har, per_session

_ENOUGH = 120  # returns below which a symbol gets the pooled parameters
_FURTHEST = 1.0  # scales from the last close to a centre: beyond, a window is unlike those learned from
_UNIT = "volatility"  # of means
_BLOCK = 16  # symbols in a task: a second of work, so that handing it over costs nothing beside it


@dataclass(eq=False)
class Arima(Estimator):
    """Box-Jenkins on each symbol; the width as the random walk's, from this family's own residuals.

    Attributes:
        max_order: largest p + q searched.
        bars: how many of a symbol's last bars its parameters are estimated from.
    """

    family: ClassVar[str] = "arima"
    min_history: ClassVar[int] = 20

    max_order: int = 2
    bars: int = 1500

    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        check_frame(frame)
        self.arma_: dict[str, Arma] = {}
        candidates: dict[Order, list[tuple[float, Arma]]] = {}
        enough = self._enough(frame)
        blocks = results_of(self._searches(enough), few=2)
        found = (search for block in blocks for search in searches_of(block))
        for number, (symbol, (fits, best)) in enumerate(zip(enough, found, strict=True), start=1):
            unit = 1 / float(volatility(enough[symbol][None], self.bars)[0])
            self.arma_[symbol] = fits[best][1].times(unit)
            for order, (aicc, arma) in fits.items():
                candidates.setdefault(order, []).append((aicc, arma.times(unit)))
            if on_epoch:
                on_epoch(Epoch(number, len(enough), float("nan"), float("nan")))
        self.pooled_ = _pool(candidates)
        windows, targets = WindowSet(frame, MAX_HORIZON).thinned(MOST_WINDOWS)
        self.har_ = Har.fit(windows, targets, usual_volatility(frame))
        scales = self.har_.scales(windows)
        self.spread_ = spread_table((targets - self._centre(windows, scales)) / scales, MAX_HORIZON)
        return self

    def tasks(self, frame: pd.DataFrame) -> list[Task]:
        return self._searches(self._enough(frame))

    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        widths, scales = spread(self.spread_[:horizon], levels), self.har_.scales(windows)
        return self._centre(windows, scales)[:, :horizon, None] + scales[:, :horizon, None] * widths

    def _enough(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """Return the returns of each symbol that gets parameters of its own."""
        returns = {series.symbol: log_returns(series.y)[-self.bars :] for series in series_of(frame)}
        return {symbol: of for symbol, of in returns.items() if len(of) >= _ENOUGH and of.std() > FLOOR}

    def _searches(self, returns: Mapping[str, Floats]) -> list[Task]:
        every = list(returns.values())
        return [self._search(every[start : start + _BLOCK]) for start in range(0, len(every), _BLOCK)]

    def _search(self, many: list[Floats]) -> Task:
        key = task_key("orders", self.max_order, *(returns.tobytes() for returns in many))
        return Task(key, search_all, lambda: (many, self.max_order))

    def _centre(self, windows: Windows, scales: Floats) -> Floats:
        """Forecast cumulative log returns of windows whose scales are [n, H]: [n, H]."""
        chosen = [self.arma_.get(str(symbol), self.pooled_) for symbol in windows.symbols]
        mean = np.array([arma.mean for arma in chosen]) * per_session(scales)
        ar = _padded([arma.ar for arma in chosen], self.max_order)
        ma = _padded([arma.ma for arma in chosen], self.max_order)
        centre = arma_forecast(windows.returns, mean, ar, ma, scales.shape[1])
        return np.clip(centre, -_FURTHEST * scales, _FURTHEST * scales)

    def learned(self) -> dict[str, Any]:
        return {
            "volatility": self.har_.learned(),
            "spread": self.spread_.tolist(),
            "mean_in": _UNIT,
            "pooled": asdict(self.pooled_),
            "arma": {symbol: asdict(arma) for symbol, arma in self.arma_.items()},
        }

    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        self.har_ = Har.restored(learned["volatility"])
        self.spread_ = np.array(learned["spread"])
        # Versions that were registered before means had a unit hold log returns.
        unit = 1.0 if learned.get("mean_in") == _UNIT else 1 / self.har_.usual
        self.pooled_ = _arma(learned["pooled"]).times(unit)
        self.arma_ = {symbol: _arma(found).times(unit) for symbol, found in learned["arma"].items()}


def arma_forecast(returns: Floats, mean: Floats, ar: Floats, ma: Floats, horizon: int) -> Floats:
    """Run ARMA recursions over windows of returns and forecast their cumulative sums.

    Args:
        returns: [n, C], NaN on the left where a history is short; mean: [n]; ar, ma: [n, order].

    Returns:
        [n, horizon] conditional least-squares forecasts (Box & Jenkins 1970, ch. 5): before the window, zero.
    """
    order = ar.shape[1]
    known = np.isfinite(returns)
    centred = np.where(known, returns - mean[:, None], 0.0)
    past = np.zeros((len(returns), order))  # newest first
    shocks = np.zeros((len(returns), order))
    for column in range(returns.shape[1]):
        expected = (ar * past).sum(axis=1) + (ma * shocks).sum(axis=1)
        shock = np.where(known[:, column], centred[:, column] - expected, 0.0)
        past = np.column_stack([centred[:, column], past[:, :-1]])
        shocks = np.column_stack([shock, shocks[:, :-1]])
    steps = []
    for _ in range(horizon):
        expected = (ar * past).sum(axis=1) + (ma * shocks).sum(axis=1)
        steps.append(expected + mean)
        past = np.column_stack([expected, past[:, :-1]])
        shocks = np.column_stack([np.zeros(len(returns)), shocks[:, :-1]])
    cumulative: Floats = np.cumsum(np.column_stack(steps), axis=1)
    return cumulative


def _pool(candidates: dict[Order, list[tuple[float, Arma]]]) -> Arma:
    """Choose the order with the lowest mean AICc over symbols, and average its parameters: for symbols never fitted."""
    if not candidates:
        return Arma(0.0, (), ())
    most = max(len(fits) for fits in candidates.values())
    everywhere = {order: fits for order, fits in candidates.items() if len(fits) == most}
    best = min(everywhere.values(), key=lambda fits: float(np.mean([aicc for aicc, _ in fits])))
    return Arma(
        float(np.mean([arma.mean for _, arma in best])),
        tuple(np.mean([arma.ar for _, arma in best], axis=0).tolist()),
        tuple(np.mean([arma.ma for _, arma in best], axis=0).tolist()),
    )


def _padded(rows: list[tuple[float, ...]], width: int) -> Floats:
    padded = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded


def _arma(found: dict[str, Any]) -> Arma:
    return Arma(float(found["mean"]), tuple(found["ar"]), tuple(found["ma"]))
