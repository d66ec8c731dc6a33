"""Put what a model answered into an event, with its role and its lineage.  Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd

from contracts.events import ForecastIssued
from contracts.ids import forecast_id
from contracts.parts import CHAMPION, ForecastStep, Lineage, ModelRef, OffsetRange, Quantile
from contracts.topics import CORPORATE_ACTIONS, STOCK_DATA
from forecasting.data.bar_table import BarWindow
from forecasting.data.splits import KnownSplit
from forecasting.models.base import quantile_column
from forecasting.serving.pending import PendingForecast
from streaming.codec import utc

Role = Literal["SHADOW", "CHAMPION"]

AS_OF_ORIGIN = "AS_OF_ORIGIN"


def cast_roles(aliases: Mapping[str, str], families: Iterable[str]) -> dict[str, Role]:
    """Return the role of each version that forecasts: the champion first, every other family's beside it."""
    roles: dict[str, Role] = {}
    if CHAMPION in aliases:
        roles[aliases[CHAMPION]] = "CHAMPION"
    for family in families:
        if family in aliases:
            roles.setdefault(aliases[family], "SHADOW")
    return roles


def forecast_steps(prediction: pd.DataFrame, levels: Sequence[float]) -> dict[str, tuple[ForecastStep, ...]]:
    """Turn a model's long frame into the steps of each symbol's forecast."""
    columns = [quantile_column(level) for level in levels]
    steps: defaultdict[str, list[ForecastStep]] = defaultdict(list)
    ordered = prediction.sort_values(["unique_id", "step"], kind="stable")
    targets = map(utc, ordered["ds"].to_numpy(dtype="datetime64[us]").astype(np.int64).tolist())
    values = ordered[columns].to_numpy(dtype=float).tolist()
    rows = zip(ordered["unique_id"], ordered["step"].tolist(), targets, ordered["mean"].tolist(), values, strict=True)
    for symbol, step, target, mean, row in rows:
        quantiles = tuple([Quantile(level=level, value=value) for level, value in zip(levels, row, strict=True)])
        steps[symbol].append(ForecastStep(step=step, target_at=target, mean=mean, quantiles=quantiles))
    return {symbol: tuple(found) for symbol, found in steps.items()}


def lineage_of(
    bars: BarWindow,
    partition: int,
    splits: tuple[KnownSplit, ...],
    input_sha256: str,
    code_version: str,
    scores: tuple[OffsetRange, ...] = (),
) -> Lineage:
    """Name what a forecast was made from: where its events stand, and the hash of the frame they gave.

    Args:
        partition: of the bars.
        scores: where the scores stand that its intervals were calibrated by.
    """
    announced = sorted({split.partition for split in splits})
    return Lineage(
        inputs=(
            _range(STOCK_DATA.name, partition, bars.places),
            *(
                _range(CORPORATE_ACTIONS.name, at, [split.offset for split in splits if split.partition == at])
                for at in announced
            ),
            *scores,
        ),
        input_sha256=input_sha256,
        input_bars=len(bars.places),
        schema_ids=tuple(sorted({*bars.schema_ids, *(split.schema_id for split in splits)})),
        code_version=code_version,
    )


def _range(topic: str, partition: int, offsets: Sequence[int]) -> OffsetRange:
    return OffsetRange(topic=topic, partition=partition, from_offset=min(offsets), to_offset=max(offsets))


def forecast_event(
    due: PendingForecast,
    model: ModelRef,
    steps: tuple[ForecastStep, ...],
    made_from: Lineage,
    now: datetime,
    trained_until: datetime | None = None,
) -> ForecastIssued:
    """Write a forecast down; it is never issued before its newest bar was recorded.

    Args:
        trained_until: close of the last bar that the version's training saw; None where not known.
    """
    symbol, interval = due.series
    return ForecastIssued(
        forecast_id=forecast_id(symbol, interval, due.origin, model.name, model.version, made_from.input_sha256),
        symbol=symbol,
        interval=interval,
        origin=due.origin,
        issued_at=max(now, due.cause.recorded_at),
        model=model,
        steps=steps,
        price_basis=AS_OF_ORIGIN,
        lineage=made_from,
        trained_until=trained_until,
    )
