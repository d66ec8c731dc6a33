"""The house: few rooms at the top, short files, and one name for one thing."""

import ast
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

PROJECT = Path(__file__).parents[2]
PARTS = ("contracts", "streaming", "producers", "projections", "forecasting", "gateway", "stack")
FILES = [path for part in PARTS for path in sorted((PROJECT / part).rglob("*.py"))]

# Names that several modules define, each meaning the same thing there.
SHARED = {
    "log": "the module's logger",
    "main": "a process's entry",
    "apply": "how an event folds into a read model's document",
    "key_of": "the key of a read model's document",
    "judge": "what of a vendor's report is sound: its bars, its corporate actions",
    "decide": "what is to be published: of bars, of corporate actions; the gate's verdict",
}
# The functions of these are named by what users type: commands, and the operations of the API.
NAMED_FOR_USERS = ("stack/cli/", "gateway/routes/")


def public_names(path: Path) -> set[str]:
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize(("part", "most"), [("forecasting", 12), ("gateway", 17), ("stack", 8)])
def test_part_has_few_rooms(part: str, most: int) -> None:
    rooms = [
        path.name
        for path in (PROJECT / part).iterdir()
        if (path.is_dir() and any(path.glob("*.py"))) or (path.suffix == ".py" and path.stem != "__init__")
    ]
    assert len(rooms) <= most, sorted(rooms)


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(PROJECT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert median(length for name, length in lengths.items() if not name.endswith("__init__.py")) < 90


def test_public_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for path in FILES:
        place = str(path.relative_to(PROJECT))
        if not place.startswith(NAMED_FOR_USERS):
            for name in public_names(path):
                homes[name].append(place)
    twice = {name: places for name, places in homes.items() if len(places) > 1}
    assert {name: places for name, places in twice.items() if name not in SHARED} == {}
    assert set(SHARED) - set(twice) == set(), "no longer shared: take them off the list"


def test_tests_mirror_the_source() -> None:
    tests = PROJECT / "tests" / "unit"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert {str(folder) for folder in folders if not (PROJECT / folder).is_dir()} == set()
