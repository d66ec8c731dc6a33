"""What a backtest looks like when something has looked ahead, or calibration has failed.  Pure."""

from typing import Any

import pandas as pd

LEAST_RELATIVE_MAE = 0.98  # of the random walk's, one session ahead
MOST_BEATEN = 0.25  # of symbols whose absolute error is smaller beyond noise
WORST_WINDOW_SESSIONS = 60  # sessions in a row


def leakage_warnings(summary: pd.DataFrame, beaten: pd.DataFrame, model: str) -> list[str]:
    """Say why a model is too good to be true, one session ahead; nothing where it is not.

    Args:
        beaten: `metrics.count_beyond_noise`, step 1 first, of absolute errors against the random walk.
    """
    row: Any = summary[(summary["model"] == model) & (summary["step"] == 1)].iloc[0]
    found = []
    if row["relative_mae"] < LEAST_RELATIVE_MAE:
        found.append(f"{model}: its mean absolute error is {row['relative_mae']:.3f} of the random walk's")
    share = float(beaten["better"].iloc[0]) / float(beaten["of"].iloc[0])
    if share >= MOST_BEATEN:
        found.append(
            f"{model}: its absolute error is smaller than the random walk's beyond noise on {share:.0%} of symbols"
        )
    return [f"{each}: look for data from after the origin" for each in found]


def worst_window(daily: pd.DataFrame, sessions: int = WORST_WINDOW_SESSIONS) -> float:
    """Return the lowest coverage of any `sessions` in a row, all symbols together; NaN where there are fewer.

    daily: `held, of` by origin: how many outcomes lay inside, of how many.
    """
    rolled = daily.rolling(sessions).sum()
    return float((rolled["held"] / rolled["of"]).min())
