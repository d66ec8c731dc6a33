"""Train all model families on the log, and promote: `foretick train`.

`python -m forecasting.training.command` has no options: it is the first training of a deployment, and a later one does
nothing where the same code has trained on the same data.
"""

import json
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from forecasting.data import quality
from forecasting.data.offsets import OffsetVector
from forecasting.data.windows import BadFrame
from forecasting.models.families import FAMILIES
from forecasting.models.tasks import Share
from forecasting.modelstore.signals import terminated_by_signals
from forecasting.settings import ForecastingSettings
from streaming.admin import await_kafka
from streaming.damage import LogUnsound
from streaming.errors import ServerAway
from streaming.operations import configure_logging
from streaming.publisher import PublishFailed

if TYPE_CHECKING:
    from forecasting.training.run import Outcome

log = structlog.get_logger()


@terminated_by_signals()
def run_training(
    families: Sequence[str] = tuple(FAMILIES),
    *,
    as_of: OffsetVector | datetime | None = None,
    freeze: bool = False,
    if_needed: bool = False,
    register_only: bool = False,
    shares: bool = False,
    share: Share | None = None,
) -> int:
    """Train families, print what came of it, and return an exit code: 0 done, 1 a server is away or too little data.

    Args:
        as_of: what is trained on, by a moment or by offsets; None: all that the log holds.
        freeze: print the offsets of that (the last line of the output), and train nothing.
        if_needed: train no family that the same code has trained on the same data.
        register_only: decide nothing and move no alias.
        shares: print which shares the work is worth parting into (the last line, JSON), and train nothing.
        share: do this share of what is estimated symbol by symbol; a training of that data then takes it up.
    """
    quiet_start("training")
    settings = ForecastingSettings()
    # MLflow takes a second to import; usage errors and --help need not wait for it.
    from forecasting.data import history
    from forecasting.training.progress import progress_for
    from forecasting.training.run import NothingToLearn, train
    from forecasting.training.shares import shares_worth, train_share

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # importing it sets its own
    try:
        await_kafka(settings)
        vector = history.freeze_as_of(settings, as_of) if isinstance(as_of, datetime) else as_of
        if freeze:
            print((vector or history.freeze(settings)).to_json())
            return 0
        if shares:
            worth = shares_worth(history.load_history(settings, vector or history.freeze(settings)))
            print(json.dumps([str(each) for each in worth]))
            return 0
        with progress_for(interactive=sys.stderr.isatty()) as progress:
            if share:
                done = train_share(settings, share, vector, progress=progress, families=families)
                print(f"share {share}: {'done before' if done is None else f'{done} tasks done'}")
                return 0
            outcome = train(
                settings,
                progress=progress,
                vector=vector,
                families=families,
                if_needed=if_needed,
                decide=not register_only,
            )
    except (ServerAway, LogUnsound, NothingToLearn, BadFrame, PublishFailed) as error:
        print(f"training ended without a result: {error}", file=sys.stderr)
        return 1
    print(training_lines(outcome) if outcome else "nothing to do: the same code has trained on the same data")
    if outcome and register_only:  # the last line is for programs
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


def families_named(text: str) -> list[str]:
    """Read `all`, or names with commas between.

    Raises:
        ValueError: there is no such family; the text lists those there are.
    """
    names = list(FAMILIES) if text == "all" else text.split(",")
    if unknown := set(names) - set(FAMILIES):
        raise ValueError(f"no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    return names


def as_of_named(text: str) -> OffsetVector | datetime | None:
    """Read a time (UTC where it names no zone) or an offset vector; None from an empty text.

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
    configure_logging(command, supervised=False)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # what it says in Python
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums are taken in an order of their own
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("FORETICK_KAFKA_LOG_LEVEL", "2")  # that Kafka is waited for is said once, not by each attempt


if __name__ == "__main__":
    sys.exit(run_training(if_needed=True))
