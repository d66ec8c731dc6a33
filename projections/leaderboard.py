"""Read model `leaderboard`: what the scores of one model version sum up to, by interval, step, symbol and period.

A reader adds the documents up: `MASE = sum(scaled_error) / sum(scaled_n)`, `sCRPS = 2 * sum(pinball) /
sum(absolute_actual)` (Gneiting & Raftery 2007, the quantile form), `coverage = sum(hits_80) / sum(n)`,
`skill = 1 - sum(absolute_error) / sum(naive_absolute_error)`.

What must tell symbols or sessions apart (a mean over symbols, the confidence of a skill, a window) is added up from
the single scores in `_settled`, as the gateway does.

A step settled again by a corrected bar replaces its earlier score: the highest revision counts, once.  To know
what to replace, a document keeps the scores it sums (`_settled`), and to keep that short a document covers a
period of the target time: a month of daily bars, a day of hours, an hour of minutes.  Sums are correctly rounded
(`math.fsum`), so they do not depend on the order of the scores.
"""

from math import fsum
from typing import Any

from contracts.events import ForecastScored
from contracts.ids import stamp
from contracts.topics import FORECAST_SCORES
from projections.folds import Document, Fold, ReadModel
from streaming.records import Record

SUMS = (
    "n", "absolute_error", "squared_error", "naive_absolute_error", "scaled_error", "scaled_n", "pinball",
    "absolute_actual", "hits_80", "hits_95",
)  # fmt: skip


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
    settled: dict[str, Any] = document["_settled"] if document else {}
    known = settled.get(scored.forecast_id)
    if document is not None and known is not None and scored.bar.revision <= known["revision"]:
        return document
    settled = {**settled, scored.forecast_id: _terms(scored)}
    return {
        "model_name": scored.model_name,
        "model_version": scored.model_version,
        "family": scored.family,
        "interval": scored.interval,
        "step": scored.step,
        "symbol": scored.symbol,
        "period": period(scored),
        **{name: _sum([terms[name] for terms in settled.values()]) for name in SUMS},
        "_settled": settled,
    }


def _terms(scored: ForecastScored) -> Document:
    """Return what one score adds to the sums, in price units but for the counts and the scaled error."""
    losses = [quantile.loss for quantile in scored.pinball]
    return {
        "revision": scored.bar.revision,
        "target_at": stamp(scored.target_at),
        "n": 1,
        "absolute_error": scored.absolute_error,
        "squared_error": scored.squared_error,
        "naive_absolute_error": scored.naive_absolute_error,
        # A history that never moved has no scale, and its error no scaled form.
        "scaled_error": scored.absolute_error / scored.scale if scored.scale > 0 else 0.0,
        "scaled_n": int(scored.scale > 0),
        "pinball": fsum(losses) / len(losses) if losses else 0.0,
        "absolute_actual": abs(scored.actual),
        "hits_80": int(scored.inside_80),
        "hits_95": int(scored.inside_95),
    }


def _sum(terms: list[Any]) -> int | float:
    return sum(terms) if isinstance(terms[0], int) else fsum(terms)


LEADERBOARD = ReadModel("leaderboard", {FORECAST_SCORES.name: Fold(key_of, apply)}, indexes=(("interval", "step"),))
