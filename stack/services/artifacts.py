"""Kafka's jars and the registry's archive: fetched with jgo, checked against the committed list on every use.

`artifacts.sha256` names each file by its Maven coordinates, so a run downloads exactly that list and resolves nothing.
`python -m stack.services.artifacts` resolves the versions below again and rewrites the list.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KAFKA = ("org.apache.kafka", "kafka_2.13", "4.4.0")
KAFKA_LOGGING = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.5")
REGISTRY = ("io.apicurio", "apicurio-registry-app", "3.3.3")
LIST = Path(__file__).with_name("artifacts.sha256")


class WrongChecksum(Exception):
    """A downloaded file is not the one that was committed."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Name one artifact and the sha256 its bytes must have."""

    sha256: str
    group: str
    artifact: str
    version: str
    packaging: str = "jar"
    classifier: str = ""

    @property
    def filename(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.{self.packaging}"

    def line(self) -> str:
        """Return this pin as a line of the list."""
        return f"{self.sha256}  {':'.join((self.group, self.artifact, self.version, self.packaging, self.classifier))}"


def pins() -> list[Pin]:
    """Return the committed list."""
    lines = (line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#"))
    return [Pin(sha256, *coordinates.split(":")) for sha256, coordinates in lines]


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Say where the checked files lie."""

    kafka: tuple[Path, ...]
    registry: Path  # the unpacked folder that holds quarkus-run.jar


def located(cache: Path) -> Artifacts:
    """Return where the files are once they were obtained."""
    wanted = pins()
    jars = tuple(_place(cache, pin) for pin in wanted if pin.packaging == "jar")
    return Artifacts(kafka=jars, registry=_unpacked(cache, _archive(wanted)))


def obtain(cache: Path) -> None:
    """Download what is missing, check everything, and unpack the registry once. Raises WrongChecksum."""
    wanted = pins()
    missing = [pin for pin in wanted if not _valid(_place(cache, pin), pin)]
    if missing:
        _download(cache, missing)
    _unpack(cache, _archive(wanted))


def _archive(wanted: list[Pin]) -> Pin:
    (archive,) = (pin for pin in wanted if pin.artifact == REGISTRY[1])
    return archive


def _place(cache: Path, pin: Pin) -> Path:
    return cache / "artifacts" / pin.sha256[:16] / pin.filename


def _valid(path: Path, pin: Pin) -> bool:
    return path.is_file() and _digest(path) == pin.sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(cache: Path, missing: list[Pin]) -> None:
    from jgo.maven import MavenContext, PythonResolver
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    cache.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with tempfile.TemporaryDirectory(dir=cache) as folder, Progress(*columns) as progress:
        overall = progress.add_task("Kafka and the registry", total=None)
        sizes: list[int] = []

        @contextmanager
        def watch(_filename: str, size: int) -> Iterator[Any]:
            sizes.append(size)
            progress.update(overall, total=sum(sizes))
            yield lambda count: progress.advance(overall, count)

        maven = MavenContext(repo_cache=Path(folder), resolver=PythonResolver(progress_callback=watch), timeout=60)

        def fetch(pin: Pin) -> None:
            component = maven.project(pin.group, pin.artifact).at_version(pin.version)
            path = component.artifact(classifier=pin.classifier, packaging=pin.packaging).resolve()
            found = _digest(path)
            if found != pin.sha256:
                raise WrongChecksum(
                    f"{pin.filename} has sha256 {found}, but {LIST.name} says {pin.sha256}: it was not used. "
                    "Try again; if it stays so, the download source was changed."
                )
            place = _place(cache, pin)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)

        with ThreadPoolExecutor(max_workers=6) as pool:
            list(pool.map(fetch, missing))


def _unpacked(cache: Path, pin: Pin) -> Path:
    return _place(cache, pin).parent / "unpacked"


def _unpack(cache: Path, pin: Pin) -> None:
    target = _unpacked(cache, pin)
    if target.is_dir():
        return
    beside = Path(tempfile.mkdtemp(dir=target.parent))
    with tarfile.open(_place(cache, pin)) as archive:
        archive.extractall(beside, filter="data")
    try:
        beside.rename(target)
    except OSError:  # another stack unpacked the same checked archive meanwhile
        shutil.rmtree(beside)


def _resolve(cache: Path) -> Iterable[Pin]:
    from jgo.maven import Dependency, MavenContext, PythonResolver

    maven = MavenContext(repo_cache=cache, resolver=PythonResolver(), timeout=60)

    def artifact(coordinates: tuple[str, str, str], **kind: str) -> Any:
        group, name, version = coordinates
        return maven.project(group, name).at_version(version).artifact(**kind)

    # Kafka is the one root: beside it, log4j's BOM would downgrade kafka-clients.
    roots, transitive = maven.resolver.resolve([Dependency(artifact(KAFKA), scope="compile")])
    found = [dependency.artifact for dependency in (*roots, *transitive)]
    found += [artifact(KAFKA_LOGGING), artifact(REGISTRY, classifier="all", packaging="tar.gz")]
    for each in sorted(found, key=lambda each: (each.groupId, each.artifactId)):
        path = each.resolve()
        yield Pin(_digest(path), each.groupId, each.artifactId, each.version, each.packaging, each.classifier)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        LIST.write_text("".join(f"{pin.line()}\n" for pin in _resolve(Path(scratch))))
