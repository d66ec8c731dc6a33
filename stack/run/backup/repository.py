"""The folder of a backup: pieces by their SHA-256, and one manifest, which is replaced when all pieces are there."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from stack.run.backup.manifest import BackupManifest, Piece

_CHUNK = 1 << 20
_MANIFEST, _PIECES, _TEMPORARY = "manifest.json", "pieces", "writing"


class BackupRefused(Exception):
    """A backup cannot be made or restored; the text says why, and what to do."""


class Repository:
    """Pieces and a manifest in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pieces = folder / _PIECES

    def make(self) -> None:
        """Make the folders, which nobody else may look into: settings and secrets are in them.

        Raises:
            BackupRefused: the folder holds something else.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        strange = {found.name for found in self.folder.iterdir()} - {_MANIFEST, _PIECES, _TEMPORARY, "lock"}
        if strange:
            raise BackupRefused(
                f"{self.folder} holds something else ({sorted(strange)[0]}). Name an empty folder, or one of a backup."
            )
        self._pieces.mkdir(exist_ok=True, mode=0o700)

    def manifest(self) -> BackupManifest | None:
        """Return the manifest, None if there is no backup.

        Raises:
            BackupRefused: it is damaged, or of a later version of Foretick.
        """
        try:
            return BackupManifest.model_validate_json((self.folder / _MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise BackupRefused(
                f"{self.folder / _MANIFEST} cannot be read: it is damaged, or a later version of Foretick made it. "
                f"({error.error_count()} faults, such as {error.errors()[0]['msg']})"
            ) from error

    def store(self, chunks: Iterable[bytes]) -> Piece:
        """Keep some bytes, durably."""
        hashed, size = hashlib.sha256(), 0
        with self._written() as file:
            for chunk in chunks:
                hashed.update(chunk)
                size += len(chunk)
                file.write(chunk)
        (self.folder / _TEMPORARY).replace(self._pieces / hashed.hexdigest())
        return Piece(sha256=hashed.hexdigest(), size=size)

    def read(self, piece: Piece) -> Iterator[bytes]:
        """Yield a piece's bytes.

        Raises:
            BackupRefused: they are gone, or not those that were kept; what was yielded before counts for nothing.
        """
        try:
            with (self._pieces / piece.sha256).open("rb") as file:
                hashed = hashlib.sha256()
                while chunk := file.read(_CHUNK):
                    hashed.update(chunk)
                    yield chunk
        except FileNotFoundError as error:
            raise BackupRefused(f"The backup lacks {error.filename}. Nothing can be restored from it.") from error
        if hashed.hexdigest() != piece.sha256:
            raise BackupRefused(f"The backup is damaged: {file.name} is not what was kept.")

    def commit(self, manifest: BackupManifest) -> None:
        """Let a manifest be the backup's, and remove the pieces that only an earlier one named."""
        _sync(self._pieces)
        with self._written() as file:
            file.write(manifest.model_dump_json(indent=1).encode())
        (self.folder / _TEMPORARY).replace(self.folder / _MANIFEST)
        _sync(self.folder)
        named = manifest.pieces()
        for piece in self._pieces.iterdir():
            if piece.name not in named:
                piece.unlink()

    @contextmanager
    def _written(self) -> Iterator[BinaryIO]:
        """Yield a file to write to; it is on the disk afterwards."""
        temporary = self.folder / _TEMPORARY
        temporary.touch(mode=0o600)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
