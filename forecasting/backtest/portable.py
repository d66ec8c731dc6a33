"""A fitted model that can be sent to another process, or another machine: as the files that it is saved in."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecasting.models.base import Estimator
from forecasting.models.families import family

_MOST = 64  # models that a process keeps: those of a backtest that learns again a dozen times


@dataclass(frozen=True)
class PortableModel:
    """Holds a fitted model; pickled, it is what the model saves of itself."""

    model: Estimator

    def __reduce__(self) -> tuple[Any, ...]:
        return _loaded, (self.model.family, self._files)

    @cached_property
    def _files(self) -> tuple[tuple[str, bytes], ...]:
        with TemporaryDirectory(prefix="foretick-model-") as name:
            folder = Path(name)
            self.model.save(folder)
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            return tuple((str(path.relative_to(folder)), path.read_bytes()) for path in paths)


@lru_cache(_MOST)  # a process that is asked again has it already
def _loaded(name: str, files: tuple[tuple[str, bytes], ...]) -> PortableModel:
    with TemporaryDirectory(prefix="foretick-model-") as folder:
        for path, content in files:
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return PortableModel(family(name).load(Path(folder)))
