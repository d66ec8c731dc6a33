"""CSV files as people have them: each is read in the one way that it can be, or refused with what to do."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from contracts.files.columns import Ways, read_rows
from producers.catalogue import source_from
from producers.settings import ProducerSettings
from producers.sources.base import Report, VendorDown, VendorRefused
from producers.sources.csvfile import CsvFiles

HEADING = "Date,Open,High,Low,Close,Volume\n"
EXPECTED = [
    (date(2026, 11, 23), "10", "11", "9.5", "10.5", "1000"),
    (date(2026, 11, 24), "10.5", "11.25", "10", "10.75", "1234567"),
]
FILES = {
    "plain": HEADING + "2026-11-23,10,11,9.5,10.5,1000\n2026-11-24,10.5,11.25,10,10.75,1234567\n",
    "another order, names and columns": "Volume,CLOSE,low,High,open,Adj Close,date,Note\n"
    "1000,10.5,9.5,11,10,9,2026-11-23,x\n1234567,10.75,10,11.25,10.5,9,2026-11-24,\n",
    "semicolons and decimal commas": "Date;Open;High;Low;Close;Volume\n23.11.2026;10,00;11,00;9,50;10,50;1.000\n"
    "24.11.2026;10,50;11,25;10,00;10,75;1.234.567\n",
    "semicolons and decimal points": "Date;Open;High;Low;Close;Volume\n2026-11-23;10;11;9.5;10.5;1000\n"
    "2026-11-24;10.5;11.25;10;10.75;1,234,567\n",
    "decimal commas in quotes": HEADING + '2026-11-23,"10,00","11,00","9,50","10,50",1000\n'
    '2026-11-24,"10,50","11,25","10,00","10,75",1234567\n',
    "investing.com": '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"11/23/2026","10.50","10.00","11.00","9.50","1.00K","0.1%"\n'
    '"11/24/2026","10.75","10.50","11.25","10.00","1.234567M","-1%"\n',
    "nasdaq.com": "Date,Close/Last,Volume,Open,High,Low\n11/23/2026,$10.50,1000,$10.00,$11.00,$9.50\n"
    '11/24/2026,$10.75,"1,234,567",$10.50,$11.25,$10.00\n',
    "metatrader": "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\n"
    "2026.11.23\t00:00:00\t10\t11\t9.5\t10.5\t1000\n2026.11.24\t00:00:00\t10.5\t11.25\t10\t10.75\t1234567\n",
    "leading lines": "Prices of ACME, exported on 2026-11-28\n\nCurrency: USD\n"
    + HEADING
    + "2026-11-23,10,11,9.5,10.5,1000\n\n2026-11-24,10.5,11.25,10,10.75,1234567\n",
    "sep": "sep=;\nDate;Open;High;Low;Close;Volume\n2026-11-23;10;11;9.5;10.5;1000\n"
    "2026-11-24;10.5;11.25;10;10.75;1234567\n",
    "Excel's serial numbers": HEADING + "46349,10,11,9.5,10.5,1000\n46350,10.5,11.25,10,10.75,1234567\n",
    "names of months": HEADING + '"Nov 23, 2026",10,11,9.5,10.5,1000\n"Nov 24, 2026",10.5,11.25,10,10.75,1234567\n',
    "times of day": HEADING + "11/23/2026 16:00,10,11,9.5,10.5,1000\n11/24/2026 16:00,10.5,11.25,10,10.75,1234567\n",
    "midnights": HEADING.replace("Date", "timestamp")
    + "2026-11-23 00:00:00,10,11,9.5,10.5,1000\n2026-11-24 00:00:00,10.5,11.25,10,10.75,1234567\n",
    "stars": HEADING.replace("Close", "Close*").replace("\n", ",Adj Close**\n")
    + "2026-11-23,10,11,9.5,10.5,1000,1\n2026-11-24,10.5,11.25,10,10.75,1234567,1\n",
    "a last delimiter": HEADING + "2026-11-23,10,11,9.5,10.5,1000,\n2026-11-24,10.5,11.25,10,10.75,1234567,\n",
    "Windows' line ends": HEADING.replace("\n", "\r\n")
    + "2026-11-23,10,11,9.5,10.5,1000\r\n2026-11-24,10.5,11.25,10,10.75,1234567\r\n",
}


def fetched(folder: Path, content: str | bytes, ways: Ways | None = None, currency: str = "USD") -> Report:
    data = content.encode() if isinstance(content, str) else content
    (folder / "ACME.csv").write_bytes(data)
    return CsvFiles(folder, currency, ways=ways).fetch("ACME", "P1D", None)


def told(report: Report) -> list[tuple[object, ...]]:
    assert report.refusals == []
    return [(bar.stamp, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in report.bars]


def expected() -> list[tuple[object, ...]]:
    return [(day, *map(Decimal, figures)) for day, *figures in EXPECTED]


@pytest.mark.parametrize("name", FILES)
def test_file_that_can_be_read_in_one_way_is_read(tmp_path: Path, name: str) -> None:
    assert told(fetched(tmp_path, FILES[name])) == expected()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_file_is_read_in_whatever_encoding_its_bytes_show(tmp_path: Path, encoding: str) -> None:
    text = FILES["plain"].replace("Date", "Währung,Date").replace("\n2026", "\n€,2026")
    assert told(fetched(tmp_path, text.encode(encoding))) == expected()


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (HEADING + '2026-11-23,"1,234","1,300","1,200","1,250",100\n', "'1,[0-9]+' may be.*FORETICK_CSV_DECIMAL"),
        (
            HEADING + '2026-11-23,"10,50",11.00,9,10,1\n2026-11-24,10.50,11,9,10,1\n',
            "column open.*FORETICK_CSV_DECIMAL",
        ),
        (HEADING + "2026-11-23,10,50,11,00,9,50,10,50,1000\n", "line 2: 10 cells.*FORETICK_CSV_DELIMITER"),
        (HEADING[:-1] + ",,,,\n2026-11-23,10,50,11,00,9,50,10,50,1000\n", "line 2: 10 cells.*FORETICK_CSV_DELIMITER"),
        (HEADING + "01/02/2026,10,11,9,10,1\n", "'01/02/2026' is a date in.*FORETICK_CSV_DATE_FORMAT"),
        (HEADING + "the 1st,10,11,9,10,1\n", "'the 1st' is no date.*FORETICK_CSV_DATE_FORMAT"),
        ("2026-11-23,10,11,9,10,1\n", "without a heading.*name the columns"),
        ("Day,Price\n1,2\n", "no line of it is a heading"),
        ("Date~Open~High~Low~Close~Volume\n2026-11-23~1~1~1~1~1\n", "FORETICK_CSV_DELIMITER"),
        ("Date,Open,High,Low,Adj Close,Volume\n2026-11-23,10,11,9,10,1\n", "adjusted close only.*raw"),
        ("Date,Close\n2026-11-23,10\n", "no column open, high, low, volume"),
        ("Date,Open,High,Low,Close\n2026-11-23,10,11,9,10\n", "no column volume.*has 0"),
        ("Date,Open,High,Low,Close,Close,Volume\n2026-11-23,10,11,9,10,9,1\n", "two columns are called 'Close'"),
        (HEADING + "2026-11-23,€10.50,€11,€9,€10,1\n", "FORETICK_CSV_CURRENCY to EUR"),
        (HEADING + "2026-11-23,10.50 GBP,11,9,10,1\n", "FORETICK_CSV_CURRENCY to GBP"),
        ("", "it is empty"),
        (b"PK\x03\x04rest", "Excel workbook: save it there as CSV"),
        (b"\x1f\x8brest", "compressed"),
        (bytes(range(256)), "no text"),
        ("<!doctype html><title>Just a moment</title>", "the first line is '<!doctype"),
    ],
)
def test_file_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: str | bytes, advice: str) -> None:
    with pytest.raises(VendorRefused, match=rf"(?s)ACME\.csv.*{advice}"):
        fetched(tmp_path, content)


def test_file_is_read_as_the_settings_say_where_it_does_not_show_it(tmp_path: Path) -> None:
    text = 'Date~Open~High~Low~Close~Volume\n01/02/2026~"1,250"~"1,300"~"1,200"~"1,234"~100\n'
    (tmp_path / "ACME.csv").write_text(text)
    settings = ProducerSettings(
        _env_file=None,  # type: ignore[call-arg]
        source="csv",
        csv_path=tmp_path,
        csv_decimal=",",
        csv_date_format="%d/%m/%Y",
        csv_delimiter="~",
    )
    [bar] = source_from(settings).fetch("ACME", "P1D", None).bars
    assert (bar.stamp, bar.close, bar.volume) == (date(2026, 2, 1), Decimal("1.234"), 100)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("csv_decimal", ";", "'.' or ','"),
        ("csv_delimiter", "ab", "one character"),
        ("csv_date_format", "dmy", "strptime"),
    ],
)
def test_settings_of_files_that_cannot_be_are_told(name: str, value: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ProducerSettings(_env_file=None, **{name: value})  # type: ignore[arg-type]


def test_settings_of_files_that_are_empty_are_unset_and_a_tabulator_has_a_name() -> None:
    given = ProducerSettings(_env_file=None, csv_decimal="", csv_delimiter="tab", csv_date_format="")  # type: ignore[arg-type,call-arg]
    assert (given.csv_decimal, given.csv_delimiter, given.csv_date_format) == (None, "\t", None)


def test_line_with_more_cells_than_headings_is_refused_alone_and_told_what_to_do(tmp_path: Path) -> None:
    report = fetched(tmp_path, FILES["plain"] + "2026-11-25,10,50,11,9,10,1000\n")
    assert len(report.bars) == 2
    [refusal] = report.refusals
    assert refusal.at == "ACME.csv:4"
    assert "7 cells stand under 6 headings" in refusal.reason


def test_figure_of_another_decimal_mark_than_the_one_set_is_refused_not_a_hundredfold(tmp_path: Path) -> None:
    report = fetched(tmp_path, HEADING + '2026-11-23,"10,50",11,9,"10,50",1\n', Ways(decimal="."))
    assert report.bars[0].open is not None
    assert report.bars[0].open.is_nan()


def test_currency_beside_the_figures_is_that_of_the_file(tmp_path: Path) -> None:
    assert fetched(tmp_path, HEADING + "2026-11-23,€10,€11,€9,€10,1\n", currency="EUR").bars[0].currency == "EUR"
    assert fetched(tmp_path, HEADING + "2026-11-23,$10,$11,$9,$10,1\n", currency="CAD").bars[0].currency == "CAD"


def test_moment_without_a_zone_is_utc_and_a_date_beside_a_time_is_one_moment() -> None:
    text = "Date,Time,Open,High,Low,Close,Volume\n24.11.2026,16:30,1,1,1,1,1\n"
    [row], _ = read_rows(text, daily=False)
    assert row.stamp == datetime(2026, 11, 24, 16, 30, tzinfo=UTC)


def test_file_that_changed_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(HEADING + "2026-11-23,10,11,9,10,1\n")
    source = CsvFiles(tmp_path)
    assert len(source.fetch("ACME", "P1D", None).bars) == 1
    (tmp_path / "ACME.csv").write_text(FILES["plain"])
    assert len(source.fetch("ACME", "P1D", None).bars) == 2
    (tmp_path / "ACME.csv").unlink()
    with pytest.raises(VendorDown, match=r"ACME\.csv"):
        source.fetch("ACME", "P1D", None)


def test_actions_are_read_like_the_bars(tmp_path: Path) -> None:
    (tmp_path / "actions.csv").write_text(
        "Symbol;Kind;Ex_Date;Ratio;Amount;Currency\nACME;dividend;24.11.2026;;0,25;EUR\n", encoding="utf-16"
    )
    [action] = fetched(tmp_path, FILES["plain"]).actions
    assert (action.ex_date, action.value, action.currency) == (date(2026, 11, 24), Decimal("0.25"), "EUR")


@pytest.mark.parametrize("line", ['ACME,DIVIDEND,2026-11-24,,"1,234"', "ACME,DIVIDEND,01/02/2026,,0.5"])
def test_actions_that_can_be_read_in_two_ways_are_told_and_cost_no_bar(tmp_path: Path, line: str) -> None:
    (tmp_path / "actions.csv").write_text(f"symbol,kind,ex_date,ratio,amount\n{line}\n")
    report = fetched(tmp_path, FILES["plain"])
    assert (len(report.bars), list(report.actions)) == (2, [])
    assert "write 0.5 and 2012-01-03" in report.refusals[0].reason
