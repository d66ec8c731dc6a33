"""What no source file does, whatever it is for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PARTS = ("contracts", "streaming", "producers", "projections", "forecasting", "gateway", "stack", "dags")
SOURCES = [path for part in PARTS for path in sorted((PROJECT / part).rglob("*.py"))]

# Texts that become code, commands through a shell, objects of any kind, broken hashes, unchecked certificates.
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "yaml.load",
    "yaml.unsafe_load", "pickle.load", "pickle.loads", "marshal.loads", "joblib.load", "hashlib.md5", "hashlib.sha1",
    "ssl._create_unverified_context",
}  # fmt: skip
ARGUMENTS = {"shell": True, "verify": False, "allow_pickle": True}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "telnetlib", "lxml", "xml"}

# Of the page: texts that become HTML or code, what other windows say, what a browser keeps, prototypes.
PAGE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|bypassSecurityTrust|\beval\(|new Function|DomSanitizer"
    r"|postMessage|addEventListener\('message'|sessionStorage|indexedDB|document\.cookie|__proto__|Object\.assign"
    r"|\bfor \(const \w+ in |localStorage"
)


def done(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield module
            case ast.Call(func=function, keywords=keywords):
                if (name := ast.unparse(function)) in CALLS:
                    yield name
                for each in keywords:
                    if each.arg in ARGUMENTS and getattr(each.value, "value", None) is ARGUMENTS[each.arg]:
                        yield f"{each.arg}={each.value.value}"  # type: ignore[attr-defined]


def test_code_runs_no_text_opens_no_pickle_trusts_no_broken_hash_and_checks_certificates() -> None:
    assert len(SOURCES) > 200
    found = {str(path.relative_to(PROJECT)): list(done(ast.parse(path.read_text()))) for path in SOURCES}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text", ["eval(x)", "import pickle", "run(x, shell=True)", "get(x, verify=False)", "hashlib.md5(x)"]
)
def test_code_that_did_would_be_found(text: str) -> None:
    assert list(done(ast.parse(text)))


def test_page_needs_no_base_which_the_policy_forbids() -> None:
    page, build = (PROJECT / "web/src/index.html").read_text(), (PROJECT / "web/angular.json").read_text()
    assert "<base" not in page
    assert re.findall(r'(?:href|src)="(?!/)', page) == []
    assert '"deployUrl": "/"' in build
    asked = r"[`']api/|(?:open|post<\w+>)\('(?!/)"
    for path in ("api/api.ts", "stream/market-stream.ts"):
        assert re.findall(asked, (PROJECT / "web/src/app/core" / path).read_text()) == []


def test_page_shows_texts_as_texts_hears_no_other_window_and_keeps_its_theme_alone() -> None:
    sources = [path for kind in ("ts", "html", "js") for path in (PROJECT / "web").glob(f"[sp]*/**/*.{kind}")]
    assert len(sources) > 80
    found = {
        str(path.relative_to(PROJECT / "web")): set(PAGE.findall(path.read_text()))
        for path in sources
        if not path.name.endswith(".spec.ts")
    }
    kept = {"localStorage"}
    assert {path: what for path, what in found.items() if what} == {
        "public/theme.js": kept,
        "src/app/core/state/theme.ts": kept,
    }
