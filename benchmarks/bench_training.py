"""How training time and memory of each family grow with the number of symbols.

    .venv/bin/python benchmarks/bench_training.py [--quick] [--families naive,lstm] [--sizes 5,94]

5, 94 and 500 symbols of 1,259 sessions, resampled from real stocks; each fit once, in a process of its own, as in
a training: ARIMA over all cores, networks with two threads and their usual epochs. Peak memory is of the process and,
for ARIMA's workers, of the largest of them, whose CPU counts as well; what is taken before the fit stands beside it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

SESSIONS = 1259


def fit(name: str, symbols: int, sessions: int) -> None:
    """Fit one family in this process and print its figures as JSON."""
    from resampled import market

    from forecasting.models.families import family
    from forecasting.settings import ForecastingSettings
    from forecasting.training.workers import workers

    frame, estimator = market(symbols, sessions), family(name)()
    before, wall, used = peak(), time.perf_counter(), cpu()
    with workers(ForecastingSettings(dask_scheduler="")):
        estimator.fit(frame)
    wall = time.perf_counter() - wall
    if name == "arima":
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)  # CPU and memory of children count once they have ended
    workers_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    found = {"wall": wall, "cpu": cpu() - used, "before": before, "peak": peak(), "workers": workers_peak}
    print(json.dumps(found | {"epochs": len(estimator.curves())}))


def peak() -> float:
    """Return the most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cpu() -> float:
    """Return the CPU seconds of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="naive and arima; 5 and 40 symbols of 300 sessions")
    parser.add_argument("--families", help="some of them")
    parser.add_argument("--sizes", help="numbers of symbols (default: 5,94,500)")
    parser.add_argument("--fit", nargs=3, metavar=("FAMILY", "SYMBOLS", "SESSIONS"), help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.fit:
        fit(wish.fit[0], int(wish.fit[1]), int(wish.fit[2]))
        return
    from forecasting.models.families import FAMILIES

    names, sizes, sessions = list(FAMILIES), (5, 94, 500), SESSIONS
    if wish.quick:
        names, sizes, sessions = ["naive", "arima"], (5, 40), 300
    names = wish.families.split(",") if wish.families else names
    sizes = tuple(map(int, wish.sizes.split(","))) if wish.sizes else sizes
    table = Table(title=f"Training on {sessions} sessions, {os.cpu_count()} cores")
    for column in ("", "symbols", "wall s", "CPU s", "epochs", "MB before", "peak MB", "largest worker MB"):
        table.add_column(column, justify="left" if not column else "right")
    for name in names:
        for symbols in sizes:
            command = [sys.executable, __file__, "--fit", name, str(symbols), str(sessions)]
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
            )
            told = json.loads(done.stdout.splitlines()[-1])
            columns = [f"{told['wall']:.1f}", f"{told['cpu']:.1f}", str(told["epochs"] or "")]
            memory = [f"{told[key]:.0f}" if told[key] else "" for key in ("before", "peak", "workers")]
            table.add_row(name, str(symbols), *columns, *memory)
            print(f"{name}, {symbols} symbols: {columns[0]} s", file=sys.stderr, flush=True)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
