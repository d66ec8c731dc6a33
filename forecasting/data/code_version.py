"""Which code made a model or a forecast: a version of the sources and libraries that decide its numbers."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from contracts.sources import sources_sha256

# Whole folders: one that also holds what only carries numbers about changes the version now and then for nothing, but a
# list of single files is forgotten when a file is added.
DECIDING = {
    "contracts": ("actions.py", "events", "frames.py", "measures.py", "parts.py", "upcasters.py"),
    "forecasting": ("data", "models", "serving", "training"),
}
LIBRARIES = ("keras", "numpy", "pandas", "scipy", "statsmodels", "tensorflow-cpu")


@cache
def code_version() -> str:
    """Return the version of what runs here: the first 16 hex digits of a SHA-256."""
    return version_of({name: files(name) for name in DECIDING}, {name: version(name) for name in LIBRARIES})


def version_of(packages: Mapping[str, Traversable], libraries: Mapping[str, str]) -> str:
    """Hash the deciding sources and the libraries' versions, in an order that is always the same.

    Args:
        packages: the folder of each package of `DECIDING`.
        libraries: the version of each library.
    """
    return sources_sha256(packages, DECIDING, (f"{name}=={number}" for name, number in sorted(libraries.items())))[:16]
