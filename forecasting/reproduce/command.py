"""The command `python -m forecasting.reproduce.command ID`: do a training or a forecast again and compare."""

import argparse
import re
import sys
from collections.abc import Sequence

from forecasting.modelstore.signals import terminated_by_signals
from forecasting.reproduce.differences import Compared, Reproduction
from forecasting.settings import ForecastingSettings
from forecasting.training.command import quiet_start
from streaming.admin import await_kafka
from streaming.away import ServerAway
from streaming.damage import LogUnsound

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@terminated_by_signals()
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 equal, 1 not equal, 2 it cannot be told."""
    parser = argparse.ArgumentParser(prog="python -m forecasting.reproduce.command", description=__doc__)
    parser.add_argument("id", help="an MLflow run id (32 hex digits) or a forecast id (a UUID with dashes)")
    given = parser.parse_args(arguments)
    if not _ID.fullmatch(given.id):
        parser.error(f"{given.id[:60]!r} is neither a run id (32 hex digits) nor a forecast id (a UUID)")
    quiet_start("reproduce")
    settings = ForecastingSettings()
    # MLflow takes a second to import; --help need not wait for it.
    from forecasting.modelstore.registry import NoModel
    from forecasting.reproduce.run import NoForecast, reproduce_forecast, reproduce_run
    from forecasting.training.progress import progress_for
    from forecasting.training.workers import WorkersAway

    try:
        await_kafka(settings)
        with progress_for(interactive=sys.stderr.isatty()) as progress:
            if "-" in given.id:
                found = [reproduce_forecast(settings, given.id, progress)]
            else:
                found = reproduce_run(settings, given.id, progress)
    except (ServerAway, WorkersAway, LogUnsound, NoModel, NoForecast) as error:
        print(f"it cannot be told: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(reproduction_lines(each) for each in found))
    return 0 if all(each.equal for each in found) else 1


def reproduction_lines(reproduction: Reproduction) -> str:
    """Return what was compared and the verdict, as text."""
    verdict = "EQUAL" if reproduction.equal else "NOT EQUAL"
    return "\n".join([reproduction.of, *_states(reproduction.checks), verdict])


def _states(checks: Sequence[Compared]) -> list[str]:
    lines = []
    for check in checks:
        mark = "=" if check.equal else ("!" if check.decisive else "~")
        what = f"  {mark} {check.what:<18} {check.said}"
        lines.append(what if check.equal and check.said == check.found else f"{what}   now: {check.found}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
