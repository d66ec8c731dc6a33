"""What is forecast, when, and never twice: serving on a log in memory."""

import random
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import ForecastScored
from contracts.samples import sample
from contracts.topics import FORECAST_SCORES, STOCK_DATA, STOCK_FORECASTS
from forecasting.serving import service
from forecasting.serving.loaded_models import LoadedModels
from forecasting.serving.state import serving_state
from forecasting.settings import ServeSettings
from streaming.errors import KafkaAway
from streaming.records import Batch
from tests.support.markets import bar, split
from tests.support.memory_log import MemoryLog, Model, Watch, feed, models_at_work, serving

NAIVE = Model("1")
ARIMA = Model("2", "arima")


def bars(symbol, days, start=10.0):
    noise = random.Random(symbol)
    return [bar(symbol, day, start * (1 + 0.02 * noise.random())) for day in days]


def by_time(*lists):
    return sorted((item for items in lists for item in items), key=lambda item: (item.closed_at, item.symbol))


def at_work(**changes):
    return Watch(models_at_work(**({"champion": NAIVE, "naive": NAIVE, "arima": ARIMA} | changes)))


def start(log, watch, **changes):
    """Start a process at the log's last close, and let waiting models begin."""
    newest = max(record.event.closed_at for record in log.topics["stock-data"])
    process = serving(log, watch, newest, **changes)
    feed(process, log)
    process.tick()
    return process


def issued(log):
    return [(f.symbol, f.origin, f.model.family, f.model.role) for f in log.events(STOCK_FORECASTS)]


def test_backfill_never_forecast_before_gets_one_forecast_a_symbol_and_version():
    log = MemoryLog(by_time(bars("A", range(80)), bars("B", range(80))))
    start(log, at_work())
    newest = bar("A", 79).closed_at
    assert issued(log) == [
        ("A", newest, "naive", "CHAMPION"),
        ("B", newest, "naive", "CHAMPION"),
        ("A", newest, "arima", "SHADOW"),
        ("B", newest, "arima", "SHADOW"),
    ]


def test_new_bar_gets_one_forecast_a_version_from_that_bar():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    log.append(bar("A", 30, 11.0))
    feed(process, log)
    fresh = log.events(STOCK_FORECASTS)[2:]
    assert [(f.origin, f.model.family) for f in fresh] == [
        (bar("A", 30).closed_at, "naive"),
        (bar("A", 30).closed_at, "arima"),
    ]
    assert fresh[0].lineage.input_bars == 31
    assert (fresh[0].lineage.inputs[0].from_offset, fresh[0].lineage.inputs[0].to_offset) == (0, 30)
    assert fresh[0].lineage.schema_ids == (7,)
    assert fresh[0].steps[0].target_at == bar("A", 31).closed_at
    assert fresh[0].price_basis == "AS_OF_ORIGIN"


def test_forecast_names_the_bar_that_caused_it():
    log = MemoryLog(bars("A", range(30)))
    start(log, at_work())
    assert log.topics[STOCK_FORECASTS.name][0].headers["ce_causationid"] == bar("A", 29).event_id


def test_restart_publishes_nothing_twice():
    log = MemoryLog(by_time(bars("A", range(30)), bars("B", range(25))))
    process = start(log, at_work())
    log.append(bar("A", 30))
    feed(process, log)
    before = issued(log)
    for _ in range(2):
        start(log, at_work())
    assert issued(log) == before


def test_bars_that_came_while_it_was_down_are_caught_up_without_look_ahead():
    """What is caught up equals, id by id, what would have been issued at the time."""
    log = MemoryLog(bars("A", range(40)))
    twin = MemoryLog(bars("A", range(40)))
    start(log, at_work())
    live = start(twin, at_work())
    for event in bars("A", range(40, 44)):
        log.append(event)
        twin.append(event)
        feed(live, twin)
    start(log, at_work())
    assert [f.forecast_id for f in log.events(STOCK_FORECASTS)] == [f.forecast_id for f in twin.events(STOCK_FORECASTS)]
    assert len(issued(log)) == 2 + 4 * 2


