"""The records that events are made of, each a frozen class named as in the schemas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Self, get_type_hints


def plain_value(value: Any) -> Any:
    """Return a value as Avro and BSON take it: parts become dicts, tuples become lists."""
    kind: type = type(value)
    if kind is tuple:
        first: type = type(value[0]) if value else str
        reading = _reading_of(first)
        if reading is None or reading.nested:
            return [plain_value(item) for item in value]
        return [dict(zip(reading.names, values, strict=True)) for values in map(reading.values_of, value)]
    reading = _reading_of(kind)
    if reading is None:
        return value
    record = dict(zip(reading.names, reading.values_of(value), strict=True))
    for name in reading.nested:
        record[name] = plain_value(record[name])
    return record


_PLAIN = {str, int, float, datetime}


class _Reading(NamedTuple):
    """How a part's fields are read: all at once, and which of them may hold parts or tuples."""

    names: tuple[str, ...]
    values_of: Callable[[Any], tuple[Any, ...]]
    nested: tuple[str, ...]


@cache
def _reading_of(kind: type) -> _Reading | None:
    """Return how a dataclass is read; None for any other type."""
    if not is_dataclass(kind):
        return None
    names = tuple(field.name for field in fields(kind))
    nested = tuple(name for name, of in get_type_hints(kind).items() if of not in _PLAIN)
    return _Reading(names, attrgetter(*names), nested)


class Part:
    """A record inside an event."""

    __slots__ = ()

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build the part from its record."""
        return cls(**record)


CHAMPION = "champion"  # the alias of the version that is shown
NAIVE = "naive"  # the family of the random walk


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef(Part):
    """Which model made a forecast."""

    name: str
    version: str
    family: str
    run_id: str
    role: Literal["SHADOW", "CHAMPION"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile(Part):
    """The price that the outcome is below with probability `level`."""

    level: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastStep(Part):
    """One future session; quantiles stand by rising level."""

    step: int
    target_at: datetime
    mean: float
    quantiles: tuple[Quantile, ...]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(**{**record, "quantiles": tuple(Quantile(**quantile) for quantile in record["quantiles"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRange(Part):
    """A range of one partition of the log; both offsets belong to it."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage(Part):
    """What a forecast was made from."""

    inputs: tuple[OffsetRange, ...]
    input_sha256: str
    input_bars: int
    schema_ids: tuple[int, ...]
    code_version: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        inputs = tuple(OffsetRange(**item) for item in record["inputs"])
        return cls(**{**record, "inputs": inputs, "schema_ids": tuple(record["schema_ids"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingBar(Part):
    """The bar that settled a forecast step, and where it stands in the log."""

    closed_at: datetime
    revision: int
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinballLoss(Part):
    """Loss of one quantile, in price units (Koenker & Bassett 1978)."""

    level: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Part):
    """Hold-out metrics of one model over `n` forecast steps."""

    version: str | None = None
    family: str
    n: int
    mase: float
    scrps: float
    coverage_80: float
    coverage_95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Part):
    """The comparison that justified a promotion."""

    candidate: Metrics
    champion: Metrics | None = None
    naive: Metrics
    test: str | None = None
    statistic: float | None = None
    p_value: float | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        champion = record.get("champion")
        return cls(
            **{
                **record,
                "candidate": Metrics(**record["candidate"]),
                "champion": Metrics(**champion) if champion else None,
                "naive": Metrics(**record["naive"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Part):
    """A version that the gate did not let pass, and each rule that it broke."""

    version: str
    family: str
    reasons: tuple[str, ...]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(**{**record, "reasons": tuple(record["reasons"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData(Part):
    """What a model was trained on: an offset vector and the hash of its bytes."""

    inputs: tuple[OffsetRange, ...]
    sha256: str
    bars: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(**{**record, "inputs": tuple(OffsetRange(**item) for item in record["inputs"])})
