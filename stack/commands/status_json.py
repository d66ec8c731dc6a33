"""What `foretick status --json` tells, for programs."""

from typing import Any

from contracts.topics import TOPICS
from stack.commands.status import ask_services, describe_state
from stack.layout import Layout
from stack.services.http import status_of
from stack.services.supervisor import Supervisor
from stack.services.table import services
from streaming.errors import ServerAway
from streaming.reader import watermarks
from streaming.settings import StreamSettings

_PATIENCE = 2.0


def status_json(layout: Layout) -> tuple[dict[str, Any], bool]:
    """Return services, end offsets and lags, and whether all that should run answers.

    What is not known is null: the topics' ends while Kafka is away, a lag before the projections have told it.
    """
    supervisor = Supervisor(layout)
    states = supervisor.states() if supervisor.alive() else {}
    running = [service for service in services(layout) if service.name in states]
    answers = ask_services(running)
    told = {
        "services": [
            {
                "name": service.name,
                "pid": states[service.name].pid or None,
                "url": service.url,
                "state": describe_state(states[service.name], *answer),
                "log": str(layout.log(service.name)),
            }
            for service, answer in zip(running, answers, strict=True)
        ],
        "topics": _ends(StreamSettings()) if "kafka" in states else None,
        "projections": _lags(status_of(layout.url("projections", "/status")) if "projections" in states else None),
    }
    return told, bool(running) and all(answered for answered, _ in answers)


def _ends(settings: StreamSettings) -> dict[str, dict[str, int]] | None:
    """Return the next offset of each partition of each topic; None while Kafka is away."""
    try:
        return {
            name: {str(partition): end for partition, (_, end) in watermarks(settings, name, _PATIENCE).items()}
            for topic in TOPICS
            for name in (topic.name, topic.dlq)
        }
    except ServerAway:
        return None


def _lags(found: dict[str, Any] | None) -> dict[str, dict[str, int | None]] | None:
    """Return how many events each read model has before it; None while the projections do not answer."""
    if found is None:
        return None
    return {model["name"]: {"lag": model["lag"] if model["partitions"] else None} for model in found["read_models"]}
