"""The table of services, and the configurations made from it."""

import configparser
import json
import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from producers.settings import ExchangeSettings
from stack.layout import PORTS, Layout
from stack.run.preflight import unholdable_paths
from stack.services import airflow, kafka
from stack.services.supervisor import GROUPS, commands, configuration
from stack.services.table import SERVICE_NAMES, UnknownService, chosen_services, services

# Folder names that are fine for a person and full of meaning for properties, ini files, shells, URLs and databases.
HOSTILE = (
    "x ü", "a #b ;c", "50% off %(here)s", "it's \"q\" & <b>", "a?b, c=d:e", "~+100%20!", "{x} (y) [z]*",
)  # fmt: skip


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout(home=tmp_path / "ho%me", cache=tmp_path / "cache", port_offset=300)


def test_services_are_those_that_can_be_named(layout):
    assert [service.name for service in services(layout)] == list(SERVICE_NAMES)


def test_services_need_only_services_there_are(layout):
    assert all(set(service.needs) <= set(SERVICE_NAMES) for service in services(layout))


def test_services_claim_every_port_once(layout):
    claimed = [port for service in services(layout) for port in service.ports]
    assert sorted(claimed) == sorted(PORTS)


def test_services_listen_on_loopback_only(layout):
    told = " ".join(" ".join((*service.command, *service.environment.values())) for service in services(layout))
    assert "0.0.0.0" not in told
    assert "0.0.0.0" not in kafka.properties(layout)
    of = {service.name: service for service in services(layout)}
    assert "--host 127.0.0.1" in " ".join(of["mlflow"].command)
    assert of["airflow-api"].environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert ExchangeSettings(_env_file=None).bind == "127.0.0.1"


def test_chosen_of_nothing_is_everything():
    assert chosen_services("") == set(SERVICE_NAMES)


def test_chosen_airflow_means_its_four_processes():
    assert chosen_services("airflow, kafka") == {
        "kafka",
        "airflow-api",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
    }
    assert not {name for name in chosen_services("", without="airflow") if name.startswith("airflow")}


def test_chosen_unknown_name_says_what_there_is():
    with pytest.raises(UnknownService, match=r"no service mongo; there are kafka, registry, mongodb"):
        chosen_services("mongo,kafka")


def test_airflows_secrets_are_this_homes_own_kept_and_its_owners_alone(tmp_path):
    layouts = [Layout(home=tmp_path / name, cache=tmp_path) for name in ("one", "other")]
    one, again, other = (airflow.airflow_settings(layouts[index]) for index in (0, 0, 1))
    assert one == again
    for name in ("CORE__FERNET_KEY", "API__SECRET_KEY", "API_AUTH__JWT_SECRET"):
        assert len(one[f"AIRFLOW__{name}"]) >= 44
        assert one[f"AIRFLOW__{name}"] != other[f"AIRFLOW__{name}"]
    passwords = {airflow.airflow_password(layout) for layout in layouts}
    assert [len(password) for password in passwords] == [22, 22]
    for path in layouts[0].secrets.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_kafka_properties_never_expire_the_log(layout):
    lines = dict(line.split("=", 1) for line in kafka.properties(layout).splitlines())
    assert lines["log.retention.ms"] == lines["log.retention.bytes"] == "-1"
    assert lines["listeners"] == "PLAINTEXT://127.0.0.1:9392,CONTROLLER://127.0.0.1:9393"
    assert lines["auto.create.topics.enable"] == "false"


@pytest.mark.parametrize("name", ["plain", *HOSTILE])
def test_supervisor_reads_from_its_configuration_what_was_meant(name, tmp_path, monkeypatch):
    layout = Layout(home=tmp_path / name, cache=tmp_path / "cache", project=tmp_path / f"{name} project")
    for folder in (*layout.private(), layout.project):
        folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(layout.home)
    python = f"/srv/{name}/bin/python"
    monkeypatch.setenv("FORETICK_PYTHON", shlex.quote(python))
    monkeypatch.setenv("FORETICK_PROJECT", str(layout.project))
    (layout.run / "supervisord.conf").write_text(configuration(layout, services(layout)))
    options = ServerOptions()
    options.realize(["-c", "run/supervisord.conf"])
    assert Path(options.logfile).resolve() == layout.log("supervisord").resolve()
    assert Path(options.pidfile).resolve() == (layout.run / "supervisord.pid").resolve()
    [socket] = {Path(server["file"]).absolute() for server in options.configroot.supervisord.server_configs}
    assert socket == layout.socket
    programs = {program.name: program for group in options.process_group_configs for program in group.process_configs}
    assert set(programs) == set(SERVICE_NAMES)
    for service, program in programs.items():
        assert shlex.split(program.command) == [python, "-m", "stack.run.launch", service]
        assert Path(program.directory) == layout.project
        assert Path(program.stdout_logfile).resolve() == layout.log(service).resolve()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_server_is_told_a_path_of_the_home_in_a_format_that_has_rules_for_it(name, tmp_path):
    layout = Layout(home=tmp_path / name, cache=tmp_path / "cache")
    assert name not in kafka.properties(layout)
    assert name not in configuration(layout, services(layout))
    told = {service.name: service for service in services(layout)}
    for server in ("kafka", "registry", "mlflow"):
        assert not [part for part in told[server].command if name in part]
        assert told[server].folder.is_relative_to(layout.data)
    assert json.loads(commands(list(told.values())))["mongodb"]["command"] == list(told["mongodb"].command)


@pytest.mark.parametrize("home", ["a\\b", "a$HOME", "a\nb", "a\x1bb", "a\udcffb"])
def test_home_that_a_server_could_not_be_told_is_refused_by_name(home, tmp_path):
    [problem] = unholdable_paths(Layout(home=tmp_path / home, cache=tmp_path))
    assert "FORETICK_HOME=" in problem
    assert "Name another folder" in problem
    problem.encode()


def test_cache_that_java_could_not_be_told_is_refused_by_name(tmp_path):
    [problem] = unholdable_paths(Layout(home=tmp_path, cache=tmp_path / "a:b"))
    assert "FORETICK_CACHE=" in problem


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_every_server_can_be_told_are_not_refused(name, tmp_path):
    assert unholdable_paths(Layout(home=tmp_path / name, cache=tmp_path / name.replace(":", ""))) == []


def parsed(layout: Layout) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(layout, services(layout)))
    return parser


def test_supervisor_configuration_has_each_service_in_its_group(layout):
    parser = parsed(layout)
    grouped = [name for group in GROUPS for name in parser[f"group:{group}"]["programs"].split(",")]
    assert grouped == list(SERVICE_NAMES)
    assert all(parser[f"program:{name}"]["autorestart"] == "true" for name in SERVICE_NAMES)


def test_supervisor_configuration_stops_services_before_servers(layout):
    parser = parsed(layout)
    priorities = [int(parser[f"group:{group}"]["priority"]) for group in ("servers", "airflow", "services")]
    assert priorities == sorted(priorities)


def test_supervisor_configuration_keeps_its_socket_private(layout):
    parser = parsed(layout)
    assert parser["unix_http_server"]["chmod"] == "0700"
    assert "inet_http_server" not in parser
