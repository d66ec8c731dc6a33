"""The Helm chart in every profile: Helm, kubeconform and checkov find no fault, and it agrees with the code.

There is no cluster here: what is rendered is judged, and nothing is run of it but three small scripts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from confluent_kafka.admin import AdminClient
from fastapi import FastAPI, Request, Response

from contracts.topics import TOPICS
from forecasting.settings import ForecastingSettings
from projections.read_models.table import READ_MODELS
from stack.services.secrecy import every_secret, secrets_of, settings_of
from streaming.settings import StreamSettings
from tests.contract.test_compose import PROJECT, known, variables
from tests.support import charts
from tests.support.certificates import certified
from tests.support.charts import CHART, KUBERNETES, PROFILES, objects, rendered
from tests.support.ports import HOST, free_port
from tests.support.waiting import until
from tests.support.webservers import running
from tests.unit.test_rights import ROWS, quoted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WORKLOADS = ("Deployment", "StatefulSet")
SERVICES = ("exchange", "producers", "projections", "forecasting", "scoring", "gateway")
READING = {"init": (StreamSettings,), "first-training": (ForecastingSettings,), "start-clock": ()}
# Told to all, and called by no line of theirs.
UNASKED = {("init", "exchange"), ("projections", "exchange"), ("scoring", "mlflow")}
COMPONENT = "app.kubernetes.io/component"
CHART_ITSELF = {"app.kubernetes.io/name": "foretick", "app.kubernetes.io/instance": "foretick"}


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def component(found: dict[str, Any]) -> str:
    return str(found["metadata"]["labels"].get(COMPONENT, ""))


def kinds(profile: str, *wanted: str) -> list[dict[str, Any]]:
    return [found for found in objects(profile) if found["kind"] in wanted]


def pods(profile: str) -> dict[str, dict[str, Any]]:
    """Return the pod of each part of a profile: its specification."""
    found = {}
    for each in kinds(profile, *WORKLOADS, "Job", "Pod"):
        found[component(each)] = each["spec"] if each["kind"] == "Pod" else each["spec"]["template"]["spec"]
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def environment(profile: str, part: str) -> dict[str, str]:
    """Return what a part's container is told, as far as it stands in the chart."""
    (container,) = pods(profile)[part]["containers"]
    (shared,) = [each["data"] for each in kinds(profile, "ConfigMap")]
    own = {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
    return (shared if "envFrom" in container else {}) | own


def secret_files(pod: dict[str, Any]) -> set[str]:
    """Return the files of FORETICK_SECRETS_DIR in a pod."""
    projected = [each["projected"] for each in pod.get("volumes", []) if each["name"] == "secrets"]
    return {item["path"] for each in projected for source in each["sources"] for item in source["secret"]["items"]}


# What others judge


def test_chart_passes_helms_lint(profile: str) -> None:
    done = charts.run(charts.tool(charts.HELM), "lint", "--strict", "-n", "market", *charts.values(profile), CHART)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_resources_fit_the_schemas_of_kubernetes_and_of_the_operators(profile: str, version: str) -> None:
    assert charts.refused(rendered(profile, version=version), version) == []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("  revisionHistoryLimit: 3", "  revisionHistoryLimits: 3"),
        ("automountServiceAccountToken: false", 'automountServiceAccountToken: "no"'),
        ("  policyTypes: [Ingress, Egress]", "  policyType: [Ingress, Egress]"),
        ("  pollingInterval: 30", "  pollInterval: 30"),
        ("    userOperator: {}", "    usersOperator: {}"),
        ("            kraftMetadata: shared"[4:], "        kraftMetadata: private"),
        ('operations: ["Read","Describe"]', 'operations: ["Read","Look"]'),
        ("      modes: [SCRAM]", "      mode: [SCRAM]"),
    ],
)
def test_schemas_refuse_what_kubernetes_or_an_operator_does_not_know(written: str, wrong: str) -> None:
    sound = rendered("production")
    assert written in sound
    assert charts.refused(sound.replace(written, wrong)) != []


