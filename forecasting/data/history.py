"""Training data from the log itself: named by an offset vector, the same bytes whenever it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import structlog
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from contracts.events import CorporateActionAnnounced, ModelPromoted
from contracts.topics import CORPORATE_ACTIONS, MODEL_PROMOTIONS, STOCK_DATA, Topic, topic_named
from forecasting.data.calendars import calendar_version
from forecasting.data.code_version import code_version
from forecasting.data.columns import long_frame
from forecasting.data.frames import frame_sha256
from forecasting.data.offsets import DataName, OffsetVector
from forecasting.data.segments import Segments
from forecasting.settings import ForecastingSettings
from streaming.errors import KafkaAway, RegistryAway
from streaming.offsets_at import ranges_until
from streaming.reader import read_all, read_range, watermarks
from streaming.records import DeadRecord, Record
from streaming.settings import StreamSettings

log = structlog.get_logger()

_INPUTS = (STOCK_DATA, CORPORATE_ACTIONS)
# A broker that is restarting is waited for: minutes of training hang on these reads.
_patiently = retry(
    retry=retry_if_exception_type((KafkaAway, RegistryAway)),
    wait=wait_exponential_jitter(initial=0.5, max=5.0),
    stop=stop_after_delay(90),
    reraise=True,
)


@dataclass(frozen=True, slots=True)
class History:
    """An offset vector's name and the long frame that its events fold to."""

    name: DataName
    frame: pd.DataFrame

    @property
    def vector(self) -> OffsetVector:
        """Return the offsets that hold the events."""
        return self.name.vector

    @property
    def sha256(self) -> str:
        """Return the hash of the frame's canonical bytes."""
        return self.name.sha256


@_patiently
def freeze(settings: StreamSettings) -> OffsetVector:
    """Name all that the log holds of bars and corporate actions now.

    Raises:
        KafkaAway: the broker has not answered for a minute and a half.
    """
    return OffsetVector({topic.name: watermarks(settings, topic) for topic in _INPUTS})


@_patiently
def freeze_as_of(settings: StreamSettings, moment: datetime) -> OffsetVector:
    """Name what the log held of bars and corporate actions at a moment, by when they were recorded.

    Raises:
        KafkaAway: the broker has not answered for a minute and a half.
    """
    return OffsetVector({topic.name: ranges_until(settings, topic, moment) for topic in _INPUTS})


def read_vector(settings: StreamSettings, vector: OffsetVector) -> list[Record]:
    """Read the events that a vector names, topic by topic.

    Raises:
        KeyError: it names an unknown topic; HistoryGone, KafkaAway, RegistryAway: as `load_history`.
    """
    dead: list[DeadRecord] = []
    records = [record for name in vector.ranges for record in _read(settings, topic_named(name), vector, dead)]
    _tell(dead)
    return records


@_patiently
def load_history(settings: ForecastingSettings, vector: OffsetVector) -> History:
    """Read the events of a vector; the same vector gives the same frame, byte for byte.

    Unreadable messages, which the projections dead-letter, are passed over and counted in the log.

    Raises:
        HistoryGone: the log no longer holds what the vector names.
        KafkaAway, RegistryAway: a server has not answered for a minute and a half.
    """
    unknown = set(vector.ranges) - {topic.name for topic in _INPUTS}
    if unknown:
        raise ValueError(f"a training vector names {', '.join(t.name for t in _INPUTS)}, not {', '.join(unknown)}")
    dead: list[DeadRecord] = []
    bars = Segments(settings).read(vector.ranges.get(STOCK_DATA.name, {}), dead)
    announced = _read(settings, CORPORATE_ACTIONS, vector, dead)
    _tell(dead)
    actions = [record.event for record in announced if isinstance(record.event, CorporateActionAnnounced)]
    schema_ids = {*np.unique(bars["schema_id"].to_numpy()).tolist(), *(record.schema_id for record in announced)}
    frame = long_frame(bars, actions, interval=settings.interval, exchange=settings.exchange_calendar)
    name = DataName(
        vector=vector,
        sha256=frame_sha256(frame),
        bars=len(frame),
        schema_ids=tuple(sorted(schema_ids)),
        calendar=calendar_version(settings.exchange_calendar),
        code_version=code_version(),
    )
    return History(name, frame)


@_patiently
def decisions(settings: ForecastingSettings) -> list[ModelPromoted]:
    """Return all decisions on the settings' model, oldest first."""
    events = (record.event for record in read_all(settings, MODEL_PROMOTIONS))
    return [event for event in events if isinstance(event, ModelPromoted) and event.model_name == settings.model_name]


def newest_promotions(settings: ForecastingSettings) -> dict[str, ModelPromoted]:
    """Fold the log of promotions to the newest of each alias of the settings' model."""
    return {event.alias: event for event in decisions(settings)}


def _read(settings: StreamSettings, topic: Topic, vector: OffsetVector, dead: list[DeadRecord]) -> list[Record]:
    ranges: Mapping[int, tuple[int, int]] = vector.ranges.get(topic.name, {})
    return list(
        read_range(
            settings,
            topic,
            {partition: start for partition, (start, _) in ranges.items()},
            {partition: end for partition, (_, end) in ranges.items()},
            on_poison="skip",
            on_dead=dead.append,
        )
    )


def _tell(dead: list[DeadRecord]) -> None:
    if dead:
        places = [f"{found.topic}[{found.partition}]@{found.offset}" for found in dead[:5]]
        log.warning("unreadable messages are not trained on", count=len(dead), first=places)
