"""Real daily bars beside the repository, for tests and benchmarks that want them; they are no part of the project."""

from pathlib import Path

import pandas as pd
import pytest

NAME = "sp500_daily_2013_2018.csv.gz"


def real_path() -> Path | None:
    """Find the file in `shared/data` beside the repository or beside any folder above it."""
    places = [folder / "shared" / "data" / NAME for folder in Path(__file__).resolve().parents]
    return next((place for place in places if place.exists()), None)


def real_bars(symbols: int | None = None) -> pd.DataFrame:
    """Read the long frame of real bars (of the first symbols), or skip, saying so."""
    path = real_path()
    if path is None:
        pytest.skip(f"needs real daily bars: shared/data/{NAME} beside the repository")
    table = pd.read_csv(path, parse_dates=["date"]).sort_values(["symbol", "date"])
    frame = pd.DataFrame(
        {
            "unique_id": table["symbol"],
            "ds": table["date"] + pd.Timedelta(hours=21),
            "y": table["close"],
            "high": table["high"],
            "low": table["low"],
        }
    ).reset_index(drop=True)
    kept = sorted(frame["unique_id"].unique())[:symbols]
    return frame[frame["unique_id"].isin(kept)].reset_index(drop=True)
