"""Each process that `foretick up` starts is given its own secrets, and nobody else's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.layout import MARK, PROJECT, Layout
from stack.services import health
from stack.services.secrecy import every_secret, secrets_of, settings_of, withheld
from stack.services.service import Service
from stack.services.supervisor import commands
from stack.services.table import SERVICE_NAMES, SERVICES

LOG = {"FORETICK_KAFKA_OPTIONS", "FORETICK_REGISTRY_AUTH"}
VENDORS = {"FORETICK_ALPHAVANTAGE_KEY", "FORETICK_REST_KEY"}
OWN = {
    "producers": LOG | VENDORS,
    "projections": LOG | {"FORETICK_MONGODB"},
    "forecasting": LOG,
    "scoring": LOG,
    "gateway": LOG | {"FORETICK_MONGODB", "FORETICK_TOKENS"},
    "airflow-scheduler": LOG | VENDORS | {"FORETICK_MONGODB"},
}


def test_secrets_of_a_process_are_those_of_the_settings_that_it_reads() -> None:
    assert every_secret() == LOG | VENDORS | {"FORETICK_MONGODB", "FORETICK_TOKENS"}
    for name in SERVICE_NAMES:
        assert secrets_of(*settings_of(name)) == OWN.get(name, set()), name
        assert set(withheld(name)) == every_secret() - OWN.get(name, set()), name
    assert all(settings_of(name) for name in SERVICES)


@pytest.mark.parametrize("name", ["exchange", "producers", "gateway", "airflow-api", "kafka"])
def test_process_that_is_launched_sees_its_own_secrets_alone(name: str, tmp_path: Path) -> None:
    show = (sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")
    service = Service(
        name=name, group="services", command=show, answers=health.http_probe("http://127.0.0.1:9"), ports=()
    )
    layout = Layout(home=tmp_path, cache=tmp_path)
    layout.run.mkdir()
    layout.commands.write_text(commands([service]))
    given = os.environ | dict.fromkeys(every_secret(), "hunter2") | {MARK: str(tmp_path), "FORETICK_SOURCE": "csv"}
    done = subprocess.run(
        (sys.executable, "-m", "stack.run.launch", name),
        cwd=PROJECT,
        env=given,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert {variable for variable, value in seen.items() if value == "hunter2"} == OWN.get(name, set())
    assert seen["FORETICK_SOURCE"] == "csv"
