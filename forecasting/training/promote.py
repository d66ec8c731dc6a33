"""Carry decisions out: aliases move first, then their events are published.

What an earlier run moved without publishing is published when it is run again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from contracts.events import ModelPromoted
from contracts.parts import CHAMPION
from forecasting.data import history as log_history
from forecasting.data.offsets import DataName
from forecasting.modelstore.registry import ModelRegistry, NoModel, Unloadable
from forecasting.settings import ForecastingSettings
from forecasting.training.gate import Candidate, Choice, candidate_of, decide
from forecasting.training.holdout import HoldOut, score_holdout
from forecasting.training.promotions import NoEvidence, data_of, decision, decision_of_person, metrics_of
from streaming.clock import Clock, clock_from
from streaming.publisher import Publisher

log = structlog.get_logger()

EVENT_SOURCE = "/foretick/forecasting/training"


class PromotionLog:
    """The decisions on the settings' model, as the log has them."""

    def __init__(self, settings: ForecastingSettings) -> None:
        self.model_name = settings.model_name
        self._settings = settings

    def newest(self) -> dict[str, ModelPromoted]:
        """Return the newest decision of each alias."""
        return log_history.newest_promotions(self._settings)

    def publish(self, events: Iterable[ModelPromoted]) -> None:
        """Publish decisions, and wait until the log has them."""
        with Publisher(self._settings, EVENT_SOURCE) as publisher:
            for event in events:
                publisher.publish(event, time=event.decided_at)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and which aliases moved."""

    choice: Choice
    sitting: Candidate | None
    moved: list[str]


def decide_and_promote(
    promotions: PromotionLog,
    registry: ModelRegistry,
    candidates: Mapping[str, Candidate],
    held: HoldOut,
    *,
    data: DataName,
    learned_until: str,
    clock: Clock,
) -> Decision:
    """Choose the champion among candidates (by family) and the one that sits, and promote.

    Args:
        learned_until: the last close that the candidates have learned from, ISO 8601.
        clock: says when this is decided; it was read before, so it has an answer.
    """
    sitting = _sitting(promotions, registry, candidates, held, learned_until)
    choice = decide(list(candidates.values()), sitting, held.horizon)
    aliases, published = registry.aliases(), promotions.newest()
    decided_at = clock.now()
    moved, events, made_now = [], [], {each.version for each in candidates.values()}
    for alias, candidate in {**candidates, CHAMPION: choice.champion}.items():
        told = published.get(alias)
        before = told.version if told else aliases.get(alias)
        if aliases.get(alias) != candidate.version:
            registry.point(alias, candidate.version)
            moved.append(alias)
        if told is not None and told.version == candidate.version and alias != CHAMPION:
            continue
        event = decision(
            alias,
            candidate,
            model_name=promotions.model_name,
            previous=before if told is not None or before != candidate.version else None,
            naive=candidates["naive"],
            sitting=sitting,
            choice=choice,
            data=data if candidate.version in made_now else data_of(registry.version(candidate.version)),
            decided_at=decided_at,
        )
        events.append(event)
    promotions.publish(events)
    return Decision(choice, sitting, moved)


def promote(settings: ForecastingSettings, version: str, *, person: str, because: str, alias: str = CHAMPION) -> str:
    """Let a person point an alias at a version; return in words what was done.  Rolling back is the same.

    Raises:
        NoModel: no such version; NoEvidence: no training of this project made it.
        ServerAway: a server does not answer; nothing has changed.
    """
    registry, promotions, decided_at = ModelRegistry(settings), PromotionLog(settings), clock_from(settings).now()
    wanted = registry.version(version)
    if alias != CHAMPION and alias != wanted.family:
        raise NoEvidence(f"alias {alias!r} is for versions of that family; version {version} is {wanted.family}")
    aliases, published = registry.aliases(), promotions.newest()
    told = published.get(alias)
    if aliases.get(alias) == version and told is not None and told.version == version:
        return f"{alias} points at version {version} already: {told.decided_by}, {told.reason}"
    before = told.version if told else aliases.get(alias)
    same_data = {name: wanted.tags.get(name, "") for name in ("training_sha256", "code_version")}
    naive = registry.find({"family": "naive", **same_data})
    if naive is None:
        raise NoEvidence(f"no random walk was trained on the data of version {version}: there is nothing beside it")
    event = decision_of_person(
        alias,
        wanted,
        model_name=promotions.model_name,
        previous=registry.version(before) if before and before != version else None,
        naive=naive,
        person=person,
        because=because,
        decided_at=decided_at,
    )
    registry.point(alias, version)
    promotions.publish([event])
    return f"{alias} points at version {version} ({wanted.family}) now; before: {before or 'none'}"


def _sitting(
    promotions: PromotionLog,
    registry: ModelRegistry,
    candidates: Mapping[str, Candidate],
    held: HoldOut,
    learned_until: str,
) -> Candidate | None:
    """Judge the champion that serves now on the same hold-out, unless it has seen some of it."""
    number = registry.aliases().get(CHAMPION)
    made_now = {candidate.version: candidate for candidate in candidates.values()}
    if number in made_now:
        # Either this decision was published before, or a run was cut off between the alias and the event.
        told = promotions.newest().get(CHAMPION)
        number = told.version if told else None
    if number is None:
        return None
    if number in made_now:
        return made_now[number]
    try:
        found = registry.version(number)
        data_of(found)  # what it learned from goes into the event if it stays
        if found.tags.get("learned_until", "") > learned_until:
            return Candidate(found.version, found.family, found.run_id, metrics_of(found))
        loaded = registry.load(number)
    except (Unloadable, NoModel, NoEvidence) as error:
        log.warning("the sitting champion is not compared", reason=str(error))
        return None
    return candidate_of(loaded.version, loaded.family, loaded.run_id, score_holdout(loaded.estimator, held))
