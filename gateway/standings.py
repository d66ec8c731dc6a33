"""How versions do live, from their scores.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import fsum, sqrt
from statistics import NormalDist, fmean
from typing import Any

from gateway.lineages import moved

Score = Mapping[str, Any]

FEWEST_SESSIONS = 30  # for a confidence interval: with fewer the normal distribution promises too much
_NORMAL_95 = NormalDist().inv_cdf(0.975)


def standings(scores: Iterable[Score], window: int | None = None) -> list[dict[str, Any]]:
    """Add scores up to one line for each version and step, by step and then by skill.

    MASE as Hyndman & Koehler (2006); sCRPS as twice the pinball loss over the actuals' size, by symbol, averaged over
    symbols (Rangapuram et al. 2021); skill = 1 - sum|error| / sum|random walk's error|, with its 95 % confidence
    interval. Sums are exact, so the order of scores is nothing.

    Args:
        scores: what each score adds to the sums of the read model `leaderboard`, and whose it is.
        window: only of the newest so many sessions; None: of all.
    """
    known = list(scores)
    if window is not None:
        newest = set(sorted({score["target_at"] for score in known})[-window:])
        known = [score for score in known if score["target_at"] in newest]
    items = [_standing(group) for group in _grouped(known, "step", "family", "model_version")]
    return sorted(items, key=lambda item: (item["step"], -(item["skill"] or 0.0), item["family"], item["version"]))


def skill_interval(sessions: Sequence[tuple[float, float]], horizon: int) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of a skill; None where there are too few sessions to tell.

    Symbols of one session move together, so a session is one observation; outcomes `horizon` sessions ahead overlap.
    The variance is that of a ratio of sums (Cochran 1977, section 2.11), with the autocovariances and the small-sample
    correction of Harvey, Leybourne & Newbold (1997).

    Args:
        sessions: in order of time, sums of a version's and of the random walk's |errors|.
        horizon: sessions ahead.
    """
    count, naive = len(sessions), fsum(baseline for _, baseline in sessions)
    if count < max(FEWEST_SESSIONS, 2 * horizon) or not naive:
        return None
    ratio = fsum(error for error, _ in sessions) / naive
    gaps = [error - ratio * baseline for error, baseline in sessions]
    covariances = [fsum(a * b for a, b in zip(gaps, gaps[lag:], strict=False)) / count for lag in range(horizon)]
    variance = covariances[0] + 2 * fsum(covariances[1:])
    if variance <= 0:  # the truncated sum need not be positive; the variance alone is
        variance = covariances[0]
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    half = _NORMAL_95 * sqrt(variance / count / correction) / (naive / count)
    return 1 - ratio - half, 1 - ratio + half


def _standing(scores: Sequence[Score]) -> dict[str, Any]:
    """Return one version's line of one step."""
    first = scores[0]
    sessions = [
        (_sum(group, "absolute_error"), _sum(group, "naive_absolute_error")) for group in _grouped(scores, "target_at")
    ]
    error = _ratio(_sum(scores, "absolute_error"), _sum(scores, "naive_absolute_error"))
    low, high = skill_interval(sessions, first["step"]) or (None, None)
    return {
        "family": first["family"],
        "version": first["model_version"],
        "step": first["step"],
        "n": len(scores),
        "sessions": len(sessions),
        "mase": _ratio(_sum(scores, "scaled_error"), _sum(scores, "scaled_n")),
        "scrps": _mean(
            _ratio(2 * _sum(group, "pinball"), _sum(group, "absolute_actual")) for group in _grouped(scores, "symbol")
        ),
        "coverage_80": _sum(scores, "hits_80") / len(scores),
        "coverage_95": _sum(scores, "hits_95") / len(scores),
        "skill": None if error is None else 1 - error,
        "skill_low": low,
        "skill_high": high,
    }


def _grouped(scores: Iterable[Score], *names: str) -> list[list[Score]]:
    """Return the scores that agree in all of some fields together, in those fields' order."""

    def key(score: Score) -> tuple[Any, ...]:
        return tuple(score[name] for name in names)

    return [list(group) for _, group in groupby(sorted(scores, key=key), key)]


def _sum(scores: Iterable[Score], name: str) -> float:
    return fsum(score[name] for score in scores)


def _mean(figures: Iterable[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return fmean(known) if known else None


def newest_by_alias(promotions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return where each alias points and since when, from all decisions, newest first."""
    newest: dict[str, dict[str, Any]] = {}
    for move in filter(moved, promotions):
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
