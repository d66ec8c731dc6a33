"""When a forecast is scored, and how often: scoring on a log in memory."""

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import ModelPromoted
from contracts.parts import OffsetRange
from contracts.samples import sample
from contracts.topics import FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.scoring import service
from forecasting.scoring.state import scoring_state
from forecasting.settings import ScoreSettings
from streaming.errors import KafkaAway
from tests.support.markets import bar, split
from tests.support.memory_log import MemoryLog, Model, Watch, feed, models_at_work, scoring, serving

WATCH = Watch(models_at_work(champion=Model("1")))
PRICES = [10 * (1 + 0.03 * random.Random(day).random()) for day in range(60)]
NOW = bar("A", 0).closed_at


def forecast_log(days=30, extra=()):
    """Return a log of a symbol's bars with one forecast from the last of them."""
    log = MemoryLog([*extra, *(bar("A", day, PRICES[day]) for day in range(days))])
    process = serving(log, WATCH, bar("A", days - 1).closed_at)
    feed(process, log)
    process.tick()
    return log


def keys(log):
    return [(s.step, s.bar.revision) for s in log.events(FORECAST_SCORES)]


def test_steps_are_scored_as_their_bars_close_with_the_numbers_of_plain_python():
    log = forecast_log()
    process = scoring(log, NOW)
    feed(process, log)
    (forecast,) = log.events(STOCK_FORECASTS)
    assert keys(log) == []
    for day in range(30, 36):
        log.append(bar("A", day, PRICES[day]))
        feed(process, log)
    assert keys(log) == [(step, 0) for step in range(1, 6)]
    changes = [abs(after - before) for before, after in pairwise(PRICES[:30])]
    for found, step in zip(log.events(FORECAST_SCORES), forecast.steps, strict=True):
        actual = PRICES[29 + step.step]
        assert found.actual == actual
        assert found.absolute_error == abs(actual - step.mean)
        assert found.squared_error == (actual - step.mean) ** 2
        assert found.naive_absolute_error == abs(actual - PRICES[29])
        assert found.scale == pytest.approx(sum(changes) / len(changes), rel=1e-12)
        assert found.inside_80 == (step.quantiles[1].value <= actual <= step.quantiles[5].value)
        assert found.inside_95 == (step.quantiles[0].value <= actual <= step.quantiles[6].value)
        for loss, quantile in zip(found.pinball, step.quantiles, strict=True):
            above = actual - quantile.value
            assert loss.loss == pytest.approx(max(quantile.level * above, (quantile.level - 1) * above), rel=1e-9)
        assert found.bar.offset == 29 + step.step
    assert process.status()["steps_open"] == 0


def test_score_names_the_bar_that_caused_it():
    log = forecast_log()
    log.append(bar("A", 30, 10.0))
    feed(scoring(log, NOW), log)
    assert log.topics[FORECAST_SCORES.name][0].headers["ce_causationid"] == bar("A", 30).event_id


def test_restart_scores_nothing_twice():
    log = forecast_log()
    for day in range(30, 33):
        log.append(bar("A", day, PRICES[day]))
    for _ in range(3):
        feed(scoring(log, NOW), log)
    assert keys(log) == [(1, 0), (2, 0), (3, 0)]


def promoted(version, offset):
    training = replace(
        sample(ModelPromoted).training,
        inputs=(OffsetRange(topic=STOCK_DATA.name, partition=0, from_offset=0, to_offset=offset),),
    )
    return replace(sample(ModelPromoted), version=version, training=training)


def test_score_says_how_far_the_training_saw_by_the_offsets_of_the_decision_whatever_the_forecast_says():
    """A version learned from 33 bars; somebody issued its forecast from the 30th of them all the same."""
    log = forecast_log()
    for day in range(30, 35):
        log.append(bar("A", day, PRICES[day]))
    log.append(promoted("1", 32))
    process = scoring(log, NOW)
    feed(process, log, 1)
    assert log.events(STOCK_FORECASTS)[0].trained_until is None
    # While its bars come one by one, what is known of them so far is at or after the origin.
    origin = bar("A", 29).closed_at
    assert all(found.trained_until >= origin for found in log.events(FORECAST_SCORES))
    assert log.events(FORECAST_SCORES)[-1].trained_until == bar("A", 32).closed_at


def test_score_of_a_version_that_no_decision_names_says_what_its_forecast_says():
    until = bar("A", 20).closed_at
    log = MemoryLog([bar("A", day, PRICES[day]) for day in range(30)])
    process = serving(log, Watch(models_at_work(champion=Model("1", trained_until=until))), bar("A", 29).closed_at)
    feed(process, log)
    process.tick()
    log.append(bar("A", 30, PRICES[30]))
    feed(scoring(log, NOW), log)
    assert [found.trained_until for found in log.events(FORECAST_SCORES)] == [until]