def test_intervals_follow_how_they_held_and_the_lineage_names_the_scores_they_follow():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    first = log.events(STOCK_FORECASTS)[0]
    for step in (1, 2):
        missed = {"symbol": "A", "model_version": "1", "family": "naive", "inside_80": False, "inside_95": False}
        target = bar("A", 29 + step).closed_at
        log.append(replace(sample(ForecastScored), **missed, step=step, origin=first.origin, target_at=target))
    log.append(bar("A", 30, first.steps[0].mean))
    feed(process, log)
    forecast = next(f for f in log.events(STOCK_FORECASTS)[1:] if f.model.family == "naive")

    read = next(part for part in forecast.lineage.inputs if part.topic == FORECAST_SCORES.name)
    assert (read.from_offset, read.to_offset) == (0, 1)
    plain = issued_without_scores(bars("A", range(30)), bar("A", 30, first.steps[0].mean))
    assert forecast.forecast_id == plain.forecast_id
    assert forecast.steps[0].mean == plain.steps[0].mean
    assert width(forecast, 0) > width(plain, 0)
    assert width(forecast, 1) == width(plain, 1), "the outcome of its second step lies after its origin"


def test_intervals_do_not_follow_forecasts_from_origins_that_the_training_saw():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    first = log.events(STOCK_FORECASTS)[0]
    missed = {"symbol": "A", "model_version": "1", "family": "naive", "inside_80": False, "inside_95": False}
    target = bar("A", 30).closed_at
    log.append(
        replace(sample(ForecastScored), **missed, origin=first.origin, target_at=target, trained_until=first.origin)
    )
    log.append(bar("A", 30, first.steps[0].mean))
    feed(process, log)
    forecast = next(f for f in log.events(STOCK_FORECASTS)[1:] if f.model.family == "naive")
    plain = issued_without_scores(bars("A", range(30)), bar("A", 30, first.steps[0].mean))
    assert width(forecast, 0) == width(plain, 0)


def issued_without_scores(before, newest):
    log = MemoryLog(before)
    process = start(log, at_work())
    log.append(newest)
    feed(process, log)
    return next(f for f in log.events(STOCK_FORECASTS)[2:] if f.model.family == "naive")


def width(forecast, step):
    values = [quantile.value for quantile in forecast.steps[step].quantiles]
    return values[-1] - values[0]


def test_correction_of_the_newest_bar_is_a_new_forecast_of_an_older_one_is_not():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work(arima=NAIVE))
    log.append(bar("A", 10, 12.0, revision=1))
    feed(process, log)
    assert len(issued(log)) == 1
    log.append(bar("A", 29, 12.0, revision=1))
    feed(process, log)
    first, second = log.events(STOCK_FORECASTS)
    assert first.origin == second.origin
    assert first.forecast_id != second.forecast_id
    start(log, at_work(arima=NAIVE))
    assert len(issued(log)) == 2


def test_correction_that_changes_no_price_is_no_new_forecast():
    log = MemoryLog([bar("A", day) for day in range(10)])
    process = start(log, at_work())
    log.append(bar("A", 9, revision=1, volume=5.0))
    feed(process, log)
    start(log, at_work())
    assert len(issued(log)) == 2


def test_no_model_loaded_yet_issues_nothing_then_begins_at_the_newest_bar():
    log = MemoryLog(bars("A", range(30)))
    watch = Watch(LoadedModels())
    process = start(log, watch)
    log.append(bar("A", 30))
    feed(process, log)
    assert issued(log) == []
    watch.loaded = models_at_work(champion=NAIVE, naive=NAIVE)
    process.tick()
    assert issued(log) == [("A", bar("A", 30).closed_at, "naive", "CHAMPION")]


def test_new_champion_takes_over_at_the_newest_bar_and_nothing_is_issued_twice():
    log = MemoryLog(bars("A", range(30)))
    watch = at_work(arima=NAIVE)
    process = start(log, watch)
    watch.loaded = models_at_work(champion=ARIMA, naive=NAIVE, arima=ARIMA)
    for _ in range(3):
        process.tick()
    log.append(bar("A", 30))
    feed(process, log)
    process.tick()
    at = [bar("A", day).closed_at for day in (29, 30)]
    assert issued(log) == [
        ("A", at[0], "naive", "CHAMPION"),
        ("A", at[0], "arima", "CHAMPION"),
        ("A", at[1], "arima", "CHAMPION"),
        ("A", at[1], "naive", "SHADOW"),
    ]


def test_new_champion_begins_before_the_bars_that_come_with_it():
    """Bars that arrive in one batch right after the promotion: each has its champion's forecast."""
    log = MemoryLog(bars("A", range(30)))
    watch = at_work(arima=NAIVE)
    process = start(log, watch)
    for event in bars("A", range(30, 33)):
        log.append(event)
    watch.loaded = models_at_work(champion=ARIMA, naive=NAIVE)
    feed(process, log)
    champion = [origin for _, origin, family, role in issued(log) if (family, role) == ("arima", "CHAMPION")]
    assert champion == [bar("A", day).closed_at for day in (29, 30, 31, 32)]


