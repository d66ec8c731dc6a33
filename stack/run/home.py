"""Which version of Foretick a home is of: `up` brings an older one to its own, and refuses a newer one."""

from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ValidationError

from stack.layout import Layout
from stack.run.preflight import NotStartable

HOME_FORMAT = 1  # one more when an earlier Foretick could not go on with a home that this one has written
UNFINISHED = "restore.unfinished"


class Home(BaseModel):
    """What a home tells of itself.

    Attributes:
        format: how its files are laid out.
        made_by: version of Foretick that wrote to it last.
    """

    format: int
    made_by: str


def record_version(home: Path, format_: int = HOME_FORMAT) -> None:
    """Write what a home is."""
    path = _file(home)
    temporary = path.with_suffix(".writing")
    temporary.touch(mode=0o600)
    temporary.write_text(Home(format=format_, made_by=version("foretick")).model_dump_json() + "\n")
    temporary.replace(path)


def admit_home(layout: Layout) -> None:
    """Bring a home to this version, unless it is one already.

    Raises:
        NotStartable: it is a later version's, or a restore into it did not come to its end; the text tells the way.
    """
    if (layout.home / UNFINISHED).exists():
        raise NotStartable(f"A restore into {layout.home} did not come to its end. Give it again: foretick restore DIR")
    try:
        found = Home.model_validate_json(_file(layout.home).read_bytes())
    except FileNotFoundError:  # a new one, or of the time before homes told what they are
        found = None
    except ValidationError as error:
        raise NotStartable(
            f"{_file(layout.home)} cannot be read. Remove it if this home is of this version."
        ) from error
    if found and found.format > HOME_FORMAT:
        raise NotStartable(
            f"Foretick {found.made_by} has written to {layout.home} in a way that {version('foretick')} cannot read. "
            "Use that version or a later one, or restore a backup of the time before into an empty FORETICK_HOME."
        )
    if found is None or found != Home(format=HOME_FORMAT, made_by=version("foretick")):
        record_version(layout.home)


def _file(home: Path) -> Path:
    return home / "home.json"
