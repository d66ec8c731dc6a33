"""The pages docs/reference/commands.md and settings.md, made from the commands and the settings themselves."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from typer.core import TyperGroup

from stack.layout import PROJECT

_MADE = "<!-- Made by `foretick contracts generate`. Do not edit. -->\n"


def commands_page(app: TyperGroup) -> str:
    """Return every command with its help and its options."""
    lines = [
        "# Commands",
        "",
        _MADE,
        "`make run` installs `foretick` as `.venv/bin/foretick`. Each command prints this with `--help`.",
    ]
    for name, command in _commands(app, "foretick"):
        lines += ["", f"## {name}", "", _prose(command.help or "")]
        rows = [row for parameter in command.params if (row := _row(parameter))]
        if rows:
            lines += ["", "| Option | Default | What it does |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def settings_page(parts: Mapping[str, Sequence[type[BaseSettings]]]) -> str:
    """Return every setting by the part that reads it; one that several read stands with the first."""
    lines = [
        "# Settings",
        "",
        _MADE,
        "Settings are environment variables, or lines of a file `.env` in the project's folder. Secrets may stand in",
        "files (`FORETICK_SECRETS_DIR`).",
    ]
    told: set[str] = set()
    for part, classes in parts.items():
        fields = {name: field for each in classes for name, field in each.model_fields.items() if name not in told}
        told |= set(fields)
        rows = [
            f"| `{_variable(name, field)}` | {_default(field)} | {_cell(field.description or '')} |"
            for name, field in fields.items()
        ]
        lines += ["", f"## {part}", "", "| Setting | Default | What it says |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _commands(group: TyperGroup, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield f"{path} {name}", command
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _prose(text: str) -> str:
    """Return a help text as Markdown: its `\\f` and indentation are for terminals."""
    return "\n".join(line.strip() for line in text.replace("\f", "").strip().splitlines())


def _row(parameter: Any) -> str:
    if "--help" in parameter.opts:
        return ""
    if parameter.param_type_name == "argument":
        name = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        name = " / ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    default = "" if isinstance(parameter.default, bool) or parameter.default is None else str(parameter.default)
    return f"| {name} | {f'`{default}`' if default else ''} | {_cell(parameter.help or '')} |"


def _variable(name: str, field: FieldInfo) -> str:
    return str(field.validation_alias or f"FORETICK_{name.upper()}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path) and value.is_relative_to(PROJECT):
        value = value.relative_to(PROJECT)
    if value is None or value == "":
        return ""
    if isinstance(value, tuple):
        value = ",".join(value)
    text = json.dumps(value) if isinstance(value, bool | list | dict) else str(value)
    return f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
