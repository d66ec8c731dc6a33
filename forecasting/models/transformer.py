"""Transformer encoder (Vaswani et al. 2017) over patches of a window's bars (Nie et al. 2023, PatchTST)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from forecasting.data.windows import CONTEXT
from forecasting.models import features
from forecasting.models.networks import Network


@dataclass(eq=False)
class Transformer(Network):
    """Self-attention blocks, normalised before each part (Xiong et al. 2020), over patches with learned positions.

    Attributes:
        blocks: encoder blocks.
        heads: attention heads of each.
        patch: bars in a patch; divides the window's returns.
    """

    family: ClassVar[str] = "transformer"

    blocks: int = 2
    heads: int = 4
    patch: int = 7

    def body(self, sequence: Any) -> Any:
        patches = (CONTEXT - 1) // self.patch
        state = keras.layers.Reshape((patches, self.patch * features.STEP_FEATURES))(sequence)
        state = Positions()(keras.layers.Dense(self.width)(state))
        for _ in range(self.blocks):
            state = state + self._attend(keras.layers.LayerNormalization()(state))
            state = state + self._think(keras.layers.LayerNormalization()(state))
        return keras.layers.Flatten()(keras.layers.LayerNormalization()(state))

    def _attend(self, state: Any) -> Any:
        attention = keras.layers.MultiHeadAttention(self.heads, self.width // self.heads, dropout=self.dropout)
        return attention(state, state)

    def _think(self, state: Any) -> Any:
        wide = keras.layers.Dense(2 * self.width, activation="gelu")(state)
        return keras.layers.Dropout(self.dropout)(keras.layers.Dense(self.width)(wide))


class Positions(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Adds a learned vector to each place of a sequence; a weight of the model, so that it is trained and saved."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make one vector for each place: shape [n, places, units]."""
        self._table = self.add_weight(shape=shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02))

    def call(self, state: Any) -> Any:
        """Add the vectors."""
        return state + self._table
