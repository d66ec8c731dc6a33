"""The pages' links lead somewhere, and the walks name what is there."""

import ast
import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGES = [
    PROJECT / name for name in subprocess.check_output(["git", "ls-files", "*.md"], cwd=PROJECT, text=True).split()
]
WALKS = (PROJECT / "docs" / "explanation" / "walks.md").read_text()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    found = []
    for link in re.findall(r"\]\((?![a-z]+:)([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(f"{page.relative_to(PROJECT)}: {link}")
    return found


def test_links_between_pages_lead_to_what_is_there() -> None:
    assert [link for page in PAGES if page.exists() for link in broken(page)] == []


def defined(file: Path, name: str) -> bool:
    if file.suffix == ".ts":
        return re.search(rf"export (class|function) {name}\b", file.read_text()) is not None
    body: list[ast.stmt] = ast.parse(file.read_text()).body
    for part in name.split("."):
        found = [each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        inside = [each for each in found if each.name == part]
        if not inside:
            return False
        body = inside[0].body
    return True


def test_walks_stop_at_what_the_code_defines() -> None:
    stops = re.findall(r"^\| \d+ \| `([^`]+)` `([^`]+)` \|", WALKS, re.MULTILINE)
    assert len(stops) > 20
    assert [f"{file} {name}" for file, name in stops if not defined(PROJECT / file, name)] == []
