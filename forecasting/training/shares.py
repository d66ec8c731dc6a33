"""A training's long work in shares, each done by a process wherever it runs; the training then takes up the results."""

from collections.abc import Sequence
from math import ceil

from forecasting.data import history as log_history
from forecasting.data.code_version import code_version
from forecasting.data.history import History
from forecasting.data.offsets import OffsetVector
from forecasting.models.families import FAMILIES, family
from forecasting.models.tasks import Share, results_kept, results_of
from forecasting.modelstore.registry import ModelRegistry
from forecasting.modelstore.shares import log_share, share_done
from forecasting.settings import ForecastingSettings
from forecasting.training.holdout import split_holdout
from forecasting.training.progress import TrainingProgress
from forecasting.training.recipes import parameters
from forecasting.training.workers import workers

SHARE_SYMBOLS = 500  # symbols for which a process of its own is worth starting


def shares_worth(history: History) -> list[Share]:
    """Return the shares that work on a history is worth parting into; none where one process does it at once."""
    count = ceil(history.frame["unique_id"].nunique() / SHARE_SYMBOLS)
    return [Share(number, count) for number in range(1, count + 1)] if count > 1 else []


def training_work(sha256: str) -> str:
    """Name the work of training on some data, of which there are shares."""
    return f"training on {sha256} by {code_version()}"


def train_share(
    settings: ForecastingSettings,
    share: Share,
    vector: OffsetVector | None,
    *,
    progress: TrainingProgress,
    families: Sequence[str] = tuple(FAMILIES),
) -> int | None:
    """Do a share of what families have to estimate symbol by symbol, and keep the results in MLflow.

    Returns:
        How many tasks were done; None where this share has been done before.

    Raises:
        BadFrame: too little history; HistoryGone: the log no longer holds the vector; ServerAway: run it again.
    """
    registry, results = ModelRegistry(settings), dict[str, bytes]()
    registry.close_abandoned()
    progress.stage("reading the log")
    history = log_history.load_history(settings, vector or log_history.freeze(settings))
    work = training_work(history.sha256)
    if share_done(registry, work, share):
        return None
    known, _ = split_holdout(history.frame, settings.holdout_sessions, settings.horizon)
    estimators = [family(name)(**parameters(settings, name)) for name in FAMILIES if name in families]
    tasks = share.taken_from([task for estimator in estimators for task in estimator.tasks(known)])
    with workers(settings), results_kept(results):
        for number, _ in enumerate(results_of(tasks), start=1):
            progress.stage(f"share {share}: {number} of {len(tasks)} tasks")
    log_share(registry, work, share, results)
    return len(tasks)
