"""The ARMA order that suits a series of returns, and its parameters: stepwise by AICc, then maximum likelihood.

The search goes from a few plain orders to the best neighbour until none is better (Hyndman & Khandakar 2008, section
3.2).  No candidate but the last is fitted to the end: the regressions of Hannan & Rissanen (1982) estimate it, which a
bias correction makes as efficient as maximum likelihood in large samples, and the innovations algorithm (Brockwell &
Davis 1991, eq. 8.7.4) gives the exact likelihood there, so AICc compares like with like.  The numbers are statsmodels'.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from forecasting.data.windows import Floats

Order = tuple[int, int, bool]  # p, q, whether there is a mean

_START = ((0, 0), (1, 0), (0, 1))  # fitted to every series, so that series can be compared on them
_MOST = 0.99  # modulus of an inverse root: beyond it a process is all but a unit root, and its fit a numerical accident
_FLAT = 1e-2  # slope of the log likelihood that counts as its top: parameters are then right to some 1e-5


@dataclass(frozen=True, slots=True)
class Arma:
    """Parameters of an ARMA process of log returns around `mean`."""

    mean: float
    ar: tuple[float, ...]
    ma: tuple[float, ...]

    def times(self, unit: float) -> "Arma":
        """Return the process in other units."""
        return Arma(self.mean * unit, self.ar, self.ma)


Fits = dict[Order, tuple[float, Arma]]  # AICc and parameters of each order that was tried


def search_all(many: list[Floats], max_order: int) -> bytes:
    """Search several series in one process: the work of one task, whose result `searches_of` reads."""
    # Vectors of some numbers: BLAS threads only wait for each other, and the order of their sums depends on how many.
    with threadpool_limits(1, user_api="blas"):
        found = [search(returns, max_order) for returns in many]
    plain = [
        ([(order, aicc, arma.mean, arma.ar, arma.ma) for order, (aicc, arma) in fits.items()], best)
        for fits, best in found
    ]
    return json.dumps(plain).encode()


def searches_of(result: bytes) -> list[tuple[Fits, Order]]:
    """Read what `search_all` found: of each series what was tried, and the best order."""
    return [
        ({_order(order): (aicc, Arma(mean, tuple(ar), tuple(ma))) for order, aicc, mean, ar, ma in fits}, _order(best))
        for fits, best in json.loads(result)
    ]


def _order(plain: list[Any]) -> Order:
    p, q, drifts = plain
    return p, q, drifts


def search(returns: Floats, max_order: int) -> tuple[Fits, Order]:
    """Find the order with the lowest AICc.

    Args:
        returns: [T] log returns, not all the same.
        max_order: largest p + q.

    Returns:
        What was tried, the chosen one with its parameters of maximum likelihood, and which it is.
    """
    unit = float(returns.std())
    scaled = returns / unit
    fits: Fits = {}
    seen: set[tuple[int, int]] = set()
    news = {pq for pq in _START if sum(pq) <= max_order}
    while news:
        for p, q in sorted(news):
            fits |= _estimated(scaled, p, q)
        seen |= news
        best = min(fits, key=lambda order: fits[order][0])
        news = set(_neighbours(*best[:2], max_order)) - seen
    fits[best] = _likeliest(scaled, *fits[best])
    return {order: (aicc, arma.times(unit)) for order, (aicc, arma) in fits.items()}, best


def _neighbours(p: int, q: int, max_order: int) -> Iterator[tuple[int, int]]:
    """Give the orders that differ by one in p, in q or in both alike."""
    for dp, dq in ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (1, 1), (1, -1), (-1, 1)):
        if p + dp >= 0 and q + dq >= 0 and p + dp + q + dq <= max_order:
            yield p + dp, q + dq


def _estimated(returns: Floats, p: int, q: int) -> Fits:
    """Estimate an order with and without a mean; nothing where the estimate is all but a unit root."""
    from statsmodels.tsa.arima.estimators.hannan_rissanen import hannan_rissanen  # a second to import: only to train

    ar, ma = np.empty(0), np.empty(0)
    if p or q:
        found = hannan_rissanen(returns - returns.mean(), ar_order=p, ma_order=q, demean=False).parameters
        ar, ma = found.ar_params, found.ma_params
        if not _sound(ar, ma):
            return {}
    return {(p, q, drifts): _judged(returns, ar, ma, drifts) for drifts in (False, True)}


def _judged(returns: Floats, ar: Floats, ma: Floats, drifts: bool) -> tuple[float, Arma]:
    """Return AICc and parameters, the mean and the variance at their maximum given the others."""
    from statsmodels.tsa.innovations.arma_innovations import arma_innovations

    count, mean = len(returns), 0.0
    columns = np.column_stack([returns, np.ones(count)]) if drifts else returns[:, None]
    shocks, spread = arma_innovations(columns, ar, ma)
    errors = shocks.reshape(count, -1)[:, 0]
    if drifts:  # shocks are linear in the series: generalised least squares
        mean = float((errors * shocks[:, 1] / spread).sum() / (shocks[:, 1] ** 2 / spread).sum())
        errors = errors - mean * shocks[:, 1]
    variance = float((errors**2 / spread).mean())
    likelihood = -0.5 * (count * (np.log(2 * np.pi * variance) + 1) + np.log(spread).sum())
    parameters = len(ar) + len(ma) + drifts + 1
    aicc = 2 * parameters * count / (count - parameters - 1) - 2 * likelihood
    return float(aicc), Arma(mean, tuple(ar.tolist()), tuple(ma.tolist()))


def _likeliest(returns: Floats, aicc: float, arma: Arma) -> tuple[float, Arma]:
    """Climb from an estimate to the maximum of the exact likelihood; stay where that leads nowhere better."""
    if not (arma.ar or arma.ma):
        return aicc, arma
    from statsmodels.tsa.arima.estimators.innovations import innovations_mle

    found = innovations_mle(
        returns - arma.mean,
        order=(len(arma.ar), 0, len(arma.ma)),
        demean=False,
        start_params=[*arma.ar, *arma.ma, 1.0],
        minimize_kwargs={"method": "BFGS", "options": {"gtol": _FLAT}},
    ).parameters
    if not _sound(found.ar_params, found.ma_params):
        return aicc, arma
    return min(
        (aicc, arma), _judged(returns, found.ar_params, found.ma_params, arma.mean != 0.0), key=lambda fit: fit[0]
    )


def _sound(ar: Floats, ma: Floats) -> bool:
    """Tell whether a process is well inside of stationary and invertible."""
    return all(np.abs(np.roots([1.0, *part])).max(initial=0.0) < _MOST for part in (-ar, ma))
