"""How each model's intervals have held, folded from `forecast-scores`; rebuilt by reading the log again.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from contracts.events import ForecastScored
from contracts.measures import LEVELS
from contracts.parts import OffsetRange
from forecasting.data.windows import Floats
from forecasting.models.base import quantile_column
from forecasting.models.conformal import ASKED, START, asked_levels, calibrated, updated
from streaming.records import Partition, Record

CalibrationKey = tuple[str, str, str, int]  # symbol, interval, model version, step


@dataclass(frozen=True, slots=True)
class Held:
    """The state of a line, and the session whose outcome was learned last."""

    alphas: Floats
    settled: datetime


@dataclass(slots=True)
class Calibrations:
    """Folds scores in the order of the log; each step of each origin counts once, by the first bar that settled it.

    Args:
        model_name: whose scores count.
    """

    model_name: str
    _states: dict[CalibrationKey, Held] = field(default_factory=dict)
    _families: dict[CalibrationKey, CalibrationKey] = field(
        default_factory=dict
    )  # the same with the family -> who was scored last
    _read: dict[Partition, tuple[int, int]] = field(default_factory=dict)  # first and last offset
    _places: dict[str, Partition] = field(default_factory=dict)

    def fold(self, record: Record) -> None:
        """Take up a score; one that was folded already changes nothing."""
        place = (record.topic, record.partition)
        first, last = self._read.get(place, (record.offset, -1))
        if record.offset <= last:
            return
        self._read[place] = (first, record.offset)
        score = record.event
        if not isinstance(score, ForecastScored) or score.model_name != self.model_name or score.in_sample:
            return
        self._places[score.symbol] = place
        line = (score.symbol, score.interval, score.model_version, score.step)
        family = (score.symbol, score.interval, score.family, score.step)
        held = self._states.get(line)
        if held is not None and score.target_at <= held.settled:
            return  # a corrected bar, or a forecast made again: the outcome was learned
        before = held or self._inherited(family, score.origin)
        inside = np.array([score.inside_80, score.inside_95])
        alphas = updated(before.alphas if before else START, inside, score.step)
        self._states[line] = Held(alphas, score.target_at)
        self._families[family] = line

    def alphas(self, symbol: str, interval: str, version: str, family: str, origin: datetime, horizon: int) -> Floats:
        """Return what a forecast at an origin may know: [horizon, intervals].

        A new version begins where its family stands; what was settled after the origin is not looked at.
        """
        found = []
        for step in range(1, horizon + 1):
            held = self._states.get((symbol, interval, version, step))
            held = held or self._inherited((symbol, interval, family, step), origin)
            found.append(held.alphas if held is not None and held.settled <= origin else START)
        return np.stack(found)

    def inputs(self, symbol: str) -> tuple[OffsetRange, ...]:
        """Name what a symbol's state was folded from; nothing while it has none."""
        if symbol not in self._places:
            return ()
        place = self._places[symbol]
        first, last = self._read[place]
        return (OffsetRange(topic=place[0], partition=place[1], from_offset=first, to_offset=last),)

    def _inherited(self, family: CalibrationKey, origin: datetime) -> Held | None:
        line = self._families.get(family)
        held = self._states.get(line) if line else None
        return held if held is not None and held.settled <= origin else None


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
    answer = prediction[["unique_id", "ds", "step", "mean"]].copy()
    for number, level in enumerate(levels):
        answer[quantile_column(level)] = prediction[quantile_column(0.5)] if level == 0.5 else read[:, number]
    return answer
