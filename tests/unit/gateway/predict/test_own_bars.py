"""A CSV of one's own on the page: read as the producers read files, or told why not."""

import pytest

from gateway.predict.own_bars import bars_of

HEAD = "date,open,high,low,close,volume\n"


def closes(text: str | bytes) -> list[tuple[str, float]]:
    found = bars_of(text if isinstance(text, bytes) else text.encode())
    assert found["faults"] == []
    return [(bar["closed_at"], bar["close"]) for bar in found["bars"]]


TWO = [("2012-01-03", 1234.5), ("2012-01-04", 1235.25)]


@pytest.mark.parametrize(
    "text",
    [
        "date,close\n2012-01-03,1234.5\n2012-01-04,1235.25\n",
        "Close,Date\n1235.25,2012-01-04\n1234.5,2012-01-03\n",  # any order of columns and rows
        "Date;Schlusskurs\n".replace("Schlusskurs", "Close") + "03.01.2012;1.234,50\n04.01.2012;1.235,25\n",
        "Date\tClose\n2012-01-03\t1234.5\n2012-01-04\t1235.25\n",
        '"Date","Close/Last"\n"01/03/2012","$1,234.50"\n"01/04/2012","$1,235.25"\n"01/31/2012","$1,235.25"\n',
        "Some bank\n\nDate,Close\n2012-01-03,1234.5\n2012-01-04,1235.25\n",  # lines before the heading
        "2012-01-03,1234.5\n2012-01-04,1235.25",  # no heading at all
        "2012-01-03;1;2000;1;1234.5\n2012-01-04;1;2000;1;1235.25",
        "date,close\n2012-01-03,1234.5\n2012-01-04,1235.25\n".encode("utf-16"),
        b"\xef\xbb\xbfdate,close\r\n2012-01-03,1234.5\r\n2012-01-04,1235.25\r\n",
    ],
)
def test_csv_of_any_program_says_the_same(text: str | bytes) -> None:
    assert closes(text)[:2] == TWO


def test_figures_that_are_there_are_kept_and_the_others_are_those_of_the_close() -> None:
    found = bars_of((HEAD + "2012-01-03,9,12,8,10,100\n2012-01-04,10,13,9,11,200\n").encode())
    assert found["whole"]
    assert found["bars"][0] == {
        "closed_at": "2012-01-03", "open": 9, "high": 12, "low": 8, "close": 10, "volume": 100,
    }  # fmt: skip
    found = bars_of(b"closed_at,close\n2012-01-03T21:00:00Z,10\n2012-01-04T21:00:00+00:00,11\n")
    assert not found["whole"]
    assert found["bars"][1] == {
        "closed_at": "2012-01-04T21:00:00Z", "open": 11, "high": 11, "low": 11, "close": 11, "volume": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "It is empty"),
        ("when,what\n1,2", "No line of it is a heading"),
        ("date,close\nyesterday,10\n2012-01-03,4\n2012-01-04,5\n", "Line 2: "),
        ("2012-01-03,10\nsoon,11\n2012-01-05,12", "Line 2: "),
        ("date,close\n2012-01-03,-4\n2012-01-04,5\n2012-01-05,5\n", "Line 2: the close is no positive price."),
        ("date,close\n2012-01-03,ten\n2012-01-04,5\n2012-01-05,5\n", "Line 2: the close is no positive price."),
        ("date,close\n2012-01-03,1\n2012-01-03,2", "2012-01-03 is there twice."),
        ("date,close\n2012-01-03,1", "A forecast needs at least 2 rows."),
        ("date,close\n01/02/2012,1\n01/03/2012,2", "Column date: "),  # January or February?
        ("date,close\n" + "2012-01-03,1\n" * 5001, "5001 rows are too many: at most 5000 are taken."),
    ],
)
def test_csv_that_cannot_be_read_is_told_why(text: str, told: str) -> None:
    (first, *_) = bars_of(text.encode())["faults"]
    assert first.startswith(told)


def test_many_faults_are_counted() -> None:
    found = bars_of(("date,close\n" + "2012-01-03,0\n" * 50 + "2012-01-04,1\n").encode())
    assert (len(found["faults"]), found["faults"][-1]) == (6, "And 45 more.")


def test_a_workbook_and_noise_are_told_as_what_they_are() -> None:
    assert "Excel workbook" in bars_of(b"PK\x03\x04 and so on")["faults"][0]
    assert bars_of(bytes(range(256)) * 4)["bars"] == []
