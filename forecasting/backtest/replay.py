"""Ask every family at every origin, then calibrate its intervals online as serving does.  Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from contracts.measures import LEVELS
from forecasting.backtest.origins import Questions, RollingSplit
from forecasting.data.windows import Floats
from forecasting.models.base import Estimator
from forecasting.models.conformal import ASKED, CENTRAL_INTERVALS, START, asked_levels, calibrated, updated

_CHUNK = 4096  # windows asked at once
_LOW, _HIGH = ((LEVELS.index(level) for level in pair) for pair in ((0.1, 0.025), (0.9, 0.975)))
LOW, HIGH = tuple(_LOW), tuple(_HIGH)  # bounds of CENTRAL_INTERVALS within LEVELS


def forecast_origins(splits: Sequence[RollingSplit], models: Sequence[Estimator], asked: Questions) -> Floats:
    """Let a family's models forecast the origins of the splits that they were fitted for: [n, H, len(ASKED)].

    Log quantiles; a model sees the windows of its split's origins, nothing else.  NaN where a window is shorter than
    the family needs.
    """
    answer = np.full((len(asked), asked.horizon, len(ASKED)), np.nan)
    for split, model in zip(splits, models, strict=True):
        rows = split.rows(asked.windows)
        rows = rows[asked.windows.counts[rows] + 1 >= model.min_history]
        for some in _chunks(rows):
            answer[some] = model.log_quantiles(asked.windows[some], asked.horizon, ASKED)
    return answer


def published_levels(logs: Floats) -> Floats:
    """Read the published levels off quantiles at ASKED: [..., len(ASKED)] -> [..., len(LEVELS)]."""
    return logs[..., np.searchsorted(ASKED, np.asarray(LEVELS))]


def calibrate(logs: Floats, asked: Questions) -> Floats:
    """Calibrate a family's intervals session by session by adaptive conformal inference: [n, H, len(LEVELS)].

    What `calibration.Calibrations` folds from the log, for all symbols at once (a test compares the two): at an origin
    only outcomes that had settled by then are known, each step of each symbol has a state of its own, and what is
    learned from is whether the outcome lay inside the interval that was published.
    """
    symbols, who = np.unique(asked.windows.symbols.astype(str), return_inverse=True)
    state = np.tile(START, (len(symbols), asked.horizon, 1))
    moves, answer = asked.moves(), np.full((len(asked), asked.horizon, len(LEVELS)), np.nan)
    settled = np.isfinite(moves) & np.isfinite(logs[:, :, 0])
    moments = np.unique(np.concatenate([asked.windows.origins, asked.targets[settled]]))
    due = _grouped(np.searchsorted(moments, asked.targets), settled)
    issued = _grouped(np.searchsorted(moments, asked.windows.origins)[:, None], np.ones((len(asked), 1), dtype=bool))
    for moment in range(len(moments)):
        if moment in due:
            rows, steps = due[moment]
            outcome = moves[rows, steps, None]
            inside = (answer[rows, steps][:, LOW] <= outcome) & (outcome <= answer[rows, steps][:, HIGH])
            state[who[rows], steps] = updated(state[who[rows], steps], inside, steps + 1)
        if moment in issued:
            rows, _ = issued[moment]
            answer[rows] = calibrated(logs[rows], ASKED, asked_levels(state[who[rows]]))
    middle = LEVELS.index(0.5)  # the point forecast stays as it is
    answer[..., middle] = published_levels(logs)[..., middle]
    return answer


def inside(logs: Floats, asked: Questions) -> Floats:
    """Tell whether outcomes lay inside the intervals: [n, H, len(INTERVALS)] of 0 and 1, NaN where unknown."""
    moves = asked.moves()[:, :, None]
    held = (logs[..., LOW] <= moves) & (moves <= logs[..., HIGH])
    assert held.shape[-1] == len(CENTRAL_INTERVALS)
    return np.where(np.isfinite(moves) & np.isfinite(logs[..., LOW]), held.astype(np.float64), np.nan)


def _grouped(keys: np.ndarray, wanted: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Group the wanted cells of a table by their keys: key -> rows, columns."""
    rows, columns = np.nonzero(wanted)
    values = keys[rows, columns]
    order = np.argsort(values, kind="stable")
    found, starts = np.unique(values[order], return_index=True)
    parts = zip(np.split(rows[order], starts[1:]), np.split(columns[order], starts[1:]), strict=True)
    return dict(zip(found.tolist(), parts, strict=True))


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
