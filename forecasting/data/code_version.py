"""Which code made a model or a forecast: a version that changes when, and only when, that code does."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

# What decides the bytes of a training set and the numbers of a forecast; not what carries them about.
_DECIDING = (
    ("contracts", ("actions.py",)),
    (
        "forecasting",
        (
            "calendars.py",
            "calibrations.py",
            "conformal.py",
            "evaluation.py",
            "features.py",
            "frames.py",
            "metrics.py",
            "quantiles.py",
            "volatility.py",
            "windows.py",
            "models",
        ),
    ),
)


@cache
def code_version() -> str:
    """Return the first 16 hex digits of the SHA-256 over the sources that decide trainings and forecasts."""
    digest = sha256()
    for package, names in _DECIDING:
        for name in names:
            for path, file in _sources(files(package) / name, f"{package}/{name}"):
                digest.update(f"{path}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _sources(entry: Traversable, path: str) -> list[tuple[str, Traversable]]:
    if entry.is_file():
        return [(path, entry)] if path.endswith(".py") else []
    inside = sorted(entry.iterdir(), key=lambda item: item.name) if entry.is_dir() else []
    return [found for item in inside for found in _sources(item, f"{path}/{item.name}")]
