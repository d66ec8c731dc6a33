"""Rolling origins and what is asked at them: nothing after an origin reaches a model or its calibration."""

import sqlite3
from dataclasses import replace
from datetime import UTC

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import ForecastScored
from contracts.samples import sample
from forecasting.backtest.baselines import rolling_conformal
from forecasting.backtest.origins import Questions, RollingSplit, questions, rolling_splits, rolling_splits_after
from forecasting.backtest.replay import HIGH, LOW, calibrate, forecast_origins, published_levels
from forecasting.data.windows import BadFrame, Floats
from forecasting.models.conformal import ASKED, asked_levels, calibrated
from forecasting.models.families import family
from forecasting.serving.calibration import Calibrations
from streaming.series_ids import SeriesIds
from tests.support.estimators import MEMBERS
from tests.support.markets import market, sessions

HORIZON = 3
SMALL = MEMBERS | {"ensemble": {"members": ["naive", "arima"]}}


def moments_of(frame: pd.DataFrame) -> np.ndarray:
    return np.unique(frame["ds"].to_numpy(dtype="datetime64[ns]"))


def asked_by(name: str, frame: pd.DataFrame, rolled: list[RollingSplit]) -> tuple[Questions, Floats]:
    """Return the questions of a frame and what a family answers, quantiles calibrated."""
    asked = questions(frame, rolled, HORIZON)
    models = [family(name)(**SMALL.get(name, {})).fit(split.learnable(frame)) for split in rolled]
    logs = forecast_origins(rolled, models, asked)
    return asked, calibrate(logs, asked)


def test_folds_keep_the_embargo_and_refit_by_the_policy() -> None:
    moments = sessions(200)

    once, often = rolling_splits(moments, 50, 5), rolling_splits(moments, 50, 5, refit=20)

    assert [(f.learn_until, f.first, f.last) for f in once] == [(moments[144], moments[149], moments[198])]
    assert [f.first for f in often] == [moments[149], moments[169], moments[189]]
    assert [f.learn_until for f in often] == [moments[144], moments[164], moments[184]]
    assert often[-1].last == moments[198]


def test_folds_of_models_that_have_learned_begin_after_the_embargo() -> None:
    moments = sessions(200)

    (fold,) = rolling_splits_after(moments, moments[170], 100, 5)

    assert (fold.learn_until, fold.first, fold.last) == (moments[170], moments[175], moments[198])
    with pytest.raises(BadFrame, match="no session is left"):
        rolling_splits_after(moments, moments[198], 100, 5)


def test_folds_of_too_few_sessions_are_refused() -> None:
    with pytest.raises(BadFrame, match="at least 120 are needed"):
        rolling_splits(sessions(119), 50, 5)


def test_learnable_rows_end_at_the_folds_last_bar() -> None:
    frame = market(2, 200)
    (fold,) = rolling_splits(moments_of(frame), 50, 5)

    assert fold.learnable(frame)["ds"].max() == fold.learn_until < fold.first


def test_outcome_of_a_session_without_a_bar_is_unknown_and_no_other_bar_stands_in() -> None:
    frame = market(1, 200)
    missing = moments_of(frame)[180]

    asked = questions(frame[frame["ds"] != missing], rolling_splits(moments_of(frame), 50), HORIZON)

    assert (asked.targets == missing).sum() == HORIZON
    assert np.isnan(asked.actual[asked.targets == missing]).all()
    at = dict(zip(frame["ds"].to_numpy(), frame["y"], strict=True))
    known = np.isfinite(asked.actual)
    assert asked.actual[known].tolist() == [at[stamp] for stamp in asked.targets[known]]


def futures(
    whole: pd.DataFrame, last: np.datetime64, origin: np.datetime64, factor: float, seed: int
) -> dict[str, pd.DataFrame]:
    """Return markets that agree up to an origin: bars after it mutated, removed, added after `last`, and all of it."""
    later, known = whole["ds"] > origin, whole["ds"] <= last
    kept = ~later | (np.random.default_rng(seed).random(len(whole)) < 0.5)
    mutated = whole.copy()
    mutated.loc[later, ["y", "high", "low"]] *= factor
    return {"mutated": mutated[known], "removed": whole[known & kept], "added": whole, "all": mutated[kept]}


