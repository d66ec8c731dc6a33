"""What was said and what comes out when it is done again, side by side.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.events import ForecastIssued
from contracts.parts import ForecastStep

# A network asked for five symbols at once adds its 32-bit numbers in another order than when asked for one.
PRICE_TOLERANCE = 1e-6  # of a price


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that was compared.

    Attributes:
        decisive: whether a difference means that it is not the same; else it only explains one.
    """

    what: str
    said: str
    found: str
    equal: bool
    decisive: bool = True


@dataclass(frozen=True, slots=True)
class Reproduction:
    """All that was compared of one run or forecast."""

    of: str
    checks: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        """Tell whether it came out the same."""
        return all(check.equal for check in self.checks if check.decisive)

    @property
    def differences(self) -> tuple[Compared, ...]:
        """Return what differs."""
        return tuple(check for check in self.checks if not check.equal)


def compare_values(what: str, said: object, found: object, *, decisive: bool = True) -> Compared:
    """Compare two values that must be the same."""
    return Compared(what, str(said), str(found), said == found, decisive)


def compare_steps(said: Sequence[ForecastStep], found: Sequence[ForecastStep]) -> Iterable[Compared]:
    """Compare the steps of a forecast: targets exactly, prices within `PRICE_TOLERANCE`; one for each difference."""
    yield compare_values("steps", len(said), len(found))
    furthest, count, differing = 0.0, 0, []
    for old, new in zip(said, found, strict=False):
        if old.target_at != new.target_at:
            differing.append(compare_values(f"step {old.step}: target", old.target_at, new.target_at))
        levels = [quantile.level for quantile in old.quantiles]
        if levels != [quantile.level for quantile in new.quantiles]:
            differing.append(Compared(f"step {old.step}: levels", str(levels), "others", False))
            continue
        pairs = [("mean", old.mean, new.mean)]
        pairs += [(f"q{a.level:g}", a.value, b.value) for a, b in zip(old.quantiles, new.quantiles, strict=True)]
        for name, price, again in pairs:
            apart = abs(again - price) / abs(price) if price else abs(again)
            furthest, count = max(furthest, apart), count + 1
            if apart > PRICE_TOLERANCE:
                differing.append(Compared(f"step {old.step}: {name}", f"{price:.6f}", f"{again:.6f}", False))
    yield from differing
    exactly = "bit for bit" if furthest == 0 else f"at most {furthest:.1e} of the price apart"
    yield Compared("prices", str(count), exactly, not differing)


def compare_identity(forecast: ForecastIssued, rebuilt_id: str, rebuilt_sha256: str, bars: int) -> list[Compared]:
    """Compare what names a forecast: its input's bytes and the id made of them."""
    return [
        compare_values("input bars", forecast.lineage.input_bars, bars),
        compare_values("input sha256", forecast.lineage.input_sha256, rebuilt_sha256),
        compare_values("forecast id", forecast.forecast_id, rebuilt_id),
    ]
