"""The gate: which version may be champion, and why the others may not.  Pure.

A version passes if it is not worse than the random walk beyond noise, its sCRPS is below the random walk's, its
intervals cover within their bands, and it is better than the sitting champion by the test.  If none passes, the
sitting champion stays; one that would not be admitted itself makes way for the random walk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.measures import skill
from contracts.parts import Metrics, Refusal
from forecasting.models.bands import BAND_80, BAND_95
from forecasting.models.losses import diebold_mariano
from forecasting.training.holdout import Scores

NOISE = 0.05  # one-sided: what chance alone explains more often than this is no difference
TEST = "Diebold-Mariano, Harvey-Leybourne-Newbold correction, scaled CRPS by origin, against the random walk"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered version and what it scored on the hold-out.

    Attributes:
        scores: None where it cannot be judged on this hold-out, because it has learned from it; `metrics` are then
            those of its own training.
    """

    version: str
    family: str
    run_id: str
    metrics: Metrics
    scores: Scores | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is champion now, and why; who is not, and why not."""

    champion: Candidate
    reason: str
    refused: tuple[Refusal, ...]
    tests: Mapping[str, tuple[float, float]]  # version -> statistic, two-sided p-value against the random walk


def candidate_of(version: str, family: str, run_id: str, scores: Scores) -> Candidate:
    """Return a version with what it scored on the hold-out."""
    metrics = Metrics(
        version=version,
        family=family,
        n=scores.n,
        mase=scores.mase,
        scrps=scores.scrps,
        coverage_80=scores.coverage_80,
        coverage_95=scores.coverage_95,
    )
    return Candidate(version, family, run_id, metrics, scores)


def decide(rivals: Sequence[Candidate], sitting: Candidate | None, horizon: int) -> Choice:
    """Choose the champion.

    Args:
        rivals: newly made versions, judged on one hold-out; the random walk is among them.
        sitting: the champion that serves now, judged on the same hold-out if it can be.
        horizon: steps ahead that were scored.
    """
    naive = next(rival for rival in rivals if rival.family == "naive")
    everybody = {rival.version: rival for rival in (*rivals, sitting) if rival is not None}
    tests = {
        version: against(each.scores, naive.scores, horizon)
        for version, each in everybody.items()
        if each.scores is not None and naive.scores is not None
    }
    held = sitting if sitting is not None and not _dismissal(sitting, tests) else None
    found = {
        rival.version: _objections(rival, naive, held, tests, horizon)
        for rival in rivals
        if rival is not naive and rival is not held and rival.version != (held.version if held else None)
    }
    passed = [everybody[version] for version, reasons in found.items() if not reasons]
    if passed:
        champion = min(passed, key=lambda each: each.metrics.scrps)
        reason = _praise(champion, naive, held, tests)
    elif held is not None and held.family != "naive":
        champion = held
        reason = f"{held.family} {held.version} stays: no other version passed the gate"
    else:
        champion = naive
        reason = "no family passed the gate: the random walk is shown"
    if sitting is not None and held is None:
        found[sitting.version] = _dismissal(sitting, tests)
    for other in passed:
        if other is not champion:
            found[other.version] = [f"{champion.family} {champion.version} has the lower sCRPS"]
    refused = tuple(
        Refusal(version=version, family=everybody[version].family, reasons=tuple(reasons))
        for version, reasons in sorted(found.items(), key=lambda item: int(item[0]))
        if version != champion.version
    )
    return Choice(champion, reason, refused, tests)


def against(scores: Scores, baseline: Scores, horizon: int) -> tuple[float, float]:
    """Test one version's scaled CRPS by origin against another's: statistic (negative: better), two-sided p."""
    return diebold_mariano(scores.losses, baseline.losses, horizon)


def _dismissal(sitting: Candidate, tests: Mapping[str, tuple[float, float]]) -> list[str]:
    """Say why the sitting champion may not stay; one that cannot be judged here stays."""
    if sitting.family == "naive" or sitting.scores is None:
        return []
    return _worse_than_random(sitting, tests) + _outside_bands(sitting)


def _objections(
    rival: Candidate,
    naive: Candidate,
    held: Candidate | None,
    tests: Mapping[str, tuple[float, float]],
    horizon: int,
) -> list[str]:
    """Say each rule that a challenger breaks, with the figures."""
    reasons = _worse_than_random(rival, tests) + _outside_bands(rival)
    if rival.metrics.scrps >= naive.metrics.scrps:
        reasons.append(f"its sCRPS {rival.metrics.scrps:.5f} is not below the random walk's {naive.metrics.scrps:.5f}")
    if held is not None:
        name = f"the sitting champion ({held.family} {held.version})"
        if held.scores is None or rival.scores is None:
            reasons.append(f"it cannot be compared with {name}, which has learned from the hold-out")
        else:
            statistic, p = against(rival.scores, held.scores, horizon)
            if statistic >= 0 or p / 2 >= NOISE:
                reasons.append(f"it is not better than {name} beyond noise (DM {statistic:.2f}, p {p:.3f})")
    return reasons


def _worse_than_random(rival: Candidate, tests: Mapping[str, tuple[float, float]]) -> list[str]:
    # Two-sided p with a positive statistic: half of it is the chance of looking this much worse by luck.
    statistic, p = tests[rival.version]
    if statistic > 0 and p / 2 < NOISE:
        return [f"it is worse than the random walk beyond noise (DM {statistic:.2f}, p {p:.3f})"]
    return []


def _outside_bands(rival: Candidate) -> list[str]:
    found = (("80", rival.metrics.coverage_80, BAND_80), ("95", rival.metrics.coverage_95, BAND_95))
    return [
        f"its {level} % intervals cover {share:.3f}, outside {low:g} to {high:g}"
        for level, share, (low, high) in found
        if not low <= share <= high
    ]


def _praise(
    champion: Candidate, naive: Candidate, held: Candidate | None, tests: Mapping[str, tuple[float, float]]
) -> str:
    mine, random = champion.metrics, naive.metrics
    statistic, p = tests[champion.version]
    beaten = f"; better than {held.family} {held.version}, which sat before, beyond noise" if held else ""
    return (
        f"{champion.family} has the lowest sCRPS on the hold-out, {mine.scrps:.5f} against the random walk's "
        f"{random.scrps:.5f} (skill {skill(mine.scrps, random.scrps):+.2%}, DM {statistic:.2f}, p {p:.3f}, "
        f"{mine.n} steps); its MASE is {mine.mase:.4f} against {random.mase:.4f}{beaten}"
    )
