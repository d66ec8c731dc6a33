"""How a schema version comes to be, and that a released one never changes: the command, on a copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
V2, V3 = (f"contracts/schemas/BarClosed/v{number}.avsc" for number in (2, 3))
VENUE = {"name": "venue", "type": ["null", "string"], "default": None, "doc": "Where it was traded."}


class Copy:
    """A copy of what the command reads and writes; its code comes first on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("contracts", "streaming", "stack", "gateway", "docs", "web/src/app/core/api"):
            shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            (sys.executable, "-m", "stack", "contracts", *arguments),
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "FORETICK_HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, re.sub(r"\s+", " ", done.stdout + done.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    def add(self, field: dict[str, object], name: str = V3) -> None:
        path = self.folder / name
        schema = json.loads(path.read_text())
        schema["fields"].append(field)
        path.write_text(json.dumps(schema, indent=2) + "\n")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.mark.slow
def test_schema_changed_in_place_fails_check_and_no_command_launders_it(copy: Copy) -> None:
    assert copy.run("check", "--offline")[0] == 0
    copy.add(VENUE, V2)
    code, said = copy.run("check", "--offline")
    assert code == 1
    assert f"{V2} was changed in place" in said
    assert "Instead: restore it (git checkout), run `foretick contracts new-version BarClosed`" in said
    copy.run("new-version", "BarClosed")
    assert f"{V2} was changed in place" in copy.run("check", "--offline")[1]


def test_ci_runs_the_check_that_finds_it() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    check, rules = (
        re.findall(rf"^{name}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE) for name in ("check", "check-rules")
    )
    assert "check-rules" in check[0]
    assert "foretick contracts check --offline" in rules[0]
    assert re.search(r"^make check$", (PROJECT / ".ci" / "run").read_text(), re.MULTILINE)


@pytest.mark.slow
def test_new_version_from_the_copy_to_the_release_says_each_next_step(copy: Copy) -> None:
    code, said = copy.run("new-version", "BarClosed")
    assert (code, f"{V3} is a copy of the newest version" in said) == (0, True)
    assert (copy.folder / V3).read_text() == (copy.folder / V2).read_text()
    assert "is still a copy of v2: edit it" in copy.run("new-version", "BarClosed")[1]
    assert f"{V3} is not released yet" in copy.run("check", "--offline")[1]

    copy.add({**VENUE, "type": "string"})
    code, said = copy.run("new-version", "BarClosed")
    assert code == 1
    assert "BarClosed v3 does not go with v1, v2. Field venue: added, string" in said

    (copy.folder / V3).write_text((copy.folder / V2).read_text())
    copy.add(VENUE)
    assert "add `venue: str | None = None`" in copy.run("new-version", "BarClosed")[1]
    copy.edit(
        "contracts/events/bar.py",
        "    trades: int | None = None\n",
        "    trades: int | None = None\n    venue: str | None = None\n",
    )
    assert "the sample lacks venue" in copy.run("new-version", "BarClosed")[1]
    copy.edit("contracts/samples.py", "        trades=84211,\n", '        trades=84211,\n        venue="XNAS",\n')

    code, said = copy.run("new-version", "BarClosed")
    assert (code, "BarClosed v3 is released" in said) == (0, True)
    assert json.loads((copy.folder / "contracts/schemas/BarClosed/v3.golden.json").read_text())["venue"] == "XNAS"
    assert "readonly venue: string | null;" in (copy.folder / "web/src/app/core/api/events/bar-closed.ts").read_text()
    code, said = copy.run("check", "--offline")
    assert code == 0, said
    code, said = copy.run("diff", "BarClosed", "1", "3")
    assert (code, "fully compatible" in said) == (0, True)
    assert "venue" in said
    assert copy.run("new-version", "BarClosed")[1].find("v4.avsc is a copy") > 0


@pytest.mark.slow
def test_check_generated_file_that_was_edited_is_out_of_date_until_generated_again(copy: Copy) -> None:
    copy.edit("web/src/app/core/api/events/bar-closed.ts", "readonly close: number;", "readonly close: any;")
    code, said = copy.run("check", "--offline")
    assert (code, "bar-closed.ts is not what the code" in said) == (1, True)
    assert copy.run("generate") == (0, "web/src/app/core/api/events/bar-closed.ts ")
    assert copy.run("check", "--offline")[0] == 0


@pytest.mark.slow
def test_unknown_event_or_version_is_told_with_those_there_are(copy: Copy) -> None:
    code, said = copy.run("new-version", "Bar")
    assert (code, "there are BarClosed, CorporateActionAnnounced" in said) == (2, True)
    code, said = copy.run("diff", "BarClosed", "1", "9")
    assert (code, "there are v1, v2" in said) == (2, True)
