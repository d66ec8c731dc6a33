"""The example of docs/explanation/models.md is code that works."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.support.markets import market

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "models.md"


def test_family_of_the_page_learns_forecasts_and_comes_back_from_json(tmp_path: Path) -> None:
    text = PAGE.read_text()
    code = text.split("```python\n")[1].split("```")[0]
    space: dict[str, Any] = {"__name__": "momentum"}
    exec(compile(code, str(PAGE), "exec"), space)
    model = space["Momentum"]().fit(market())

    forecast = model.predict(market())
    model.save(tmp_path)

    assert (np.diff(forecast.filter(like="q0").to_numpy(), axis=1) >= 0).all()
    pd.testing.assert_frame_equal(type(model).load(tmp_path).predict(market()), forecast)
