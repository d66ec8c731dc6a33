"""The version of the code: whatever decides a forecast changes it, and nothing else does."""

import ast
import shutil
from pathlib import Path

import pytest

from forecasting.data.code_version import DECIDING, LIBRARIES, code_version, version_of

PROJECT = Path(__file__).parents[4]
VERSIONS = dict.fromkeys(LIBRARIES, "1.0")
# From where a forecast's numbers come: what these import, and so on, decides them, too.
BEGINNINGS = ("forecasting.serving.predicting", "forecasting.training.run", "forecasting.models.families")
# What those import and what changes no number: where models and events are kept, settings, what is counted.
CARRYING = (
    "contracts.documents", "contracts.files", "contracts.ids", "contracts.rules", "contracts.sources",
    "contracts.topics", "forecasting.modelstore", "forecasting.prometheus", "forecasting.settings",
)  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in DECIDING:
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def of(folder: Path, libraries: dict[str, str] = VERSIONS) -> str:
    return version_of({package: folder / package for package in DECIDING}, libraries)


def test_version_is_the_same_wherever_the_code_lies(copy: Path) -> None:
    assert of(copy) == of(PROJECT)
    assert len(code_version()) == 16


def test_each_deciding_file_changes_the_version(copy: Path) -> None:
    deciding = [path for package, names in DECIDING.items() for name in names for path in _files(copy / package / name)]
    before = of(copy)
    assert len(deciding) > 50
    for path in deciding:
        text = path.read_text()
        path.write_text(text + "\n")
        assert of(copy) != before, path
        path.write_text(text)
    assert of(copy) == before


def test_file_that_is_added_or_named_otherwise_changes_the_version(copy: Path) -> None:
    before = of(copy)
    (copy / "forecasting" / "models" / "momentum.py").write_text("")
    added = of(copy)
    (copy / "forecasting" / "models" / "momentum.py").rename(copy / "forecasting" / "models" / "drift.py")
    assert len({before, added, of(copy)}) == 3


def test_what_decides_nothing_leaves_the_version(copy: Path) -> None:
    before = of(copy)
    for path in ("forecasting/scoring/drift.py", "forecasting/backtest/page.py", "contracts/samples.py"):
        (copy / path).write_text("")
    (copy / "forecasting" / "models" / "notes.txt").write_text("no code")
    assert of(copy) == before


@pytest.mark.parametrize("library", LIBRARIES)
def test_version_of_each_library_changes_the_version(library: str) -> None:
    assert of(PROJECT, VERSIONS | {library: "1.1"}) != of(PROJECT)


def test_all_that_a_forecast_imports_decides_or_is_known_to_carry_only() -> None:
    seen, waiting = set(), list(BEGINNINGS)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += _imports(module)
    deciding = tuple(f"{package}.{name.removesuffix('.py')}" for package, names in DECIDING.items() for name in names)
    left = {name for name in seen if not name.startswith(deciding) and not name.startswith(CARRYING)}
    assert left == set()


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _imports(module: str) -> list[str]:
    """Return the modules of the deciding packages that a module imports."""
    file = PROJECT / f"{module.replace('.', '/')}.py"
    if not file.exists():
        return []
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in DECIDING:
            found += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    return [name for name in found if (PROJECT / f"{name.replace('.', '/')}.py").exists()]
