"""Settings of the projections: where the read models and the snapshots are kept."""

from pathlib import Path

from pydantic import Field, SecretStr

from streaming.settings import StreamSettings


class ProjectionSettings(StreamSettings):
    """What the projections service, rebuilds and snapshots need to know."""

    mongodb: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"), description="MongoDB URI; credentials and TLS options go into it."
    )
    mongodb_database: str = Field("stock_db", description="Database of the read models.")
    home: Path = Field(Path(".foretick"), description="Folder of everything local.")
    snapshots: Path | None = Field(None, description="Folder of the snapshots; default: `snapshots` in the home.")
    snapshot_seconds: float = Field(
        60.0, ge=0, description="Seconds from one snapshot to the next, if bars came in between; 0: none are written."
    )

    @property
    def snapshot_folder(self) -> Path:
        """Return where snapshots go."""
        return self.snapshots or self.home / "snapshots"