@pytest.mark.parametrize(
    ("name", "examples", "kinds"),
    [
        *((name, 5, ("mutated", "removed", "added", "all")) for name in ("rolling", "naive")),
        # Which take their time to learn:
        *((name, 1, ("mutated", "all")) for name in ("arima", "ensemble")),
        *(pytest.param(name, 1, ("mutated", "all"), marks=pytest.mark.slow) for name in ("lstm", "transformer")),
    ],
)
def test_answers_up_to_an_origin_do_not_change_with_anything_after_it(
    name: str, examples: int, kinds: tuple[str, ...]
) -> None:
    whole = market(2, 440, seed=3)
    moments = moments_of(whole)
    last = moments[419]
    rolled = rolling_splits(moments[:420], 60, 5, refit=30)

    @settings(max_examples=examples, deadline=None)
    @given(st.integers(385, 410), st.sampled_from([0.3, 3.0]) | st.floats(0.3, 3.0), st.integers(0, 999))
    def holds(at: int, factor: float, seed: int) -> None:
        origin = moments[at]
        before = answers(name, whole[whole["ds"] <= last], rolled, origin)
        assert len(before) > 0
        worlds = futures(whole, last, origin, factor, seed)
        for kind in kinds:
            # With fewer questions the networks' batches are smaller, and some processors then round another way.
            rounding = 1e-6 if kind != "mutated" and name in ("lstm", "transformer") else 0.0
            found = answers(name, worlds[kind], rolled, origin)
            np.testing.assert_allclose(found, before, rtol=0, atol=rounding, err_msg=kind)

    holds()


def answers(name: str, frame: pd.DataFrame, rolled: list[RollingSplit], origin: np.datetime64) -> Floats:
    """Return what a family, or the yardstick, says in a backtest at all origins up to one."""
    if name == "rolling":
        asked = questions(frame, rolled, HORIZON)
        said = rolling_conformal(frame, asked)
    else:
        asked, said = asked_by(name, frame, rolled)
    return said[asked.windows.origins <= origin]


def test_calibration_of_a_backtest_is_what_serving_folds_from_the_log() -> None:
    frame = market(2, 260, seed=5)
    rolled = rolling_splits(moments_of(frame), 40, 5)
    asked = questions(frame, rolled, HORIZON)
    logs = forecast_origins(rolled, [family("naive")().fit(rolled[0].learnable(frame))], asked)

    said = calibrate(logs, asked)

    again = folded_as_serving_does(logs, asked)
    np.testing.assert_allclose(said, again, rtol=0, atol=1e-12)
    assert not np.allclose(said, published_levels(logs), rtol=0, atol=1e-9)


def folded_as_serving_does(logs: Floats, asked: Questions) -> Floats:
    """Publish, score and fold one session after the other, through `Calibrations`."""
    file, moves = sqlite3.connect(":memory:"), asked.moves()
    calibrations = Calibrations(file, SeriesIds(file), "stock-forecaster")
    answer = np.full((*logs.shape[:2], 7), np.nan)
    for row, origin in enumerate(asked.windows.origins):
        now = pd.Timestamp(origin, tz="UTC").to_pydatetime()
        symbol = str(asked.windows.symbols[row])
        for old in range(row):
            for step in np.flatnonzero((asked.targets[old] == origin) & (asked.windows.symbols[old] == symbol)):
                inside = (answer[old, step, LOW] <= moves[old, step]) & (moves[old, step] <= answer[old, step, HIGH])
                event = replace(
                    sample(ForecastScored),
                    symbol=symbol,
                    origin=pd.Timestamp(asked.windows.origins[old], tz=UTC).to_pydatetime(),
                    target_at=now,
                    step=int(step) + 1,
                    inside_80=bool(inside[0]),
                    inside_95=bool(inside[1]),
                )
                calibrations.fold(event)
        version, family_name = sample(ForecastScored).model_version, sample(ForecastScored).family
        alphas = calibrations.alphas(symbol, "P1D", version, family_name, now, logs.shape[1])
        answer[row] = calibrated(logs[row], ASKED, asked_levels(alphas))
        answer[row, :, 3] = published_levels(logs[row])[:, 3]
    return answer


def test_rolling_walk_covers_what_its_last_moves_did() -> None:
    frame = market(1, 400, seed=8)
    asked = questions(frame, rolling_splits(moments_of(frame), 1, 0), 1)

    (said,) = rolling_conformal(frame, asked, 99)[:, 0]

    moves = np.sort(np.abs(np.diff(np.log(frame["y"].to_numpy()[:-1])))[-99:])
    assert said[6] == pytest.approx(moves[94])  # the 95th of 99
    assert said[5] == pytest.approx(moves[79])
    assert said[3] == 0
    assert (said == -said[::-1]).all()
