"""Read model `leaderboard`: the live scores of one model version, by interval, step, symbol and period.

A reader adds them up by session (`gateway/reads/standings.py` has the formulas).

A step settled again by a corrected bar replaces its earlier score: the highest revision counts, once.  A forecast from
an origin that the version's training saw is no proof of it and does not count.  A document covers a period of the
target time, so that it stays short: a month of daily bars, a day of hours, an hour of minutes.
"""

from math import fsum

from contracts.documents import LEADERBOARD_COLLECTION, OFFSET, PARTITION, ScoreTerms
from contracts.events import ForecastScored
from contracts.ids import stamp
from contracts.topics import FORECAST_SCORES
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record


def key_of(scored: ForecastScored) -> str:
    """Name the cell: `7|P1D|1|AAPL|2012-01`."""
    return f"{scored.model_version}|{scored.interval}|{scored.step}|{scored.symbol}|{period(scored)}"


def period(scored: ForecastScored) -> str:
    """Return the stretch of target times that share a document."""
    if "T" not in scored.interval:  # ISO 8601: what follows the T is shorter than a day
        return f"{scored.target_at:%Y-%m}"
    return f"{scored.target_at:%Y-%m-%d}" if scored.interval.endswith("H") else f"{scored.target_at:%Y-%m-%dT%H}"


def apply(document: Document | None, record: Record) -> Document:
    """Count a score once, at its highest bar revision."""
    scored = record.event
    assert isinstance(scored, ForecastScored)
    scores: dict[str, ScoreTerms] = document["scores"] if document else {}
    known = scores.get(scored.forecast_id)
    if not scored.in_sample and (known is None or scored.bar.revision > known["revision"]):
        scores = {**scores, scored.forecast_id: _terms(scored)}
    return {
        "model_name": scored.model_name,
        "model_version": scored.model_version,
        "family": scored.family,
        "interval": scored.interval,
        "step": scored.step,
        "symbol": scored.symbol,
        "period": period(scored),
        "scores": scores,
        # As `_at` has it, for an index: a reader asks for what changed since.
        PARTITION: record.partition,
        OFFSET: record.offset,
    }


def _terms(scored: ForecastScored) -> ScoreTerms:
    """Return what one score counts: errors in price units, `crps` as twice the mean pinball loss over the price."""
    losses = [quantile.loss for quantile in scored.pinball]
    price = abs(scored.actual)
    return {
        "revision": scored.bar.revision,
        "target_at": stamp(scored.target_at),
        "absolute_error": scored.absolute_error,
        "naive_absolute_error": scored.naive_absolute_error,
        # A history that never moved has no scale, and its error no scaled form.
        "scaled_error": scored.absolute_error / scored.scale if scored.scale > 0 else None,
        "crps": 2 * fsum(losses) / len(losses) / price if losses and price else None,
        "naive_crps": 2 * scored.naive_pinball / price if scored.naive_pinball is not None and price else None,
        "inside_80": scored.inside_80,
        "inside_95": scored.inside_95,
    }


LEADERBOARD = ReadModel(
    LEADERBOARD_COLLECTION,
    {FORECAST_SCORES.name: FoldFunction(key_of, apply)},
    indexes=(("interval", "period"), ("interval", "symbol", "period"), (PARTITION, OFFSET)),
)
