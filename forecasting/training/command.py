"""The command `python -m forecasting.training.command`: train all model families on the log, and promote.

`--freeze` prints the offset vector of all there is (as the last line of its output) and trains nothing.
"""

import argparse
import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from forecasting.data import quality
from forecasting.data.offsets import OffsetVector
from forecasting.models.families import FAMILIES
from forecasting.modelstore.signals import terminated_by_signals
from forecasting.settings import ForecastingSettings
from streaming.admin import await_kafka
from streaming.away import ServerAway
from streaming.damage import LogUnsound
from streaming.operations import configure_logging
from streaming.publisher import PublishFailed

if TYPE_CHECKING:
    from forecasting.training.run import Outcome

log = structlog.get_logger()


@terminated_by_signals()
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 a server is away or there is too little data, 2 bad usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    quiet_start("training")
    settings = ForecastingSettings()
    try:
        until = as_of(given.as_of)
        families = list(FAMILIES) if given.families == "all" else given.families.split(",")
        if unknown := set(families) - set(FAMILIES):
            parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    except ValueError as error:
        parser.error(str(error))
    # MLflow takes a second to import; usage errors and --help need not wait for it.
    from forecasting.data import history
    from forecasting.training.progress import progress_for
    from forecasting.training.run import NothingToLearn, train
    from forecasting.training.workers import WorkersAway

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # importing it sets its own
    try:
        await_kafka(settings)
        vector = history.freeze_as_of(settings, until) if isinstance(until, datetime) else until
        if given.freeze:
            print((vector or history.freeze(settings)).to_json())
            return 0
        with progress_for(interactive=given.progress or sys.stderr.isatty()) as progress:
            outcome = train(
                settings,
                progress=progress,
                vector=vector,
                families=families,
                if_needed=given.if_needed,
                decide=not given.register_only,
            )
    except (ServerAway, WorkersAway, LogUnsound, NothingToLearn, PublishFailed) as error:
        print(f"training ended without a result: {error}", file=sys.stderr)
        return 1
    print(training_lines(outcome) if outcome else "nothing to do: the same code has trained on the same data")
    if outcome and given.register_only:  # the last line is for programs
        print(json.dumps({name: found.version for name, found in outcome.candidates.items()}))
    return 0


def training_lines(outcome: "Outcome") -> str:
    """Return the table of families and the decision, as text."""
    from forecasting.training.reports import table

    lines = [
        f"training data: {outcome.history.sha256} ({len(outcome.history.frame)} bars)",
        *quality.lines_of(outcome.quality),
        "",
        *table(outcome.candidates, outcome.trained, outcome.decision.choice if outcome.decision else None),
        *(f"{name:<12} skipped: {reason}" for name, reason in outcome.skipped.items()),
    ]
    if decision := outcome.decision:
        lines += ["", f"champion: {decision.choice.reason}"]
        for refusal in decision.choice.refused:
            lines.append(f"refused: {refusal.family} {refusal.version}: {'; '.join(refusal.reasons)}")
        lines.append(f"aliases moved: {', '.join(decision.moved) or 'none'}")
    else:
        lines += ["", "registered only: no alias has moved; the versions:"]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m forecasting.training.command", description=__doc__)
    parser.add_argument(
        "--families", default="all", help=f"all, or some of {','.join(FAMILIES)} (naive is always there)"
    )
    parser.add_argument(
        "--as-of",
        "--offsets",
        metavar="TIME|OFFSETS",
        default="",
        help="train on what was recorded up to a time (ISO 8601), or on an offset vector (JSON); default: all there is",
    )
    parser.add_argument("--freeze", action="store_true", help="print the offset vector of all there is, and end")
    parser.add_argument(
        "--if-needed", action="store_true", help="train no family that the same code has trained on the same data"
    )
    parser.add_argument("--register-only", action="store_true", help="decide nothing and move no alias")
    parser.add_argument("--progress", action="store_true", help="draw a live bar even where output is no terminal")
    return parser


def as_of(text: str) -> OffsetVector | datetime | None:
    """Read a time (UTC where it names no zone) or an offset vector.

    Raises:
        ValueError: the text is neither.
    """
    if not text:
        return None
    if text.lstrip().startswith("{"):
        return OffsetVector.from_json(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"--as-of takes an ISO 8601 time or an offset vector, not {text[:80]!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def quiet_start(command: str) -> None:
    """Keep what TensorFlow and MLflow say of themselves out of the logs, and trainings the same from run to run."""
    configure_logging(command)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # what it says in Python
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums are taken in an order of their own
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("FORETICK_KAFKA_LOG_LEVEL", "2")  # that Kafka is waited for is said once, not by each attempt


if __name__ == "__main__":
    sys.exit(main())
