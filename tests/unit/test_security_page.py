"""The security page has a row for each line of ASVS 5.0.0, level 2, and its tests, counts and open lines are true."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from forecasting.settings import ScoreSettings, ServeSettings
from gateway.access.jwts import ALGORITHMS
from gateway.settings import GatewaySettings
from producers.settings import ProducerSettings
from projections.settings import ProjectionSettings

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "reference" / "security.md").read_text()
# The last line of each section: up to it, all lines are of level 1 or 2; sections of level 3 alone are left out.
LAST = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3,
    "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
LINES = [f"{section}.{number}" for section, last in LAST.items() for number in range(1, last + 1)]
ROWS = re.findall(r"^\| ([\d., ]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
TEST = r"`(tests/[\w/]+\.py)::(test_\w+)`"


def kinds(met: str) -> set[str]:
    """Return in which of the three ways a row ends: one, in a sound row."""
    begins = [kind for kind in ("does not apply:", "open:") if kind in met]
    return {*begins, *(["tests"] if "tests/" in met else [])}


def ids(text: str) -> list[str]:
    return re.findall(r"\d+\.\d+\.\d+", text)


def test_each_line_of_levels_1_and_2_is_there_once_under_its_chapter() -> None:
    assert len(LINES) == 253
    assert Counter(line for row in ROWS for line in ids(row[0])) == Counter(LINES)
    assert len(ROWS) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))
    for chapter in re.split(r"^## V", PAGE, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (\d[\d., ]+) \|", chapter, re.MULTILINE)
        assert {line.split(".")[0] for row in rows for line in ids(row)} == {chapter.split()[0]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:20])
def test_row_names_tests_or_says_why_not_or_that_it_is_open(row: tuple[str, str, str]) -> None:
    _, what, met = row
    (kind,) = kinds(met)
    assert met.startswith("`tests/" if kind == "tests" else kind)
    assert len(what.split()) <= 8


def test_tests_that_are_named_exist() -> None:
    named = set(re.findall(TEST, PAGE))
    assert len(named) > 50
    assert sorted(path for path, _ in named if not (PROJECT / path).is_file()) == []
    missing = [
        name for path, name in named if not re.search(rf"^def {name}\(", (PROJECT / path).read_text(), re.MULTILINE)
    ]
    assert missing == []
    assert PAGE.count("::test_") == len(re.findall(TEST, PAGE))


def test_counts_and_what_is_open_are_those_of_the_rows() -> None:
    counts = Counter(kind for lines, _, met in ROWS for kind in kinds(met) for _ in ids(lines))
    told = re.search(r"\*\*(\d+) are met with tests, (\d+) do not apply, (\d+) are open\.\*\*", PAGE)
    assert told
    assert [int(count) for count in told.groups()] == [counts["tests"], counts["does not apply:"], counts["open:"]]
    listed = ids(PAGE.split("## What is open")[1].split("## V1 ")[0])
    assert Counter(listed) == Counter(line for lines, _, met in ROWS if met.startswith("open:") for line in ids(lines))


def fields() -> dict[str, Any]:
    """Return the settings of all services, by the variable's name."""
    classes = (ProducerSettings, ProjectionSettings, ServeSettings, ScoreSettings, GatewaySettings)
    return {f"FORETICK_{name.upper()}": field for each in classes for name, field in each.model_fields.items()}


def test_page_names_every_secret() -> None:
    secrets = {name for name, field in fields().items() if "SecretStr" in str(field.annotation) or field.repr is False}
    secrets |= {"FORETICK_TOKENS", "FORETICK_TOKENS_FILE"}
    assert len(secrets) > 5
    assert sorted(name for name in secrets if f"`{name}`" not in PAGE) == []


def test_page_names_every_address_that_is_called() -> None:
    called = {name for name in fields() if name.endswith(("_URL", "_ENDPOINT", "_SCHEDULER"))}
    called |= {name for name, field in fields().items() if str(field.default).startswith("http")}
    called -= {"FORETICK_MLFLOW_LINK", "FORETICK_AIRFLOW_LINK"}  # the browser follows these
    assert len(called) > 8
    assert sorted(name for name in called if f"`{name}`" not in PAGE) == []


def test_page_names_every_kind_of_signature() -> None:
    assert {name.rstrip("0123456789") for name in ALGORITHMS} == {"RS", "PS", "ES", "EdDSA"}
    assert "RS, PS, ES and EdDSA" in PAGE


def test_weaknesses_have_deadlines_and_are_looked_for_every_week() -> None:
    assert re.search(r"^\| High \| \d+ days \|$", (PROJECT / "SECURITY.md").read_text(), re.MULTILINE)
    audit = yaml.safe_load((PROJECT / ".github/workflows/audit.yml").read_text())
    assert audit[True]["schedule"]  # YAML 1.1 reads `on` as true
    assert any("make audit" in step.get("run", "") for step in audit["jobs"]["audit"]["steps"])


def test_lines_outside_of_tables_are_short() -> None:
    assert [line for line in PAGE.splitlines() if len(line) > 130 and not line.startswith("|")] == []
