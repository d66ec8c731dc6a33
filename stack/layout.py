"""Ports, folders and the environment of one stack: everything that follows from its home and its port offset."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streaming.settings import StreamSettings

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
YOURS = ("FORETICK_MONGODB_DATABASE", "FORETICK_SNAPSHOTS", "FORETICK_WEB")  # told by the user, they stay
MARK = "FORETICK_SUPERVISED"  # set to the home in every supervised process, so that orphans can be told

PORTS = {
    "forecasting": 8001,
    "gateway": 8000,
    "exchange": 8010,
    "producers": 8011,
    "projections": 8012,
    "scoring": 8013,
    "kafka": 9092,
    "kafka-controller": 9093,
    "registry": 8081,
    "registry-management": 8082,
    "mongodb": 27017,
    "mlflow": 5000,
    "airflow": 8080,
}
LARGEST_OFFSET = 65535 - max(PORTS.values())
_SOCKET_PATH_LIMIT = 100  # the kernel allows 107 bytes, and supervisor appends its pid while it binds


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Name every port, folder and address of one stack."""

    home: Path
    cache: Path
    port_offset: int = 0
    replay: bool = (
        True  # the market is the replay exchange's, and so is the time; else a real vendor and the wall clock
    )
    project: Path = PROJECT
    mongodb: str = ""  # URI of a document server that is not this stack's; empty: it starts one
    mongod: Path | None = None  # MongoDB's own server, where it is installed; None: the one that comes with Foretick

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def commands(self) -> Path:
        """Return the file in which supervised processes find what they are to become."""
        return self.run / "commands.json"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def web(self) -> Path:
        return self.project / "web" / "dist" / "browser"

    @property
    def airflow_python(self) -> Path:
        return self.project / ".venv-airflow" / "bin" / "python"

    @property
    def socket(self) -> Path:
        """Return the supervisor's socket: in the run folder, or under /tmp where that path would be too long."""
        path = self.run / "supervisor.sock"
        if len(str(path)) < _SOCKET_PATH_LIMIT - 10:
            return path
        return Path("/tmp") / f"foretick-{hashlib.sha256(str(self.home).encode()).hexdigest()[:16]}" / "supervisor.sock"

    def port(self, name: str) -> int:
        """Return the port of a service, moved by the offset."""
        return PORTS[name] + self.port_offset

    def url(self, name: str, path: str = "") -> str:
        """Return the http address of a service."""
        return f"http://{HOST}:{self.port(name)}{path}"

    @property
    def own_mongodb(self) -> str:
        """Return the URI of the document server that this stack starts."""
        return f"mongodb://{HOST}:{self.port('mongodb')}"

    def log(self, service: str) -> Path:
        """Return the file a service's output goes to."""
        return self.logs / f"{service}.log"

    def private(self) -> tuple[Path, ...]:
        """Return the folders that must exist before anything starts, and that nobody else may look into."""
        return (self.data, self.logs, self.run, self.secrets, self.socket.parent)

    def state(self) -> tuple[Path, ...]:
        """Return the folders that hold what the system knows: servers' data, the market's clock, snapshots."""
        return (self.data, self.home / "exchange", self.home / "snapshots")

    def stream(self) -> "StreamSettings":
        """Return where this stack's log is, whatever the user's own environment says of another one."""
        from streaming.settings import StreamSettings

        told = self.environment()
        return StreamSettings(kafka=told["FORETICK_KAFKA"], registry=told["FORETICK_REGISTRY"])

    def environment(self) -> dict[str, str]:
        """Return what every service, and the command line itself, is told by environment variables."""
        market = {
            "FORETICK_CLOCK_URL": self.url("exchange", "/clock"),
            "FORETICK_YAHOO_URL": self.url("exchange"),
            "FORETICK_EXCHANGE_FAULTS": "true",  # on one's own machine; nowhere else unless told to
        }
        return {
            "FORETICK_HOME": str(self.home),
            "FORETICK_PORT_OFFSET": str(self.port_offset),
            "FORETICK_KAFKA": f"{HOST}:{self.port('kafka')}",
            "FORETICK_REGISTRY": self.url("registry", "/apis/ccompat/v7"),
            "FORETICK_MONGODB": self.mongodb or self.own_mongodb,
            "FORETICK_MONGODB_DATABASE": "stock_db",
            "FORETICK_MLFLOW": self.url("mlflow"),
            "FORETICK_MLFLOW_LINK": self.url("mlflow"),
            "FORETICK_AIRFLOW_LINK": self.url("airflow"),
            "FORETICK_EXCHANGE_PORT": str(self.port("exchange")),
            "FORETICK_FORECASTING": self.url("forecasting"),
            "FORETICK_FORECASTING_PORT": str(self.port("forecasting")),
            "FORETICK_GATEWAY_PORT": str(self.port("gateway")),
            "FORETICK_SNAPSHOTS": str(self.home / "snapshots"),
            "FORETICK_WEB": str(self.web),
            **(market if self.replay else {}),
        }