def test_rolled_back_version_goes_on_at_the_newest_bar_only():
    log = MemoryLog(bars("A", range(30)))
    watch = at_work(arima=NAIVE)
    process = start(log, watch)
    watch.loaded = models_at_work(champion=ARIMA)
    process.tick()
    for event in bars("A", range(30, 35)):
        log.append(event)
        feed(process, log)
    watch.loaded = models_at_work(champion=NAIVE)
    process.tick()
    process.tick()
    naive = [origin for _, origin, family, _ in issued(log) if family == "naive"]
    assert naive == [bar("A", 29).closed_at, bar("A", 34).closed_at]


def test_symbols_that_closed_together_are_one_call_a_model():
    log = MemoryLog(by_time(*(bars(symbol, range(30)) for symbol in "ABCDE")))
    model = Model("1")
    process = start(log, Watch(models_at_work(champion=model)))
    model.calls.clear()
    for symbol in "ABCDE":
        log.append(bar(symbol, 30))
    feed(process, log)
    assert model.calls == [list("ABCDE")]


def test_symbol_too_short_for_a_family_is_refused_with_a_reason_until_it_is_long_enough():
    log = MemoryLog(by_time(bars("A", range(30)), bars("FB", range(28, 30))))
    process = start(log, at_work(arima=Model("2", "arima", min_history=3)))
    assert [(symbol, family) for symbol, _, family, _ in issued(log)] == [
        ("A", "naive"),
        ("FB", "naive"),
        ("A", "arima"),
    ]
    assert process.status()["refused"] == {"FB": {"arima": "arima needs 3 bars, there are 2"}}
    log.append(bar("FB", 30))
    feed(process, log)
    process.tick()
    assert ("FB", bar("FB", 30).closed_at, "arima", "SHADOW") in issued(log)
    assert process.status()["refused"] == {}


def test_model_that_fails_for_one_symbol_does_not_keep_the_others_from_forecasts():
    log = MemoryLog(by_time(bars("A", range(30)), bars("B", range(30))))
    process = start(log, at_work(arima=Model("2", "arima", broken_for="B")))
    assert {(symbol, family) for symbol, _, family, _ in issued(log)} == {
        ("A", "naive"),
        ("B", "naive"),
        ("A", "arima"),
    }
    assert "cannot do B" in process.status()["refused"]["B"]["arima"]


def test_split_is_undone_in_the_input_and_named_in_the_lineage():
    log = MemoryLog(bars("A", range(20)))
    process = start(log, at_work())
    log.append(split("A", bar("A", 20).closed_at, 2.0))
    # The bar is read before the announcement, which stands in another topic: the jump makes serving look for it.
    halved = log.append(bar("A", 20, 5.05))
    process.apply(_batch(halved))
    forecast = log.events(STOCK_FORECASTS)[-1]
    assert [part.topic for part in forecast.lineage.inputs] == ["stock-data", "corporate-actions"]
    width = forecast.steps[0].quantiles[-1].value / forecast.steps[0].quantiles[0].value
    assert width < 1.2, "a price halved by a split alone must not widen the forecast"


def _batch(record):
    return Batch(records=[record], next_offsets={(record.topic, 0): record.offset + 1})


def test_kafka_away_while_publishing_issues_each_forecast_once_when_it_is_back():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    log.append(bar("A", 30))
    process._output.away = True
    for again in (lambda: feed(process, log), process.tick, process.tick):
        with pytest.raises(KafkaAway):
            again()
    process._output.away = False
    process.tick()
    feed(process, log)
    assert len(issued(log)) == 4
    assert len({f.forecast_id for f in log.events(STOCK_FORECASTS)}) == 4


def test_forecast_is_never_issued_before_its_bar_was_recorded():
    log = MemoryLog(bars("A", range(30)))
    process = serving(log, at_work(), bar("A", 29).closed_at - timedelta(days=9))
    feed(process, log)
    process.tick()
    assert all(f.issued_at == bar("A", 29).recorded_at for f in log.events(STOCK_FORECASTS))


def test_first_read_that_pauses_in_the_middle_of_history_issues_nothing_until_the_end_of_the_log():
    """However long nothing comes: only what the log held at a look tells that the newest bar is the newest."""
    log = MemoryLog(by_time(bars("A", range(80)), bars("B", range(80))))
    process = serving(log, at_work(), bar("A", 79).closed_at)
    process.positions([("stock-data", 0)])
    for start_at in range(0, 160, 37):
        part = log.topics["stock-data"][start_at : start_at + 37]
        assert issued(log) == []
        process.apply(Batch(records=part, next_offsets={("stock-data", 0): part[-1].offset + 1}))
        for _ in range(3):
            process.tick()
    assert {origin for _, origin, _, _ in issued(log)} == {bar("A", 79).closed_at}
    assert len(issued(log)) == 4


