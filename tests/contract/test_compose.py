"""docker-compose.yml, the images and `.env.example` agree with the settings: checked without an engine.

`make check` asks docker-compose itself whether the file is sound.
"""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from forecasting.settings import ForecastingSettings
from producers.settings import ExchangeSettings
from stack.layout import Layout
from stack.services.secrecy import every_secret, secrets_of, settings_of
from streaming.settings import StreamSettings

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("streaming", "producers", "projections", "forecasting", "gateway", "stack")
TOLD = {"FORETICK_COMMAND"}  # told to services, yet no setting of a part


def settings_classes() -> list[type[BaseSettings]]:
    modules = [importlib.import_module(f"{part}.settings") for part in PARTS]
    return [
        found
        for module in modules
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, BaseSettings) and found.__module__ == module.__name__
    ]


def variables(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    return {f"{prefix}{name}".upper() for name, field in settings.model_fields.items() if not field.validation_alias}


def known() -> set[str]:
    return set().union(*(variables(each) for each in settings_classes()))


def explained() -> set[str]:
    return set(re.findall(r"^#(FORETICK_[A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return loaded


def told(compose: dict[str, Any]) -> set[str]:
    names = {name for service in compose["services"].values() for name in service.get("environment", {})}
    return {name for name in names if name.startswith("FORETICK_")}


@pytest.mark.parametrize("settings", settings_classes(), ids=lambda found: found.__name__)
def test_env_example_for_each_settings_class_explains_every_field(settings: type[BaseSettings]) -> None:
    assert variables(settings) - explained() == set()


def test_env_example_names_no_setting_that_does_not_exist() -> None:
    assert explained() - known() - TOLD == set()


def test_compose_services_each_have_a_health_check_or_are_one_shots(compose: dict[str, Any]) -> None:
    services = compose["services"]
    unchecked = {name for name, service in services.items() if "healthcheck" not in service}
    assert unchecked == {"init", "first-training", "start-clock", "token"}
    # Docker starts a one-shot that ended well again if it is told `always` or `unless-stopped`.
    assert {services[name]["restart"] for name in unchecked} == {"on-failure:5"}


def test_compose_dependencies_wait_for_health_or_for_the_end_of_one_shots(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, need in service.get("depends_on", {}).items():
            wanted = "service_healthy" if "healthcheck" in services[name] else "service_completed_successfully"
            assert need["condition"] == wanted


def test_compose_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_compose_environment_tells_services_what_the_local_stack_tells_them(compose: dict[str, Any]) -> None:
    local = Layout(home=Path("/home"), cache=Path("/cache")).environment()
    assert set(local) - told(compose) == {"FORETICK_EXCHANGE_FAULTS"}  # nothing to have beside a real market


def test_compose_images_are_targets_of_the_dockerfile(compose: dict[str, Any]) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE))
    targets = {service["build"]["target"] for service in compose["services"].values() if "build" in service}
    assert targets == stages - {"web", "base"}


def test_compose_services_gain_nothing_and_ours_write_to_volumes_only(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("read_only") or name in ("kafka", "registry", "mongodb"), name
        assert service.get("tmpfs", [""])[0] == "/tmp" or not service.get("read_only"), name


def test_no_container_runs_as_root(compose: dict[str, Any]) -> None:
    text = (PROJECT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM \S+ AS (\S+)$(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL)
    users = {stage: re.findall(r"^USER (\S+)$", lines, re.MULTILINE)[-1:] for stage, lines in stages}
    for name, service in compose["services"].items():
        if name == "kafka":
            continue  # the image has a user of its own
        user = service["user"] if "user" in service else users[service["build"]["target"]][0]
        assert user.split(":")[0] not in ("root", "0"), name


def test_dockerfile_requirements_are_installed_with_hashes_and_exist() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.*)", text)
    assert len(installs) == 5
    assert all("--require-hashes" in install for install in installs)
    assert all((PROJECT / "requirements" / name).exists() for name in re.findall(r"requirements/(\w+\.txt)", text))


def test_dockerfile_copies_nothing_that_dockerignore_keeps_out() -> None:
    let_in = set(re.findall(r"^!(\w+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE))
    copies = re.findall(
        r"^COPY (?!--)(.+) \S+$", (PROJECT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE
    )
    assert {source.split("/")[0] for copy in copies for source in copy.split()} == let_in


# What the commands that workflows call import beside `stack.cli.main`.
WORK = {
    "train": "forecasting.training.command",
    "backtest": "forecasting.backtest.command",
    "ingest": "stack.commands.ingest",
    "rebuild": "stack.commands.rebuild",
    "drift": "stack.commands.drift",
}


def airflow_image() -> str:
    text = (PROJECT / "Dockerfile").read_text()
    return re.search(r"^FROM apache/airflow.*?(?=^FROM)", text, re.MULTILINE | re.DOTALL)[0]


def test_airflow_image_knows_the_commands_that_the_workflows_call() -> None:
    called = {
        command
        for dag in (PROJECT / "dags").glob("*.py")
        for command in re.findall(r"\{FORETICK\} (\w+)", dag.read_text())
    }
    assert called == set(WORK)
    assert 'python -m stack "$@"' in airflow_image()


@pytest.mark.slow
def test_airflow_image_holds_every_part_that_those_commands_import() -> None:
    code = f"import sys, stack.cli.main, {', '.join(WORK.values())}"
    code += "; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run((sys.executable, "-c", code), cwd=PROJECT, capture_output=True, text=True, check=True)
    copied = set(re.findall(r"^COPY (\w+) /srv", airflow_image(), re.MULTILINE))
    assert set(done.stdout.split()) & {*PARTS, "contracts"} == copied
    requirements = set(re.findall(r"-r (\w+)\.txt", airflow_image()))
    assert requirements == (copied & {"producers", "projections", "forecasting"}) | {"cli"}


def test_compose_environment_names_no_setting_that_does_not_exist(compose: dict[str, Any]) -> None:
    assert told(compose) - known() - TOLD == set()


READING = {  # what reads which settings, where `foretick up` has no process of that name
    "init": (StreamSettings,),
    "first-training": (ForecastingSettings,),
    "airflow": settings_of("airflow-scheduler"),
}


def test_compose_services_see_their_own_secrets_alone(compose: dict[str, Any]) -> None:
    reading = [name for name, service in compose["services"].items() if "env_file" in service]
    assert len(reading) > 10
    for name in reading:
        environment = compose["services"][name]["environment"]
        own = secrets_of(*READING.get(name, settings_of(name)))
        given = {secret for secret in every_secret() if environment[secret] != ""}  # `.env` would fill what is not said
        assert given == own, name
        for secret in own - {"FORETICK_MONGODB"}:  # of this file's own server, which asks for no password
            assert environment[secret].startswith(f"${{{secret}:-"), name


def test_compose_services_of_others_are_given_no_file_of_settings(compose: dict[str, Any]) -> None:
    for name in ("kafka", "registry", "mongodb", "mlflow"):
        assert "env_file" not in compose["services"][name]
        assert every_secret().isdisjoint(compose["services"][name].get("environment", {}))


def test_compose_exchange_offers_no_faults(compose: dict[str, Any]) -> None:
    assert "FORETICK_EXCHANGE_FAULTS" not in told(compose)
    assert not ExchangeSettings(_env_file=None).exchange_faults  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["exchange", "producers", "projections", "forecasting", "scoring", "gateway"])
def test_compose_services_that_save_a_state_keep_it_when_they_are_made_again(
    compose: dict[str, Any], name: str
) -> None:
    home = compose["services"]["producers"]["environment"]["FORETICK_HOME"]
    kept = [volume.split(":") for volume in compose["services"][name]["volumes"]]
    assert home in [folder for _, folder in kept]
    assert {volume for volume, _ in kept} <= set(compose["volumes"])
