"""Carry decisions out: aliases move first, then their events are published.

What an earlier run moved without publishing is published when it is run again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from contracts.parts import CHAMPION
from forecasting.data import history as log_history
from forecasting.data.offsets import DataName
from forecasting.modelstore.registry import ModelRegistry, NoModel, Unloadable
from forecasting.settings import ForecastingSettings
from forecasting.training.gate import Candidate, Choice, candidate_of, decide
from forecasting.training.holdout import HoldOut, score_holdout
from forecasting.training.promotions import NoEvidence, data_of, decision, decision_of_person, metrics_of
from streaming.clock import clock_from
from streaming.publisher import Publisher

log = structlog.get_logger()

EVENT_SOURCE = "/foretick/forecasting/training"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and which aliases moved."""

    choice: Choice
    sitting: Candidate | None
    moved: list[str]


def decide_and_promote(
    settings: ForecastingSettings,
    registry: ModelRegistry,
    candidates: Mapping[str, Candidate],
    held: HoldOut,
    *,
    data: DataName,
    learned_until: str,
) -> Decision:
    """Choose the champion among candidates (by family) and the one that sits, and promote.

    Args:
        learned_until: the last close that the candidates have learned from, ISO 8601.
    """
    sitting = _sitting(settings, registry, candidates, held, learned_until)
    choice = decide(list(candidates.values()), sitting, held.horizon)
    aliases, published = registry.aliases(), log_history.newest_promotions(settings)
    decided_at = clock_from(settings).now()
    moved, made_now = [], {each.version for each in candidates.values()}
    with Publisher(settings, EVENT_SOURCE) as publisher:
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
                model_name=settings.model_name,
                previous=before if told is not None or before != candidate.version else None,
                naive=candidates["naive"],
                sitting=sitting,
                choice=choice,
                data=data if candidate.version in made_now else data_of(registry.version(candidate.version)),
                decided_at=decided_at,
            )
            publisher.publish(event, time=decided_at)
    return Decision(choice, sitting, moved)


def promote(settings: ForecastingSettings, version: str, *, person: str, because: str, alias: str = CHAMPION) -> str:
    """Let a person point an alias at a version; return in words what was done.  Rolling back is the same.

    Raises:
        NoModel: no such version; NoEvidence: no training of this project made it.
        ModelsAway, LogAway: a server does not answer.
    """
    registry = ModelRegistry(settings)
    wanted = registry.version(version)
    if alias != CHAMPION and alias != wanted.family:
        raise NoEvidence(f"alias {alias!r} is for versions of that family; version {version} is {wanted.family}")
    aliases, published = registry.aliases(), log_history.newest_promotions(settings)
    told = published.get(alias)
    if aliases.get(alias) == version and told is not None and told.version == version:
        return f"{alias} points at version {version} already: {told.decided_by}, {told.reason}"
    before = told.version if told else aliases.get(alias)
    same_data = {name: wanted.tags.get(name, "") for name in ("training_sha256", "code_version")}
    naive = registry.find({"family": "naive", **same_data})
    if naive is None:
        raise NoEvidence(f"no random walk was trained on the data of version {version}: there is nothing beside it")
    decided_at = clock_from(settings).now()
    event = decision_of_person(
        alias,
        wanted,
        model_name=settings.model_name,
        previous=registry.version(before) if before and before != version else None,
        naive=naive,
        person=person,
        because=because,
        decided_at=decided_at,
    )
    registry.point(alias, version)
    with Publisher(settings, EVENT_SOURCE) as publisher:
        publisher.publish(event, time=decided_at)
    return f"{alias} points at version {version} ({wanted.family}) now; before: {before or 'none'}"


def _sitting(
    settings: ForecastingSettings,
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
        told = log_history.newest_promotions(settings).get(CHAMPION)
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
