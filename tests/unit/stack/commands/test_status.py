"""What `foretick status` says of the vendor, and beside its table of services."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from stack.commands.status import print_services, print_sources
from stack.layout import Layout
from stack.services.supervisor import State
from stack.services.table import services
from stack.terminal import Terminal


def told(refused: int, kept: int) -> str:
    symbol: dict[str, Any] = {
        "symbol": "ACME", "last_bar": "2012-01-03T21:00:00Z", "published": 2, "revised": 0, "actions": 0,
        "refused": refused, "errors": 0, "error": "", "last_error_at": None,
        "refusals": [{"at": f"2012-02-{day:02}", "reason": "no session"} for day in range(1, kept + 1)],
    }  # fmt: skip
    found = {"source": "csv", "period_seconds": 1.0, "symbols": [symbol], "waiting_for": ""}
    console = Terminal(width=160)
    with console.capture() as said:
        print_sources(found, console)
    return said.get()


def test_status_names_the_newest_refusals_and_counts_the_others() -> None:
    said = told(refused=38, kept=20)
    assert said.count("refused: ACME") == 5
    assert "refused: ACME at 2012-02-20: no session" in said
    assert "... and 33 more of ACME; `foretick ingest --dry-run` lists them" in said


def test_status_of_few_refusals_names_them_all() -> None:
    said = told(refused=3, kept=3)
    assert said.count("refused: ACME") == 3
    assert "more of" not in said


@pytest.mark.parametrize("group", ["airflow", "servers"])
def test_status_beside_airflow_says_where_its_password_is(tmp_path: Path, group: str) -> None:
    layout = Layout(home=tmp_path, cache=tmp_path)
    (service,) = (each for each in services(layout) if each.name == "airflow-api")
    console = Terminal(width=60)  # a path is not broken, so that it can be copied
    with console.capture() as said:
        state = State(service.name, "STOPPED", 0)
        print_services(layout, [replace(service, group=group)], {service.name: state}, console)
    told = f"user admin, its password is in {tmp_path}/secrets/airflow-users.json"
    assert (told in said.get()) == (group == "airflow")


def test_status_says_why_a_service_does_not_answer(tmp_path: Path) -> None:
    layout = Layout(home=tmp_path, cache=tmp_path)
    producers, scoring = (each for each in services(layout) if each.name in ("producers", "scoring"))
    layout.logs.mkdir()
    damaged = {"event": "stopping", "error": "the log is damaged at stock-data[3]@2424", "level": "error"}
    layout.log("scoring").write_text(f"Traceback\n{json.dumps({**damaged, 'timestamp': '08:26'})}\nnot JSON\n[1]\n")
    layout.log("producers").write_text(json.dumps(damaged))
    console = Terminal(width=60)
    running = [replace(scoring, answers=lambda seconds: False), replace(producers, answers=lambda seconds: True)]
    states = {each.name: State(each.name, "BACKOFF", 0) for each in running}
    with console.capture() as said:
        assert not print_services(layout, running, states, console)
    assert "scoring: stopping: the log is damaged at stock-data[3]@2424 (at 08:26)" in said.get()
    assert "producers: " not in said.get()


def test_others_texts_are_no_markup_and_steer_no_terminal():
    out = StringIO()
    console = Terminal(file=out, width=100, force_terminal=True)
    table = Table(title="from /srv/[red]home[/red]")
    table.add_column("symbol")
    table.add_row("[bold]X[/bold] :smile: \x1b[2J\x07")
    console.print(table)
    console.print("refused \x1b]0;pwned\x07 [link=evil]X[/link]\u202e", style="red")
    shown = out.getvalue()
    assert all(each in shown for each in ("[red]home[/red]", "[bold]X[/bold] :smile:", "[link=evil]X[/link]"))
    assert not any(each in shown for each in ("\x1b[2J", "\x1b]", "\x07", "\u202e"))
