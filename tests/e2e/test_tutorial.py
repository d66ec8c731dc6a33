"""The commands of docs/tutorial.md, word for word, in one shell, against the whole system."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack.layout import PROJECT, Layout

pytestmark = pytest.mark.usefixtures("market")
STEPS = re.findall(r"^## (.*?)$.*?```sh\n(.*?)```", (PROJECT / "docs" / "tutorial.md").read_text(), re.M | re.S)


def test_tutorial_ends_with_the_proof_of_a_forecast(system: Layout) -> None:
    assert len(STEPS) == 7
    script = "".join(f"echo '=== {title}'\n{commands}\n" for title, commands in STEPS)
    environment = (
        os.environ
        | system.environment()
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "API": system.url("gateway"),  # the page says 8000
        }
    )
    done = subprocess.run(
        ("bash", "-eu", "-c", script),
        cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    said = dict(re.findall(r"^=== (.*?)$\n(.*?)(?=^=== |\Z)", done.stdout, re.M | re.S))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    expected = {
        "1. What runs": "gateway",
        "2. What is in the log": "stock-forecasts",
        "3. One forecast, and what it was made from": '"input_sha256"',
        "4. The same forecast again": "EQUAL",
        "5. How good it was": '"skill"',
        "6. The same state again": "Equal",
        "7. A forecast of your own": '"steps"',
    }
    assert {title: text in said[title] for title, text in expected.items()} == dict.fromkeys(expected, True), (
        done.stdout
    )
    assert "NOT EQUAL" not in done.stdout
