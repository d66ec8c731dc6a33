"""What scoring has folded of the log, saved with its position: bars, splits, forecasts, and how they were scored."""

import sqlite3
from functools import partial

from contracts.events import BarClosed, CorporateActionAnnounced, ForecastIssued, ForecastScored
from contracts.topics import CORPORATE_ACTIONS, FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.data.bar_table import BarTable
from forecasting.data.splits import SplitHistory
from forecasting.scoring.drift_table import DriftTable
from forecasting.scoring.forecast_table import ForecastTable
from forecasting.settings import ForecastingSettings
from streaming.catching_up import ReadableLog
from streaming.records import Record
from streaming.saved_state import SavedState, folding_code
from streaming.series_ids import SeriesIds

_TOPICS = (CORPORATE_ACTIONS, STOCK_FORECASTS, FORECAST_SCORES, STOCK_DATA)
_DECIDING = (
    "data/bar_table.py",
    "data/splits.py",
    "scoring/drift_table.py",
    "scoring/forecast_table.py",
    "scoring/state.py",
)


class ScoringPart:
    """What is known of one partition number's symbols."""

    def __init__(self, file: sqlite3.Connection, model_name: str) -> None:
        series = SeriesIds(file)
        self.bars = BarTable(file, series)
        self.splits = SplitHistory(file)
        self.forecasts = ForecastTable(file, series)
        self.drift = DriftTable(file, series, model_name)

    def fold(self, record: Record) -> None:
        """Take note of an event."""
        match record.event:
            case BarClosed() as bar:
                self.bars.fold(record, bar)
            case ForecastIssued() as forecast:
                self.forecasts.fold(record, forecast)
            case CorporateActionAnnounced() as action:
                self.splits.fold(record, action)
            case ForecastScored() as score:
                self.fold_score(score)

    def fold_score(self, score: ForecastScored) -> None:
        """Take note of a score, before it is read from the log or then."""
        self.forecasts.fold_score(score)
        self.drift.fold(score)

    def trim(self, *, wholly: bool) -> None:
        """Remove what drift is not judged by any more."""
        self.drift.trim(wholly=wholly)


def scoring_state(settings: ForecastingSettings, readable: ReadableLog) -> SavedState[ScoringPart]:
    """Return what scoring has saved, not yet taken."""
    kind = partial(ScoringPart, model_name=settings.model_name)
    code = f"{folding_code(forecasting=_DECIDING)}|{settings.model_name}"
    folder = settings.home / "state" / f"{settings.topic_prefix}scoring"
    return SavedState(readable, folder, _TOPICS, kind, code)
