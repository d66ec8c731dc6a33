"""A training from the log to the aliases: freeze, load, fit, score, register, decide.

Nothing is half promoted: versions are registered whole (tags and all) before any alias moves, aliases move before their
events are published, and a training that was cut off is taken up where it stopped by running it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import structlog

from contracts.parts import CHAMPION
from forecasting.data import history as log_history
from forecasting.data import quality
from forecasting.data.code_version import code_version
from forecasting.data.history import History
from forecasting.data.offsets import OffsetVector
from forecasting.data.windows import CONTEXT
from forecasting.models.base import BadFrame, Estimator
from forecasting.models.families import FAMILIES, family
from forecasting.models.tasks import results_kept
from forecasting.modelstore.recipe import Recipe
from forecasting.modelstore.registry import TRAINED_UNTIL, ModelRegistry
from forecasting.modelstore.shares import read_shares
from forecasting.settings import ForecastingSettings
from forecasting.training import pictures, tracking
from forecasting.training.gate import Candidate, candidate_of
from forecasting.training.holdout import Scores, score_holdout, split_holdout
from forecasting.training.progress import TrainingProgress
from forecasting.training.promote import Decision, PromotionLog, decide_and_promote
from forecasting.training.recipes import recipe_of, tags_of
from forecasting.training.shares import training_work
from forecasting.training.workers import workers
from streaming.clock import Clock, clock_from

log = structlog.get_logger()


class NothingToLearn(Exception):
    """The log holds too little to train and compare on; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training did."""

    history: History
    candidates: dict[str, Candidate]  # what was made or taken up, by family
    trained: list[str]  # families that were fitted; the others were there already
    skipped: dict[str, str]  # families that could not be fitted, and why
    decision: Decision | None  # None: versions were registered only
    quality: list[quality.Finding]  # what is wrong with the bars


class TrainingRun:
    """One training of some families on one offset vector.

    Args:
        recipes: by family, the random walk's among them; all have one hold-out, horizon and calendar.
        registry: where versions are registered.
        promotions: what was decided so far, and what is decided now.
    """

    def __init__(
        self,
        history: History,
        recipes: Mapping[str, Recipe],
        registry: ModelRegistry,
        promotions: PromotionLog,
        progress: TrainingProgress,
    ) -> None:
        yardstick = recipes["naive"]
        try:
            self._known, self._held = split_holdout(history.frame, yardstick.holdout_sessions, yardstick.horizon)
        except BadFrame as error:
            bars = history.frame.groupby("unique_id").size().to_dict()
            raise NothingToLearn(f"{error}; the log holds bars: {bars or 'none'}") from error
        self._history = history
        self._recipes = recipes
        self._registry = registry
        self._promotions = promotions
        self._progress = progress
        self._quality = quality.findings(history.frame, yardstick.exchange_calendar)
        self.candidates: dict[str, Candidate] = {}
        self.trained: list[str] = []
        self.skipped: dict[str, str] = {}

    def run(self, families: Sequence[str], *, if_needed: bool, clock: Clock | None) -> Outcome:
        """Have a version of each family; then, where a clock says when that is, choose the champion and promote."""
        missing = [name for name in families if not (if_needed and self._take_up(name))]
        if missing:
            with self._registry.answering(), self._registry.run("training", {"code_version": code_version()}):
                tracking.log_data(self._history.name, self._history.frame)
                tracking.log_quality(quality.rows(self._quality))
                for name in missing:
                    self._make(name)
                tracking.log_comparison({name: found.metrics for name, found in self.candidates.items()})
        decision = None
        if clock:
            self._progress.stage("choosing the champion")
            decision = decide_and_promote(
                self._promotions,
                self._registry,
                self.candidates,
                self._held,
                data=self._history.name,
                learned_until=self._learned_until(),
                clock=clock,
            )
        return Outcome(self._history, self.candidates, self.trained, self.skipped, decision, self._quality)

    def done(self, families: Sequence[str]) -> bool:
        """Tell whether the same code has trained these families on the same data, and all was promoted."""
        aliases, published = self._registry.aliases(), self._promotions.newest()
        if aliases != {alias: event.version for alias, event in published.items() if alias in aliases}:
            return False
        # The gate decides on the champion last; it may stand by an older version, or a person may have moved it since.
        naive, champion = published.get("naive"), published.get(CHAMPION)
        if naive is None or champion is None or naive.training.sha256 != self._history.sha256:
            return False
        if champion.decided_at < naive.decided_at:
            return False
        found = {name: self._registry.find(self._tags(name)) for name in families}
        return all(version and aliases.get(name) == version.version for name, version in found.items())

    def _take_up(self, name: str) -> bool:
        """Use the version that the same code made of the same data, if there is one."""
        found = self._registry.find(self._tags(name))
        if found is None:
            return False
        self._progress.stage(f"{name}: version {found.version} has learned this already")
        scores = tracking.read_scores(found.run_id) or score_holdout(
            self._registry.load(found.version).estimator, self._held
        )
        self.candidates[name] = candidate_of(found.version, name, found.run_id, scores)
        return True

    def _make(self, name: str) -> None:
        """Fit a family, score it, log it and register it."""
        self._progress.stage(f"training {name}")
        tags = self._tags(name)
        with self._registry.run(name, tags, nested=True) as run_id:
            tracking.log_data(self._history.name, self._history.frame)
            tracking.log_recipe(self._recipes[name])
            estimator = self._unfitted(name)
            try:
                estimator.fit(self._known, lambda epoch: self._progress.epoch(name, epoch))
            except BadFrame as error:
                if name == "naive":
                    raise NothingToLearn(str(error)) from error
                log.warning("family skipped", family=name, reason=str(error))
                tracking.log_skip(str(error))
                self.skipped[name] = str(error)
                return
            self._progress.stage(f"scoring and registering {name}")
            scores = score_holdout(estimator, self._held)
            self._log(estimator, scores)
            model_id = self._registry.log_model(estimator, self._last_windows(1))
            version = self._registry.register(model_id, run_id, tags | self._evidence(scores))
        self.candidates[name] = candidate_of(version.version, name, run_id, scores)
        self.trained.append(name)

    def _log(self, estimator: Estimator, scores: Scores) -> None:
        naive = scores if estimator.family == "naive" else self._naive_scores()
        recent = self._last_windows(6)
        forecast = estimator.predict(recent, self._held.horizon)
        tracking.log_estimator(estimator)
        tracking.log_scores(scores, naive)
        tracking.log_pictures(pictures.fan(recent, forecast, estimator.family), scores, naive, estimator.curves())

    def _naive_scores(self) -> Scores:
        """Return what the random walk scores, whether or not it is trained along."""
        known = self.candidates.get("naive")
        if known is not None and known.scores is not None:
            return known.scores
        return score_holdout(self._unfitted("naive").fit(self._known), self._held)

    def _learned_until(self) -> str:
        return str(self._known["ds"].max().isoformat())

    def _last_windows(self, most: int) -> pd.DataFrame:
        """Return the last window of some symbols that have a full one."""
        sizes = self._history.frame.groupby("unique_id").size()
        symbols = sorted(sizes[sizes >= CONTEXT].index)[:most]
        frame = self._history.frame
        return frame[frame["unique_id"].isin(symbols)].groupby("unique_id").tail(CONTEXT).reset_index(drop=True)

    def _unfitted(self, name: str) -> Estimator:
        return family(name)(**self._recipes[name].parameters)

    def _tags(self, name: str) -> dict[str, str]:
        return tags_of(self._recipes[name], self._history.sha256)

    def _evidence(self, scores: Scores) -> dict[str, str]:
        """Return what else a version carries, for whoever looks at it in MLflow."""
        return {
            "training_offsets": self._history.vector.to_json(),
            "training_bars": str(len(self._history.frame)),
            "training_schema_ids": ",".join(map(str, self._history.name.schema_ids)),
            "training_calendar": self._history.name.calendar,
            "learned_until": self._learned_until(),
            TRAINED_UNTIL: self._history.frame["ds"].max().isoformat(),
            "n": str(scores.n),
            "mase": repr(scores.mase),
            "scrps": repr(scores.scrps),
            "coverage_80": repr(scores.coverage_80),
            "coverage_95": repr(scores.coverage_95),
        }


def train(
    settings: ForecastingSettings,
    *,
    progress: TrainingProgress,
    vector: OffsetVector | None = None,
    families: Sequence[str] = tuple(FAMILIES),
    if_needed: bool = False,
    decide: bool = True,
) -> Outcome | None:
    """Train families on the log as far as `vector` (default: all there is) and promote.

    Args:
        families: which to train; the random walk, the yardstick, is always among those that are decided on.
        if_needed: take up versions that the same code made of the same data.
        decide: choose the champion and move aliases; else versions are only registered.

    Returns:
        What was done; None where `if_needed` found nothing to do.

    Raises:
        NothingToLearn: too little history; HistoryGone: the log no longer holds the vector.
        ServerAway: one does not answer; run it again.
    """
    clock = clock_from(settings)
    if decide:
        clock.now()  # before the work: a decision that nobody can date would come to nothing after it
    registry = ModelRegistry(settings)
    registry.close_abandoned()
    progress.stage("reading the log")
    history = log_history.load_history(settings, vector or log_history.freeze(settings))
    ordered = [name for name in FAMILIES if name in families or (decide and name == "naive")]
    recipes = {name: recipe_of(settings, name) for name in FAMILIES}
    training = TrainingRun(history, recipes, registry, PromotionLog(settings), progress)
    if if_needed and decide and training.done(ordered):
        progress.stage("the same code has trained on the same data: nothing to do")
        return None
    with workers(settings), results_kept(read_shares(registry, training_work(history.sha256))):
        return training.run(ordered, if_needed=if_needed, clock=clock if decide else None)
