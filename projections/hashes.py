"""Order-independent hashes of collections, and what two documents differ in."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from projections.folds import Document

_MODULUS = 1 << 256


def document_digest(document: Document) -> int:
    """Return SHA-256 over a document in canonical form: all of it, bookkeeping too, whatever the order of fields."""
    return int.from_bytes(sha256(canonical(document)).digest(), "big")


def canonical(document: Document) -> bytes:
    """Return a document as JSON with sorted names; 1 and 1.0 differ, as they do in BSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def add(total: int, number: int) -> int:
    """Add a document's digest to a collection's hash: sums modulo 2^256 do not depend on the order."""
    return (total + number) % _MODULUS


def subtract(total: int, number: int) -> int:
    """Take a document's digest out of a collection's hash."""
    return (total - number) % _MODULUS


def value_text(total: int) -> str:
    """Write a hash as 64 hexadecimal digits."""
    return f"{total:064x}"


def differences(live: Any, rebuilt: Any, path: str = "") -> list[str]:
    """Say in words where two values differ, one line a field; empty where they are equal."""
    if isinstance(live, dict) and isinstance(rebuilt, dict):
        names = sorted({*live, *rebuilt})
        return [
            line
            for name in names
            for line in differences(
                live.get(name, _NOTHING), rebuilt.get(name, _NOTHING), f"{path}.{name}" if path else name
            )
        ]
    if isinstance(live, list) and isinstance(rebuilt, list) and len(live) == len(rebuilt):
        pairs = enumerate(zip(live, rebuilt, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    if type(live) is type(rebuilt) and _same(live, rebuilt):
        return []
    return [f"{path}: live {_show(live)}, rebuilt {_show(rebuilt)}"]


class _Nothing:
    """Stands for a field that is not there."""


_NOTHING = _Nothing()


def _same(one: Any, other: Any) -> bool:
    """Tell equality as the hash does: 0.0 and -0.0 differ."""
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def _show(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$date": round(value.timestamp() * 1000)}
    if isinstance(value, bytes):
        return {"$binary": value.hex()}
    raise TypeError(f"a document holds {type(value).__name__} {value!r}, which no fold of ours writes")
