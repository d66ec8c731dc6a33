"""A home that an earlier release has made comes up, and what is in it is there."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.support.stacks import Stack

pytestmark = [pytest.mark.realtime, pytest.mark.slow]
EARLIER = Path(__file__).with_name("homes") / "mlflow-3.1.4.sql"  # that release wrote it: a run, a version, an alias


def put(stack: Stack, change: str = "") -> Path:
    """Put an earlier MLflow's database into the home; return its file."""
    file = stack.layout.data / "mlflow" / "mlflow.db"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(EARLIER.read_text() + change)
    return file


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        (found,) = database.execute("select version_num from alembic_version").fetchone()
    return str(found)


def test_database_of_an_earlier_mlflow_is_brought_to_this_ones_form_and_nothing_is_lost(stack):
    file = put(stack)
    earlier = revision(file)
    code, output = stack.run("up", "--only", "mlflow", "--detach")
    assert code == 0, output
    client = MlflowClient(stack.layout.url("mlflow"), stack.layout.url("mlflow"))
    champion = client.get_model_version_by_alias("stock-forecaster", "champion")
    assert client.get_run(champion.run_id).data.metrics == {"crps": 0.98}
    assert revision(file) != earlier == revision(file.with_name("mlflow.before.db"))
    assert (stack.layout.home / "home.json").exists()


def test_database_of_a_later_mlflow_is_left_as_it_is_and_the_way_is_told(stack):
    file = put(stack, "update alembic_version set version_num = 'ffffffffffff';")
    code, output = stack.run("up", "--only", "mlflow", "--detach")
    assert code == 1
    assert "version of Foretick that has written to it, or a later one, can use it" in " ".join(output.split())
    assert "Can't locate revision" in stack.layout.log("mlflow").read_text()
    assert revision(file) == "ffffffffffff"


def test_home_of_a_later_foretick_is_refused_before_anything_starts(stack):
    stack.layout.home.mkdir()
    (stack.layout.home / "home.json").write_text('{"format": 99, "made_by": "9.0.0"}')
    code, output = stack.run("up", "--only", "mongodb", "--detach")
    assert code == 2
    assert "Foretick 9.0.0 has written to" in output


def test_mongod_on_the_path_keeps_the_read_models(stack, tmp_path, monkeypatch):
    """No real one can be had here: this one takes the options that MongoDB documents, and is the embedded server."""
    program = tmp_path / "bin" / "mongod"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{MONGOD}")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    code, output = stack.run("up", "--only", "mongodb", "--detach")
    assert code == 0, output
    assert any((stack.layout.data / "mongod").iterdir())
    assert not (stack.layout.data / "mongodb").exists()


MONGOD = f"""
import argparse, os
parser = argparse.ArgumentParser(allow_abbrev=False)
for name in ("dbpath", "bind_ip", "port", "wiredTigerCacheSizeGB", "setParameter"):
    parser.add_argument("--" + name, required=True)
parser.add_argument("--nounixsocket", action="store_true")
parser.add_argument("--quiet", action="store_true")
given = parser.parse_args()
program = {str(Path(sys.executable).with_name("secantusd-py"))!r}
place = ["--host", given.bind_ip, "--port", given.port, "--storage-path", given.dbpath]
os.execv(program, [program, *place, "--standalone"])
"""
