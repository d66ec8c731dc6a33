"""What a backup holds: every file of the home, as pieces that are named by their content."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

EndsByTopic = dict[str, dict[int, int]]
SchemaIds = dict[str, dict[int, int]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Part):
    """Some bytes, by their SHA-256."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


def _within(path: str) -> str:
    """Return a path that leads nowhere out of the folder it is relative to. Raises ValueError for another."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise ValueError(f"{path!r} leads out of the home")
    return path


class StoredFile(_Part):
    """A file of the home.

    Attributes:
        path: relative to the home.
        size: of the source when it was read; with `modified`, it tells that a file is still the same.
        modified: the source's modification time, in nanoseconds since the epoch.
        following: of a segment of the log: the offset after its last record.
    """

    path: Annotated[str, AfterValidator(_within)]
    pieces: tuple[Piece, ...]
    size: int
    modified: int
    following: int | None = None


class BackupManifest(_Part):
    """A backup.

    Attributes:
        home: format of the home that was backed up.
        cluster: Kafka's id of the log.
        ends: next offset by topic and partition.
        schemas: the registry's id by subject and version.
        registry: what the registry has exported.
        settings: FORETICK_* settings that were in force.
    """

    format: Literal[1] = 1
    made_by: str
    taken_at: datetime
    home: int
    cluster: str
    ends: EndsByTopic
    schemas: SchemaIds
    registry: Piece
    settings: dict[str, str]
    files: tuple[StoredFile, ...]

    def pieces(self) -> dict[str, Piece]:
        """Return every piece by its SHA-256."""
        named = (piece for file in self.files for piece in file.pieces)
        return {piece.sha256: piece for piece in (self.registry, *named)}
