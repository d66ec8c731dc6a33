"""What public CI runs is what this repository offers."""

import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
RINGS = {
    "presubmit": ["make check", "make test"],
    "nightly": ["make check", "make test-all"],
    "audit": ["make sbom", "make audit"],
}


@pytest.mark.parametrize("name", RINGS)
def test_workflow_runs_its_rings_in_order(name: str) -> None:
    (job,) = yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text())["jobs"].values()
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("make ")]
    assert commands == RINGS[name]
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert {command.removeprefix("make ") for command in commands} <= targets
    assert job["timeout-minutes"]


@pytest.mark.parametrize("name", RINGS)
def test_workflow_takes_actions_by_digest(name: str) -> None:
    text = (PROJECT / ".github" / "workflows" / f"{name}.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used)
    assert "permissions:\n  contents: read\n" in text


def test_dependabot_looks_at_every_place_that_pins_something() -> None:
    watched: dict[str, set[str]] = {}
    for each in yaml.safe_load((PROJECT / ".github" / "dependabot.yml").read_text())["updates"]:
        places = each.get("directories") or [each["directory"]]
        watched[each["package-ecosystem"]] = {place.strip("/") for place in places}
    found = [*PROJECT.glob("*/package-lock.json"), *PROJECT.glob("tests/*/package-lock.json")]
    locks = {str(lock.parent.relative_to(PROJECT)) for lock in found}
    assert watched == {
        "pip": {"requirements"},
        "npm": locks,
        "docker": {""},
        "docker-compose": {""},
        "github-actions": {""},
    }
