"""The table of topics: one topic, one event type, one writer."""

from dataclasses import dataclass

from contracts.events import (
    BarClosed,
    CorporateActionAnnounced,
    DriftDetected,
    Event,
    ForecastIssued,
    ForecastScored,
    ModelPromoted,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, the event it carries, what its key is and which part writes it.

    The number of partitions is fixed for a topic's life: the order of a key's events is its partition's order.
    """

    name: str
    event: type[Event]
    key: str
    writer: str
    partitions: int

    @property
    def dlq(self) -> str:
        """Return the topic for messages of this one that nobody could read."""
        return f"{self.name}.dlq"

    @property
    def appended(self) -> bool:
        """Tell whether its events come in transactions, whose ends take offsets at which nothing can be read."""
        return self.writer == "producers"

    @property
    def subject(self) -> str:
        """Return the registry subject of this topic's schema."""
        return f"{self.name}-value"


STOCK_DATA = Topic("stock-data", BarClosed, "symbol", "producers", 6)
CORPORATE_ACTIONS = Topic("corporate-actions", CorporateActionAnnounced, "symbol", "producers", 6)
STOCK_FORECASTS = Topic("stock-forecasts", ForecastIssued, "symbol", "forecasting (serving)", 6)
FORECAST_SCORES = Topic("forecast-scores", ForecastScored, "symbol", "forecasting (scoring)", 6)
MODEL_PROMOTIONS = Topic("model-promotions", ModelPromoted, "model_name", "forecasting (training)", 1)
DRIFT_ALARMS = Topic("drift-alarms", DriftDetected, "model_name", "forecasting (scoring)", 1)

TOPICS = (STOCK_DATA, CORPORATE_ACTIONS, STOCK_FORECASTS, FORECAST_SCORES, MODEL_PROMOTIONS, DRIFT_ALARMS)


_BY_EVENT = {topic.event: topic for topic in TOPICS}


def topic_of(event: type[Event]) -> Topic:
    """Return the topic that carries an event type."""
    return _BY_EVENT[event]


def topic_named(name: str) -> Topic:
    """Return a topic by its name (without any prefix).

    Raises:
        KeyError: no such topic; the text lists those there are.
    """
    for topic in TOPICS:
        if topic.name == name:
            return topic
    raise KeyError(f"no topic {name!r}; there are {', '.join(topic.name for topic in TOPICS)}")
