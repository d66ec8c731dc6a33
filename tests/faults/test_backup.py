"""A home is backed up while everything runs, destroyed, and restored: the same log, models and forecasts."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from contracts.topics import STOCK_DATA, STOCK_FORECASTS
from producers.exchange.api import COMMAND
from stack.run import orphans
from stack.run.backup.restoring import check_backup
from streaming.ranges import every_end, topic_epoch
from tests.support.stacks import Stack
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.realtime, pytest.mark.timeout(900)]
UP = ("up", "--detach", "--without", "airflow", "--no-train")
WAIT = 120.0


def well(stack: Stack, *arguments: str) -> str:
    """Run a command that must succeed; return what it tells."""
    code, output = stack.run(*arguments)
    assert code == 0, output
    return output


def forecasts(stack: Stack) -> list[dict[str, Any]]:
    """Return a symbol's forecasts, the newest first; none while there is no answer."""
    try:
        answer = httpx.get(stack.layout.url("gateway", "/api/forecasts/IBM?limit=500"), timeout=10)
    except httpx.HTTPError:
        return []
    found: list[dict[str, Any]] = answer.json()["items"] if answer.status_code == 200 else []
    return found


def quicken(stack: Stack, seconds: float) -> None:
    change = {"seconds_per_session": seconds, "running": True}
    httpx.put(stack.layout.url("exchange", "/clock"), json=change, headers=COMMAND, timeout=10).raise_for_status()


def destroy(stack: Stack) -> None:
    """Kill everything at once, and lose the disk."""
    for process in orphans.marked(str(stack.layout.home)):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    until(lambda: not orphans.marked(str(stack.layout.home)), "everything is dead")
    shutil.rmtree(stack.layout.home)


def test_home_that_is_destroyed_comes_back_from_a_backup_made_while_it_ran(stack, tmp_path: Path):
    folder = tmp_path / "backup"
    well(stack, *UP)
    well(stack, "train", "--families", "naive")
    quicken(stack, 2.0)  # its history lasts for a quarter of an hour
    until(lambda: forecasts(stack), "there are forecasts", WAIT)
    well(stack, "backup", str(folder))
    first = check_backup(folder)
    settings = stack.layout.stream()
    until(lambda: len(forecasts(stack)) >= 20, "there are more", WAIT)
    acknowledged, newest = every_end(settings), forecasts(stack)[0]
    well(stack, "backup", str(folder))  # bars and forecasts go on meanwhile
    second = check_backup(folder)
    names = {topic.name: topic_epoch(settings, topic) for topic in (STOCK_DATA, STOCK_FORECASTS)}
    destroy(stack)

    told = well(stack, "restore", str(folder))
    assert "Next: foretick up" in told
    well(stack, *UP)

    ends = every_end(settings)
    for (topic, partition), end in acknowledged.items():
        assert first.ends[topic][partition] <= end <= second.ends[topic][partition] <= ends[topic, partition]
    assert {topic.name: topic_epoch(settings, topic) for topic in (STOCK_DATA, STOCK_FORECASTS)} == names
    assert second.schemas == first.schemas
    until(lambda: newest["forecast_id"] in {each["forecast_id"] for each in forecasts(stack)}, "it is served", WAIT)
    assert "EQUAL" in well(stack, "reproduce", newest["forecast_id"])
    told = well(stack, "rebuild", "--all", "--verify-only")
    assert told.count("Equal: ") == told.count(" = applied ") >= 6
    known = {each["forecast_id"] for each in forecasts(stack)}
    until(lambda: {each["forecast_id"] for each in forecasts(stack)} - known, "the market goes on", WAIT)
    well(stack, "backup", str(folder))  # the restored home goes on with the same backup
