"""The quantile head of the networks and the loss that trains it."""

from typing import Any

import keras
import numpy as np

from contracts.measures import LEVELS
from forecasting.data.windows import MAX_HORIZON, Floats

_MIDDLE = LEVELS.index(0.5)


class QuantileHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Median and softplus increments on both sides of it: quantiles [n, MAX_HORIZON, levels] that cannot cross.

    Args:
        base: [MAX_HORIZON, levels] quantiles to start from, their median taken as zero.
    """

    def __init__(self, base: Floats) -> None:
        super().__init__()
        widths = np.maximum(np.diff(base, axis=1), 1e-3)
        start = np.concatenate([np.zeros((MAX_HORIZON, 1)), np.log(np.expm1(widths))], axis=1)
        self._dense = keras.layers.Dense(
            start.size,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(start.ravel().astype(np.float32)),
        )

    def call(self, state: Any) -> Any:
        """Map states [n, units] to quantiles of cumulative log returns in units of the volatility to come."""
        raw = keras.ops.reshape(self._dense(state), (-1, MAX_HORIZON, len(LEVELS)))
        median, widths = raw[:, :, :1], keras.ops.softplus(raw[:, :, 1:])
        below, above = widths[:, :, :_MIDDLE], widths[:, :, _MIDDLE:]
        downward = keras.ops.flip(keras.ops.cumsum(keras.ops.flip(below, axis=2), axis=2), axis=2)
        quantiles = [median - downward, median, median + keras.ops.cumsum(above, axis=2)]
        return keras.ops.concatenate(quantiles, axis=2)


def pinball_of_tensors(actual: Any, quantiles: Any) -> Any:
    """Return the mean pinball loss of [n, H] outcomes under [n, H, levels] quantiles, in units of each step's scale."""
    levels = np.asarray(LEVELS, dtype=np.float32)
    gap = actual[:, :, None] - quantiles
    return keras.ops.mean(keras.ops.maximum(levels * gap, (levels - 1) * gap))


def width_correction(actual: Floats, quantiles: Floats) -> float:
    """Return by how much to multiply widths, learned on sessions that were not trained on.

    What split conformal prediction (Vovk et al. 2005) would ask for, as one number for all intervals of LEVELS, so
    that quantiles still cannot cross; taken halfway, for those sessions are one market regime and not the next, and
    never below 1, for a fit errs on the narrow side of its own data.
    actual: [n, H]; quantiles: [n, H, levels].
    """
    median = quantiles[:, :, _MIDDLE]
    logs = []
    for number in range(_MIDDLE):
        low, high = quantiles[:, :, number], quantiles[:, :, len(LEVELS) - 1 - number]
        side = np.where(actual < median, median - low, high - median)
        nominal = LEVELS[len(LEVELS) - 1 - number] - LEVELS[number]
        logs.append(np.log(np.quantile(np.abs(actual - median) / side, nominal)))
    return max(1.0, float(np.exp(np.mean(logs) / 2)))


def widened(quantiles: Floats, correction: float) -> Floats:
    """Multiply the distances of quantiles [..., levels] from their median."""
    median = quantiles[..., _MIDDLE, None]
    return median + (quantiles - median) * correction
