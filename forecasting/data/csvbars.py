"""Daily bars from a CSV file, or a folder of `SYMBOL.csv` (`BF%2FB.csv`): what a backtest without a log reads.

What is read is what the source `csv` reads, whatever program wrote it.
"""

import gzip
import zlib
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pandas as pd

from contracts.files.columns import Row, RowFault, Ways, read_rows
from contracts.files.dates import Stamp
from contracts.files.tables import Unreadable, decoded
from forecasting.data.calendars import as_closes, zone
from forecasting.data.quality import Finding, refused
from forecasting.data.windows import BadFrame

_YEARS = range(1678, 2262)  # whole years that nanoseconds since 1970 can tell
_PRICES = ("open", "high", "low", "close")


def read_csv_bars(
    path: Path, exchange: str = "XNYS", ways: Ways | None = None
) -> tuple[pd.DataFrame, list[Finding], str]:
    """Read bars as they stand; prices are taken as adjusted for splits already.

    Args:
        ways: how the files are written, where they do not show it.

    Returns:
        Long frame `unique_id, ds, y, high, low`; what was refused of it; the SHA-256 of the bytes read.

    Raises:
        BadFrame: nothing is there, or it cannot be read as bars.
    """
    files = sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")]) if path.is_dir() else [path]
    files = [file for file in files if file.name != "actions.csv"]
    if not files or not all(file.is_file() for file in files):
        raise BadFrame(f"{path} is no CSV file and no folder of them")
    digest, parts, unread = sha256(), [], []
    for file in files:
        data = file.read_bytes()
        digest.update(data)
        symbol = unquote(file.name.removesuffix(".gz").removesuffix(".csv"))
        try:
            text = decoded(gzip.decompress(data) if file.suffix == ".gz" else data)
            rows, faults = read_rows(text, ways, figures=_PRICES)
        except Unreadable as error:
            advice = f" (set FORETICK_CSV_{error.way.upper()})" if error.way else ""
            raise BadFrame(f"{file} cannot be read: {error}{advice}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise BadFrame(f"{file} cannot be unpacked: {error}") from error
        faults = [*faults, *(_too_far(row) for row in rows if row.stamp.year not in _YEARS)]
        parts.append(_table([row for row in rows if row.stamp.year in _YEARS], symbol, exchange))
        unread += [_finding(fault, symbol) for fault in faults]
    kept, found = refused(pd.concat(parts, ignore_index=True))
    if not len(kept):
        raise BadFrame(f"{path} holds no bar that can be true")
    return kept[["unique_id", "ds", "y", "high", "low"]], [*unread, *found], digest.hexdigest()


def _table(rows: list[Row], symbol: str, exchange: str) -> pd.DataFrame:
    rows = [row for row in rows if row.interval in ("", "P1D")]
    told = pd.to_datetime([_session(row, zone(exchange)) for row in rows], utc=True).tz_localize(None)
    stamps = told.to_numpy(dtype="datetime64[ns]")
    prices = {name: [float(getattr(row, name) or "nan") for row in rows] for name in _PRICES}
    return (
        pd.DataFrame(prices)
        .rename(columns={"close": "y"})
        .assign(unique_id=[row.symbol or symbol for row in rows], ds=as_closes(stamps, exchange))
    )


def _session(row: Row, at: ZoneInfo) -> Stamp:
    """Return the day of a session's open, or the moment of its close."""
    if isinstance(row.stamp, datetime) and row.stamps == "open":
        return row.stamp.astimezone(at).date()
    return row.stamp


def _too_far(row: Row) -> RowFault:
    return RowFault(row.line, f"the year {row.stamp.year} has no sessions that can be forecast", row.symbol, None)


def _finding(fault: RowFault, symbol: str) -> Finding:
    return Finding(fault.symbol or symbol, "BROKEN", 1, f"line {fault.line}", f"refused: {fault.reason}")
