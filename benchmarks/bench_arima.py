"""ARIMA over many symbols: time, CPU and MASE beside statsforecast's AutoARIMA.

    .venv/bin/python benchmarks/bench_arima.py [--quick]

94 US stocks of 1,259 sessions (`../shared/data`; without them, cuts of bokeh_sampledata's long histories). Both learn
from log prices of all but the last 60 sessions, then forecast 5 sessions from each of those without a refit; MASE is
by the mean absolute change of the sessions learned from. Fits take turns. Ours is measured on one worker, as the rival
is, and on all cores; CPU includes that of the workers, with their start and imports. The rival gets an environment of
its own (requirements/bench.txt), made on first use under FORETICK_CACHE.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from joblib.externals.loky import get_reusable_executor
from rich.console import Console
from rich.table import Table

from forecasting.data.windows import CONTEXT, series_of, windows_at
from forecasting.models.arima import Arima
from forecasting.settings import ForecastingSettings
from forecasting.training.workers import workers
from stack.settings import StackSettings

HERE = Path(__file__).parent
HELD, HORIZON = 60, 5
SHARED = Path(os.environ.get("FORETICK_SHARED_DATA", HERE.parents[1] / "shared" / "data"))


def stocks(symbols: int) -> pd.DataFrame:
    """Return closes by session and symbol: [1259, symbols]; symbols may be fewer than asked for."""
    path = SHARED / "sp500_daily_2013_2018.csv.gz"
    if path.exists():
        bars = pd.read_csv(path, parse_dates=["date"])
        return bars.pivot(index="date", columns="symbol", values="close").dropna(axis=1).iloc[:, :symbols]
    print(f"{path} is not there: cuts of bokeh_sampledata stand in", file=sys.stderr)
    from bokeh_sampledata.stocks import stocks as bundled  # type: ignore[import-not-found]

    random, columns = np.random.default_rng(94), {}
    for number in range(symbols):
        history = np.asarray(bundled[("AAPL", "IBM", "MSFT", "GOOG")[number % 4]]["adj_close"], dtype=np.float64)
        start = int(random.integers(0, len(history) - 1259))
        columns[f"S{number:03d}"] = history[start : start + 1259]
    return pd.DataFrame(columns, index=pd.bdate_range("2013-02-08", periods=1259, name="date"))


def frame_of(closes: pd.DataFrame) -> pd.DataFrame:
    """Return closes as the long frame that models read."""
    long = closes.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index(names="ds")
    return long.assign(ds=long["ds"] + pd.Timedelta(hours=21))[["unique_id", "ds", "y"]]


def cpu() -> float:
    """Return the CPU seconds of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def fitted(frame: pd.DataFrame, count: int) -> tuple[Arima, float, float]:
    """Fit on so many workers (-1: all cores); return wall and CPU seconds."""
    wall, before = time.perf_counter(), cpu()
    with workers(ForecastingSettings(training_workers=count, dask_scheduler="")):
        model = Arima().fit(frame)
    wall = time.perf_counter() - wall
    if count != 1:
        get_reusable_executor().shutdown(wait=True)  # CPU of children counts once they have ended
    return model, wall, cpu() - before


def forecasts(model: Arima, closes: pd.DataFrame) -> np.ndarray:
    """Forecast from each origin of the hold-out: [n, origins, HORIZON]."""
    ends = np.arange(len(closes) - HELD - 1, len(closes) - HORIZON)
    made = []
    for series in series_of(frame_of(closes)):
        windows = windows_at(series, ends)
        made.append(windows.last[:, None] * np.exp(model.log_quantiles(windows, HORIZON, np.array([0.5]))[:, :, 0]))
    return np.stack(made)


def mase(closes: np.ndarray, told: np.ndarray) -> float:
    """Score forecasts [n, origins, HORIZON] by what came."""
    first = len(closes) - HELD
    rows = first + np.arange(told.shape[1])[:, None] + np.arange(HORIZON)
    actual = closes[rows].transpose(2, 0, 1)
    scale = np.abs(np.diff(closes[:first], axis=0)).mean(axis=0)
    return float((np.abs(actual - told) / scale[:, None, None]).mean())


def rival_python() -> Path:
    """Return the interpreter of the rival's environment; make it if need be."""
    folder = StackSettings().layout().cache / "bench"
    python, uv = folder / "bin" / "python", Path(sys.executable).with_name("uv")
    if not (folder / "made").exists():
        for command in (
            [uv, "venv", "--quiet", "--clear", "--no-python-downloads", "--python", sys.executable, folder],
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r",
             HERE.parent / "requirements" / "bench.txt"],
        ):  # fmt: skip
            subprocess.run([str(part) for part in command], check=True)
        (folder / "made").touch()
    return python


def rival(closes: np.ndarray, folder: Path) -> tuple[float, float, np.ndarray]:
    """Let the rival fit and forecast; return wall and CPU seconds of the fit, and its forecasts."""
    np.savez(folder / "series.npz", closes=closes)
    answer = folder / "answer.npz"
    command = [rival_python(), HERE / "arima_rival.py", folder / "series.npz", answer, HELD, HORIZON]
    subprocess.run([str(part) for part in command], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    with np.load(answer) as told:
        ((wall, used),) = told["figures"]
        return float(wall), float(used), told["forecasts"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ten symbols, once")
    wish = parser.parse_args()
    closes = stocks(10 if wish.quick else 94)
    prices, known = closes.to_numpy(dtype=np.float64), frame_of(closes.iloc[:-HELD])
    assert len(known) // closes.shape[1] > CONTEXT
    fitted(frame_of(closes.iloc[:-HELD, :1]), 1)  # imports
    walls: dict[str, list[float]] = {}
    cpus: dict[str, list[float]] = {}
    scores: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="foretick-bench-") as folder:
        rival_python()
        for _ in range(1 if wish.quick else 3):
            for name, count in (("Foretick, 1 worker", 1), (f"Foretick, {os.cpu_count()} workers", -1)):
                model, wall, used = fitted(known, count)
                walls.setdefault(name, []).append(wall)
                cpus.setdefault(name, []).append(used)
                scores[name] = mase(prices, forecasts(model, closes))
            wall, used, told = rival(prices, Path(folder))
            walls.setdefault("statsforecast AutoARIMA", []).append(wall)
            cpus.setdefault("statsforecast AutoARIMA", []).append(used)
            scores["statsforecast AutoARIMA"] = mase(prices, told)
    last = prices[len(prices) - HELD - 1 : len(prices) - HORIZON].T
    still = mase(prices, np.repeat(last[:, :, None], HORIZON, axis=2))
    table = Table(title=f"ARIMA: {closes.shape[1]} symbols x {len(closes)} bars, median of {len(walls[name])} (spread)")
    for column in ("", "wall s", "CPU s", f"MASE, {HORIZON} steps"):
        table.add_column(column, justify="left" if not column else "right")
    for name in walls:
        table.add_row(name, spread(walls[name]), spread(cpus[name]), f"{scores[name]:.4f}")
    table.add_row("random walk", "", "", f"{still:.4f}")
    Console(width=120).print(table)


def spread(values: list[float], digits: int = 1) -> str:
    """Write a median with the least and the most."""
    return " ".join((f"{median(values):.{digits}f}", f"({min(values):.{digits}f}-{max(values):.{digits}f})"))


if __name__ == "__main__":
    main()
