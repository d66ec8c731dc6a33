"""Score one step of a forecast against the bar it spoke of.  Pure; prices in the forecast's own share terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from statistics import fmean

from contracts.actions import Split, split_factor
from contracts.events import ForecastScored
from contracts.measures import INSIDE_80, INSIDE_95, is_inside, pinball_loss
from contracts.parts import ModelRef, PinballLoss, SettlingBar
from contracts.topics import STOCK_DATA
from forecasting.data.bar_table import PlacedBar


@dataclass(frozen=True, slots=True)
class Claim:
    """One step of a forecast: what it said of the session that closes at `target_at`."""

    forecast_id: str
    symbol: str
    interval: str
    origin: datetime
    model: ModelRef
    step: int
    target_at: datetime
    mean: float
    levels: Sequence[float]
    values: Sequence[float]  # the quantiles at `levels`


@dataclass(frozen=True, slots=True)
class ErrorScale:
    """What errors are measured against, from the bars that the forecast read."""

    last_close: float  # at the origin
    scale: float  # mean |one-step change|


def error_scale(closes: Sequence[float], sessions: Sequence[date], splits: Iterable[Split]) -> ErrorScale:
    """Measure the input of a forecast: raw closes [n] of sessions [n], oldest first, in terms of the last one.

    The mean |one-step change| is the denominator of MASE (Hyndman & Koehler 2006, eq. 2), here in sample.
    """
    known = tuple(splits)
    prices = [
        close / split_factor(known, session, sessions[-1]) for close, session in zip(closes, sessions, strict=True)
    ]
    changes = [abs(after - before) for before, after in pairwise(prices)]
    return ErrorScale(prices[-1], sum(changes) / len(changes) if changes else 0.0)


def _between(claim: Claim, bounds: tuple[float, float], actual: float) -> bool:
    """Tell whether an actual lies between the quantiles of two levels; ValueError where the forecast lacks one."""
    low, high = (claim.values[claim.levels.index(level)] for level in bounds)
    return is_inside(low, high, actual)


def pinball_losses(claim: Claim, actual: float) -> tuple[PinballLoss, ...]:
    """Return the pinball loss of each level of a claim."""
    return tuple(
        PinballLoss(level=level, loss=pinball_loss(level, value, actual))
        for level, value in zip(claim.levels, claim.values, strict=True)
    )


def score_step(
    claim: Claim,
    bar: PlacedBar,
    measured: ErrorScale,
    share_factor: float,
    now: datetime,
    *,
    naive: Claim | None = None,
    trained_until: datetime | None = None,
) -> ForecastScored:
    """Settle a claim by its bar.

    Args:
        share_factor: how many shares of the bar's session one share of the origin's has become.
        naive: what the random walk said of the same step from the same origin; None where it said nothing.
        trained_until: close of the symbol's last bar that the version's training saw; None where not known.
    """
    actual = bar.close * share_factor
    error = actual - claim.mean
    beside = [quantile.loss for quantile in pinball_losses(naive, actual)] if naive else []
    return ForecastScored(
        forecast_id=claim.forecast_id,
        symbol=claim.symbol,
        interval=claim.interval,
        origin=claim.origin,
        step=claim.step,
        target_at=claim.target_at,
        model_name=claim.model.name,
        model_version=claim.model.version,
        family=claim.model.family,
        role=claim.model.role,
        bar=SettlingBar(
            closed_at=bar.closed_at,
            revision=bar.revision,
            topic=STOCK_DATA.name,
            partition=bar.partition,
            offset=bar.offset,
        ),
        actual=actual,
        absolute_error=abs(error),
        squared_error=error * error,
        pinball=pinball_losses(claim, actual),
        inside_80=_between(claim, INSIDE_80, actual),
        inside_95=_between(claim, INSIDE_95, actual),
        naive_absolute_error=abs(actual - measured.last_close),
        scale=measured.scale,
        recorded_at=max(now, bar.recorded_at),
        trained_until=trained_until,
        naive_pinball=fmean(beside) if beside else None,
    )