def test_checkov_finds_no_fault(profile: str, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(rendered(profile))
    faults, passed = charts.failed_checks(tmp_path)
    assert faults == []
    assert passed > 500


def test_checkov_sees_what_is_not_restricted(tmp_path: Path) -> None:
    text = rendered("production").replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    (tmp_path / "all.yaml").write_text(text)
    faults, _ = charts.failed_checks(tmp_path)
    assert {fault.split()[0] for fault in faults} == {"CKV_K8S_20"}


def test_checks_are_left_out_with_a_reason_alone() -> None:
    told = re.findall(r"checkov\.io/skip\d+: (.*)", "".join(rendered(profile) for profile in PROFILES))
    assert told
    assert [each for each in told if not re.fullmatch(r"CKV_K8S_\d+=.{15,}", each)] == []


# Values


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("gateway.replica=1", "additional properties 'replica' not allowed"),
        ("gateway.replicas=2", "/gateway/replicas': maximum: got 2, want 1"),
        ("producers.replicas=2", "/producers/replicas': maximum: got 2, want 1"),
        ("scoring.replicas=2", "/scoring/replicas': maximum: got 2, want 1"),
        ("forecasting.replicas=2", "/forecasting/replicas': maximum: got 2, want 1"),
        ("projections.replicas=7", "/projections/replicas': maximum: got 7, want 6"),
        ("projections.autoscaling.maxReplicas=7", "maximum: got 7, want 6"),
        ("kafka.strimzi.brokers=2", "/kafka/strimzi/brokers"),
        ("kafka.mode=redpanda", "value must be one of 'strimzi', 'address'"),
        ("settings.FORETICK_SYMBOL=IBM", "additional properties 'FORETICK_SYMBOL' not allowed"),
        ("settings.FORETICK_MONGODB=mongodb://a:b@c", "additional properties 'FORETICK_MONGODB' not allowed"),
        ("image.digests.producers=latest", "does not match pattern"),
        ("scoring.resources.limits.memory=1 GB", "/scoring/resources/limits/memory"),
    ],
)
def test_values_with_a_slip_are_refused_and_named(given: str, told: str) -> None:
    done = charts.template(*charts.values("evaluation"), "--set", given)
    assert done.returncode != 0
    assert told in done.stderr


@pytest.mark.parametrize(
    ("profile", "given", "told"),
    [
        ("evaluation", "market.source=alphavantage", "the replay exchange speaks as yahoo"),
        ("production", "market.existingSecret=", "alphavantage wants a key"),
        ("addresses", "market.rest.configMap=", "name the ConfigMap with the mapping"),
        ("addresses", "kafka.address.bootstrap=", "name the brokers"),
        ("addresses", "kafka.address.existingSecret=", "Kafka is spoken to in the clear"),
        ("addresses", "registry.address.url=http://registry:8081", "registry.address.url: use https://"),
        ("addresses", "mlflow.address.url=", "mlflow.address.url: name it"),
        ("addresses", "mongodb.address.existingSecret=", "name the Secret with MongoDB's addresses"),
        ("production", "mongodb.operator.users.gateway.existingSecret=", "name the Secret with its password"),
        ("production", "mongodb.operator.tls.caConfigMap=", "name the ConfigMap with ca.crt"),
        ("production", "gateway.trustedProxies=null", "or all callers share its budget"),
        ("production", "ingress.tlsSecret=", "tokens do not come in the clear"),
        ("production", "projections.autoscaling.minReplicas=6,projections.autoscaling.maxReplicas=2", "is more than"),
    ],
)
def test_values_that_do_not_go_together_are_refused_with_the_way_out(profile: str, given: str, told: str) -> None:
    done = charts.template(*charts.values(profile), "--set", given)
    assert done.returncode != 0
    assert told in done.stderr


def test_every_value_has_its_default_and_is_in_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def missing(found: dict[str, Any], named: dict[str, Any], path: str = "") -> Iterator[str]:
        named = schema["definitions"][named["$ref"].split("/")[-1]] if "$ref" in named else named
        for name, each in named.get("properties", {}).items():
            if name not in found:
                yield f"{path}.{name}"
            elif isinstance(found[name], dict):
                yield from missing(found[name], each, f"{path}.{name}")

    lacking = set(missing(yaml.safe_load((CHART / "values.yaml").read_text()), schema))
    optional = ("priorityClassName", "ephemeral-storage", "nodeSelector", "tolerations", "affinity", "podLabels")
    optional += ("podAnnotations", "extraVolumes", "extraVolumeMounts", "global")
    named = (".settings.", ".digests.", ".extraEgress.")
    assert {
        each for each in lacking if not each.endswith(optional) and not any(part in each for part in named)
    } == set()


def test_settings_that_may_be_given_are_those_that_are_no_secret_and_not_the_charts() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    allowed = set(schema["properties"]["settings"]["properties"])
    assert allowed <= known()
    assert allowed & every_secret() == set()
    set_here = {name for profile in PROFILES for part in pods(profile) for name in environment(profile, part)}
    given = {name for profile in PROFILES for name in yaml.safe_load(charts_values(profile)).get("settings", {})}
    assert allowed & (set_here - given) == set()
    of_one_machine = {"FORETICK_CACHE", "FORETICK_MONGOD", "FORETICK_PORT_OFFSET", "FORETICK_EXCHANGE_FAULTS"}
    of_one_machine |= {name for name in known() if "_CSV_" in name} | {"FORETICK_GATEWAY_HOST"}
    by_values = {"FORETICK_TRUSTED_PROXIES", "FORETICK_EXCHANGE_LIVE_FROM", "FORETICK_EXCHANGE_SECONDS_PER_SESSION"}
    assert known() - allowed - set_here - every_secret() == of_one_machine | (by_values - set_here)


