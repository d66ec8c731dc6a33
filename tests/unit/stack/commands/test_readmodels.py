"""How far read models have come, as an operator reads it."""

import io

import pytest

from stack.commands.readmodels import print_read_models, span
from stack.terminal import Terminal


def row(partition: int, **changes):
    counts = {"read": 10, "applied": 9, "fenced": 0, "dead": 1}
    place = {"topic": "stock-data", "partition": partition, "position": 10, "end": 10, "lag": 0, "lag_seconds": 0.0}
    return {**place, **counts, "age_seconds": 30.0, "generation": 2, **changes}


def shown(width: int = 140, **options) -> str:
    rows = [row(0), row(1, end=17, lag=7, lag_seconds=250.0, age_seconds=260.0)]
    model = {"name": "stock_data", "waiting_for": "MongoDB does [not] answer", "paused_for_rebuild": False}
    out = io.StringIO()
    console = Terminal(file=out, width=width)
    print_read_models({"read_models": [{**model, "partitions": rows}]}, console, **options)
    return out.getvalue()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split("│")]


def test_table_sums_partitions_up_and_shows_the_worst_lag():
    (line,) = [line for line in shown().splitlines() if line.startswith("│ stock_data")]
    assert cells(line) == [
        "stock_data", "stock-data", "7", "4 min", "30 s", "18", "0", "2", "2"
    ]  # fmt: skip
    assert "stock_data waits: MongoDB does [not] answer" in shown()


def test_table_by_partition_has_a_row_for_each():
    lines = [cells(line) for line in shown(partitions=True).splitlines() if line.startswith("│")]
    assert [line[2:7] for line in lines] == [["0", "10", "10", "0", ""], ["1", "10", "17", "7", "4 min"]]


def test_table_without_an_answer_says_so():
    out = io.StringIO()
    print_read_models(None, Terminal(file=out))
    assert "do not answer" in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (59, "59 s"), (180, "3 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_span_is_short(seconds, text):
    assert span(seconds) == text
