"""Apache Airflow in an environment of its own: API server, scheduler, DAG processor and triggerer."""

import base64
import json
import secrets
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

from stack.layout import HOST, Layout
from stack.services import health
from stack.services.http import ServiceAway, get_json
from stack.services.migrations import migrate_once
from stack.services.service import Service, nothing

AIRFLOW_USER = "admin"
_COMMANDS = {
    "airflow-api": ("api-server",),
    # Without the flag these two serve their logs on every interface of the machine.
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dag-processor": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}
AIRFLOW_NAMES = tuple(_COMMANDS)
_HEARTBEATS = {
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}


def airflow_services(layout: Layout) -> list[Service]:
    """Return the four processes; the API server migrates the database first."""
    environment = airflow_settings(layout)
    return [
        Service(
            name=name,
            group="airflow",
            command=(str(layout.airflow_python), "-m", "airflow", *command),
            environment=environment,
            # The API needs nobody, but it would take the processor from those who bring the chart to the screen.
            needs=("gateway", "producers") if name == "airflow-api" else ("airflow-api",),
            answers=_answers(layout, name),
            ports=("airflow",) if name == "airflow-api" else (),
            url=layout.url("airflow") if name == "airflow-api" else "",
            prepare=(lambda: _migrate(layout, environment)) if name == "airflow-api" else nothing,
            # The processor of DAG files keeps nothing, and one that is told to end while it writes at times never does.
            stop_seconds=8 if name == "airflow-dag-processor" else 25,
        )
        for name, command in _COMMANDS.items()
    ]


def airflow_settings(layout: Layout) -> dict[str, str]:
    """Return the AIRFLOW__* environment, with secrets made once per home."""
    home = layout.data / "airflow"
    secret = _secrets(layout)
    values = {
        "core__executor": "LocalExecutor",
        "core__parallelism": "2",
        "core__load_examples": "false",
        "core__dags_folder": str(layout.project / "dags"),
        "core__fernet_key": secret["fernet"],
        "core__execution_api_server_url": layout.url("airflow", "/execution/"),
        "core__simple_auth_manager_users": f"{AIRFLOW_USER}:admin",
        "core__simple_auth_manager_passwords_file": str(airflow_passwords(layout)),
        "database__sql_alchemy_conn": f"sqlite:///{quote(str(home))}/airflow.db",
        "api__host": HOST,
        "api__port": str(layout.port("airflow")),
        "api__base_url": layout.url("airflow"),
        "api__workers": "1",
        "api__secret_key": secret["api"],
        "api_auth__jwt_secret": secret["jwt"],
        "logging__base_log_folder": str(layout.logs / "airflow"),
        "usage_data_collection__enabled": "false",
        "dag_processor__refresh_interval": "30",
        "dag_processor__parsing_processes": "1",
    }
    installed = Path(sys.executable).with_name("foretick")
    command = (
        (str(installed),) if installed.exists() else ("env", "-C", str(layout.project), sys.executable, "-m", "stack")
    )
    return {f"AIRFLOW__{name.upper()}": value for name, value in values.items()} | {
        "AIRFLOW_HOME": str(home),
        "FORETICK_COMMAND": shlex.join(command),
        "FORETICK_PROGRESS": "json",  # whoever triggered a training shows its progress
        "no_proxy": "*",  # everything it calls is on this machine
        "SPT_NOENV": "1",  # its process titles would overwrite the environment by which orphans are told
    }


def airflow_password(layout: Layout) -> str:
    """Return the password of the user `admin`."""
    users: dict[str, str] = json.loads(airflow_passwords(layout).read_text())
    return users[AIRFLOW_USER]


def airflow_passwords(layout: Layout) -> Path:
    """Return the file with the password of each user."""
    return layout.secrets / "airflow-users.json"


def _secrets(layout: Layout) -> dict[str, str]:
    """Return this home's secrets, making them the first time: other ones would log everybody out."""
    path = layout.secrets / "airflow.json"
    if not path.exists():
        layout.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(airflow_passwords(layout), {AIRFLOW_USER: secrets.token_urlsafe(16)})
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        _write(path, {"jwt": secrets.token_hex(32), "api": secrets.token_hex(32), "fernet": fernet})
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded


def _write(path: Path, content: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))


def _migrate(layout: Layout, environment: dict[str, str]) -> None:
    """Create or upgrade the database, once per Airflow version."""
    home = layout.data / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    command = (str(layout.airflow_python), "-m", "airflow", "db", "migrate")
    migrate_once(layout, "airflow-api", _version(layout), command, folder=home, environment=environment)


def _version(layout: Layout) -> str:
    (found,) = layout.airflow_python.parent.parent.glob("lib/python*/site-packages/apache_airflow_core-*.dist-info")
    return found.name


def _answers(layout: Layout, name: str) -> health.Probe:
    url = layout.url("airflow", "/api/v2/monitor/health")
    heartbeat = _HEARTBEATS.get(name)
    if heartbeat is None:
        return health.http_probe(url)

    def check(seconds: float = 3.0) -> bool:
        try:
            return bool(get_json(url, timeout=seconds)[heartbeat]["status"] == "healthy")
        except ServiceAway:
            return False

    return check