def test_backfill_beside_bars_that_go_on_gets_one_forecast_at_each_look_not_one_a_bar():
    """A symbol's history comes while another one is live; it was recorded long after its sessions."""
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work(arima=NAIVE))
    before = len(issued(log))
    learned = bar("A", 29).recorded_at
    for first in (0, 10, 20):
        for day in range(first, first + 10):
            log.append(bar("B", day, recorded_at=learned))
        feed(process, log, 3)
        process.tick()
    log.append(bar("A", 30))
    log.append(bar("B", 30))
    feed(process, log)
    fresh = issued(log)[before:]
    assert [(symbol, origin) for symbol, origin, _, _ in fresh] == [
        *(("B", bar("B", day).closed_at) for day in (9, 19, 29)),
        ("A", bar("A", 30).closed_at),
        ("B", bar("B", 30).closed_at),
    ]


def test_bars_that_came_after_the_session_that_they_foretell_are_skipped_but_for_the_newest():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work(arima=NAIVE))
    late = bar("A", 33).recorded_at
    for event in bars("A", range(30, 34)):
        log.append(replace(event, recorded_at=late))
    feed(process, log)
    process.tick()
    start(log, at_work(arima=NAIVE))
    assert [origin for _, origin, _, _ in issued(log)] == [bar("A", day).closed_at for day in (29, 33)]


def test_version_rolled_back_before_a_restart_owes_nothing_for_the_time_it_was_out_of_work():
    log = MemoryLog(bars("A", range(30)))
    start(log, Watch(models_at_work(champion=NAIVE)))
    process = start(log, Watch(models_at_work(champion=ARIMA)))
    for event in bars("A", range(30, 60)):
        log.append(event)
        feed(process, log)
    start(log, Watch(models_at_work(champion=NAIVE)))
    naive = [origin for _, origin, family, _ in issued(log) if family == "naive"]
    assert naive == [bar("A", day).closed_at for day in (29, 59)]


def test_version_issues_nothing_for_bars_older_than_those_it_was_trained_on():
    log = MemoryLog(bars("A", range(30)))
    watch = at_work(arima=NAIVE)
    process = start(log, watch)
    learned = Model("7", "lstm", trained_until=bar("A", 31).closed_at)
    watch.loaded = models_at_work(champion=NAIVE, naive=NAIVE, lstm=learned)
    process.tick()
    for event in bars("A", range(30, 34)):
        log.append(event)
        feed(process, log)
    found = [(f.origin, f.trained_until) for f in log.events(STOCK_FORECASTS) if f.model.family == "lstm"]
    assert found == [(bar("A", day).closed_at, learned.trained_until) for day in (31, 32, 33)]


def test_partition_that_went_and_came_back_is_folded_on_from_where_it_was():
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    process.positions([])
    log.append(bar("A", 30))
    assert process.positions([("stock-data", 0)]) == {("stock-data", 0): 30}
    del process.read
    feed(process, log)
    process.tick()
    assert len(issued(log)) == 4


EVENTS = st.lists(
    st.builds(
        bar, st.sampled_from(["A", "B"]), st.integers(0, 6), st.sampled_from([9.0, 10.0, 11.0]), st.integers(0, 2)
    ),
    min_size=1,
    max_size=25,
)
PLAN = st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=10)


def carry_out(events, plan, saved=True):
    """Feed a log in batches to processes that restart as a plan says, with what they saved or without; return it."""
    log = MemoryLog()
    watch = at_work()
    rest = list(events)
    process = None
    for size, restart in plan:
        for event in rest[:size]:
            log.append(event)
        rest = rest[size:]
        if process is None or restart:
            if not saved:
                shutil.rmtree(log.home / "state", ignore_errors=True)
            process = serving(log, watch, bar("A", 0).closed_at)
        feed(process, log, size)
        process.tick()
    return log


@settings(max_examples=60, deadline=None)
@given(EVENTS, PLAN)
def test_forecasts_under_any_batches_and_restarts_are_never_issued_twice(events, plan):
    """However the log is cut into batches and wherever the process dies, each forecast stands in the log once."""
    log = carry_out(events, plan)
    ids = [f.forecast_id for f in log.events(STOCK_FORECASTS)]
    assert len(ids) == len(set(ids))
    state = serving_state(ServeSettings(home=log.home), log)
    state.take()
    assert all(part.equal for part in state.verify())


