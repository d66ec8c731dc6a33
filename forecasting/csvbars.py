"""Daily bars from a CSV file, or a folder of `SYMBOL.csv`: what a backtest without a log reads."""

from hashlib import sha256
from pathlib import Path

import pandas as pd

from forecasting.calendars import as_closes
from forecasting.quality import Finding, refused
from forecasting.windows import BadFrame

_TIMES = ("date", "closed_at", "timestamp", "ds")
_PRICES = {"open": "open", "high": "high", "low": "low", "close": "y"}


def read_bars(path: Path, exchange: str = "XNYS") -> tuple[pd.DataFrame, list[Finding], str]:
    """Read bars as they stand; prices are taken as adjusted for splits already.

    Returns:
        Long frame `unique_id, ds, y, high, low`; what was refused of it; the SHA-256 of the bytes read.

    Raises:
        BadFrame: nothing is there, or a column is missing.
    """
    files = sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")]) if path.is_dir() else [path]
    files = [file for file in files if file.name != "actions.csv"]
    if not files or not all(file.is_file() for file in files):
        raise BadFrame(f"{path} is no CSV file and no folder of them")
    digest, parts = sha256(), []
    for file in files:
        digest.update(file.read_bytes())
        parts.append(_table(file, exchange))
    kept, found = refused(pd.concat(parts, ignore_index=True))
    if not len(kept):
        raise BadFrame(f"{path} holds no bar that can be true")
    return kept[["unique_id", "ds", "y", "high", "low"]], found, digest.hexdigest()


def _table(file: Path, exchange: str) -> pd.DataFrame:
    table = pd.read_csv(file)
    table.columns = table.columns.str.strip().str.lower()
    time = next((name for name in _TIMES if name in table), None)
    missing = [name for name in _PRICES if name not in table]
    if time is None or missing:
        raise BadFrame(f"{file} lacks column {', '.join([*missing, *([] if time else ['date'])])}")
    symbols = table["symbol"] if "symbol" in table else file.name.split(".")[0]
    stamps = pd.to_datetime(table[time], utc=True).dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    prices = table[list(_PRICES)].rename(columns=_PRICES)
    return prices.assign(unique_id=symbols, ds=as_closes(stamps, exchange))
