"""How versions do live, from their scores.  Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple, Self

from contracts.documents import LeaderboardDocument, ScoreTerms
from contracts.measures import long_run_variance, small_sample_correction
from contracts.parts import NAIVE
from gateway.reads.lineages import moved_alias
from gateway.schemas.responses import Verdict

FEWEST_SESSIONS = 30  # for a confidence interval: with fewer the normal distribution promises too much
_NORMAL_95 = NormalDist().inv_cdf(0.975)

SessionClose = str  # when it closed, as ISO 8601 text
_RANKS: tuple[Verdict, ...] = ("better", "undecided", "baseline", "worse", "few")


class VersionStep(NamedTuple):
    """What is ranked: a version's forecasts of some sessions ahead."""

    family: str
    version: str
    step: int


class Sums(NamedTuple):
    """What scores add up to; `paired` are those whose origin and step the random walk has forecast, too."""

    n: float = 0
    absolute_error: float = 0.0
    naive_absolute_error: float = 0.0
    scaled_error: float = 0.0
    scaled_n: float = 0
    crps: float = 0.0
    crps_n: float = 0
    paired_crps: float = 0.0
    naive_crps: float = 0.0
    paired_n: float = 0
    inside_80: float = 0
    inside_95: float = 0

    @classmethod
    def of(cls, score: ScoreTerms) -> Self:
        """Return what one score of the read model `leaderboard` adds."""
        scaled, crps, naive = score["scaled_error"], score["crps"], score["naive_crps"]
        paired = crps is not None and naive is not None
        return cls(
            1,
            score["absolute_error"],
            score["naive_absolute_error"],
            scaled or 0.0,
            scaled is not None,
            crps or 0.0,
            crps is not None,
            (crps or 0.0) if paired else 0.0,
            (naive or 0.0) if paired else 0.0,
            paired,
            score["inside_80"],
            score["inside_95"],
        )

    @classmethod
    def total(cls, sums: Iterable[Self]) -> Self:
        """Add up, exactly: the order is nothing."""
        columns = list(zip(*sums, strict=True))
        return cls(*map(fsum, columns)) if columns else cls()


SumsBySession = Mapping[SessionClose, Sums]


def by_session(documents: Iterable[LeaderboardDocument]) -> dict[VersionStep, dict[SessionClose, Sums]]:
    """Add the documents of the read model `leaderboard` up by line and session, over symbols."""
    found: defaultdict[VersionStep, defaultdict[SessionClose, list[Sums]]] = defaultdict(lambda: defaultdict(list))
    for document in documents:
        line = VersionStep(document["family"], document["model_version"], document["step"])
        for score in document.get("scores", {}).values():  # none in one of an earlier version, until a rebuild
            found[line][score["target_at"]].append(Sums.of(score))
    return {line: {session: Sums.total(sums) for session, sums in sessions.items()} for line, sessions in found.items()}


def standings(lines: Mapping[VersionStep, SumsBySession]) -> list[dict[str, Any]]:
    """Return a row for each line, by step and then by what is beyond noise; the random walk once a step.

    MASE as Hyndman & Koehler (2006); sCRPS as the mean of twice the pinball loss over the price (Rangapuram et al.
    2021); `skill` = 1 - sum|error| / sum|random walk's error|; `crps_skill` the same of the pinball loss, on the
    sessions of which the random walk's forecast is settled, too; each with its 95 % confidence interval.
    """
    joined = _one_random_walk(lines)
    return sorted(
        (_row(line, [sessions[at] for at in sorted(sessions)]) for line, sessions in joined.items()), key=_rank
    )