def charts_values(profile: str) -> str:
    return (CHART / "profiles" / f"{profile}.yaml").read_text()


def test_chart_is_of_the_projects_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version


# What is rendered, beside the code


def test_environment_names_no_setting_that_does_not_exist(profile: str) -> None:
    told = {name for part in pods(profile) for name in environment(profile, part) if name.startswith("FORETICK_")}
    assert told - known() == set()


def mount(folder: Path, files: dict[str, str]) -> None:
    """Write files as Kubernetes mounts them: links into a folder that a link leads to."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "..2026_11_30").mkdir(parents=True)
    (folder / "..data").symlink_to("..2026_11_30")
    for name, text in files.items():
        (folder / "..data" / name).write_text(text)
        (folder / name).symlink_to(Path("..data", name))


def test_every_service_takes_what_it_is_told(profile: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "foretick"
    (tmp_path / "foretick-tokens").mkdir()
    (tmp_path / "tokens").write_text(f"alice:read:{'0' * 64}\n")
    (tmp_path / "foretick-tokens" / "tokens").write_text(f"alice:read:{'0' * 64}\n")
    (tmp_path / "foretick-tls").mkdir()
    pem = certified(tmp_path, "charts.example.com")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / "foretick-tls" / name).write_bytes(pem.read_bytes())
    said = {
        "FORETICK_MONGODB": "mongodb://projections:x@foretick-mongodb-0.foretick-mongodb-svc:27017/admin",
        "FORETICK_KAFKA_OPTIONS": '{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", '
        '"sasl.username": "foretick", "sasl.password": "x"}',
    }
    mount(tmp_path / "foretick-kafka", dict.fromkeys(("ca.crt", "user.crt", "user.key"), pem.read_text()))
    for part, pod in pods(profile).items():
        mount(secrets, {name: said.get(name, "secret") for name in secret_files(pod)})
        told = environment(profile, part)
        for place in ("/run/secrets", "/var/lib/foretick"):
            told = {name: value.replace(place, str(tmp_path)) for name, value in told.items()}
        with monkeypatch.context() as patched:
            patched.chdir(tmp_path)
            for name, value in told.items():
                patched.setenv(name, value)
            for settings in READING.get(part) or settings_of(part):
                taken = settings()
                assert dict(taken)["private_network"]
                if isinstance(taken, StreamSettings):
                    assert taken.kafka_options["security.protocol"] in ("SSL", "SASL_SSL")
                    AdminClient(taken.kafka_config())  # it refuses options, and reads certificates, at once


def test_pods_see_their_own_secrets_alone(profile: str) -> None:
    for part, pod in pods(profile).items():
        own = secrets_of(*(READING.get(part) or settings_of(part)))
        given = secret_files(pod) | (set(environment(profile, part)) & every_secret())
        instead = {"FORETICK_TOKENS", "FORETICK_ALPHAVANTAGE_KEY", "FORETICK_REST_KEY", "FORETICK_REGISTRY_AUTH"}
        assert given <= own, part
        assert own - given <= instead, part  # a file of tokens; the other vendor's; of the chart's own registry
        mounted = {each["name"] for container in containers(pod) for each in container.get("volumeMounts", [])}
        for volume in pod.get("volumes", []):
            if "secret" in volume or "projected" in volume:
                assert volume["name"] in mounted, part
                allowed = {"secrets", "kafka"} | ({"tokens", "tls"} if part == "gateway" else set())
                assert volume["name"] in allowed, part
    vendors = {part for part, pod in pods("production").items() if "FORETICK_ALPHAVANTAGE_KEY" in secret_files(pod)}
    assert vendors == {"producers"}


def test_strimzis_certificates_are_each_parts_own() -> None:
    for part, pod in pods("production").items():
        named = {
            source["secret"]["name"]
            for volume in pod["volumes"]
            if volume["name"] == "kafka"
            for source in volume["projected"]["sources"]
        }
        assert named in (set(), {"foretick-cluster-ca-cert", f"foretick-{part}"}), part
        assert bool(named) == (part not in ("registry", "mlflow", "exchange", "start-clock", "test")), part
    users = {found["metadata"]["name"].removeprefix("foretick-") for found in kinds("production", "KafkaUser")}
    assert users == {
        "init", "first-training", "producers", "projections", "forecasting", "scoring", "gateway", "airflow", "keda",
    }  # fmt: skip


def rights(profile: str, user: str) -> dict[str, dict[str, set[str]]]:
    (found,) = [each for each in kinds(profile, "KafkaUser") if each["metadata"]["name"] == f"foretick-{user}"]
    told: dict[str, dict[str, set[str]]] = {"topic": {}, "group": {}, "transactionalId": {}}
    for acl in found["spec"]["authorization"]["acls"]:
        told[acl["resource"]["type"]][acl["resource"]["name"]] = set(acl["operations"])
    return told


@pytest.mark.parametrize(
    ("user", "row"),
    [
        ("producers", "producers"),
        ("projections", "projections"),
        ("forecasting", "forecasting (serving)"),
        ("scoring", "forecasting (scoring)"),
        ("first-training", "forecasting (training)"),
        ("gateway", "gateway"),
    ],
)
def test_users_of_kafka_have_the_rights_of_the_page_and_no_more(user: str, row: str) -> None:
    told = rights("production", user)
    writes, reads, groups, _ = ROWS[row]
    read = {topic.name for topic in TOPICS} if reads == "all" else quoted(reads)
    dead = {f"{name}.dlq" for name in read}
    buried = dead if ".dlq" in writes else set()
    assert {name for name, may in told["topic"].items() if "Read" in may} == read | dead
    assert {name for name, may in told["topic"].items() if "Write" in may} == (quoted(writes) - {".dlq"}) | buried
    assert {name for name, may in told["group"].items() if "Read" in may} == quoted(groups)
    ids = {"producers-": {"Write", "Describe"}} if "stock-data" in quoted(writes) else {}
    assert told["transactionalId"] == ids
    assert set().union(*told["topic"].values(), *told["group"].values()) <= {"Read", "Describe", "Write"}


def test_topics_are_made_by_init_alone() -> None:
    makers = {
        user["metadata"]["name"]
        for user in kinds("production", "KafkaUser")
        if any("Create" in acl["operations"] for acl in user["spec"]["authorization"]["acls"])
    }
    assert makers == {"foretick-init"}
    made = {name for name, may in rights("production", "init")["topic"].items() if "Create" in may}
    assert made == {name for topic in TOPICS for name in (topic.name, topic.dlq)}
    asked = rights("production", "keda")
    assert set().union(*asked["topic"].values(), *asked["group"].values()) == {"Describe"}


@pytest.mark.parametrize("profile", ["production", "addresses"])
def test_keda_asks_for_the_lag_of_each_read_models_group_and_topic(profile: str) -> None:
    (scaled,) = kinds(profile, "ScaledObject")
    asked = [each["metadata"] for each in scaled["spec"]["triggers"]]
    wanted = {(f"foretick.{model.name}", topic.name) for model in READ_MODELS for topic in model.topics}
    assert {(each["consumerGroup"], each["topic"]) for each in asked} == wanted
    for each in asked:
        told = each["allowIdleConsumers"], each["limitToPartitionsWithLag"], each["excludePersistentLag"]
        assert told == ("false", "true", "true")
        assert each["bootstrapServers"] == environment(profile, "projections")["FORETICK_KAFKA"]
    assert all("authenticationRef" in each for each in scaled["spec"]["triggers"])
    (target,) = [each for each in kinds(profile, "StatefulSet") if component(each) == "projections"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == target["metadata"]["name"]
    assert "replicas" not in target["spec"]  # they are KEDA's to say


def test_projections_are_never_more_than_there_are_partitions() -> None:
    most = max(topic.partitions for model in READ_MODELS for topic in model.topics)
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]["projections"]["properties"]
    assert schema["replicas"]["maximum"] == most
    assert schema["autoscaling"]["properties"]["maxReplicas"]["maximum"] == most
    for profile in ("production", "addresses"):
        (scaled,) = kinds(profile, "ScaledObject")
        assert scaled["spec"]["maxReplicaCount"] <= most


def test_prefix_of_topics_is_every_names() -> None:
    given = ("--set", "kafka.topicPrefix=e2-")
    found = objects("production", *given)
    (scaled,) = [each for each in found if each["kind"] == "ScaledObject"]
    users = [each for each in found if each["kind"] == "KafkaUser"]
    names = [each["metadata"][key] for each in scaled["spec"]["triggers"] for key in ("topic", "consumerGroup")]
    names += [acl["resource"]["name"] for user in users for acl in user["spec"]["authorization"]["acls"]]
    assert len(names) > 50
    assert [name for name in names if not name.startswith("e2-")] == []


# What is rendered, beside docker-compose.yml


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    return loaded


def test_images_are_targets_of_the_dockerfile_and_the_same_as_in_compose(compose: dict[str, Any]) -> None:
    for part, pod in pods("evaluation").items():
        for container in containers(pod):
            assert re.fullmatch(r"foretick/[a-z]+:0\.1\.0", container["image"])
        if part != "test":
            assert pod["containers"][0]["image"].split(":")[0] == compose[part]["image"], part
    for pod in pods("production").values():
        for container in containers(pod):
            assert re.fullmatch(r"registry\.example\.com/foretick/[a-z]+@sha256:[0-9a-f]{64}", container["image"])


def test_commands_are_those_of_compose(compose: dict[str, Any]) -> None:
    for part, pod in pods("evaluation").items():
        (container,) = pod["containers"]
        if part in ("projections", "start-clock", "test"):
            continue  # around the image's own; the same request; not there
        wanted = [word.replace("$$", "$") for word in compose[part].get("command", [])]
        if part == "mlflow":
            hosts = next(word for word in container["command"] if word.startswith("--allowed-hosts="))
            assert "foretick-mlflow:*" in hosts
            wanted = [hosts if word.startswith("--allowed-hosts=") else word for word in wanted]
        assert container.get("command", []) == wanted, part
    token = pods("evaluation")["gateway"]["initContainers"][0]
    assert token["command"] == compose["token"]["command"]


def test_environment_tells_each_service_what_compose_tells_it(compose: dict[str, Any]) -> None:
    moved = re.compile(r"(?<=//)foretick-|(?<=\")foretick-(?!forecaster)")
    checked = 0
    for part in (*SERVICES, "init", "first-training"):
        read = set().union(*map(variables, READING.get(part) or settings_of(part)))
        told = environment("evaluation", part)
        for name in sorted(set(compose[part]["environment"]) & read - every_secret()):
            default = re.fullmatch(r"\$\{\w+:?-(.*)\}", compose[part]["environment"][name])
            wanted = default[1] if default else compose[part]["environment"][name]
            if name in ("FORETICK_PORT_OFFSET", "FORETICK_MLFLOW_LINK", "FORETICK_AIRFLOW_LINK"):
                continue  # their defaults
            if name == "FORETICK_KAFKA":
                assert told[name] == "foretick-kafka-bootstrap:9093"
                continue
            same = moved.sub("", told[name])
            assert same.replace(" ", "") == wanted.replace(" ", ""), (part, name)
            checked += 1
    assert checked > 50


def test_volumes_are_where_compose_has_them(compose: dict[str, Any]) -> None:
    for part, pod in pods("evaluation").items():
        if part in ("init", "start-clock", "test"):
            continue
        kept = {volume.split(":")[1] for volume in compose[part]["volumes"]}
        mounts = pod["containers"][0]["volumeMounts"]
        assert {each["mountPath"] for each in mounts if each["name"] == "home"} == kept, part


# Pods


def test_pods_are_restricted(profile: str) -> None:
    for part, pod in pods(profile).items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False  # FORETICK_GATEWAY_PORT would be tcp://...
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            allowed = container["securityContext"]
            assert allowed["allowPrivilegeEscalation"] is False, part
            assert allowed["readOnlyRootFilesystem"] is True, part
            assert allowed["capabilities"] == {"drop": ["ALL"]}, part
            assert set(container["resources"]) == {"requests", "limits"}, part
            assert set(container["resources"]["limits"]) == {"cpu", "memory"}, part
        forbidden = {"hostNetwork", "hostPID", "hostIPC"}
        assert forbidden.isdisjoint(pod)
        assert [volume for volume in pod.get("volumes", []) if "hostPath" in volume] == []


def test_services_have_probes_a_budget_and_a_place_in_the_network(profile: str) -> None:
    budgets = {component(found): found["spec"] for found in kinds(profile, "PodDisruptionBudget")}
    policies = {component(found): found["spec"] for found in kinds(profile, "NetworkPolicy")}
    fronts = {component(found): found["spec"] for found in kinds(profile, "Service")}
    served = kinds(profile, *WORKLOADS)
    assert len(served) >= 5
    for found in served:
        part = component(found)
        (container,) = found["spec"]["template"]["spec"]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), part
        if part in SERVICES:
            assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
            assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        selector = found["spec"]["selector"]["matchLabels"]
        assert budgets[part] == {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
        assert policies[part]["podSelector"]["matchLabels"] == selector
        assert fronts[part]["selector"] == selector
    assert set(budgets) == {component(found) for found in served}


def test_labels_are_the_standard_ones_and_selectors_never_change(profile: str) -> None:
    standard = {
        "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart",
        "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by",
    }  # fmt: skip
    for found in objects(profile):
        assert standard <= set(found["metadata"]["labels"]), found["metadata"]["name"]
        assert found["metadata"]["namespace"] == "market"
    for found in kinds(profile, *WORKLOADS):
        assert found["spec"]["selector"]["matchLabels"] == CHART_ITSELF | {COMPONENT: component(found)}


def test_writers_are_one_pod_that_is_gone_before_the_next_comes() -> None:
    found = {component(each): each for each in kinds("production", *WORKLOADS)}
    for part in ("producers", "forecasting", "scoring", "registry", "mlflow"):
        assert found[part]["kind"] == "StatefulSet"
        assert found[part]["spec"]["replicas"] == 1
    assert found["gateway"]["spec"]["strategy"]["type"] == "RollingUpdate"
    (alone,) = [each for each in kinds("evaluation", "Deployment") if component(each) == "gateway"]
    assert alone["spec"]["strategy"] == {"type": "Recreate"}  # its token is on a volume


def test_jobs_have_another_name_when_their_pod_is_another() -> None:
    def names(*options: str) -> set[str]:
        return {each["metadata"]["name"] for each in objects("evaluation", *options) if each["kind"] == "Job"}

    assert len(names()) == 3
    assert names() == names("--set", "scoring.resources.limits.memory=1Gi")
    assert names().isdisjoint(names("--set", "image.tag=0.2.0"))
    assert all(len(name) <= 63 for name in names("--set", "fullnameOverride=" + "a" * 36))


def mounted_files(pod: dict[str, Any]) -> set[str]:
    """Return the files that are mounted in a pod's container by name, and the folders of which no file is named."""
    found = set()
    volumes = {each["name"]: each for each in pod["volumes"]}
    for mount_ in pod["containers"][0]["volumeMounts"]:
        volume = volumes.get(mount_["name"], {})
        sources = [each["secret"] for each in volume.get("projected", {}).get("sources", [])]
        sources += [volume["secret"]] if "secret" in volume else []
        items = [item["path"] for source in sources for item in source.get("items", [])]
        found |= {f"{mount_['mountPath']}/{item}" for item in items} or {f"{mount_['mountPath']}/"}
    return found


