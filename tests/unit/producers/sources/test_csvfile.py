from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from producers.sources.base import VendorDown, VendorRefused
from producers.sources.csvfile import CsvFiles

ROWS = "Date,Open,High,Low,Close,Volume\n2012-01-03,1.1,2,1,1.5,100\n2012-01-04,1.5,2.5,1.25,2,200.5\n"


def test_csv_folder_gives_each_symbol_its_file(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(ROWS)
    report = CsvFiles(tmp_path).fetch("ACME", "P1D", None)
    assert [bar.stamp for bar in report.bars] == [date(2012, 1, 3), date(2012, 1, 4)]
    assert (report.bars[0].open, report.bars[1].volume) == (Decimal("1.1"), Decimal("200.5"))


def test_csv_folder_gives_a_symbol_with_a_slash_its_file(tmp_path: Path) -> None:
    (tmp_path / "BF%2FB.csv").write_text(ROWS)
    assert [bar.symbol for bar in CsvFiles(tmp_path).fetch("BF/B", "P1D", None).bars] == ["BF/B", "BF/B"]


def test_csv_exchange_that_is_not_known_has_the_calendar_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("date,open,high,low,close,volume,exchange\n2012-01-03,1,1,1,1,1,XMUN\n")
    [bar] = CsvFiles(tmp_path, calendars={"XMUN": "XFRA"}).fetch("A", "P1D", None).bars
    assert (bar.exchange, bar.calendar) == ("XMUN", "XFRA")


def test_csv_single_file_is_told_apart_by_its_symbol_column(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text("ticker,date,open,high,low,close,volume\nA,2012-01-03,1,1,1,1,1\nB,2012-01-03,2,2,2,2,2\n")
    assert [bar.close for bar in CsvFiles(file).fetch("B", "P1D", None).bars] == [2]


def test_csv_closing_stamp_is_taken_as_one(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("closed_at,open,high,low,close,volume\n2012-01-03T21:00:00Z,1,1,1,1,1\n")
    [bar] = CsvFiles(tmp_path).fetch("A", "P1D", None).bars
    assert (bar.stamp, bar.stamps) == (datetime(2012, 1, 3, 21, tzinfo=UTC), "close")


def test_csv_bad_row_is_refused_with_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(ROWS + "soon,1,1,1,1,1\n,1,1,1,1,1\n2012-01-05,one,1,1,1,1\n")
    report = CsvFiles(tmp_path).fetch("ACME", "P1D", None)
    assert [refusal.at for refusal in report.refusals] == ["ACME.csv:4", "ACME.csv:5"]
    assert report.bars[2].open is not None
    assert report.bars[2].open.is_nan()


def test_csv_actions_stand_beside_the_bars(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(ROWS)
    (tmp_path / "actions.csv").write_text(
        "symbol,kind,ex_date,ratio,amount,currency\nACME,split,2012-01-04,2,,\nACME,DIVIDEND,2012-01-04,,0.5,EUR\n"
        "OTHER,SPLIT,2012-01-04,3,,\n"
    )
    split, dividend = CsvFiles(tmp_path).fetch("ACME", "P1D", None).actions
    assert (split.kind, split.value) == ("SPLIT", 2)
    assert (dividend.kind, dividend.value, dividend.currency) == ("DIVIDEND", Decimal("0.5"), "EUR")


def test_csv_missing_file_is_down_and_missing_symbol_refused(tmp_path: Path) -> None:
    with pytest.raises(VendorDown, match=r"ACME\.csv"):
        CsvFiles(tmp_path).fetch("ACME", "P1D", None)
    file = tmp_path / "all.csv"
    file.write_text("symbol," + ROWS.splitlines()[0].lower() + "\n")
    with pytest.raises(VendorRefused, match="no bar of ACME"):
        CsvFiles(file).fetch("ACME", "P1D", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ACME,MERGER,2012-01-04,2,", "'MERGER' with value '' is neither"),
        ("ACME,SPLIT,2012-01-04,0,", "'SPLIT' with value '0' is neither"),
        ("ACME,SPLIT,2012-01-04,,", "'SPLIT' with value '' is neither"),
        ("ACME,SPLIT,soon,2,", "ex_date 'soon' is no date"),
        ("ACME,DIVIDEND,,,0.5", "ex_date '' is no date"),
    ],
)
def test_csv_action_without_sense_is_refused_with_its_line_and_the_rest_is_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "ACME.csv").write_text(ROWS)
    (tmp_path / "actions.csv").write_text(f"symbol,kind,ex_date,ratio,amount\n{line}\nACME,DIVIDEND,2012-01-04,,0.25\n")
    report = CsvFiles(tmp_path).fetch("ACME", "P1D", None)
    assert (len(report.bars), [action.value for action in report.actions]) == (2, [Decimal("0.25")])
    assert [refusal.at for refusal in report.refusals] == ["actions.csv:2"]
    assert reason in report.refusals[0].reason


def test_csv_actions_that_cannot_be_read_cost_no_bar(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(ROWS)
    (tmp_path / "actions.csv").mkdir()
    report = CsvFiles(tmp_path).fetch("ACME", "P1D", None)
    assert len(report.bars) == 2
    assert "cannot be read" in report.refusals[0].reason
