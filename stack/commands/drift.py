"""Show the drift alarms that stand."""

from rich.console import Console

from forecasting.scoring.alarms import standing_alarms, unanswered_alarms
from forecasting.settings import ForecastingSettings
from stack.terminal import say
from streaming.damage import LogUnsound
from streaming.errors import ServerAway

NOTHING_WAITS = 99  # Airflow's sign for a task that is to be skipped


def print_alarms(settings: ForecastingSettings, only_unanswered: bool, console: Console) -> int:
    """Print the alarms, and of those that wait for a training the newest one's id last; return the exit code."""
    try:
        found = unanswered_alarms(settings) if only_unanswered else standing_alarms(settings)
    except (ServerAway, LogUnsound) as problem:
        say(problem, console)
        return 1
    for alarm in found:
        whose = alarm.symbol or f"{alarm.family} {alarm.model_version}"
        said = f"{alarm.to_session:%Y-%m-%d}  {alarm.measure:<12} {whose:<16} {alarm.reason}"
        console.print(said, soft_wrap=True)
    if only_unanswered and found:
        console.print(found[-1].event_id)
    if not found:
        console.print("No alarm waits for a training." if only_unanswered else "No alarm stands.")
    return NOTHING_WAITS if only_unanswered and not found else 0