def test_files_that_a_part_is_told_of_are_mounted(profile: str) -> None:
    checked = 0
    for part, pod in pods(profile).items():
        there = mounted_files(pod)
        told = " ".join(environment(profile, part).values())
        for path in re.findall(r"/(?:run|etc|var)/[\w./-]+", told):
            folder = any(each.startswith(f"{path}/") for each in there)
            assert path in there or folder or any(path.startswith(each) for each in there if each.endswith("/")), path
            checked += 1
    assert checked > 10


def test_addresses_of_mongodb_name_an_authority_that_is_mounted() -> None:
    (mongodb,) = kinds("production", "MongoDBCommunity")
    for user in mongodb["spec"]["users"]:
        file = Path(user["additionalConnectionStringConfig"]["tlsCAFile"])
        assert f"{file.parent}/" in mounted_files(pods("production")[user["name"]])


# The network


def peers(rules: list[dict[str, Any]], way: str, port: int) -> list[dict[str, Any]]:
    return [peer for rule in rules if port in [each["port"] for each in rule["ports"]] for peer in rule[way]]


def test_nobody_is_let_in_or_out_who_is_not_named(profile: str) -> None:
    (deny,) = [found for found in kinds(profile, "NetworkPolicy") if found["metadata"]["name"] == "foretick-deny"]
    assert deny["spec"] == {"podSelector": {"matchLabels": CHART_ITSELF}, "policyTypes": ["Ingress", "Egress"]}
    for part in pods(profile):
        (policy,) = [found for found in kinds(profile, "NetworkPolicy") if component(found) == part]
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert [rule for rule in policy["spec"].get("ingress", []) if not rule.get("from")] == []
        assert [rule for rule in policy["spec"].get("egress", []) if not (rule.get("to") and rule.get("ports"))] == []


