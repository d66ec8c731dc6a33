"""Which process an MLflow run belongs to, and whether that process is gone.

A process that is killed outright cannot say so.  Its run names it by machine, boot, PID namespace, PID and start, so
that another process can tell, and never takes a PID that was given out again for the old one.  Linux.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

HIDDEN = -1
_OUTERMOST = str(0xEFFFFFFC)  # PROC_PID_INIT_INO: a namespace of that inode is the machine's own
_PREFIX = "process."


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, named so that no other one ever is.

    Attributes:
        host: name of the machine, and its id where it has one.
        boot: id of the machine's boot.
        namespace: inode of the PID namespace; of another one (a container's) nothing can be told.
        started: clock ticks from the boot to the process's start.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: int

    def tags(self) -> dict[str, str]:
        """Return the process as tags of a run."""
        return {f"{_PREFIX}{name}": str(value) for name, value in asdict(self).items()}

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self | None:
        """Read the process off a run's tags; None where they do not name one."""
        try:
            host, boot, namespace, pid, started = (tags[f"{_PREFIX}{name}"] for name in cls.__slots__)
            return cls(host, boot, namespace, int(pid), int(started))
        except (KeyError, ValueError):  # a run of older code, or of a person's
            return None

    def gone(self, here: "ProcessIdentity", started: Callable[[int], int | None]) -> bool:
        """Tell whether it is certain, seen from process `here`, that this one has ended.

        Args:
            started: gives the start of the process of a PID here, None where there is none; see `started_at`.
        """
        if (self.host, self.namespace) != (here.host, here.namespace):
            return False
        if (
            self.boot != here.boot
        ):  # no process outlives its boot; but a container's name may be that of others elsewhere
            return self.namespace == _OUTERMOST and "/" in self.host
        return started(self.pid) not in (self.started, HIDDEN)


def this_process() -> ProcessIdentity:
    """Return the process that asks."""
    pid = os.getpid()
    machine = _read("/etc/machine-id")
    return ProcessIdentity(
        host="/".join(filter(None, (socket.gethostname(), machine))),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        namespace=str(Path("/proc/self/ns/pid").stat().st_ino),
        pid=pid,
        started=started_at(pid) or HIDDEN,
    )


def started_at(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot; None where there is none of that PID any more.

    One that has ended and that its parent has not asked about yet counts as gone (proc_pid_stat(5), fields 3 and 22).
    One that /proc hides, of another user, has started at an unknown time: -1.
    """
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return HIDDEN if _there(pid) else None
    return None if state in ("Z", "X") else int(fields[18])


def _there(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # only asks
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except FileNotFoundError:  # containers mostly have no machine id
        return ""
