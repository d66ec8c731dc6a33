"""Which code something was made with: a hash over the sources that decide it."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.resources.abc import Traversable


def sources_sha256(
    packages: Mapping[str, Traversable], deciding: Mapping[str, Iterable[str]], further: Iterable[str] = ()
) -> str:
    """Hash deciding sources, in an order that is always the same; return 64 hex digits.

    Args:
        packages: the folder of each package.
        deciding: the files and whole folders of each package that count.
        further: lines that count as well, such as versions of libraries.
    """
    digest = sha256()
    for package, names in deciding.items():
        for name in names:
            for path, source in _sources(packages[package] / name, f"{package}/{name}"):
                digest.update(f"{path}\n".encode() + source)
    digest.update("".join(f"{line}\n" for line in further).encode())
    return digest.hexdigest()


def _sources(entry: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    if entry.is_dir():
        for inside in sorted(entry.iterdir(), key=lambda item: item.name):
            yield from _sources(inside, f"{path}/{inside.name}")
    elif path.endswith(".py"):
        yield path, entry.read_bytes()