def test_score_has_the_loss_of_the_random_walk_from_the_same_origin_and_none_where_there_was_no_forecast():
    log = MemoryLog([bar("A", day, PRICES[day]) for day in range(30)])
    watch = Watch(models_at_work(champion=Model("2", "arima")))
    process = serving(log, watch, bar("A", 29).closed_at)
    feed(process, log)
    process.tick()
    log.append(bar("A", 30, PRICES[30]))
    feed(process, log)
    watch.loaded = models_at_work(champion=Model("2", "arima"), naive=Model("1"))
    process.tick()
    log.append(bar("A", 31, PRICES[31]))
    feed(scoring(log, NOW), log)
    found = {(s.family, s.origin, s.step): s for s in log.events(FORECAST_SCORES)}
    alone, beside = (found["arima", bar("A", day).closed_at, step] for day, step in ((29, 2), (30, 1)))
    naive = found["naive", bar("A", 30).closed_at, 1]
    assert alone.naive_pinball is None
    assert beside.naive_pinball == naive.naive_pinball == pytest.approx(fmean(loss.loss for loss in naive.pinball))


def test_corrected_bar_scores_again_and_both_stay():
    log = forecast_log()
    log.append(bar("A", 30, 10.0))
    process = scoring(log, NOW)
    feed(process, log)
    log.append(bar("A", 30, 10.5, revision=1))
    feed(process, log)
    feed(scoring(log, NOW), log)
    assert keys(log) == [(1, 0), (1, 1)]
    assert [s.actual for s in log.events(FORECAST_SCORES)] == [10.0, 10.5]


def test_correction_of_the_input_after_the_forecast_does_not_move_its_yardstick():
    log = forecast_log()
    log.append(bar("A", 29, 12.0, revision=1))
    log.append(bar("A", 20, 15.0, revision=1))
    log.append(bar("A", 30, 10.0))
    feed(scoring(log, NOW), log)
    (found,) = log.events(FORECAST_SCORES)
    assert found.naive_absolute_error == abs(10.0 - PRICES[29])


def test_split_between_origin_and_target_is_undone():
    log = forecast_log()
    log.append(split("A", bar("A", 31).closed_at, 2.0))
    process = scoring(log, NOW)
    for event in (bar("A", 30, 10.0), bar("A", 31, 5.1)):
        log.append(event)
        feed(process, log)
    assert [s.actual for s in log.events(FORECAST_SCORES)] == [10.0, 10.2]


def test_split_within_the_input_is_undone_in_the_yardstick():
    ex = bar("A", 15).closed_at
    log = MemoryLog([split("A", ex, 2.0), *(bar("A", day, 20.0 if day < 15 else 10.0) for day in range(30))])
    process = serving(log, WATCH, bar("A", 29).closed_at)
    feed(process, log)
    process.tick()
    log.append(bar("A", 30, 10.5))
    feed(scoring(log, NOW), log)
    assert [(s.scale, s.naive_absolute_error) for s in log.events(FORECAST_SCORES)] == [(0.0, 0.5)]


def test_session_that_never_trades_leaves_its_step_open_and_counted():
    log = forecast_log()
    log.append(bar("A", 31, 10.0))
    process = scoring(log, NOW)
    feed(process, log)
    assert keys(log) == [(2, 0)]
    assert (process.status()["steps_open"], process.status()["steps_overdue"]) == (4, 1)


def test_forecast_that_comes_after_its_bars_is_scored_at_once():
    log = forecast_log()
    late = log.topics[STOCK_FORECASTS.name].pop().event
    for day in range(30, 33):
        log.append(bar("A", day, PRICES[day]))
    process = scoring(log, NOW)
    feed(process, log)
    log.append(late)
    feed(process, log)
    assert keys(log) == [(1, 0), (2, 0), (3, 0)]


def test_partition_that_went_and_came_back_is_scored_on_without_repeating():
    log = forecast_log()
    log.append(bar("A", 30, 10.0))
    process = scoring(log, NOW)
    feed(process, log)
    process.positions([])
    del process.read
    log.append(bar("A", 31, 10.0))
    feed(process, log)
    assert keys(log) == [(1, 0), (2, 0)]


def test_forecast_issued_twice_is_scored_once():
    log = forecast_log()
    log.append(log.events(STOCK_FORECASTS)[0])
    log.append(bar("A", 30, 10.0))
    feed(scoring(log, NOW), log)
    assert keys(log) == [(1, 0)]


def test_forecast_whose_input_is_not_in_the_log_is_reported_not_scored():
    log = forecast_log()
    forecast = log.topics[STOCK_FORECASTS.name].pop().event
    log.append(replace(forecast, lineage=replace(forecast.lineage, input_bars=31)))
    log.append(bar("A", 30, 10.0))
    process = scoring(log, NOW)
    feed(process, log)
    assert keys(log) == []
    assert "30 of the 31 bars" in process.status()["unscorable"][forecast.forecast_id]


