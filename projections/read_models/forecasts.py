"""Read model `forecasts`: each forecast with its scores, which come over another topic and in any order to it.

The two events write disjoint fields.  A score that comes first makes a document that has no `symbol` yet: no
reader that asks for a symbol's forecasts finds it before the forecast itself is there.
`_earlier` holds the scores that others have replaced, by step and revision of the bar that settled it, so that what
was known at any moment can be told.
"""

from contracts.documents import EARLIER, FORECASTS_COLLECTION
from contracts.events import ForecastIssued, ForecastScored
from contracts.topics import FORECAST_SCORES, STOCK_FORECASTS
from projections.documents import stored
from projections.folds import Document, FoldFunction, ReadModel
from streaming.records import Record

# What a score repeats of its forecast.
_REPEATED = {"forecast_id", "symbol", "interval", "origin", "step", "model_name", "model_version", "family", "role"}


def key_of(event: ForecastIssued | ForecastScored) -> str:
    """Name the forecast."""
    return event.forecast_id


def apply_issue(document: Document | None, record: Record) -> Document:
    """Take the forecast in; of two reports of it the first."""
    if document is not None and "symbol" in document:
        return document
    return {"scores": {}, **(document or {}), **stored(record.event)}


def apply_score(document: Document | None, record: Record) -> Document:
    """Take a step's score in; a step settled again by a corrected bar has the score of the highest revision."""
    scored = record.event
    assert isinstance(scored, ForecastScored)
    whole = document or {}
    scores, earlier = whole.get("scores", {}), whole.get(EARLIER, {})
    step, revision = str(scored.step), scored.bar.revision
    fields = {name: value for name, value in stored(scored).items() if name not in _REPEATED}
    held = scores.get(step)
    if held is None:
        return {**whole, "scores": {**scores, step: fields}}
    of_step = earlier.get(step, {})
    top = held["bar"]["revision"]
    if revision == top or str(revision) in of_step:
        return {**whole}
    if revision > top:
        newer = {**scores, step: fields}
        return {**whole, "scores": newer, EARLIER: {**earlier, step: {**of_step, str(top): held}}}
    return {**whole, EARLIER: {**earlier, step: {**of_step, str(revision): fields}}}


FORECASTS = ReadModel(
    FORECASTS_COLLECTION,
    {STOCK_FORECASTS.name: FoldFunction(key_of, apply_issue), FORECAST_SCORES.name: FoldFunction(key_of, apply_score)},
    indexes=(("symbol", "interval", "origin"),),
)
