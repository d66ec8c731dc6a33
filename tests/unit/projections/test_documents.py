"""What BSON cannot hold is gone before a fold sees it."""

from datetime import UTC, date, datetime

from projections.documents import business, stored
from projections.read_models.bar_bitmap import holds, holds_any, mark_bar, width
from tests.support.logs import CLOSED, DAY, bar, issued


def test_stored_times_are_cut_to_milliseconds_everywhere():
    event = bar(exchange=None)
    object.__setattr__(event, "recorded_at", datetime(2012, 1, 3, 21, 0, 0, 123_999, tzinfo=UTC))

    assert stored(event)["recorded_at"] == datetime(2012, 1, 3, 21, 0, 0, 123_000, tzinfo=UTC)
    assert stored(issued())["steps"][0]["quantiles"][0] == {"level": 0.025, "value": 396.1}


def test_stored_dates_become_text():
    from projections.documents import storable

    assert storable({"days": (date(2005, 2, 28),)}) == {"days": ["2005-02-28"]}


def test_business_leaves_bookkeeping_out():
    assert business({"_id": "a", "_n": 1, "_at": {}, "close": 1.0}) == {"_id": "a", "close": 1.0}


def test_seen_marks_one_bar_and_no_other():
    masks = mark_bar({}, "P1D", CLOSED, 0)

    assert holds(masks, "P1D", CLOSED, 0)
    assert not holds(masks, "P1D", CLOSED, 1)
    assert not holds(masks, "P1D", CLOSED + DAY, 0)
    assert not holds(masks, "P1D", CLOSED.replace(year=2013), 0)
    assert holds_any(mark_bar({}, "P1D", CLOSED, 2), "P1D", CLOSED)


def test_seen_a_year_of_daily_bars_takes_46_bytes():
    masks = {}
    for day in range(366):
        masks = mark_bar(masks, "P1D", datetime(2012, 1, 1, 21, tzinfo=UTC) + day * DAY, 0)

    assert {name: len(mask) for name, mask in masks.items()} == {"2012r0": 46}


def test_seen_width_is_the_interval_and_at_most_a_day():
    assert [width(interval) for interval in ("PT1M", "PT15M", "PT1H", "P1D", "P1W", "PT48H")] == [
        60,
        900,
        3600,
        *[86400] * 3,
    ]
