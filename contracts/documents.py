"""The documents of the read models: what the projections write and the gateway reads.

A document of bars, corporate actions, forecasts or promotions holds its event's fields (`contracts.events`) as BSON has
them: times to the millisecond, dates as ISO text, a field of a later schema version only where it is not null.
"""

from datetime import datetime
from typing import Any, TypedDict

BARS_COLLECTION = "stock_data"
REVISIONS_COLLECTION = "stock_data_revisions"
ACTIONS_COLLECTION = "corporate_actions"
FORECASTS_COLLECTION = "forecasts"
LEADERBOARD_COLLECTION = "leaderboard"
SYMBOLS_COLLECTION = "symbols"
PROMOTIONS_COLLECTION = "promotions"
CHECKPOINTS_COLLECTION = "checkpoints"

# Fields beside the business ones. The first three are the projections' own; the others are there for readers.
FENCE = "_at"  # {topic: {partition: offset of the last event folded in}}
FOLDED = "_n"  # how many events were folded in
SEEN = "_seen"  # which bars a symbol's counts have in them
EARLIER = "_earlier"  # revisions that a higher one replaced: of an action by number, of a score by step and number
PARTITION = "_partition"  # where the last event folded in stood, of the leaderboard: for who asks what changed since
OFFSET = "_offset"
NOT_SHOWN = (FENCE, FOLDED, SEEN, EARLIER)


class CheckpointDocument(TypedDict):
    """How far a read model is in one partition; `read` = `applied` + `fenced` + `dead`.  `_id`: all three names."""

    _id: str
    read_model: str
    topic: str
    partition: int
    epoch: str
    generation: int
    next_offset: int
    read: int
    applied: int
    fenced: int
    dead: int
    last: dict[str, Any] | None
    updated_at: datetime


class SeriesDocument(TypedDict, total=False):
    """The bars of one symbol and interval, counted."""

    exchange: str | None
    currency: str | None
    first_closed_at: datetime
    last_closed_at: datetime
    last_recorded_at: datetime
    last_close: float
    last_revision: int
    bars: int
    revisions: int


class ScoreTerms(TypedDict):
    """What one settled step adds to the leaderboard: errors in price units, CRPS over the price."""

    revision: int
    target_at: str
    absolute_error: float
    naive_absolute_error: float
    scaled_error: float | None
    crps: float | None
    naive_crps: float | None
    inside_80: bool
    inside_95: bool


class LeaderboardDocument(TypedDict):
    """The live scores of one version, interval, step, symbol and period, by forecast id."""

    model_name: str
    model_version: str
    family: str
    interval: str
    step: int
    symbol: str
    period: str
    scores: dict[str, ScoreTerms]
