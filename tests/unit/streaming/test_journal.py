"""What strangers cause in the log: all of it while it is little, and never more than so much."""

from structlog.testing import capture_logs

from streaming.journal import LINES, Journal


def test_journal_writes_so_many_lines_a_second_and_then_how_many_it_left_out() -> None:
    now = 5.0
    journal = Journal(clock=lambda: now)
    with capture_logs() as logs:
        for place in range(LINES + 7):
            journal.tell("refused", place=place)
        now = 6.0
        for _ in range(2):
            journal.tell("refused", path="/" * 999)
    assert [line.get("place") for line in logs] == [*range(LINES), None, None]
    assert [line.get("untold") for line in logs[LINES:]] == [7, None]
    assert len(logs[-1]["path"]) == 200
