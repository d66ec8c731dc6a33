"""Reading the end of logs, and following them."""

import threading
from pathlib import Path

import pytest

from stack.services.logs import follow_log, last_error, last_lines
from tests.support.waiting import PATIENCE


def test_last_lines_of_a_short_file_are_all(tmp_path):
    log = tmp_path / "log"
    log.write_text("one\ntwo\n")
    assert last_lines(log, 50) == ["one", "two"]


def test_last_lines_of_a_long_file_are_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {number:06d} {'x' * 80}\n" for number in range(5000)))
    assert [line[:11] for line in last_lines(log, 3)] == ["line 004997", "line 004998", "line 004999"]


def test_last_lines_none_asked_for_gives_none(tmp_path):
    log = tmp_path / "log"
    log.write_text("one\n")
    assert last_lines(log, 0) == []


def test_last_lines_of_a_log_that_was_rotated_away_are_none(tmp_path):
    assert last_lines(tmp_path / "log", 50) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], ""),
        (['{"level": "info", "event": "fine"}', "plain", "[]", "{"], ""),
        (['{"level": "error", "event": "a", "timestamp": "t"}', '{"level": "info", "event": "b"}'], "a (at t)"),
        (
            ['{"level": "error", "event": "a", "exception": "Trace\\n  x\\nE: why", "timestamp": "t"}'],
            "a: E: why (at t)",
        ),
        (['{"level": "error", "event": "a"}', '{"level": "critical", "event": "b", "timestamp": "t"}'], "b (at t)"),
        (['{"level": "error", "event": "old", "timestamp": "t"}', *["plain"] * 200], ""),
    ],
)
def test_last_error_is_the_newest_of_the_last_lines(tmp_path, lines, told):
    log = tmp_path / "log"
    log.write_text("\n".join(lines))
    assert last_error(log) == told


def test_follow_over_a_rotation_goes_on_with_the_successor(tmp_path):
    log = tmp_path / "log"
    log.write_text("old\n")
    lines = follow_log(log)
    first: list[str] = []
    reader = threading.Thread(target=lambda: first.append(next(lines)), daemon=True)
    reader.start()
    append_until(log, "before\n", reader)
    log.rename(tmp_path / "log.1")
    log.write_text("")
    second: list[str] = []
    reader = threading.Thread(target=lambda: second.append(next(lines)), daemon=True)
    reader.start()
    append_until(log, "after\n", reader)
    assert "old" not in first[0]
    assert "before" in first[0]
    assert "after" in second[0] or "before" in second[0]


def append_until(log: Path, text: str, reader: threading.Thread) -> None:
    for _ in range(PATIENCE * 100):
        with log.open("a") as file:
            file.write(text)
        reader.join(0.1)
        if not reader.is_alive():
            return
    raise AssertionError("waited in vain for a line")
