"""The table of services, and the configurations made from it."""

import configparser
import shlex
from pathlib import Path

import pytest

from stack import kafka
from stack.layout import PORTS, Layout
from stack.services import NAMES, UnknownService, chosen, services
from stack.supervisor import GROUPS, configuration


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(home=tmp_path / "ho%me", cache=tmp_path / "cache", port_offset=300)


def test_services_are_those_that_can_be_named(layout):
    assert [service.name for service in services(layout)] == list(NAMES)


def test_services_need_only_services_there_are(layout):
    assert all(set(service.needs) <= set(NAMES) for service in services(layout))


def test_services_claim_every_port_once(layout):
    claimed = [port for service in services(layout) for port in service.ports]
    assert sorted(claimed) == sorted(PORTS)


def test_services_listen_on_loopback_only(layout):
    told = " ".join(" ".join((*service.command, *service.environment.values())) for service in services(layout))
    assert "0.0.0.0" not in told
    assert "0.0.0.0" not in kafka.properties(layout)


def test_chosen_of_nothing_is_everything():
    assert chosen("") == set(NAMES)


def test_chosen_airflow_means_its_four_processes():
    assert chosen("airflow, kafka") == {
        "kafka",
        "airflow-api",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
    }
    assert not {name for name in chosen("", without="airflow") if name.startswith("airflow")}


def test_chosen_unknown_name_says_what_there_is():
    with pytest.raises(UnknownService, match=r"no service mongo; there are kafka, registry, mongodb"):
        chosen("mongo,kafka")


def test_kafka_properties_never_expire_the_log(layout):
    lines = dict(line.split("=", 1) for line in kafka.properties(layout).splitlines())
    assert lines["log.retention.ms"] == lines["log.retention.bytes"] == "-1"
    assert lines["listeners"] == "PLAINTEXT://127.0.0.1:9392,CONTROLLER://127.0.0.1:9393"
    assert lines["auto.create.topics.enable"] == "false"


def parsed(layout: Layout) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(layout, services(layout)))
    return parser


def test_supervisor_configuration_has_each_service_in_its_group(layout):
    parser = parsed(layout)
    grouped = [name for group in GROUPS for name in parser[f"group:{group}"]["programs"].split(",")]
    assert grouped == list(NAMES)
    assert all(parser[f"program:{name}"]["autorestart"] == "true" for name in NAMES)


def test_supervisor_configuration_stops_services_before_servers(layout):
    parser = parsed(layout)
    priorities = [int(parser[f"group:{group}"]["priority"]) for group in ("servers", "airflow", "services")]
    assert priorities == sorted(priorities)


def test_supervisor_configuration_escapes_percent_signs(layout):
    command = parsed(layout)["program:mongodb"]["command"]
    assert "ho%%me" in command
    assert str(layout.data / "mongodb") in shlex.split(command.replace("%%", "%"))


def test_supervisor_configuration_keeps_its_socket_private(layout):
    parser = parsed(layout)
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert Path(parser["unix_http_server"]["file"]) == layout.socket
    assert "inet_http_server" not in parser
