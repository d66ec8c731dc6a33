"""How each model's intervals have held: tables, folded from `forecast-scores`."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from contracts.events import ForecastScored
from contracts.measures import LEVELS
from forecasting.data.windows import Floats
from forecasting.models.base import quantile_column
from forecasting.models.conformal import ASKED, START, asked_levels, calibrated, updated
from streaming.codec import micros
from streaming.series_ids import SeriesIds, series_id

_TABLES = """
CREATE TABLE IF NOT EXISTS calibrations (
    series INTEGER, version TEXT, step INTEGER,
    alpha_80 REAL NOT NULL, alpha_95 REAL NOT NULL, settled INTEGER NOT NULL,
    PRIMARY KEY (series, version, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calibrated_families (
    series INTEGER, family TEXT, step INTEGER, version TEXT NOT NULL, PRIMARY KEY (series, family, step)
) WITHOUT ROWID;
"""
_OF_VERSION = "SELECT step, alpha_80, alpha_95, settled FROM calibrations WHERE series = ? AND version = ?"
# What the version of a family that was scored last has learned.
_OF_FAMILY = """
SELECT step, alpha_80, alpha_95, settled FROM calibrated_families JOIN calibrations USING (series, step, version)
WHERE series = ? AND family = ?
"""
_LEARN = """
INSERT INTO calibrations VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    alpha_80 = excluded.alpha_80, alpha_95 = excluded.alpha_95, settled = excluded.settled
"""
_FAMILY = """
INSERT INTO calibrated_families VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version
WHERE version != excluded.version
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What was learned of a version's step, and the session whose outcome was learned last."""

    alphas: tuple[float, float]
    settled: int  # microseconds since 1970


class Calibrations:
    """Folds scores in the order of the log; each step of each origin counts once, by the first bar that settled it.

    Args:
        series: the numbers of the file's series.
        model_name: whose scores count.
    """

    def __init__(self, file: sqlite3.Connection, series: SeriesIds, model_name: str) -> None:
        self._file, self._series, self._model_name = file, series, model_name
        file.executescript(_TABLES)

    def fold(self, score: ForecastScored) -> None:
        """Take up a score; one that was folded already changes nothing."""
        if score.model_name != self._model_name or score.in_sample:
            return
        series, settled = self._series.of(score.symbol, score.interval), micros(score.target_at)
        held = self._held(_OF_VERSION, series, score.model_version).get(score.step)
        if held is not None and settled <= held.settled:
            return  # a corrected bar, or a forecast made again: the outcome was learned
        if held is None:
            held = self._held(_OF_FAMILY, series, score.family).get(score.step)
            if held is not None and held.settled > micros(score.origin):
                held = None
        inside = np.array([score.inside_80, score.inside_95])
        alphas = updated(np.array(held.alphas) if held else START, inside, score.step).tolist()
        self._file.execute(_LEARN, (series, score.model_version, score.step, *alphas, settled))
        self._file.execute(_FAMILY, (series, score.family, score.step, score.model_version))

    def alphas(self, symbol: str, interval: str, version: str, family: str, origin: datetime, horizon: int) -> Floats:
        """Return what a forecast at an origin may know: [horizon, intervals].

        A new version begins where its family stands; what was settled after the origin is not looked at.
        """
        series, until = series_id(symbol, interval), micros(origin)
        known = self._held(_OF_FAMILY, series, family) | self._held(_OF_VERSION, series, version)
        held = (known.get(step) for step in range(1, horizon + 1))
        return np.array([one.alphas if one is not None and one.settled <= until else START for one in held])

    def has(self, symbol: str, interval: str) -> bool:
        """Tell whether anything was learned of a series."""
        asked = "SELECT 1 FROM calibrations WHERE series = ? LIMIT 1"
        return self._file.execute(asked, (series_id(symbol, interval),)).fetchone() is not None

    def _held(self, asked: str, series: int, whose: str) -> dict[int, Held]:
        """Return what is known of a version or a family, by step."""
        rows = self._file.execute(asked, (series, whose))
        return {step: Held((first, second), settled) for step, first, second, settled in rows}


def calibrated_quantiles(
    prediction: pd.DataFrame, alphas: dict[str, Floats], levels: Sequence[float] = LEVELS
) -> pd.DataFrame:
    """Calibrate a long frame of quantiles at `ASKED`: each symbol by its own state, each step by its own row.

    Returns:
        The frame with quantiles at `levels`; the point forecast and the median stay as they are.
    """
    prices = np.log(prediction[[quantile_column(level) for level in ASKED]].to_numpy(dtype=np.float64))
    steps = prediction["step"].to_numpy()
    rows = [alphas[symbol][step - 1] for symbol, step in zip(prediction["unique_id"], steps, strict=True)]
    read = np.exp(calibrated(prices, ASKED, asked_levels(np.stack(rows), levels)))
    quantiles = {quantile_column(level): read[:, number] for number, level in enumerate(levels)}
    if 0.5 in levels:
        quantiles[quantile_column(0.5)] = prediction[quantile_column(0.5)].to_numpy()
    return prediction[["unique_id", "ds", "step", "mean"]].assign(**quantiles)
