"""Checkpoints, and what an operator is told of them."""

import pytest

from projections.checkpoints import by_partition, foreign_epochs, fresh, moved_checkpoint, vector
from projections.statuses import partition_rows, samples
from streaming.lags import LoopState
from tests.support.logs import CLOSED

PLACE = ("stock-data", 3)


def test_moved_counts_add_up_over_batches():
    row = fresh("stock_data", PLACE, 1, "e", CLOSED)

    for offset in (10, 20):
        row = moved_checkpoint(row, offset, applied=7, fenced=2, dead=1, read=10, now=CLOSED)

    assert (row["next_offset"], row["read"], row["applied"], row["fenced"], row["dead"]) == (20, 20, 14, 4, 2)


def test_moved_counts_that_do_not_reconcile_are_refused():
    with pytest.raises(ValueError, match=r"stock_data\|stock-data\|3: 10 messages"):
        moved_checkpoint(
            fresh("stock_data", PLACE, 1, "e", CLOSED), 10, applied=7, fenced=2, dead=0, read=10, now=CLOSED
        )


def test_vector_and_by_partition_sort_rows():
    rows = [fresh("m", ("b", 1), 1, "e", CLOSED), fresh("m", ("a", 0), 1, "e", CLOSED) | {"next_offset": 5}]

    assert vector(rows) == {"a": {0: 5}, "b": {1: 0}}
    assert set(by_partition(rows)) == {("a", 0), ("b", 1)}


def test_foreign_epochs_name_the_topic_made_anew():
    rows = [fresh("m", ("a", 0), 1, "old", CLOSED), fresh("m", ("b", 0), 1, "same", CLOSED)]

    assert foreign_epochs(rows, {"a": "new", "b": "same"}) == ["a has epoch new, the read model was made from old"]


def test_partition_rows_tell_lag_and_age():
    held = {
        PLACE: moved_checkpoint(
            fresh("m", PLACE, 2, "e", CLOSED), 40, applied=40, fenced=0, dead=0, read=40, now=CLOSED
        )
    }
    state = LoopState(ends={PLACE: 50})

    (row,) = partition_rows(held, state, now=CLOSED.timestamp() + 9)

    assert (row["position"], row["end"], row["lag"], row["age_seconds"], row["generation"]) == (40, 50, 10, 9.0, 2)
    told = {name: value for name, _, value in samples({"read_models": [{"name": "m", "partitions": [row]}]})}
    assert (told["lag"], told["applied"]) == (10.0, 40.0)
