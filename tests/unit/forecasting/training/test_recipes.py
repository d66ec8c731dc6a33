import pytest

from forecasting.settings import ForecastingSettings
from forecasting.training.recipes import parameters


def test_parameters_are_the_settings_where_a_family_has_them() -> None:
    settings = ForecastingSettings(seed=3, threads=1, exchange_calendar="XLON")

    assert parameters(settings, "naive") == {"exchange": "XLON"}
    assert parameters(settings, "lstm") == {"exchange": "XLON", "seed": 3, "threads": 1}


def test_parameters_overridden_win() -> None:
    settings = ForecastingSettings(family_parameters={"lstm": {"width": 64, "seed": 9}})

    assert parameters(settings, "lstm")["width"] == 64
    assert parameters(settings, "lstm")["seed"] == 9


def test_parameters_that_a_family_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="arima has no parameter depth; it has bars, exchange"):
        parameters(ForecastingSettings(family_parameters={"arima": {"depth": 2}}), "arima")
