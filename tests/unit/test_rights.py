"""The table of docs/reference/rights.md is what the code does."""

import ast
import re
from pathlib import Path

import pytest

from contracts import topics
from contracts.topics import TOPICS
from projections.read_models.table import READ_MODELS

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "reference" / "rights.md").read_text()
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| ([a-z()\- ]+) " + r"\| ([^|]+) " * 4 + r"\|$", PAGE, re.MULTILINE)}
MODULES = {
    "producers": "producers.main",
    "projections": "projections.main",
    "forecasting (serving)": "forecasting.serving.main",
    "forecasting (scoring)": "forecasting.scoring.main",
    "forecasting (training)": "forecasting.training.command",
    "gateway": "gateway.main",
}


def file_of(module: str) -> Path | None:
    path = PROJECT / module.replace(".", "/")
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


def reached(module: str) -> dict[str, set[str]]:
    """Return the modules of its own part that a module imports, and they in turn, each with the topics it names."""
    found: dict[str, set[str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = file_of(name)
        if file is None or name in found:
            continue
        found[name] = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "contracts.topics":
                found[name] |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == module.split(".")[0]:
                waiting += [str(node.module), *(f"{node.module}.{each.name}" for each in node.names)]
    return found


def named(module: str) -> set[str]:
    """Return the topics that a service can read: those that its code names."""
    names = set().union(*reached(module).values())
    known = {name: (each,) for name, each in vars(topics).items() if isinstance(each, topics.Topic)} | {
        "TOPICS": TOPICS
    }
    return {topic.name for name in names for topic in known.get(name, ())}


def quoted(cell: str) -> set[str]:
    return set(re.findall(r"`([\w.-]+)`", cell))


def test_each_service_has_a_row() -> None:
    assert set(ROWS) == set(MODULES)


@pytest.mark.parametrize("service", MODULES)
def test_service_writes_the_topics_of_which_it_is_the_writer_and_no_other(service: str) -> None:
    own = {topic.name for topic in TOPICS if topic.writer == service}
    assert quoted(ROWS[service][0]) - {".dlq"} == own
    assert (".dlq" in ROWS[service][0]) == (service == "projections")


@pytest.mark.parametrize("service", MODULES)
def test_service_reads_the_topics_that_its_code_names_and_no_other(service: str) -> None:
    told = {topic.name for topic in TOPICS} if ROWS[service][1] == "all" else quoted(ROWS[service][1])
    assert told == named(MODULES[service])


@pytest.mark.parametrize("service", MODULES)
def test_service_joins_the_groups_that_its_code_names_and_no_other(service: str) -> None:
    texts = [file.read_text() for name in reached(MODULES[service]) if (file := file_of(name))]
    groups = {group for text in texts for group in re.findall(r'Loop\(\s*\w+,\s*f?"([^"]+)"', text)}
    if service == "projections":
        assert groups == {"foretick.{model.name}"}
        groups = {f"foretick.{model.name}" for model in READ_MODELS}
    assert quoted(ROWS[service][2]) == groups


@pytest.mark.parametrize("service", MODULES)
def test_service_has_the_rights_in_mongodb_that_its_code_uses(service: str) -> None:
    texts = [file.read_text() for name in reached(MODULES[service]) if (file := file_of(name))]
    uses = any(re.search(r"^\s*(import|from) pymongo", text, re.MULTILINE) for text in texts)
    writes = uses and any(
        re.search(r"InsertOne|ReplaceOne|\.insert_(one|many)\(|\.bulk_write\(|\.rename\(", t) for t in texts
    )
    assert ROWS[service][3].split(":")[0] == ("reads and writes" if writes else "reads" if uses else "none")