def test_services_let_in_nobody_from_elsewhere_unless_values_say_so() -> None:
    for policy in kinds("evaluation", "NetworkPolicy"):
        if component(policy) in ("gateway", "mongodb"):
            continue
        for rule in policy["spec"].get("ingress", []):
            assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [CHART_ITSELF]
    for policy in kinds("production", "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            elsewhere = {
                peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                for peer in rule["from"]
                if "namespaceSelector" in peer
            }
            wanted = {"monitoring"} if component(policy) in SERVICES else set()
            assert elsewhere == wanted | ({"ingress-nginx"} if component(policy) == "gateway" else set())


def test_ingress_leads_to_the_gateway_by_tls_and_the_gateway_goes_by_its_name() -> None:
    (ingress,) = kinds("production", "Ingress")
    (front,) = [found for found in kinds("production", "Service") if component(found) == "gateway"]
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == front["metadata"]["name"]
    assert backend["port"]["name"] in [each["name"] for each in front["spec"]["ports"]]
    assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "charts-tls"}]
    assert rule["host"] in json.loads(environment("production", "gateway")["FORETICK_HOSTS"])


def test_network_opens_both_ends_of_a_way(profile: str) -> None:
    policies = {component(found): found["spec"] for found in kinds(profile, "NetworkPolicy")}
    ways = 0
    for part in pods(profile):
        for rule in policies[part]["egress"]:
            for peer in rule["to"]:
                callee = peer.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT)
                if callee:
                    (port,) = [each["port"] for each in rule["ports"]]
                    let_in = peers(policies[callee]["ingress"], "from", port)
                    assert part in let_in[0]["podSelector"]["matchExpressions"][0]["values"], (part, callee)
                    ways += 1
    assert ways >= 8


