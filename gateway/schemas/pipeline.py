"""What `/api/pipeline` answers, for OpenAPI and the tests."""

from datetime import datetime

from pydantic import Field

from gateway.schemas.responses import Answer


class ReadModelProgress(Answer):
    """Where a read model stands in one partition."""

    name: str = Field(examples=["stock_data"])
    topic: str = Field(examples=["stock-data"])
    partition: int
    position: int = Field(description="Next offset to read.")
    end: int | None = Field(description="Next offset of the log; null while Kafka does not answer.")
    lag: int | None
    updated_at: datetime | None
    applied: int
    fenced: int
    dead: int


class ServiceState(Answer):
    """Whether a service is ready, and if not, why."""

    name: str = Field(examples=["projections"])
    ready: bool
    reasons: list[str]


class TopicState(Answer):
    """How much a topic and its dead-letter topic hold; null while Kafka is away."""

    name: str = Field(examples=["stock-data"])
    messages: int | None = Field(description="Messages in all partitions.")
    dead_letters: int | None = Field(description="Messages nobody could read, on which nothing was decided yet.")


class ReplayClock(Answer):
    """The replay exchange's clock."""

    now: datetime
    running: bool
    seconds_per_session: float
    finished: bool


class MarketHours(Answer):
    """Whether the exchange trades now, by its calendar."""

    calendar: str = Field(examples=["XNYS"])
    open: bool
    last_close: datetime = Field(description="Close of the last session that has ended.")
    close_before: datetime = Field(description="Close of the session before that.")
    changes_at: datetime | None = Field(description="When it closes, or opens next; null beyond the calendar's end.")


class Links(Answer):
    """Where people open the servers beside this one."""

    mlflow: str = Field(examples=["http://127.0.0.1:5000"])
    airflow: str = Field(examples=["http://127.0.0.1:8080"])


class Pipeline(Answer):
    """How the whole system is doing."""

    read_models: list[ReadModelProgress]
    services: list[ServiceState]
    topics: list[TopicState]
    links: Links
    clock: ReplayClock | None = Field(description="The replay exchange's clock; null without one.")
    market: MarketHours | None = Field(
        description="Hours of a real exchange; null for a replay, and while producers are away."
    )
    dead_letters: int | None = Field(description="Dead letters nothing was decided on yet; null while Kafka is away.")
