"""Helm and what else judges a chart, built or fetched once into the project's cache, each at one version.

Helm and kubeconform are Go modules, and so are the definitions of KEDA's and MongoDB's resources; Kubernetes' own are
in PyPI's kubernetes-validate, and Strimzi's few fields in `strimzi/` beside this file: Strimzi is in no registry.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.settings import StackSettings

PROJECT = Path(__file__).parents[2]
CHART = PROJECT / "deploy" / "helm" / "foretick"
PROFILES = sorted(path.stem for path in (CHART / "profiles").glob("*.yaml"))
KUBERNETES = ("1.25", "1.33", "1.37")  # what Chart.yaml begins with, one in between, the newest that is known
USUAL = KUBERNETES[1]

HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
CHECKOV = "checkov==3.3.30"
SCHEMAS = "kubernetes-validate==1.37.0"
DEFINITIONS = {
    "github.com/kedacore/keda/v2@v2.21.0": "config/crd/bases/keda.sh_*.yaml",
    "github.com/mongodb/mongodb-kubernetes-operator@v0.9.0": "config/crd/bases/*.yaml",
}
_KINDS = (
    "configmap-v1",
    "deployment-apps-v1",
    "ingress-networking-v1",
    "job-batch-v1",
    "networkpolicy-networking-v1",
    "persistentvolumeclaim-v1",
    "pod-v1",
    "poddisruptionbudget-policy-v1",
    "service-v1",
    "serviceaccount-v1",
    "statefulset-apps-v1",
)
_UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, seconds: float = 120, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program; return what it wrote, whatever its exit code."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds, **options)


@contextmanager
def _tools() -> Iterator[Path]:
    """Yield the folder of tools, to one process at a time."""
    folder = StackSettings().layout().cache / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _go(*arguments: str, **environment: str) -> str:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed: Helm and kubeconform are built with it")
    done = run("go", *arguments, seconds=1500, env=os.environ | environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def tool(module: str) -> Path:
    """Return a Go program, built once."""
    name, version = re.search(r"/(\w+)@(v[\d.]+)$", module).groups()
    with _tools() as tools:
        folder = tools / f"{name}-{version}"
        if not (folder / name).exists():
            _go("install", module, GOBIN=str(folder))
    return folder / name


@cache
def schemas(version: str) -> list[str]:
    """Return where kubeconform finds what a version of Kubernetes, the operators and KEDA take."""
    with _tools() as tools:
        folder = tools / f"schemas-{_digest()}"
        if not folder.exists():
            beside = tools / "schemas.new"
            shutil.rmtree(beside, ignore_errors=True)
            _write_kubernetes(tools, beside)
            _write_definitions(beside)
            beside.rename(folder)
    own = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"
    return [
        f"{folder}/{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        f"{folder}/definitions/{own}",
        f"{PROJECT}/tests/support/strimzi/{own}",
    ]


def _digest() -> str:
    return hashlib.sha256(json.dumps((SCHEMAS, DEFINITIONS, KUBERNETES, _KINDS)).encode()).hexdigest()[:12]


def _write_kubernetes(tools: Path, beside: Path) -> None:
    """Write the schema of each kind into one file: kubeconform follows no reference into another."""
    package = tools / SCHEMAS
    if not package.exists():
        done = run(_UV, "pip", "install", "--quiet", "--no-deps", "--target", package, SCHEMAS, seconds=600)
        assert done.returncode == 0, done.stderr
    for version in KUBERNETES:
        folder = package / "kubernetes_validate" / "kubernetes-json-schema" / f"v{version}.0-local-strict"
        definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
        (beside / version).mkdir(parents=True)
        for kind in _KINDS:
            text = (folder / f"{kind}.json").read_text().replace("/api/_definitions.json#", "#")
            schema = json.loads(text) | {"$defs": _reached(text, definitions)}
            (beside / version / f"{kind}.json").write_text(json.dumps(schema))


def _reached(text: str, definitions: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting = [text]
    while waiting:
        for name in re.findall(r'"#/\$defs/([^"]+)"', waiting.pop()):
            if name not in found:
                found[name] = definitions[name]
                waiting.append(json.dumps(definitions[name]))
    return found


def _write_definitions(beside: Path) -> None:
    (beside / "definitions").mkdir()
    for module, files in DEFINITIONS.items():
        folder = Path(json.loads(_go("mod", "download", "-json", module))["Dir"])
        for file in folder.glob(files):
            found = yaml.safe_load(file.read_text())["spec"]
            for version in found["versions"]:
                schema = _strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                name = f"{found['names']['kind'].lower()}-{found['group']}-{version['name']}.json"
                (beside / "definitions" / name).write_text(json.dumps(schema))


def _strict(schema: Any) -> Any:
    """Return a schema of a CustomResourceDefinition as JSON Schema has it, with no field but those that it names."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _strict(each) for name, each in schema.items() if not name.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and "properties" in schema and not open_ended:
        found["additionalProperties"] = False
    return found


def template(*options: str, version: str = USUAL, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    """Render the chart as a release of its own name."""
    return run(tool(HELM), "template", "foretick", chart, "-n", "market", "--kube-version", version, *options)


def values(profile: str) -> tuple[str, ...]:
    """Return the options by which a profile is chosen."""
    return ("-f", str(CHART / "profiles" / f"{profile}.yaml"))


@cache
def rendered(profile: str, *options: str, version: str = USUAL) -> str:
    """Return what the chart makes in a profile."""
    done = template(*values(profile), *options, version=version)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def objects(profile: str, *options: str) -> tuple[dict[str, Any], ...]:
    """Return the resources that the chart makes in a profile; they are everybody's, and not to be changed."""
    return tuple(each for each in yaml.load_all(rendered(profile, *options), yaml.CSafeLoader) if each)


def refused(text: str, version: str = USUAL) -> list[str]:
    """Return what kubeconform says against resources; nothing where all of them are known and right."""
    places = [option for place in schemas(version) for option in ("-schema-location", place)]
    done = run(tool(KUBECONFORM), "-strict", "-output", "json", *places, "-", input=text)
    return [f"{each['kind']} {each['name']}: {each['msg']}" for each in json.loads(done.stdout)["resources"]]


def failed_checks(folder: Path) -> tuple[list[str], int]:
    """Return what checkov finds at fault in a folder of resources, and how many checks passed."""
    done = run(
        _UV, "tool", "run", "--python", sys.executable, CHECKOV, "--directory", folder, "--framework", "kubernetes",
        "--output", "json", "--quiet", "--skip-download", "--compact", seconds=900,
    )  # fmt: skip
    found = json.loads(done.stdout)
    faults = [f"{each['check_id']} {each['resource']}" for each in found["results"]["failed_checks"]]
    return faults, found["summary"]["passed"]
