"""Which code made a model or a forecast: a version of the sources and libraries that decide its numbers."""

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

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
    digest = sha256()
    for package, names in DECIDING.items():
        for name in names:
            for path, source in _sources(packages[package] / name, f"{package}/{name}"):
                digest.update(f"{path}\n".encode() + source)
    digest.update("".join(f"{name}=={number}\n" for name, number in sorted(libraries.items())).encode())
    return digest.hexdigest()[:16]


def _sources(entry: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    if entry.is_dir():
        for inside in sorted(entry.iterdir(), key=lambda item: item.name):
            yield from _sources(inside, f"{path}/{inside.name}")
    elif path.endswith(".py"):
        yield path, entry.read_bytes()
