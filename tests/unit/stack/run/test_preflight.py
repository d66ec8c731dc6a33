"""What is told before anything starts."""

import os
import resource
import shutil
import socket
from collections import namedtuple
from dataclasses import replace

import pytest

from stack.layout import HOST, PORTS, Layout
from stack.run import preflight
from stack.run.preflight import NotStartable
from stack.services.table import services


@pytest.fixture
def held():
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def layout(tmp_path, held) -> Layout:
    return Layout(home=tmp_path, cache=tmp_path, port_offset=held - PORTS["mlflow"])


def test_check_port_in_use_names_port_service_holder_and_way_out(layout, held):
    wanted = [service for service in services(layout) if service.name == "mlflow"]
    with pytest.raises(NotStartable) as told:
        preflight.check_before_start(layout, wanted)
    message = str(told.value)
    assert f"Port {held} (mlflow)" in message
    assert f"process {os.getpid()}" in message
    assert "FORETICK_PORT_OFFSET" in message


def test_check_free_ports_and_room_says_nothing(tmp_path, held):
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    layout = Layout(home=tmp_path, cache=tmp_path, port_offset=port - PORTS["mlflow"])
    preflight.check_before_start(layout, [service for service in services(layout) if service.name == "mlflow"])


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SOURCE", "csv", "the source csv needs a file or a folder: set FORETICK_CSV_PATH"),
        ("SYMBOLS", ",", "FORETICK_SYMBOLS: name at least one symbol"),
        ("FAMILY_PARAMETERS", "{", "FORETICK_FAMILY_PARAMETERS: is to be JSON"),
        ("KAFKA_OPTIONS", "{", "FORETICK_KAFKA_OPTIONS: is to be JSON"),
        ("CLOCK_URL", "http://clock.example", "FORETICK_CLOCK_URL names a server that is not on this machine"),
        ("SECRETS_DIR", "/nowhere", "FORETICK_SECRETS_DIR: Path does not point to a directory (it is '/nowhere')"),
    ],
)
def test_check_setting_that_would_keep_a_service_from_starting_is_told(layout, monkeypatch, name, value, told):
    monkeypatch.setenv(f"FORETICK_{name}", value)
    with pytest.raises(NotStartable) as refused:
        preflight.check_before_start(
            layout, [service for service in services(layout) if service.name in ("producers", "scoring")]
        )
    assert told in str(refused.value)


def test_check_document_server_elsewhere_without_encryption_is_told_beside_all_else(layout, monkeypatch):
    monkeypatch.setenv("FORETICK_MONGODB", "mongodb://user:hunter2@db.example")
    layout = replace(layout, mongodb="mongodb://user:hunter2@db.example")
    wanted = [service for service in services(layout) if service.name in ("projections", "mlflow")]
    with pytest.raises(NotStartable) as refused:
        preflight.check_before_start(layout, wanted)
    assert "FORETICK_MONGODB names a server that is not on this machine: add tls=true" in str(refused.value)
    assert "(mlflow)" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_check_little_disk_says_how_much_and_where(layout, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10e9, 9e9, 1e9))
    with pytest.raises(NotStartable, match=rf"Only 1\.0 GB are free under {tmp_path}; 3 GB are needed"):
        preflight.check_before_start(layout, [])


def test_check_missing_airflow_says_what_to_run(layout, tmp_path):
    bare = Layout(home=tmp_path, cache=tmp_path, port_offset=layout.port_offset, project=tmp_path)
    with pytest.raises(NotStartable, match="make run"):
        preflight.check_before_start(
            bare, [service for service in services(bare) if service.name == "airflow-triggerer"]
        )


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "nonsense"])
def test_check_document_server_of_the_users_that_does_not_answer_is_told_by_its_setting(layout, uri):
    layout = replace(layout, mongodb=uri)
    wanted = [each for each in services(layout) if each.name == "projections"]
    with pytest.raises(NotStartable, match=r"FORETICK_MONGODB: .* Start it, or take the setting away"):
        preflight.check_before_start(layout, wanted)
    preflight.check_before_start(layout, [])


def test_check_few_files_says_how_many_and_how_to_raise_the_limit(layout, monkeypatch):
    monkeypatch.setattr(preflight.resource, "getrlimit", lambda _: (256, 512))
    with pytest.raises(NotStartable, match=r"Only 512 files .* ulimit -n 1024"):
        preflight.check_before_start(layout, [])


@pytest.mark.parametrize("most", [1024, resource.RLIM_INFINITY])
def test_check_files_enough_says_nothing(layout, monkeypatch, most):
    monkeypatch.setattr(preflight.resource, "getrlimit", lambda _: (256, most))
    preflight.check_before_start(layout, [])


def test_check_loopback_without_an_ipv4_address_is_told_and_no_port_is_called_in_use(layout, monkeypatch):
    monkeypatch.setattr(preflight, "HOST", "192.0.2.1")  # an address that no machine has
    with pytest.raises(NotStartable) as told:
        preflight.check_before_start(layout, services(layout)[:3])
    assert "Nothing can listen on 192.0.2.1" in str(told.value)
    assert "in use" not in str(told.value)
