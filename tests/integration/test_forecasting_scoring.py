"""Scoring against a real Kafka: numbers as plain Python has them, each score once, whatever dies."""

import signal
from collections import Counter
from itertools import pairwise

import pytest

from contracts.events import ForecastIssued, ForecastScored
from contracts.ids import forecast_id
from contracts.parts import ForecastStep, Lineage, ModelRef, OffsetRange, Quantile
from contracts.topics import FORECAST_SCORES, STOCK_DATA
from streaming.records import Record
from tests.integration.serving import SCORING, SYMBOLS, price
from tests.support.markets import bar, split
from tests.support.waiting import until

pytestmark = pytest.mark.mlflow

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
READ = 30  # bars that a forecast here has read


@pytest.fixture
def service(desk):
    process = desk.process(SCORING)
    yield process
    process.end(signal.SIGKILL)


def forecast(symbol: str, day: int, records: list[Record], version: str = "1") -> ForecastIssued:
    """Return a forecast of the five sessions after `day`, from the bars as they stand in the log."""
    seen = [item for item in records if item.event.symbol == symbol and item.event.closed_at <= bar(day=day).closed_at]
    offsets = [item.offset for item in seen[-READ:]]
    last = price(symbol, day)
    return ForecastIssued(
        forecast_id=forecast_id(symbol, "P1D", bar(day=day).closed_at, "m", version, "sha"),
        symbol=symbol,
        interval="P1D",
        origin=bar(day=day).closed_at,
        issued_at=bar(day=day).closed_at,
        model=ModelRef(name="m", version=version, family="naive", run_id="r", role="CHAMPION"),
        steps=tuple(
            ForecastStep(
                step=step,
                target_at=bar(day=day + step).closed_at,
                mean=last,
                quantiles=tuple(Quantile(level=level, value=last * (1 + 0.02 * (level - 0.5))) for level in LEVELS),
            )
            for step in range(1, 6)
        ),
        price_basis="AS_OF_ORIGIN",
        lineage=Lineage(
            inputs=(
                OffsetRange(
                    topic=STOCK_DATA.name, partition=seen[0].partition, from_offset=offsets[0], to_offset=offsets[-1]
                ),
            ),
            input_sha256="sha",
            input_bars=len(offsets),
            schema_ids=(1,),
            code_version="test",
        ),
    )


def forecast_all(desk, days):
    records = desk.records(STOCK_DATA)
    made = [forecast(symbol, day, records) for day in days for symbol in SYMBOLS]
    desk.publish(made)
    return made


def scores(desk) -> list[ForecastScored]:
    return [record.event for record in desk.records(FORECAST_SCORES)]


def keys(desk):
    return Counter((score.forecast_id, score.step, score.bar.revision) for score in scores(desk))


def due(forecasts, last_day, revision=0):
    close = bar(day=last_day).closed_at
    return Counter(
        (item.forecast_id, step.step, revision) for item in forecasts for step in item.steps if step.target_at <= close
    )


def settled(desk, expected, seconds=40):
    def all_there():
        found = keys(desk)
        assert not found - expected, "scored twice, or not due"
        return found == expected

    until(all_there, f"{expected.total()} steps were scored", seconds)


def test_scoring_settles_each_step_with_the_numbers_of_plain_python(desk, service):
    desk.close_sessions(range(40))
    (first, *_) = made = forecast_all(desk, [38, 39])
    service.start()
    desk.close_sessions(range(40, 43))
    settled(desk, due(made, 42))

    places = {(item.event.symbol, item.event.closed_at): item for item in desk.records(STOCK_DATA)}
    for record in desk.records(FORECAST_SCORES):
        found = record.event
        origin_day = 38 if found.origin == first.origin else 39
        target_day = origin_day + found.step
        step = next(item for item in made if item.forecast_id == found.forecast_id).steps[found.step - 1]
        actual, last = price(found.symbol, target_day), price(found.symbol, origin_day)
        window = [price(found.symbol, day) for day in range(origin_day - READ + 1, origin_day + 1)]
        assert found.actual == actual
        assert found.absolute_error == abs(actual - step.mean)
        assert found.squared_error == (actual - step.mean) ** 2
        assert found.naive_absolute_error == abs(actual - last)
        assert found.scale == sum(abs(after - before) for before, after in pairwise(window)) / (READ - 1)
        for loss, quantile in zip(found.pinball, step.quantiles, strict=True):
            level, value = quantile.level, quantile.value
            assert loss.level == level
            assert loss.loss == (level * (actual - value) if actual >= value else (1 - level) * (value - actual))
        assert found.inside_80 == (step.quantiles[1].value <= actual <= step.quantiles[-2].value)
        assert found.inside_95 == (step.quantiles[0].value <= actual <= step.quantiles[-1].value)
        settling = places[found.symbol, found.target_at]
        assert (found.bar.partition, found.bar.offset) == (settling.partition, settling.offset)
        assert record.headers["ce_causationid"] == settling.event.event_id
        assert found.target_at <= found.recorded_at <= desk.clock.now
    status = service.get("/status")
    assert status["steps_scored"] == due(made, 42).total()
    assert status["steps_open"] == len(made) * 5 - due(made, 42).total()
    assert status["steps_overdue"] == 0


def test_scoring_restarted_and_killed_scores_nothing_twice_and_corrections_once_more(desk, service):
    desk.close_sessions(range(40))
    made = forecast_all(desk, [38, 39])
    service.start()
    desk.close_sessions([40])
    settled(desk, due(made, 40))
    assert service.end() == 0
    desk.close_sessions([41])
    service.start()
    settled(desk, due(made, 41))
    desk.close_sessions(range(42, 44))
    service.end(signal.SIGKILL)
    service.start()
    settled(desk, due(made, 43), 60)
    desk.publish([bar("IBM", 41, 60.0, revision=1)])
    corrected = {
        (item.forecast_id, step.step, 1): 1
        for item in made
        if item.symbol == "IBM"
        for step in item.steps
        if step.target_at == bar(day=41).closed_at
    }
    assert len(corrected) == 2
    settled(desk, due(made, 43) + Counter(corrected))


def test_scoring_undoes_a_split_that_came_between(desk, service):
    desk.close_sessions(range(40))
    made = forecast_all(desk, [39])
    service.start()
    ex = bar(day=41).closed_at
    desk.clock.now = ex
    desk.publish([split("IBM", ex, 2.0), bar("IBM", 40, price("IBM", 40)), bar("IBM", 41, price("IBM", 41) / 2)])
    ours = [item for item in made if item.symbol == "IBM"]
    settled(desk, due(ours, 41))
    assert [found.actual for found in scores(desk)] == [price("IBM", 40), price("IBM", 41)]
