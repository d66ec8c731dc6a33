from datetime import UTC, date, datetime

import pytest

from contracts.files.dates import Stamp, date_reader
from contracts.files.numbers import Undecided

DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-11-24", DAY),
        ("2026/11/24", DAY),
        ("20261124", DAY),
        ("11/24/2026", DAY),
        ("24/11/2026", DAY),
        ("24.11.2026", DAY),
        ("24.11.26", DAY),
        ("11/24/26", DAY),
        ("24-11-2026", DAY),
        ("Nov 24, 2026", DAY),
        ("24 Nov 2026", DAY),
        ("24-Nov-26", DAY),
        ("November 24, 2026", DAY),
        ("46350", DAY),  # Excel's serial number
        ("46350.75", datetime(2026, 11, 24, 18)),
        ("1795478400", datetime(2026, 11, 24, tzinfo=UTC)),
        ("1795478400000", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T16:00:00Z", datetime(2026, 11, 24, 16, tzinfo=UTC)),
        ("2026-11-24 16:00:00", datetime(2026, 11, 24, 16)),
        ("11/24/2026 16:00", datetime(2026, 11, 24, 16)),
        ("11/24/2026 4:00 PM", datetime(2026, 11, 24, 16)),
        ("24.11.2026 16:00:30", datetime(2026, 11, 24, 16, 0, 30)),
    ],
)
def test_date_that_can_be_read_in_one_way_is_read(text: str, stamp: Stamp) -> None:
    assert date_reader([text])(text) == stamp


def test_order_of_day_and_month_is_settled_by_the_whole_column() -> None:
    assert date_reader(["01/02/2026", "01/13/2026"])("01/02/2026") == date(2026, 1, 2)
    assert date_reader(["01/02/2026", "13/02/2026"])("01/02/2026") == date(2026, 2, 1)
    assert date_reader(["02/02/2026"])("02/02/2026") == date(2026, 2, 2)  # the same either way


@pytest.mark.parametrize(
    "texts", [["01/02/2026"], ["13/01/2026", "01/13/2026", "01/02/2026"], ["01/02/03"], ["10/11/12", "10/12/12"]]
)
def test_order_that_nothing_settles_is_asked_for(texts: list[str]) -> None:
    with pytest.raises(Undecided, match="alike"):
        date_reader(texts)
    assert date_reader(texts, "%d/%m/%Y")("01/02/2026") == date(2026, 2, 1)


@pytest.mark.parametrize("text", ["soon", "2026-13-45", "", "99999", "31/31/2026", "12:30"])
def test_text_that_is_no_date_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        date_reader(["24/11/2026", text])(text)


def test_format_that_is_named_reads_the_date_and_a_time_where_it_has_one() -> None:
    assert date_reader([], "%d %m %y")("24 11 26") == DAY
    assert date_reader([], "%d/%m/%Y %H:%M")("24/11/2026 16:00") == datetime(2026, 11, 24, 16)
    with pytest.raises(ValueError, match="%d %m %y"):
        date_reader([], "%d %m %y")("2026-11-24")


@pytest.mark.parametrize("text", ["9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00", "0001-01-01", "9999-12-31"])
def test_time_that_some_zone_cannot_tell_is_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        date_reader([text])(text)
    with pytest.raises(ValueError, match="out of range"):
        date_reader([], "%Y-%m-%d")(text[:10])
