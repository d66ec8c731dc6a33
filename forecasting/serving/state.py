"""What serving has folded of the log, saved with its position: bars, splits, what was issued, how intervals held."""

import sqlite3
from functools import partial

from contracts.events import BarClosed, CorporateActionAnnounced, ForecastIssued, ForecastScored
from contracts.parts import OffsetRange
from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.data.bar_table import BarTable
from forecasting.data.splits import SplitHistory
from forecasting.data.windows import CONTEXT
from forecasting.serving.calibration import Calibrations
from forecasting.serving.issued import IssuedForecasts
from forecasting.settings import ForecastingSettings
from streaming.catching_up import ReadableLog
from streaming.records import Record
from streaming.saved_state import SavedState, folding_code
from streaming.series_ids import SeriesIds

_TOPICS = (CORPORATE_ACTIONS, STOCK_FORECASTS, FORECAST_SCORES, STOCK_DATA)
_DECIDING = (
    "data/bar_table.py",
    "data/splits.py",
    "models/conformal.py",
    "serving/calibration.py",
    "serving/issued.py",
    "serving/state.py",
)


class ServingPart:
    """What is known of one partition number's symbols."""

    def __init__(self, file: sqlite3.Connection, model_name: str, interval: str) -> None:
        self._file = file
        series = SeriesIds(file)
        self.bars = BarTable(file, series, interval, keep=2 * CONTEXT)
        self.splits = SplitHistory(file)
        self.issued = IssuedForecasts(file, series, model_name)
        self.calibrations = Calibrations(file, series, model_name)

    def fold(self, record: Record) -> None:
        """Take note of an event."""
        match record.event:
            case BarClosed() as bar:
                self.bars.fold(record, bar)
            case CorporateActionAnnounced() as action:
                self.splits.fold(record, action)
            case ForecastIssued() as forecast:
                self.issued.fold(forecast)
            case ForecastScored() as score:
                self.calibrations.fold(score)

    def trim(self, *, wholly: bool) -> None:
        """Remove bars that are older than any that a forecast reads."""
        self.bars.trim(wholly=wholly)

    def calibrated_from(self, symbol: str, interval: str, partition: int) -> tuple[OffsetRange, ...]:
        """Name the scores that a symbol's calibration was folded from; nothing while it has none."""
        asked = "SELECT first, last FROM positions WHERE topic = ?"
        row = self._file.execute(asked, (FORECAST_SCORES.name,)).fetchone()
        if row is None or not self.calibrations.has(symbol, interval):
            return ()
        return (OffsetRange(topic=FORECAST_SCORES.name, partition=partition, from_offset=row[0], to_offset=row[1]),)


def serving_state(settings: ForecastingSettings, readable: ReadableLog) -> SavedState[ServingPart]:
    """Return what serving has saved, not yet taken."""
    kind = partial(ServingPart, model_name=settings.model_name, interval=settings.interval)
    code = "|".join((folding_code(forecasting=_DECIDING), settings.model_name, settings.interval, str(CONTEXT)))
    folder = settings.home / "state" / f"{settings.topic_prefix}serving"
    return SavedState(readable, folder, _TOPICS, kind, code)
