"""statsforecast's AutoARIMA over the series of a file: `arima_rival.py SERIES ANSWER BARS HORIZON`.

Runs in an environment of its own (requirements/bench.txt).  SERIES is an .npz with `closes` [T, n]; it learns from log
prices of all but the last bars, as ours does, then forecasts from each of them with the parameters it has.
"""

import sys
import time

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoARIMA


def long(closes: np.ndarray) -> pd.DataFrame:
    """Return log prices [T, n] as a long frame."""
    bars, symbols = closes.shape
    names, times = np.repeat(np.arange(symbols), bars), np.tile(np.arange(bars), symbols)
    return pd.DataFrame({"unique_id": names, "ds": times, "y": np.log(closes).T.ravel()})


def main() -> None:
    """Measure the fit, forecast, write both."""
    series, answer, held, horizon = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    closes = np.load(series)["closes"]
    known = closes[:-held]
    StatsForecast([AutoARIMA()], freq=1, n_jobs=1).fit(long(known[:, :1]))  # what is compiled at first use is compiled
    wall, cpu = time.perf_counter(), time.process_time()
    StatsForecast([AutoARIMA()], freq=1, n_jobs=1).fit(long(known))
    figures = [(time.perf_counter() - wall, time.process_time() - cpu)]
    origins = held - horizon + 1
    told = StatsForecast([AutoARIMA()], freq=1, n_jobs=1).cross_validation(
        h=horizon, df=long(closes), n_windows=origins, step_size=1, refit=False
    )
    ordered = told.sort_values(["unique_id", "cutoff", "ds"])["AutoARIMA"].to_numpy(dtype=np.float64)
    forecasts = np.exp(ordered.reshape(closes.shape[1], origins, horizon))
    np.savez(answer, figures=np.array(figures), forecasts=forecasts)


if __name__ == "__main__":
    main()
