"""What was known at a moment: the same answer whatever came later, and after a rebuild."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.events import CorporateActionAnnounced, ForecastIssued, ForecastScored
from contracts.ids import stamp
from contracts.samples import sample
from projections.read_models.bars import BARS
from projections.read_models.corporate_actions import ACTIONS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from projections.rebuild import rebuild
from tests.integration.gatewaying import GatewayProcess, bars, publish
from tests.integration.projecting import Running

HOUR = timedelta(hours=1)
APPLE = [bar for bar in bars(100) if bar.symbol == "AAPL"]
THEN = APPLE[-1].recorded_at
SPLIT = replace(sample(CorporateActionAnnounced), ex_date=APPLE[10].closed_at.date(), ratio=2.0, recorded_at=THEN)
FORECAST = replace(sample(ForecastIssued), issued_at=THEN)
SCORE = replace(sample(ForecastScored), forecast_id=FORECAST.forecast_id, recorded_at=THEN)
LATER = (
    replace(APPLE[5], revision=1, close=APPLE[5].high, recorded_at=THEN + HOUR),
    replace(SPLIT, revision=1, ratio=4.0, recorded_at=THEN + HOUR),
    replace(SPLIT, ex_date=APPLE[3].closed_at.date(), recorded_at=THEN + HOUR),
    replace(
        SCORE, bar=replace(SCORE.bar, revision=SCORE.bar.revision + 1), absolute_error=9.0, recorded_at=THEN + HOUR
    ),
    replace(FORECAST, forecast_id="00000000-0000-0000-0000-000000000001", issued_at=THEN + HOUR),
)
MODELS = (BARS, REVISIONS, ACTIONS, FORECASTS, SYMBOLS)
QUESTIONS = ("bars/AAPL?", "bars/AAPL?adjust=splits&", "actions/AAPL?", "forecasts/AAPL?")


@pytest.fixture
def gateway(isolated, settings, tmp_path) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tmp_path, isolated.environment)
    gateway.start()
    yield gateway
    gateway.end(signal.SIGKILL)


def answers(gateway: GatewayProcess, moment: str = "") -> list[Any]:
    found = [
        httpx.get(f"{gateway.url}/api/{question}{f'as_of={moment}' if moment else ''}", timeout=20)
        for question in QUESTIONS
    ]
    return [answer.raise_for_status().json()["items"] for answer in found]


def test_answers_as_of_a_moment_stay_what_they_were_whatever_comes_later_and_after_a_rebuild(settings, gateway):
    publish(settings, [*APPLE, SPLIT, FORECAST, SCORE])
    with Running(settings, *MODELS) as running:
        running.catch_up()
        then = answers(gateway, stamp(THEN))
        assert then == answers(gateway)
        plain, adjusted, actions, forecasts = then
        assert len(plain) == len(APPLE)
        assert adjusted[0]["close"] == pytest.approx(plain[0]["close"] / 2)
        assert actions[0]["ratio"] == 2.0
        assert forecasts[0]["scores"]["1"]["absolute_error"] == SCORE.absolute_error

        publish(settings, LATER)
        running.catch_up()
        for old, new in zip(then, answers(gateway), strict=True):
            assert old != new
        assert answers(gateway, stamp(THEN)) == then

        for model in MODELS:
            assert rebuild(settings, model.name, accept_difference=True).equal
        assert answers(gateway, stamp(THEN)) == then
        assert answers(gateway, "2001-01-01T00:00:00Z") == [[], [], [], []]
