"""Events as BSON holds them: what is lost on the way is lost here, before any fold sees it."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from contracts.events import Event
from contracts.parts import plain_value
from contracts.versions import later_fields
from projections.folds import Document


def stored(event: Event) -> Document:
    """Return an event's fields as a document holds them.

    Times are cut to milliseconds, which is all that a BSON date holds: were it left to the server, a fold of a
    document read back would differ from a fold of one still in memory.  Dates (without a time) become ISO text.

    A field that a later schema version added is left out where it is null, so that the document of an older event is
    the same whichever version folded it: a rebuild after an evolution compares equal.
    """
    kind: type = type(event)
    shape = _shape_of(kind)
    document = dict(zip(shape.names, shape.values(event), strict=True))
    for name in shape.times:
        if document[name].microsecond % 1000:
            document[name] = storable(document[name])
    for name in shape.odd:
        document[name] = storable(plain_value(document[name]))
    for name in shape.later:
        if document[name] is None:
            del document[name]
    return document


@dataclass(frozen=True, slots=True)
class _Shape:
    """An event's fields, by what is to be done with them: looking at each value again takes longer than all the rest.

    Args:
        values: returns the values of all fields.
        odd: neither scalar nor time.
    """

    names: tuple[str, ...]
    values: Callable[[Event], tuple[Any, ...]]
    times: tuple[str, ...]
    odd: tuple[str, ...]
    later: tuple[str, ...]


@cache
def _shape_of(event: type[Event]) -> _Shape:
    names = tuple(field.name for field in fields(event))
    hints = get_type_hints(event)
    times = tuple(name for name in names if hints[name] is datetime)
    odd = tuple(name for name in names if name not in times and not _is_scalar(hints[name]))
    later = later_fields(event)
    return _Shape(names, attrgetter(*names), times, odd, tuple(name for name in names if name in later))


def _is_scalar(hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return all(map(_is_scalar, get_args(hint)))
    return get_origin(hint) is Literal or hint in (str, int, float, bool, NoneType)


def storable(value: Any) -> Any:
    """Return a value as it comes back from the server."""
    if isinstance(value, datetime):
        odd = value.microsecond % 1000
        return value.replace(microsecond=value.microsecond - odd) if odd else value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: storable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    return value


def business(document: Document) -> Document:
    """Return a document without its bookkeeping (names that begin with `_`, but for `_id`)."""
    return {name: value for name, value in document.items() if name == "_id" or not name.startswith("_")}