def test_process_told_to_end_in_the_middle_of_a_long_catching_up_leaves_the_rest_to_the_next_one():
    log = MemoryLog(bars("A", range(30)))
    start(log, at_work())
    for event in bars("A", range(30, 330)):
        log.append(event)
    process = serving(log, at_work(), bar("A", 330).closed_at)
    publish = process._output.publish
    process._output.publish = lambda *event, **about: (publish(*event, **about), process._stop.set())
    feed(process, log)
    assert len(issued(log)) == 4, "of one origin"
    feed(serving(log, at_work(), bar("A", 330).closed_at), log)
    found = log.events(STOCK_FORECASTS)
    assert len(found) == 2 * 301
    assert {forecast.lineage.input_bars for forecast in found[-2 * 266 :]} == {64}


def test_tick_beside_partitions_that_cannot_be_taken_finds_nothing_to_do(monkeypatch):
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    monkeypatch.setattr(log, "marks", lambda topic: (_ for _ in ()).throw(KafkaAway("no answer")))
    with pytest.raises(KafkaAway):
        process.positions([("stock-data", 0)])
    process._watcher.loaded = models_at_work(champion=Model("3"))
    process.tick()
    monkeypatch.undo()
    assert process.positions([("stock-data", 0)]) == {("stock-data", 0): 30}
    process.tick()
    assert len(issued(log)) == 3


def last_of_each(log):
    return {(f.symbol, f.origin, f.model.version): f.forecast_id for f in log.events(STOCK_FORECASTS)}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(EVENTS, PLAN)
def test_forecasts_of_processes_that_go_on_from_what_was_saved_are_those_of_processes_that_fold_all(events, plan):
    assert last_of_each(carry_out(events, plan)) == last_of_each(carry_out(events, plan, saved=False))


@pytest.mark.parametrize("away", [False, True])
def test_bars_whose_forecasts_are_not_all_in_the_log_are_read_again(away):
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    log.append(bar("A", 30))
    process._output.away = away
    process._stop.set()  # it is told to end, or killed while Kafka is away: nothing is issued
    if away:
        process._stop.clear()
        with pytest.raises(KafkaAway):
            feed(process, log)
    else:
        feed(process, log)
    assert len(issued(log)) == 2

    again = serving(log, at_work(), bar("A", 30).closed_at)
    assert again.positions([("stock-data", 0)]) == {("stock-data", 0): 30}
    feed(again, log)
    assert len(issued(log)) == 4
    assert serving(log, at_work(), bar("A", 30).closed_at).positions([("stock-data", 0)]) == {("stock-data", 0): 31}


def test_restart_reads_neither_what_was_folded_nor_most_of_what_it_issued(monkeypatch):
    monkeypatch.setattr(service, "_READ_BACK", 4)
    log = MemoryLog(bars("A", range(30)))
    process = start(log, at_work())
    for event in bars("A", range(30, 36)):
        log.append(event)
        feed(process, log)
        process.tick()
    asked = log.watch_reads(monkeypatch)
    serving_state(ServeSettings(home=log.home), log).take()
    assert asked == [("stock-forecasts", 11), ("stock-data", 35)], "the last event, to see whether it is still there"


def test_saved_state_that_another_process_goes_on_with_meanwhile_fits_the_log(monkeypatch):
    log = MemoryLog(bars("A", range(30)))
    settings = ServeSettings(home=log.home)
    live = serving_state(settings, log)
    live.take()
    live.catch_up()
    marks, asked = log.marks, []

    def told_before_the_next_bar(topic):
        told = marks(topic)
        if topic is STOCK_DATA and not asked:
            asked.append(topic)
            log.append(bar("A", 30))
            live.catch_up()
        return told

    monkeypatch.setattr(log, "marks", told_before_the_next_bar)
    other = serving_state(settings, log)
    other.take()
    assert other.positions() == live.positions()
    assert other.positions()[STOCK_DATA.name, 0] == 31


def test_lineage_names_the_scores_that_were_folded():
    log = MemoryLog([replace(sample(ForecastScored), symbol="A"), replace(sample(ForecastScored), symbol="A", step=2)])
    state = serving_state(ServeSettings(home=log.home), log)
    state.take()
    state.catch_up()
    (read,) = state.parts[0].calibrated_from("A", "P1D", 0)
    assert (read.topic, read.partition, read.from_offset, read.to_offset) == ("forecast-scores", 0, 0, 1)
    assert state.parts[0].calibrated_from("B", "P1D", 0) == ()
