"""What `foretick contracts` does: check, compare, register and release schema versions."""

from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from contracts.events import Event
from contracts.tools.checks import check_schemas
from contracts.tools.differences import changes
from contracts.tools.releases import begin, draft, file_of, obstacles, release_version
from contracts.topics import TOPICS
from contracts.versions import SchemaVersion, versions
from stack.commands import generated
from stack.commands.rebuild import progress_bar, reading_progress
from stack.layout import PROJECT
from stack.services.topics_and_schemas import restored_words
from stack.terminal import DONE, say
from streaming.checks import check_registry
from streaming.damage import LogUnsound
from streaming.errors import RegistryAway, ServerAway
from streaming.registry import SchemaLost, SchemaRefused
from streaming.settings import StreamSettings

_SCHEMAS = PROJECT / "contracts" / "schemas"


class NoSuch(Exception):
    """There is no such event or version; the text lists those there are."""


def event_named(name: str) -> type[Event]:
    """Return an event type by its name, or by its topic's.

    Raises:
        NoSuch: there is none.
    """
    for topic in TOPICS:
        if name.lower() in (topic.event.__name__.lower(), topic.name):
            return topic.event
    raise NoSuch(f"there is no event {name}; there are {', '.join(topic.event.__name__ for topic in TOPICS)}")


def check_contracts(settings: StreamSettings, app: TyperGroup, offline: bool, console: Console) -> int:
    """Print every incompatibility; return 0 if there is none, 1 if there is, 2 if the registry does not answer."""
    problems = [*check_schemas(), *generated.outdated_files(PROJECT, app)]
    notes: list[str] = []
    if not offline:
        try:
            with progress_bar(console) as shown:
                against = check_registry(settings, reading_progress(shown))
        except RegistryAway as away:
            console.print(str(away), style="red")
            console.print("Start it (foretick up), or check the files alone: --offline")
            return 2
        problems += against.problems
        notes += against.notes
    for problem in problems:
        console.print(f"✗ {problem}", style="red")
    for note in notes:
        console.print(f"• {note}")
    if problems:
        return 1
    count = sum(len(versions(topic.event)) for topic in TOPICS)
    others = "every other version" if offline else f"every other version and {settings.registry}"
    console.print(DONE, f"{count} schema versions of {len(TOPICS)} events agree with {others}")
    return 0


def diff_versions(name: str, older: int | None, newer: int | None, console: Console) -> int:
    """Print what changed between two versions and what it means; return 1 if the change breaks a rule.

    Raises:
        NoSuch: there is no such event or version.
    """
    history = versions(event_named(name))
    after = _version(history, newer or history[-1].version)
    before = _version(history, older or max(1, after.version - 1))
    old, new = f"v{before.version}", f"v{after.version}"
    found = changes(before.schema, after.schema, old, new)
    if not found:
        console.print(f"{before.event} {old} and {new} are the same")
        return 0
    table = Table("Field", "Change", "For readers and writers", title=f"{before.event}: {old} to {new}")
    for change in found:
        meaning = (
            f"{change.meaning}\nRule: {change.rule}.\nInstead: {change.instead}." if change.rule else change.meaning
        )
        table.add_row(change.path, change.what, meaning, style="red" if change.rule else "")
    console.print(table)
    if any(change.rule for change in found):
        console.print(f"✗ {old} and {new} do not go together", style="red")
        return 1
    console.print(DONE, f"fully compatible: programs with {old} and {new} may read and write side by side")
    return 0


def begin_or_release(name: str, app: TyperGroup, console: Console) -> int:
    """Begin the next version of an event's schema, or release the one that was begun; 1 if that is not ready.

    Raises:
        NoSuch: there is no such event.
    """
    event = event_named(name)
    version = draft(event)
    if version is None:
        path = begin(event, _SCHEMAS)
        command = f"foretick contracts new-version {event.__name__}"
        console.print(DONE, f"{path.relative_to(PROJECT)} is a copy of the newest version")
        console.print(
            "Edit it: add fields that are nullable with default null and have a doc; leave the others as they are.\n"
            f"Add them to {event.__name__} in {file_of(event)} (default None), and values to its sample in "
            f"contracts/samples.py.\nThen run `{command}` again: it releases the version, or says what is missing.\n"
            "To give up, delete the file.",
        )
        return 0
    if missing := obstacles(event):
        for each in missing:
            console.print(f"✗ {each}", style="red")
        return 1
    written = [*release_version(event, _SCHEMAS), *generated.write_generated(PROJECT, app)]
    console.print(DONE, f"{version.event} v{version.version} is released: from now on it never changes")
    console.print("\n".join(f"  {path.relative_to(PROJECT)}" for path in written))
    console.print(
        "Commit these with the schema. The next `foretick up`, or `foretick contracts register`, registers it."
    )
    return 0


def generate_files(app: TyperGroup, console: Console) -> int:
    """Write the files that are made from the code."""
    written = generated.write_generated(PROJECT, app)
    console.print("\n".join(str(path.relative_to(PROJECT)) for path in written) or "All are up to date.")
    return 0


def register_versions(settings: StreamSettings, console: Console) -> int:
    """Register every version, oldest first, and print the newest ids; 1 if one is refused, 2 if nobody answers."""
    from streaming.admin import register_schemas

    try:
        registered = register_schemas(settings)
    except (ServerAway, SchemaRefused) as problem:
        say(problem, console)
        return 1 if isinstance(problem, (SchemaLost, SchemaRefused)) else 2
    for subject, number in registered.items():
        console.print(f"{subject}: schema id {number}")
    return 0


def restore_schemas(settings: StreamSettings, console: Console) -> int:
    """Give the registry back what it has lost; 1 if it cannot be given, 2 if a server does not answer."""
    from streaming.restoring import RestoreRefused
    from streaming.restoring import restore_registry as give_back

    try:
        with progress_bar(console) as shown:
            restored = give_back(settings, reading_progress(shown))
    except (ServerAway, LogUnsound, RestoreRefused, SchemaRefused) as problem:
        say(problem, console)
        return 2 if isinstance(problem, ServerAway) else 1
    for each in restored:
        console.print(DONE, f"{restored_words(each)}")
    if not restored:
        console.print("The registry has every schema that the log uses.")
    return 0


def _version(history: tuple[SchemaVersion, ...], number: int) -> SchemaVersion:
    for version in history:
        if version.version == number:
            return version
    known = ", ".join(f"v{version.version}" for version in history)
    raise NoSuch(f"{history[0].event} has no version {number}; there are {known}")
