"""Gradient descent on a network: shuffled batches, early stopping on later sessions, the same from a seed."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from forecasting.models.base import Epoch, OnEpoch
from forecasting.models.heads import pinball_of_tensors

Inputs = tuple[NDArray[np.float32], NDArray[np.float32]]  # bars [n, C, features], window [n, features]
Targets = NDArray[np.float32]  # [n, H] scaled cumulative log returns


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to descend: see `Network`."""

    epochs: int
    patience: int
    batch: int
    rate: float
    decay: float
    seed: int


def descend(
    network: keras.Model,
    early: tuple[Inputs, Targets],
    late: tuple[Inputs, Targets],
    schedule: Schedule,
    on_epoch: OnEpoch | None,
) -> list[Epoch]:
    """Train on the earlier windows; leave the network with the weights of the lowest loss on the later ones."""
    (bars, window), targets = early
    turns = len(targets) // schedule.batch
    rates = keras.optimizers.schedules.CosineDecay(schedule.rate, max(turns, 1) * schedule.epochs)
    optimizer = keras.optimizers.AdamW(rates, weight_decay=schedule.decay)
    optimizer.build(network.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def step(some_bars: tf.Tensor, some_window: tf.Tensor, outcome: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = pinball_of_tensors(outcome, network([some_bars, some_window], training=True))
        optimizer.apply(tape.gradient(loss, network.trainable_variables))
        return loss

    @tf.function  # type: ignore[untyped-decorator]
    def judge(some_bars: tf.Tensor, some_window: tf.Tensor, outcome: tf.Tensor) -> tf.Tensor:
        return pinball_of_tensors(outcome, network([some_bars, some_window], training=False))

    random = np.random.default_rng(schedule.seed)
    curve: list[Epoch] = []
    best, best_weights, worse = float("inf"), network.get_weights(), 0
    for number in range(1, schedule.epochs + 1):
        order = random.permutation(len(targets))
        rows = [order[turn * schedule.batch : (turn + 1) * schedule.batch] for turn in range(turns)]
        losses = [float(step(bars[some], window[some], targets[some])) for some in rows]
        curve.append(Epoch(number, schedule.epochs, float(np.mean(losses)), float(judge(*late[0], late[1]))))
        if on_epoch:
            on_epoch(curve[-1])
        if curve[-1].val_loss < best:
            best, best_weights, worse = curve[-1].val_loss, network.get_weights(), 0
        else:
            worse += 1
        if worse >= schedule.patience:
            break
    network.set_weights(best_weights)
    return curve


def prepare_tensorflow(seed: int, threads: int) -> None:
    """Make what follows in this process deterministic, on so many threads.

    TensorFlow can be told of threads only before its first operation in the process; later calls keep what is set.
    """
    if threads != tf.config.threading.get_intra_op_parallelism_threads():
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            pass  # already running with the threads of an earlier model: slower or faster, not different
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
