"""Decisions as events: where an alias points now, and the comparison or the person that says so."""

from datetime import datetime
from typing import TYPE_CHECKING

from contracts.events import ModelPromoted
from contracts.parts import CHAMPION, Evaluation, Metrics
from forecasting.data.offsets import DataName, OffsetVector
from forecasting.training.gate import TEST, Candidate, Choice

if TYPE_CHECKING:  # importing it takes MLflow's seconds
    from forecasting.modelstore.registry import Version

GATE = "foretick train: the gate"


class NoEvidence(LookupError):
    """A version does not say what it was trained on and how it did; the text names what is missing."""


def decision(
    alias: str,
    candidate: Candidate,
    *,
    model_name: str,
    previous: str | None,
    naive: Candidate,
    sitting: Candidate | None,
    choice: Choice,
    data: DataName,
    decided_at: datetime,
) -> ModelPromoted:
    """Say in an event what the gate decided on an alias: it moved (from `previous`), or it stays."""
    statistic, p_value = choice.tests.get(candidate.version, (None, None))
    tested = candidate.family != naive.family and statistic is not None
    scored = candidate.metrics
    reason = (
        choice.reason
        if alias == CHAMPION
        else f"newest accepted version of {candidate.family}: sCRPS {scored.scrps:.5f} on the hold-out, "
        f"the random walk's {naive.metrics.scrps:.5f}"
    )
    return ModelPromoted(
        model_name=model_name,
        alias=alias,
        version=candidate.version,
        family=candidate.family,
        run_id=candidate.run_id,
        previous_version=previous,
        evaluation=Evaluation(
            candidate=scored,
            champion=sitting.metrics if sitting else None,
            naive=naive.metrics,
            test=TEST if tested else None,
            statistic=statistic if tested else None,
            p_value=p_value if tested else None,
        ),
        training=data.training_data(),
        decided_by=GATE,
        reason=reason,
        decided_at=decided_at,
        outcome="KEPT" if previous == candidate.version else "MOVED",
        refused=choice.refused if alias == CHAMPION else None,
        schema_ids=data.schema_ids,
        calendar=data.calendar,
        code_version=data.code_version,
    )


def decision_of_person(
    alias: str,
    version: "Version",
    *,
    model_name: str,
    previous: "Version | None",
    naive: "Version",
    person: str,
    because: str,
    decided_at: datetime,
) -> ModelPromoted:
    """Say in an event that a person pointed an alias at a version, with what its own training found.

    Raises:
        NoEvidence: the version or the random walk lacks the tags that a training writes.
    """
    data = data_of(version)
    return ModelPromoted(
        model_name=model_name,
        alias=alias,
        version=version.version,
        family=version.family,
        run_id=version.run_id,
        previous_version=previous.version if previous else None,
        evaluation=Evaluation(
            candidate=metrics_of(version),
            champion=metrics_of(previous) if previous else None,
            naive=metrics_of(naive),
        ),
        training=data.training_data(),
        decided_by=f"person: {person}",
        reason=because,
        decided_at=decided_at,
        outcome="MOVED",
        schema_ids=data.schema_ids,
        calendar=data.calendar,
        code_version=data.code_version,
    )


def metrics_of(version: "Version") -> Metrics:
    """Return what a version scored in its own training, from its tags.

    Raises:
        NoEvidence: it has none.
    """
    tags = version.tags
    try:
        return Metrics(
            version=version.version,
            family=version.family,
            n=int(tags.get("n", 0)),  # versions older than the tag do not tell
            mase=float(tags["mase"]),
            scrps=float(tags["scrps"]),
            coverage_80=float(tags["coverage_80"]),
            coverage_95=float(tags["coverage_95"]),
        )
    except (KeyError, ValueError) as error:
        raise NoEvidence(f"version {version.version} has no usable tag {error}: no training made it") from error


def data_of(version: "Version") -> DataName:
    """Return the name of the data that a version was trained on, from its tags.

    Raises:
        NoEvidence: it does not tell.
    """
    tags = version.tags
    try:
        return DataName(
            vector=OffsetVector.from_json(tags["training_offsets"]),
            sha256=tags["training_sha256"],
            bars=int(tags["training_bars"]),
            schema_ids=tuple(int(part) for part in tags.get("training_schema_ids", "").split(",") if part),
            calendar=tags.get("training_calendar", ""),
            code_version=tags["code_version"],
        )
    except (KeyError, ValueError) as error:
        raise NoEvidence(f"version {version.version} does not tell its training data: {error}") from error