def test_addresses_that_a_part_is_told_are_open_to_it(profile: str) -> None:
    policies = {component(found): found["spec"] for found in kinds(profile, "NetworkPolicy")}
    fronts = {component(found): found["spec"]["ports"][0]["port"] for found in kinds(profile, "Service")}
    for part, pod in pods(profile).items():
        read = set().union(*map(variables, READING.get(part) or settings_of(part)))
        told = [value for name, value in environment(profile, part).items() if name in read]
        told += [word for container in containers(pod) for word in container.get("args", [])]
        for callee, port in re.findall(r"https?://foretick-([a-z]+):(\d+)", " ".join(told)):
            assert int(port) == fronts[callee]
            open_to = {
                peer.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT)
                for rule in policies[part]["egress"]
                for peer in rule["to"]
            }
            assert callee in open_to or (part, callee) in UNASKED, (part, callee)


def test_only_producers_reach_a_vendor() -> None:
    for profile in ("production", "addresses"):
        policies = {component(found): found["spec"] for found in kinds(profile, "NetworkPolicy")}
        outside = {
            part
            for part in pods(profile)
            for peer in peers(policies[part].get("egress", []), "to", 443)
            if "except" in peer.get("ipBlock", {})
        }
        assert outside == {"producers"}
    for policy in kinds("evaluation", "NetworkPolicy"):
        for rule in policy["spec"].get("egress", []):
            assert [peer for peer in rule["to"] if "ipBlock" in peer] == []