def test_kafka_away_while_publishing_scores_each_step_once_when_it_is_back():
    log = forecast_log()
    log.append(bar("A", 30, 10.0))
    process = scoring(log, NOW)
    process._output.away = True
    with pytest.raises(KafkaAway):
        feed(process, log)
    process._output.away = False
    log.append(bar("A", 31, 10.0))
    feed(process, log)
    assert keys(log) == [(1, 0), (2, 0)]


CHANGES = st.lists(
    st.tuples(st.integers(27, 38), st.sampled_from([9.0, 10.0, 11.0]), st.integers(0, 2)), min_size=1, max_size=20
)
PLAN = st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(CHANGES, PLAN)
def test_scores_under_any_batches_and_restarts_stand_in_the_log_once(changes, plan):
    """Serving and scoring die and come back anywhere; each score is there once, and none is missing."""
    log = forecast_log()
    rest = [bar("A", day, close, revision) for day, close, revision in changes]
    servant, scorer = serving(log, WATCH, NOW), scoring(log, NOW)
    for size, restart in [*plan, (len(rest), True)]:
        for event in rest[:size]:
            log.append(event)
        rest = rest[size:]
        if restart:
            servant, scorer = serving(log, WATCH, NOW), scoring(log, NOW)
        feed(servant, log, size)
        feed(scorer, log, size)
    found = [(s.forecast_id, s.step, s.bar.revision) for s in log.events(FORECAST_SCORES)]
    assert len(found) == len(set(found))
    newest = {}
    for event in log.events(STOCK_DATA):
        if event.closed_at not in newest or event.revision > newest[event.closed_at]:
            newest[event.closed_at] = event.revision
    expected = {
        (forecast.forecast_id, step.step, newest[step.target_at])
        for forecast in log.events(STOCK_FORECASTS)
        for step in forecast.steps
        if step.target_at in newest
    }
    highest = {}
    for forecast_id, step, revision in found:
        highest[forecast_id, step] = max(revision, highest.get((forecast_id, step), -1))
    assert {(forecast_id, step, revision) for (forecast_id, step), revision in highest.items()} == expected
    state = scoring_state(ScoreSettings(home=log.home), log)
    state.take()
    assert all(part.equal for part in state.verify())


def test_scores_that_are_not_all_in_the_log_are_made_by_the_next_process():
    log = forecast_log()
    feed(scoring(log, NOW), log)
    log.append(bar("A", 30, 10.0))
    process = scoring(log, NOW)
    process._output.away = True
    with pytest.raises(KafkaAway):
        feed(process, log)
    again = scoring(log, NOW)
    placed = again.positions([(topic, 0) for topic in ("stock-data", "stock-forecasts")])
    assert placed == {("stock-data", 0): 30, ("stock-forecasts", 0): 1}
    feed(again, log)
    assert keys(log) == [(1, 0)]


def test_correction_of_a_bar_however_old_is_scored_after_a_restart_that_reads_nothing_else(monkeypatch):
    log = forecast_log()
    for day in range(30, 34):
        log.append(bar("A", day, PRICES[day]))
    monkeypatch.setattr(service, "_READ_BACK", 1)
    feed(scoring(log, NOW), log)
    log.append(bar("A", 31, 10.9, revision=1))
    asked = log.watch_reads(monkeypatch)
    process = scoring(log, NOW)
    feed(process, log)
    assert keys(log) == [(1, 0), (2, 0), (3, 0), (4, 0), (2, 1)]
    assert process.status()["steps_open"] == 1
    # The last one read of each topic, to see whether it is still there; and then its own new score.
    assert asked == [("stock-forecasts", 0), ("forecast-scores", 3), ("stock-data", 33), ("forecast-scores", 4)]


def test_late_forecast_is_scored_by_every_revision_of_its_bars():
    log = forecast_log()
    late = log.topics[STOCK_FORECASTS.name].pop().event
    for event in (bar("A", 30, 10.0), bar("A", 30, 10.5, revision=2), bar("A", 30, 9.0, revision=1)):
        log.append(event)
    log.append(late)
    feed(scoring(log, NOW), log)
    assert keys(log) == [(1, 0), (1, 2)]


def test_scores_that_come_before_their_forecast_are_not_made_again():
    log = forecast_log()
    log.append(bar("A", 30, 10.0))
    feed(scoring(log, NOW), log)
    shutil.rmtree(log.home / "state")
    feed(scoring(log, NOW), log, 1)
    assert keys(log) == [(1, 0)]


def test_issued_forecast_waits_for_a_bar_that_is_late():
    log = forecast_log()
    process = scoring(log, NOW + timedelta(days=900))
    feed(process, log)
    assert process.status()["steps_open"] == 5
