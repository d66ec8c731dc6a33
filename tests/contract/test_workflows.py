"""What public CI runs is what this repository offers."""

import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
RINGS = {"presubmit": ["make check", "make test"], "nightly": ["make check", "make test-all"]}


@pytest.mark.parametrize("name", RINGS)
def test_workflow_runs_its_rings_in_order(name: str) -> None:
    (job,) = yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text())["jobs"].values()
    commands = [step["run"] for step in job["steps"] if step.get("run", "").startswith("make ")]
    assert commands == RINGS[name]
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert {command.removeprefix("make ") for command in commands} <= targets
    assert job["timeout-minutes"]