def test_kafka_lets_in_the_parts_that_read_the_log_keda_and_airflow() -> None:
    (kafka,) = kinds("production", "Kafka")
    (listener,) = kafka["spec"]["kafka"]["listeners"]
    assert (listener["tls"], listener["authentication"]) == (True, {"type": "tls"})
    ours, keda, airflow = listener["networkPolicyPeers"]
    parts = set(ours["podSelector"]["matchExpressions"][0]["values"])
    assert parts == {part for part in pods("production") if "FORETICK_KAFKA_OPTIONS" in environment("production", part)}
    assert keda["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "keda"}
    assert airflow["podSelector"]["matchLabels"]["component"] == "worker"
    config = kafka["spec"]["kafka"]["config"]
    assert (config["default.replication.factor"], config["min.insync.replicas"]) == (3, 2)
    (pool,) = kinds("production", "KafkaNodePool")
    assert (pool["spec"]["replicas"], pool["spec"]["storage"]["volumes"][0]["deleteClaim"]) == (3, False)
    told = environment("production", "init")
    assert (told["FORETICK_REPLICATION"], told["FORETICK_MIN_INSYNC_REPLICAS"]) == ("3", "2")
    told = environment("evaluation", "init")
    assert (told["FORETICK_REPLICATION"], told["FORETICK_MIN_INSYNC_REPLICAS"]) == ("1", "1")


def test_mongodbs_users_may_write_only_where_the_page_says_so() -> None:
    (mongodb,) = kinds("production", "MongoDBCommunity")
    told = {user["name"]: user for user in mongodb["spec"]["users"]}
    assert {name: user["roles"] for name, user in told.items()} == {
        "gateway": [{"name": "read", "db": "stock_db"}],
        "projections": [{"name": "readWrite", "db": "stock_db"}],
    }
    for name, user in told.items():
        (volume,) = [each for each in pods("production")[name]["volumes"] if each["name"] == "secrets"]
        (source,) = volume["projected"]["sources"]
        assert source["secret"]["name"] == user["connectionStringSecretName"]


# Airflow's own chart


def test_airflows_values_fit_the_chart_and_the_image(compose: dict[str, Any]) -> None:
    given = yaml.safe_load((CHART.parent / "airflow-values.yaml").read_text())
    assert given["executor"] == "KubernetesExecutor"
    assert given["images"]["airflow"]["repository"] == compose["airflow"]["image"]
    version = re.search(r"FROM apache/airflow:([\d.]+)-", (PROJECT / "Dockerfile").read_text())[1]
    assert given["airflowVersion"] == version
    told = {each["name"]: each["value"] for each in given["env"]}
    assert {name for name in told if name.startswith("FORETICK_")} <= known()
    assert told["FORETICK_KAFKA_OPTIONS"] == environment("production", "producers")["FORETICK_KAFKA_OPTIONS"]
    assert "foretick-environment" in given["extraEnvFrom"]
    (peer,) = yaml.safe_load((CHART / "values.yaml").read_text())["networkPolicy"]["airflow"]
    assert peer["podSelector"]["matchLabels"] == {"release": "airflow", "component": "worker"}
    mounted = {each["mountPath"] for each in given["workers"]["extraVolumeMounts"]}
    assert {told["FORETICK_SECRETS_DIR"], "/run/secrets/foretick-kafka"} <= mounted
    sources = [
        source["secret"]
        for volume in given["workers"]["extraVolumes"]
        if "projected" in volume
        for source in volume["projected"]["sources"]
    ]
    assert {"foretick-airflow", "foretick-cluster-ca-cert"} <= {each["name"] for each in sources}
    files = {item["path"] for each in sources for item in each["items"]}
    assert {name for name in files if name.startswith("FORETICK_")} <= secrets_of(*settings_of("airflow-scheduler"))


# What of it can be run


@pytest.mark.parametrize(("name", "snapshots"), [("foretick-projections-0", ""), ("foretick-projections-3", "0")])
def test_first_projection_alone_writes_snapshots(name: str, snapshots: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$*:$FORETICK_SNAPSHOT_SECONDS"\n')
    python.chmod(0o700)
    command = pods("production")["projections"]["containers"][0]["command"]
    done = charts.run(*command, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "POD_NAME": name})
    assert done.stdout == f"-m projections.main:{snapshots}\n"


def test_exchange_answers_to_the_names_that_others_call_it_by(tmp_path: Path) -> None:
    told = environment("evaluation", "exchange")
    port = free_port()
    given = told | {"FORETICK_HOME": str(tmp_path), "FORETICK_EXCHANGE_PORT": str(port), "FORETICK_BIND": HOST}
    command = pods("evaluation")["exchange"]["containers"][0]["command"]
    assert command[0] == "python"
    process = subprocess.Popen([sys.executable, *command[1:]], cwd=PROJECT, env=os.environ | given)
    try:
        url = f"http://{HOST}:{port}/health/ready"
        until(lambda: answers(url), "the exchange answers")
        called = re.findall(r"//(foretick-exchange)", told["FORETICK_CLOCK_URL"] + told["FORETICK_YAHOO_URL"])
        assert len(called) == 2
        for name in (*called, "foretick-exchange.market.svc", "10.1.2.3"):  # a probe names the pod by its address
            assert httpx.get(url, headers={"Host": f"{name}:8010"}).status_code == 200
        assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
    finally:
        process.terminate()
        assert process.wait(30) in (0, -15)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def answering() -> Iterator[tuple[str, list[Any]]]:
    """Serve /ready, which is so at the second asking, /away, which never is, and /clock, which is told things."""
    app, heard = FastAPI(), []

    @app.get("/ready")
    def ready() -> Response:
        heard.append("asked")
        return Response(status_code=503 if len(heard) == 1 else 200)

    @app.get("/away")
    def away() -> Response:
        return Response("no champion", status_code=503)

    @app.put("/clock")
    async def clock(request: Request) -> None:
        heard.append((request.headers["x-foretick-command"], await request.json()))

    with running(uvicorn.Config(app, log_level="error")) as port:
        yield f"http://127.0.0.1:{port}", heard


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    text = (CHART / "files" / f"{name}.py").read_text().replace("time.sleep(5)", "time.sleep(0.01)")
    return charts.run(sys.executable, "-c", text, *arguments, seconds=60)


def test_wait_ends_once_every_address_is_ready(answering: tuple[str, list[Any]]) -> None:
    base, heard = answering
    done = script("wait", f"{base}/ready", f"{base}/ready")
    assert done.returncode == 0
    assert done.stdout == f"waiting for {base}/ready: HTTP Error 503: Service Unavailable\n"
    assert heard == ["asked"] * 3


def test_helm_test_tells_why_a_service_is_not_ready_and_fails(answering: tuple[str, list[Any]]) -> None:
    base, heard = answering
    heard.append("asked before")
    assert script("health", f"{base}/ready").returncode == 0
    done = script("health", f"{base}/ready", f"{base}/away")
    assert done.returncode == 1
    assert "no champion" in done.stdout


def test_clock_is_started_with_the_header_that_it_wants(answering: tuple[str, list[Any]]) -> None:
    base, heard = answering
    assert script("start_clock", f"{base}/clock").returncode == 0
    assert heard == [("yes", {"running": True})]
