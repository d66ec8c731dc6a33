"""Static tokens: made once, shown once, kept as hashes; and whose JWTs are not taken any more.

`python -m gateway.access.tokens FILE` makes a file with one token if there is none, and prints the token: what a
container does at its first start.
"""

import hashlib
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from gateway.access.scopes import SCOPES
from streaming.watched import WatchedFiles

log = structlog.get_logger()

PREFIX = "ftk_"
_ENTRY = re.compile(
    r"^(?P<name>[\w.@-]{1,64}):(?P<scopes>[a-z]+(\+[a-z]+)*):((?P<kind>[a-z0-9_]+)-)?(?P<hash>[0-9a-f]{64})"
    r"(:(?P<until>\d{4}-\d\d-\d\d))?$"
)
_HASHES = ("sha256", "sha3_256")  # the first is taken where a line names none, and for new lines
_DENY = "deny "


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a token may do."""

    name: str
    scopes: frozenset[str]
    until: float | None = None  # epoch seconds; None: for ever


@dataclass(frozen=True, slots=True)
class Grants:
    """Who is let in: what tokens allow, by their hashes; and the subjects whose JWTs are denied."""

    tokens: Mapping[str, Grant] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()

    def of(self, token: str) -> tuple[str, Grant] | None:
        """Return the hash and the grant of a token; None: it is not known."""
        for kind in _HASHES:
            if grant := self.tokens.get(found := token_digest(token, kind)):
                return found, grant
        return None


class Register:
    """The grants of the settings and of a file, which is read again when it has changed."""

    def __init__(self, lines: Sequence[str], file: Path | None) -> None:
        self._lines = lines
        self._file = file
        self._watched = WatchedFiles(file)
        self._grants = read_grants(lines, file)

    @property
    def grants(self) -> Grants:
        """Return them as they are now, a second old at most; a file that cannot be read leaves them as they were."""
        if self._watched.changed():
            try:
                self._grants = read_grants(self._lines, self._file)
                log.info("the tokens were read again", tokens=len(self._grants.tokens), denied=len(self._grants.denied))
            except ValueError as error:
                log.error("the tokens stay as they were", fault=str(error))
        return self._grants


def new_token(random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return a token of 256 random bits."""
    return PREFIX + random(32)


def token_digest(token: str, kind: str = _HASHES[0]) -> str:
    """Return what is kept of a token, `kind-hex`: a plain hash is enough, for nobody guesses 256 random bits."""
    return f"{kind}-{hashlib.new(kind, token.encode()).hexdigest()}"


def token_entry(name: str, scopes: Iterable[str], token: str, until: date | None = None) -> str:
    """Return the setting's line of a token, `name:scopes:kind-hash`; raises ValueError saying what is wrong.

    Args:
        until: first day (UTC) on which the token is not taken any more; the line ends with it.
    """
    line = f"{name}:{'+'.join(sorted(scopes))}:{token_digest(token)}" + (f":{until}" if until else "")
    parse_entry([line])
    return line


def parse_entry(lines: Iterable[str]) -> Grants:
    """Return the grants of lines `name:scope+scope:hash[:day]` and `deny SUBJECT`.

    Raises:
        ValueError: a line is at fault; the text names it.
    """
    grants: dict[str, Grant] = {}
    denied: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.startswith(_DENY):
            denied.add(line.removeprefix(_DENY).strip())
            continue
        found = _ENTRY.match(line)
        if not found:
            raise ValueError(f"token {number} is not name:scopes:hash[:day]; `foretick token new` prints such a line")
        scopes = frozenset(found["scopes"].split("+"))
        if scopes - SCOPES:
            raise ValueError(f"token {number} ({found['name']}): the scopes are {' and '.join(sorted(SCOPES))}")
        kind = found["kind"] or _HASHES[0]
        if kind not in _HASHES:
            raise ValueError(f"token {number} ({found['name']}): the hashes known here are {' and '.join(_HASHES)}")
        try:
            until = datetime.fromisoformat(found["until"]).replace(tzinfo=UTC).timestamp() if found["until"] else None
        except ValueError:
            raise ValueError(f"token {number} ({found['name']}): {found['until']} is no day") from None
        grants[f"{kind}-{found['hash']}"] = Grant(found["name"], scopes, until)
    return Grants(grants, frozenset(denied))


def read_grants(lines: Sequence[str], file: Path | None) -> Grants:
    """Return the grants of lines and of a file; of that, empty lines and those that begin with # say nothing.

    Raises:
        ValueError: a line is at fault, or the file cannot be read.
    """
    try:
        further = [line.strip() for line in file.read_text("utf-8").splitlines()] if file else []
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ValueError(f"FORETICK_TOKENS_FILE={file} cannot be read: {why}") from error
    return parse_entry([*lines, *(line for line in further if line and not line.startswith("#"))])


def main(arguments: list[str]) -> int:
    """Make a tokens file with one token of both scopes if it is not there; return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m gateway.access.tokens FILE", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    if path.exists():
        print(f"{path} is there already; its tokens stay as they are")
        return 0
    token = new_token()
    path.touch(mode=0o600)
    path.write_text(token_entry("owner", SCOPES, token) + "\n", "utf-8")
    print(f"A token for the gateway, shown this once: {token}\nTo get another: remove {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
