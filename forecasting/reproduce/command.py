"""Do a training or a forecast again and compare: `foretick reproduce`."""

import re
import sys
from collections.abc import Sequence

from forecasting.modelstore.signals import terminated_by_signals
from forecasting.reproduce.differences import Compared, Reproduction
from forecasting.settings import ForecastingSettings
from forecasting.training.command import quiet_start
from streaming.admin import await_kafka
from streaming.damage import LogUnsound
from streaming.errors import ServerAway

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def identifier(text: str) -> str:
    """Return an MLflow run id (32 hex digits) or a forecast id (a UUID) as it is; raises ValueError for other text."""
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is neither a run id (32 hex digits) nor a forecast id (a UUID)")
    return text


@terminated_by_signals()
def run_reproduction(of: str) -> int:
    """Do a run or a forecast again, print the comparison, and return an exit code: 0 equal, 1 not, 2 cannot be told."""
    quiet_start("reproduce")
    settings = ForecastingSettings()
    # MLflow takes a second to import; --help need not wait for it.
    from forecasting.modelstore.registry import NoModel
    from forecasting.reproduce.run import NoForecast, reproduce_forecast, reproduce_run
    from forecasting.training.progress import progress_for

    try:
        await_kafka(settings)
        with progress_for(interactive=sys.stderr.isatty()) as progress:
            found = [reproduce_forecast(settings, of, progress)] if "-" in of else reproduce_run(settings, of, progress)
    except (ServerAway, LogUnsound, NoModel, NoForecast) as error:
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
