"""What trainings and decisions look like as text.  Pure."""

from collections.abc import Collection, Mapping

from contracts.measures import skill
from forecasting.models.families import FAMILIES
from forecasting.training.gate import Candidate, Choice

_HEAD = f"{'family':<12} {'version':>7}  {'MASE':>7} {'sCRPS':>7} {'skill':>7} {'cover 80':>8} {'cover 95':>8}   p"


def table(candidates: Mapping[str, Candidate], trained: Collection[str], choice: Choice | None) -> list[str]:
    """Return the lines of a table of families; skill and p are against the random walk."""
    naive = candidates.get("naive")
    lines = [_HEAD]
    for name in sorted(candidates, key=list(FAMILIES).index):
        found, made = candidates[name], "" if name in trained else " (was there)"
        scored = found.metrics
        better = f"{skill(scored.scrps, naive.metrics.scrps):+7.2%}" if naive else f"{'-':>7}"
        p_value = f"{choice.tests[found.version][1]:.3f}" if choice and name != "naive" else "-"
        lines.append(
            f"{name:<12} {found.version:>7}  {scored.mase:7.4f} {scored.scrps:7.5f} {better} "
            f"{scored.coverage_80:8.3f} {scored.coverage_95:8.3f}   {p_value}{made}"
        )
    return lines
