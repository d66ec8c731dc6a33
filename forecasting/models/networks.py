"""What the neural families share: features, training, fast forecasting, saving.

A network starts as the random walk whose width follows volatility (see `heads.py`) and learns to do better.
TensorFlow is imported here, in `heads.py`, `descent.py` and the two families, and nowhere else.
"""

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from contracts.measures import LEVELS
from forecasting.data.windows import (
    CONTEXT,
    MAX_HORIZON,
    BadFrame,
    Floats,
    Windows,
    WindowSet,
    check_frame,
    thinned,
    usual_volatility,
)
from forecasting.models import features
from forecasting.models.base import Epoch, Estimator, OnEpoch
from forecasting.models.descent import Inputs, Schedule, descend, prepare_tensorflow
from forecasting.models.heads import QuantileHead, widened, width_correction
from forecasting.models.quantiles import between
from forecasting.models.volatility import Har

_WEIGHTS = "weights.npz"
_MOST = {"width": 1024, "blocks": 32, "heads": 32, "patch": CONTEXT - 1}  # what is saved says how much is built
_ENOUGH = 500  # windows below which a network has nothing to learn from
_BATCH = 1024  # windows forecast at once

Rows = NDArray[np.intp]


@dataclass(eq=False)
class Network(Estimator):
    """A network over all symbols: quantiles of log returns at every step up to `MAX_HORIZON`, in units of the
    volatility to come.

    Attributes:
        width: units of its layers.
        dropout: share of units left out in training.
        epochs: most turns over the data; training stops when the validation loss has not fallen for `patience`.
        batch: windows in a gradient step.
        rate, decay: first learning rate (falls to zero by a cosine) and weight decay of AdamW.
        most_windows: windows used of a larger training set, evenly thinned.
        validation: share of the sessions, the last ones, kept to stop and to set the width by.
        seed: of weights, shuffling and dropout.
        threads: used by TensorFlow in training.
    """

    min_history: ClassVar[int] = CONTEXT
    needs_network: ClassVar[bool] = True

    width: int = 32
    dropout: float = 0.1
    epochs: int = 20
    patience: int = 5
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-3
    most_windows: int = 20_000
    validation: float = 0.15
    seed: int = 20120103
    threads: int = 2

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            if not 1 <= (given := getattr(self, name, 1)) <= most:
                raise ValueError(f"{self.family} takes a {name} from 1 to {most}, not {given}")

    @abstractmethod
    def body(self, sequence: Any) -> Any:
        """Map bars [n, C, STEP_FEATURES] to a state [n, units]."""

    def fit(self, frame: pd.DataFrame, on_epoch: OnEpoch | None = None) -> Self:
        check_frame(frame)
        windows = WindowSet(frame, MAX_HORIZON)
        if len(windows) < _ENOUGH:
            raise BadFrame(
                f"{self.family} needs {_ENOUGH} windows of {CONTEXT} bars with {MAX_HORIZON} after them, "
                f"there are {len(windows)}"
            )
        prepare_tensorflow(self.seed, self.threads)
        (early, before), (late, after) = (windows.take(rows) for rows in self._by_time(windows.origins))
        self.har_ = Har.fit(early, before, usual_volatility(frame))
        before, after = before / self.har_.scales(early), after / self.har_.scales(late)
        self.base_ = np.quantile(before, LEVELS, axis=0).T
        self.network_ = self._build()
        self.curves_ = descend(
            self.network_,
            (self._inputs(early), before.astype(np.float32)),
            (self._inputs(late), after.astype(np.float32)),
            Schedule(self.epochs, self.patience, self.batch, self.rate, self.decay, self.seed),
            on_epoch,
        )
        self._compile()
        self.correction_ = width_correction(after, self._quantiles(late))
        return self

    def log_quantiles(self, windows: Windows, horizon: int, levels: Floats) -> Floats:
        quantiles = widened(self._quantiles(windows)[:, :horizon], self.correction_)
        return self.har_.scales(windows, horizon)[:, :, None] * between(LEVELS, quantiles, levels)

    def curves(self) -> list[Epoch]:
        return self.curves_

    def learned(self) -> dict[str, Any]:
        return {
            "volatility": self.har_.learned(),
            "base": self.base_.tolist(),
            "correction": self.correction_,
            "curves": [astuple(epoch) for epoch in self.curves_],
        }

    def save(self, folder: Path) -> None:
        super().save(folder)
        weights = {f"{number:03d}": array for number, array in enumerate(self.network_.get_weights())}
        np.savez(folder / _WEIGHTS, **weights)

    def restore(self, learned: dict[str, Any], folder: Path) -> None:
        self.har_ = Har.restored(learned["volatility"])
        self.base_ = np.array(learned["base"])
        self.correction_ = float(learned["correction"])
        self.curves_ = [Epoch(*row) for row in learned["curves"]]
        self.network_ = self._build()
        with np.load(folder / _WEIGHTS, allow_pickle=False) as weights:
            self.network_.set_weights([weights[name] for name in sorted(weights.files)])
        self._compile()

    def _by_time(self, origins: NDArray[np.datetime64]) -> tuple[Rows, Rows]:
        """Return the rows of earlier and of later windows; no target of the earlier reaches into the later."""
        moments = np.unique(origins)
        border = int(len(moments) * (1 - self.validation))
        early = np.flatnonzero(origins < moments[max(border - MAX_HORIZON, 1)])
        late = np.flatnonzero(origins >= moments[border])
        return thinned(early, self.most_windows), thinned(late, self.most_windows // 4)

    def _inputs(self, windows: Windows) -> Inputs:
        scale = features.scales(windows)
        return (
            features.step_features(windows, scale).astype(np.float32),
            features.summary_features(windows, scale, self.har_).astype(np.float32),
        )

    def _quantiles(self, windows: Windows) -> Floats:
        """Run the network: scaled quantiles [n, MAX_HORIZON, LEVELS]."""
        bars, window = self._inputs(windows)

        def asked(row: int) -> Floats:
            answer: Floats = self._call(bars[row : row + _BATCH], window[row : row + _BATCH]).numpy()
            return answer

        rows = range(0, len(windows), _BATCH)
        # TensorFlow runs one small batch on one core, whatever its threads.
        with ThreadPoolExecutor(self.threads) as pool:
            parts = list(pool.map(asked, rows)) if len(rows) > 1 else [asked(row) for row in rows]
        quantiles: Floats = np.concatenate(parts).astype(np.float64)
        return quantiles

    def _build(self) -> keras.Model:
        bars = keras.Input((CONTEXT - 1, features.STEP_FEATURES))
        window = keras.Input((features.SUMMARY_FEATURES,))
        state = keras.layers.Concatenate()([self.body(bars), window])
        state = keras.layers.Dropout(self.dropout)(keras.layers.Dense(self.width, activation="gelu")(state))
        state = keras.layers.Concatenate()([state, window])
        return keras.Model([bars, window], QuantileHead(self.base_)(state))

    def _compile(self) -> None:
        """Prepare one compiled call for any number of windows: `model.predict` costs a hundred times as much."""
        self._call = (
            tf.function(
                lambda bars, window: self.network_([bars, window], training=False),
                input_signature=[
                    tf.TensorSpec((None, CONTEXT - 1, features.STEP_FEATURES), tf.float32),
                    tf.TensorSpec((None, features.SUMMARY_FEATURES), tf.float32),
                ],
            ).get_concrete_function()
        )  # traced now, not at the first forecast, and TensorFlow does not warn of the next model's
