"""Say what would go wrong before anything starts."""

import resource
import shutil
import socket
from collections.abc import Iterable

import psutil
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

from stack.layout import HOST, Layout
from stack.run.validation import wrong_settings
from stack.services.service import Service

LEAST_DISK_GIGABYTES = 3
LEAST_FILES = 1024


class NotStartable(Exception):
    """The machine is not ready; the message says what to do."""


def check_before_start(layout: Layout, services: Iterable[Service]) -> None:
    """Raise NotStartable with every problem at once."""
    services = list(services)
    problems = [
        *unholdable_paths(layout),
        *wrong_settings(services),
        *missing_environment(layout, services),
        *no_loopback(),
        *busy_ports(layout, services),
        *little_disk(layout),
        *few_files(),
        *documents_away(layout, services),
    ]
    if problems:
        raise NotStartable("\n".join(problems))


def unholdable_paths(layout: Layout) -> list[str]:
    """Return a line for each folder whose name a server could not be told."""
    problems = []
    for name, path, unholdable, why in (
        ("FORETICK_HOME", layout.home, "$\\", "a server's configuration"),
        ("FORETICK_CACHE", layout.cache, ":", "Java's class path"),
    ):
        text = str(path)
        bad = sorted({each for each in text if each in unholdable or not each.isprintable()})
        if bad:
            which = " and ".join(repr(each) for each in bad)
            problems.append(f"{name}={text!r} has {which} in it, which {why} cannot hold. Name another folder.")
    return problems


def missing_environment(layout: Layout, services: Iterable[Service]) -> list[str]:
    """Return a line when Airflow's own environment is not there."""
    if layout.airflow_python.exists() or not any(service.group == "airflow" for service in services):
        return []
    return [
        f"Airflow is not installed ({layout.airflow_python} is missing). "
        "`make run` installs it; or leave it out: foretick up --without airflow"
    ]


def no_loopback() -> list[str]:
    """Return a line when nothing can listen on the address at which the parts of a stack find one another."""
    with socket.socket() as candidate:
        try:
            candidate.bind((HOST, 0))
        except OSError as error:
            return [
                f"Nothing can listen on {HOST} ({error.strerror}), where all servers are to. Has loopback no IPv4 "
                f"address? As root: ip address add {HOST}/8 dev lo"
            ]
    return []


def busy_ports(layout: Layout, services: Iterable[Service]) -> list[str]:
    """Return a line for every port that something else holds."""
    problems = []
    for service in services if not no_loopback() else ():
        for name in service.ports:
            port = layout.port(name)
            if not free(port):
                problems.append(
                    f"Port {port} ({service.name}) is in use{_holder(port)}. "
                    "Stop that, or move all ports of this stack: FORETICK_PORT_OFFSET=100 foretick up"
                )
    return problems


def few_files() -> list[str]:
    """Return a line when this process, and so all that it starts, may not open as many files as a broker needs."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most >= LEAST_FILES:
        return []
    return [
        f"Only {most} files may be open at a time; {LEAST_FILES} are needed. Raise the limit: ulimit -n {LEAST_FILES}, "
        "or nofile in /etc/security/limits.conf, or LimitNOFILE of a systemd unit."
    ]


def documents_away(layout: Layout, services: Iterable[Service]) -> list[str]:
    """Return a line when read models are to lie in a document server of the user's, and it does not answer."""
    if not layout.mongodb or not {"projections", "gateway"} & {service.name for service in services}:
        return []
    from projections.mongo import why_away
    from projections.settings import ProjectionSettings

    try:
        settings = ProjectionSettings(mongodb=SecretStr(layout.mongodb))
    except (ValidationError, SettingsError):  # `wrong_settings` tells
        return []
    why = why_away(settings)
    return [f"FORETICK_MONGODB: {why}. Start it, or take the setting away: Foretick then starts one."] if why else []


def little_disk(layout: Layout) -> list[str]:
    """Return a line when the disk under the home folder has too little room."""
    free_gigabytes = shutil.disk_usage(layout.home).free / 1e9
    if free_gigabytes >= LEAST_DISK_GIGABYTES:
        return []
    return [
        f"Only {free_gigabytes:.1f} GB are free under {layout.home}; {LEAST_DISK_GIGABYTES} GB are needed. "
        "Make room, or point FORETICK_HOME at another disk."
    ]


def free(port: int) -> bool:
    """Tell whether a port can be listened on."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            return f" by process {connection.pid} ({_command(connection.pid)})"
    return ""


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:80]
    except psutil.Error:
        return "gone meanwhile"
