"""LSTM (Hochreiter & Schmidhuber 1997) over a window's bars."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from forecasting.models.networks import Network


@dataclass(eq=False)
class Lstm(Network):
    """One recurrent layer, read at the last bar."""

    family: ClassVar[str] = "lstm"

    def body(self, sequence: Any) -> Any:
        return keras.layers.LSTM(self.width)(sequence)
