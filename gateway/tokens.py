"""Static tokens: made once, shown once, kept as hashes.

`python -m gateway.tokens FILE` makes a file with one token if there is none, and prints the token: what a container
does at its first start.
"""

import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from gateway.access import SCOPES

PREFIX = "ftk_"
_ENTRY = re.compile(
    r"^(?P<name>[\w.@-]{1,64}):(?P<scopes>[a-z]+(\+[a-z]+)*):(?P<hash>[0-9a-f]{64})(:(?P<until>\d{4}-\d\d-\d\d))?$"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a token may do."""

    name: str
    scopes: frozenset[str]
    until: float | None = None  # epoch seconds; None: for ever


def new_token(random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return a token of 256 random bits."""
    return PREFIX + random(32)


def digest(token: str) -> str:
    """Return what is kept of a token: SHA-256 is enough, for nobody guesses 256 random bits."""
    return sha256(token.encode()).hexdigest()


def entry(name: str, scopes: Iterable[str], token: str, until: date | None = None) -> str:
    """Return the setting's line of a token, `name:scopes:hash`; raises ValueError saying what is wrong.

    Args:
        until: first day (UTC) on which the token is not taken any more; the line ends with it.
    """
    line = f"{name}:{'+'.join(sorted(scopes))}:{digest(token)}" + (f":{until}" if until else "")
    parse([line])
    return line


def parse(lines: Iterable[str]) -> Mapping[str, Grant]:
    """Return the grants of lines `name:scope+scope:hash[:day]` by hash; raises ValueError naming the line at fault."""
    grants: dict[str, Grant] = {}
    for number, line in enumerate(lines, start=1):
        found = _ENTRY.match(line)
        if not found:
            raise ValueError(f"token {number} is not name:scopes:hash[:day]; `foretick token new` prints such a line")
        scopes = frozenset(found["scopes"].split("+"))
        if scopes - SCOPES:
            raise ValueError(f"token {number} ({found['name']}): the scopes are {' and '.join(sorted(SCOPES))}")
        try:
            until = datetime.fromisoformat(found["until"]).replace(tzinfo=UTC).timestamp() if found["until"] else None
        except ValueError:
            raise ValueError(f"token {number} ({found['name']}): {found['until']} is no day") from None
        grants[found["hash"]] = Grant(found["name"], scopes, until)
    return grants


def read_lines(path: Path) -> list[str]:
    """Return the lines of a tokens file; empty ones and those that begin with # say nothing."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def main(arguments: list[str]) -> int:
    """Make a tokens file with one token of both scopes if it is not there; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m gateway.tokens FILE", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    if path.exists():
        print(f"{path} is there already; its tokens stay as they are")
        return 0
    token = new_token()
    path.touch(mode=0o600)
    path.write_text(entry("owner", SCOPES, token) + "\n", "utf-8")
    print(f"A token for the gateway, shown this once: {token}\nTo get another: remove {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
