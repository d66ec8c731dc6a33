"""What is remembered of splits is the same in whatever order it came."""

import sqlite3

from forecasting.data.splits import SplitHistory
from tests.support.markets import bar, split
from tests.support.memory_log import MemoryLog


def test_splits_between_days_hold_the_highest_revision_and_no_dividends():
    days = [bar(day=day).closed_at for day in (3, 6)]
    events = [
        split("S0", days[0], 2.0, revision=1),
        split("S0", days[0], 3.0),
        split("S0", days[1], 4.0),
        split("S0", days[1], 1.0, kind="DIVIDEND", amount=0.5, currency="USD"),
    ]
    splits = SplitHistory(sqlite3.connect(":memory:"))
    for record in MemoryLog(events).topics["corporate-actions"]:
        splits.fold(record, record.event)
    first, last = (day.date() for day in days)
    found = splits.between("S0", bar(day=0).closed_at.date(), last)
    assert [(known.split.ratio, known.offset, known.schema_id) for known in found] == [(2.0, 0, 7), (4.0, 2, 7)]
    in_force = [known.split.ratio for known in splits.between("S0", first, last)]
    assert in_force == [4.0], "in force on the first day already"
    assert splits.between("S1", first, last) == ()
