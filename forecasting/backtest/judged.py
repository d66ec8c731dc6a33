"""What comes of a backtest for some symbols: rows by symbol, and sums over them.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.measures import LEVELS
from contracts.parts import NAIVE
from forecasting.backtest.baselines import ROLLING, rolling_conformal
from forecasting.backtest.metrics import by_symbol, compare_losses, losses_of
from forecasting.backtest.origins import Questions, RollingSplit, questions
from forecasting.backtest.portable import PortableModel
from forecasting.backtest.replay import calibrate, forecast_origins, inside, published_levels
from forecasting.data.windows import Floats
from forecasting.models.base import quantile_column

RAW = "{} raw"
_BELOW = ["model", *map(quantile_column, LEVELS), "of"]

FittedModels = Mapping[str, Sequence[PortableModel]]  # by family, one a split


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked, the same for all symbols.

    Attributes:
        scored_from: the first origin that is scored; those before it only the calibration learns from.
    """

    splits: list[RollingSplit]
    horizon: int
    exchange: str
    scored_from: np.datetime64


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of some symbols.

    Attributes:
        scores: as `metrics.by_symbol` gives them; tests: `kind, model, against, step, symbol, statistic, p`.
        held: `model, origin, held, of`: outcomes one session ahead inside the 95 % interval, of how many.
        below: `model`, a column for each of LEVELS, `of`: outcomes one session ahead below that quantile, of how many.
    """

    scores: pd.DataFrame
    tests: pd.DataFrame
    held: pd.DataFrame
    below: pd.DataFrame

    def to_bytes(self) -> bytes:
        """Write the tables one after the other, as Arrow streams."""
        sink = pa.BufferOutputStream()
        for field in fields(self):
            table = pa.Table.from_pandas(getattr(self, field.name), preserve_index=False)
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        source = BytesIO(content)
        return cls(*(pa.ipc.open_stream(source).read_pandas() for _ in fields(cls)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put what came of several symbols together, in their order."""

        def under(name: str) -> pd.DataFrame:
            some = [getattr(part, name) for part in parts]
            whole: pd.DataFrame = pd.concat([each for each in some if len(each)], ignore_index=True)
            return whole

        held = under("held").groupby(["model", "origin"], sort=False, as_index=False).sum()
        return cls(
            scores=under("scores").sort_values("step", kind="stable", ignore_index=True),
            tests=under("tests").sort_values("step", kind="stable", ignore_index=True),
            held=held.sort_values("origin", kind="stable", ignore_index=True),
            below=under("below").groupby("model", sort=False, as_index=False).sum(),
        )


def judge(frame: pd.DataFrame, asking: Asking, models: FittedModels) -> bytes:
    """Let the models of all families answer for the symbols of a frame, and score them: a task.

    Returns:
        What `Judged.from_bytes` reads.
    """
    asked = questions(frame, asking.splits, asking.horizon, asking.exchange)
    said: dict[str, Floats] = {ROLLING: rolling_conformal(frame, asked)}
    for name, fitted in models.items():
        logs = forecast_origins(asking.splits, [each.model for each in fitted], asked)
        said[name], said[RAW.format(name)] = calibrate(logs, asked), published_levels(logs)
    rows = np.flatnonzero(asked.windows.origins >= asking.scored_from)
    asked = Questions(asked.windows[rows], asked.targets[rows], asked.actual[rows])
    said = {name: logs[rows] for name, logs in said.items()}
    past = frame[frame["ds"].to_numpy(dtype="datetime64[ns]") <= asking.scored_from]
    return Judged(
        scores=by_symbol(said, asked, past[["unique_id", "ds", "y"]]),
        tests=_tests(said, asked),
        held=pd.concat([_held(logs, asked).assign(model=name) for name, logs in said.items()]),
        below=pd.DataFrame([[name, *_below(logs, asked)] for name, logs in said.items()], columns=_BELOW),
    ).to_bytes()


def _tests(said: Mapping[str, Floats], asked: Questions) -> pd.DataFrame:
    """Test each calibrated family against the random walk and the plain one."""
    lost = {name: losses_of(logs, asked) for name, logs in said.items() if not name.endswith(" raw")}
    pairs = [
        (kind, name, against)
        for name in lost
        for kind, against in (("crps", NAIVE), ("crps", ROLLING), ("absolute", NAIVE))
        if name not in (against, ROLLING)
    ]
    found = [
        compare_losses(lost[name], lost[against], asked, kind).assign(kind=kind, model=name, against=against)
        for kind, name, against in pairs
    ]
    return pd.concat(found, ignore_index=True)


def _held(logs: Floats, asked: Questions) -> pd.DataFrame:
    held = pd.Series(inside(logs, asked)[:, 0, 1]).groupby(asked.windows.origins)
    return held.agg(held="sum", of="count").rename_axis("origin").reset_index()


def _below(logs: Floats, asked: Questions) -> Floats:
    moves, first = asked.moves()[:, 0], logs[:, 0]
    known = np.isfinite(moves) & np.isfinite(first[:, 0])
    below = (moves[known, None] <= first[known]).sum(axis=0)
    return np.array([*below, known.sum()], dtype=np.float64)