def skill_interval(sessions: Sequence[tuple[float, float]], horizon: int) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of a skill; None where there are too few sessions to tell.

    Symbols of one session move together, so a session is one observation; outcomes `horizon` sessions ahead overlap.
    The variance is that of a ratio of sums (Cochran 1977, section 2.11), with the autocovariances and the small-sample
    correction of Harvey, Leybourne & Newbold (1997).

    Args:
        sessions: in order of time, sums of a version's and of the random walk's errors.
        horizon: sessions ahead.
    """
    count, naive = len(sessions), fsum(baseline for _, baseline in sessions)
    if count < max(FEWEST_SESSIONS, 2 * horizon) or not naive:
        return None
    ratio = fsum(error for error, _ in sessions) / naive
    gaps = [error - ratio * baseline for error, baseline in sessions]
    variance, correction = long_run_variance(gaps, horizon), small_sample_correction(count, horizon)
    half = _NORMAL_95 * sqrt(variance / count / correction) / (naive / count)
    return 1 - ratio - half, 1 - ratio + half


def _one_random_walk(lines: Mapping[VersionStep, SumsBySession]) -> dict[VersionStep, SumsBySession]:
    """Join the versions of the random walk: it is the same each time it is trained; of a session the newest counts."""
    joined = {line: sessions for line, sessions in lines.items() if line.family != NAIVE}
    walks = sorted((line for line in lines if line.family == NAIVE), key=_age)
    newest = {line.step: line for line in walks}
    for step, last in newest.items():
        joined[last] = {at: sums for line in walks if line.step == step for at, sums in lines[line].items()}
    return joined


def _row(line: VersionStep, sessions: Sequence[Sums]) -> dict[str, Any]:
    """Return one line's row, its sessions in order of time."""
    all_ = Sums.total(sessions)
    points = [(sums.absolute_error, sums.naive_absolute_error) for sums in sessions]
    paired = [(sums.paired_crps, sums.naive_crps) for sums in sessions if sums.paired_n]
    row = {
        "family": line.family,
        "version": line.version,
        "step": line.step,
        "n": int(all_.n),
        "sessions": len(sessions),
        "paired_sessions": len(paired),
        "mase": _ratio(all_.scaled_error, all_.scaled_n),
        "scrps": _ratio(all_.crps, all_.crps_n),
        "coverage_80": all_.inside_80 / all_.n,
        "coverage_95": all_.inside_95 / all_.n,
        **_skill("skill", points, line.step),
        **_skill("crps_skill", paired, line.step),
    }
    return {**row, "verdict": "baseline" if line.family == NAIVE else _verdict(row)}


def _skill(name: str, sessions: Sequence[tuple[float, float]], step: int) -> dict[str, float | None]:
    error = _ratio(fsum(error for error, _ in sessions), fsum(baseline for _, baseline in sessions))
    low, high = skill_interval(sessions, step) or (None, None)
    return {name: None if error is None else 1 - error, f"{name}_low": low, f"{name}_high": high}


def _verdict(row: Mapping[str, Any]) -> Verdict:
    """Say whether a line is beyond noise: of the whole distribution, or of its centre where that is all there is."""
    name = "crps_skill" if row["crps_skill_low"] is not None else "skill"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None:
        return "few"
    return "better" if low > 0 else "worse" if high < 0 else "undecided"


def _rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
    skill = row["skill"] if row["crps_skill"] is None else row["crps_skill"]
    line = VersionStep(row["family"], row["version"], row["step"])
    return row["step"], _RANKS.index(row["verdict"]), -(skill or 0.0), row["family"], _age(line)


def _age(line: VersionStep) -> tuple[int, str]:
    """Order versions by age: registries number them."""
    return (int(line.version) if line.version.isdigit() else -1), line.version


def newest_by_alias(promotions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return where each alias points and since when, from all decisions, newest first."""
    newest: dict[str, dict[str, Any]] = {}
    for move in filter(moved_alias, promotions):
        if move["alias"] not in newest:
            newest[move["alias"]] = {
                **{name: move[name] for name in ("alias", "model_name", "version", "family", "run_id")},
                "metrics": move["evaluation"]["candidate"],
                "decided_at": move["decided_at"],
                "reason": move["reason"],
            }
    return [newest[alias] for alias in sorted(newest)]


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
