"""The REST reads over what the projections really wrote, checked against the answers that OpenAPI promises."""

import asyncio
import json
import signal
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from contracts.events import CorporateActionAnnounced, ForecastIssued, ForecastScored, ModelPromoted
from contracts.ids import stamp
from contracts.samples import sample
from contracts.topics import STOCK_DATA
from gateway.schemas.pipeline import Pipeline
from gateway.schemas.responses import (
    Actions,
    Bar,
    Forecast,
    Leaderboard,
    LineageOf,
    Models,
    Page,
    Promotions,
    SymbolSummary,
)
from projections.settings import ProjectionSettings
from streaming.reader import read_all, watermarks
from tests.integration.gatewaying import SYMBOLS, TOPIC, GatewayProcess, bars, forecasts, publish, run
from tests.integration.projecting import Running, clear

BARS = bars(500)  # a hundred sessions of five symbols
APPLE = [bar for bar in BARS if bar.symbol == "AAPL"]
CORRECTED = replace(APPLE[50], revision=1, close=410.0, recorded_at=APPLE[-1].recorded_at + timedelta(days=1))
SPLIT = replace(sample(CorporateActionAnnounced), ex_date=APPLE[90].closed_at.date(), recorded_at=APPLE[-1].recorded_at)
FORECASTS = [
    replace(each, origin=bar.closed_at, steps=(replace(each.steps[0], target_at=bar.closed_at + timedelta(days=1)),))
    for each, bar in zip(forecasts(40), BARS, strict=False)
]
SCORE = replace(sample(ForecastScored), forecast_id=FORECASTS[0].forecast_id)
SCORE_LATER = replace(
    SCORE, forecast_id=FORECASTS[1].forecast_id, symbol="FB", target_at=SCORE.target_at + timedelta(days=1)
)
SLASHED = replace(APPLE[0], symbol="BF/B")
PROMOTED = sample(ModelPromoted)
LATER = replace(PROMOTED, alias="naive", version="1", family="naive")


@pytest.fixture(scope="module")
def settings(isolated_module):
    settings = ProjectionSettings(snapshot_seconds=0)
    yield settings
    clear(settings)


@pytest.fixture(scope="module")
def projected(settings):
    publish(settings, [*BARS, SLASHED, CORRECTED, SPLIT, *FORECASTS, SCORE, SCORE_LATER, PROMOTED, LATER])
    with Running(settings) as running:
        running.catch_up()
        yield running


@pytest.fixture(scope="module")
def gateway(isolated_module, projected, tmp_path_factory):
    gateway = GatewayProcess(tmp_path_factory.mktemp("gateway"), isolated_module.environment)
    gateway.start()
    yield gateway
    gateway.end(signal.SIGKILL)


@pytest.mark.parametrize("symbol", ["BF%2FB", "BF/B"])
def test_symbol_with_a_slash_is_read_on_every_route(gateway, symbol):
    assert [bar["close"] for bar in get(gateway, f"/api/bars/{symbol}")["items"]] == [SLASHED.close]
    assert get(gateway, f"/api/actions/{symbol}")["items"] == []
    assert get(gateway, f"/api/forecasts/{symbol}")["items"] == []
    assert "BF/B" in {item["symbol"] for item in get(gateway, "/api/symbols")["items"]}
    assert "Nothing is known of BF/C" in get(gateway, f"/api/bars/{symbol[:-1]}C", 404)["detail"]


def get(gateway, path, status=200):
    answer = httpx.get(gateway.url + path, timeout=20)
    assert answer.status_code == status, answer.text
    return answer.json()


def as_json(bar):
    """Return a bar as REST has it, from its event."""
    return {name: stamp(value) if hasattr(value, "tzinfo") else value for name, value in bar.to_record().items()}


def test_symbols_are_all_there_with_their_ends(gateway):
    body = get(gateway, "/api/symbols")
    Page[SymbolSummary].model_validate(body)
    assert [item["symbol"] for item in body["items"]] == sorted([*SYMBOLS, "BF/B"])
    assert {item["symbol"]: item["bars"] for item in body["items"]} == {**dict.fromkeys(SYMBOLS, 100), "BF/B": 1}
    assert body["items"][0]["revisions"] == 1
    assert not [name for item in body["items"] for name in item if name.startswith("_")]


def test_bars_are_the_newest_of_the_log_oldest_first(gateway):
    body = get(gateway, "/api/bars/IBM?limit=30")
    Page[Bar].model_validate(body)
    assert body["items"] == [as_json(bar) for bar in BARS if bar.symbol == "IBM"][-30:]


def test_bars_paged_back_are_all_of_them_once(gateway):
    found, cursor, pages = [], "", 0
    while cursor is not None:
        body = get(gateway, f"/api/bars/IBM?limit=30&before={cursor}" if cursor else "/api/bars/IBM?limit=30")
        found, cursor, pages = body["items"] + found, body["next"], pages + 1
    assert pages == 4
    assert [item["closed_at"] for item in found] == [stamp(bar.closed_at) for bar in BARS if bar.symbol == "IBM"]


def test_bars_of_a_range_include_both_ends(gateway):
    first, last = stamp(APPLE[10].closed_at), stamp(APPLE[19].closed_at)
    body = get(gateway, f"/api/bars/AAPL?start={first}&end={last}")
    assert [item["closed_at"] for item in body["items"]] == [stamp(bar.closed_at) for bar in APPLE[10:20]]
    assert body["next"] is None


def test_bars_with_a_correction_show_its_newest_revision_and_as_of_the_earlier_one(gateway):
    at = stamp(CORRECTED.closed_at)
    (now,) = get(gateway, f"/api/bars/AAPL?start={at}&end={at}")["items"]
    assert (now["revision"], now["close"]) == (1, 410.0)
    (then,) = get(gateway, f"/api/bars/AAPL?start={at}&end={at}&as_of={stamp(APPLE[60].recorded_at)}")["items"]
    assert then == as_json(APPLE[50])
    known = get(gateway, f"/api/bars/AAPL?as_of={stamp(APPLE[60].recorded_at)}")["items"]
    assert known == [as_json(bar) for bar in APPLE[:61]]


def test_bars_adjusted_for_splits_stand_in_the_newest_bars_share_terms_on_every_page(gateway):
    raw = get(gateway, "/api/bars/AAPL")["items"]
    whole = get(gateway, "/api/bars/AAPL?adjust=splits")
    for index, (plain, shown) in enumerate(zip(raw, whole["items"], strict=True)):
        factor = SPLIT.ratio if index < 90 else 1
        assert shown["close"] == pytest.approx(plain["close"] / factor)
        assert shown["volume"] == pytest.approx(plain["volume"] * factor)
    older = get(gateway, f"/api/bars/AAPL?adjust=splits&before={stamp(APPLE[40].closed_at)}")
    assert older["items"] == whole["items"][:40]
    unknown = get(gateway, f"/api/bars/AAPL?adjust=splits&as_of={stamp(APPLE[95].recorded_at)}")["items"]
    assert unknown[0]["close"] == raw[0]["close"]  # the split was not announced yet
    assert set(whole["position"]) == {"stock-data", "corporate-actions"}


def test_bars_of_an_unknown_symbol_are_not_found_and_of_another_interval_none(gateway):
    assert get(gateway, "/api/bars/NONE", 404)["type"].endswith("unknown-symbol")
    assert get(gateway, "/api/bars/IBM?interval=PT1H")["items"] == []


def test_snapshot_position_joins_the_stream_without_a_seam(gateway, settings, projected):
    body = get(gateway, "/api/bars/GOOG")
    answer = httpx.get(gateway.url + "/api/bars/GOOG")
    assert json.loads(answer.headers["X-Stream-Position"]) == body["position"]
    marks = watermarks(settings, STOCK_DATA)
    assert body["position"] == {TOPIC: {str(partition): high for partition, (_, high) in marks.items()}}
    news = [replace(bar, symbol="GOOG") for bar in bars(5, first=1000)]

    async def check():
        await asyncio.to_thread(publish, settings, news[:2])
        async with gateway.socket("/live?symbols=GOOG") as ear:
            seen = {partition: offset - 1 for partition, offset in body["position"][TOPIC].items()}
            await ear.say(type="resume", positions={TOPIC: seen})
            await ear.hear(2, "bar")
            await asyncio.to_thread(publish, settings, news[2:])
            return await ear.hear(5, "bar")

    heard = run(check())
    projected.catch_up()
    total = [item["closed_at"] for item in body["items"]] + [message["data"]["closed_at"] for message in heard]
    in_log = [record.event for record in read_all(settings, STOCK_DATA)]
    assert len(total) == len([bar for bar in in_log if bar.symbol == "GOOG"])


def test_forecasts_come_newest_first_with_scores_by_role_and_family_and_page(gateway):
    body = get(gateway, "/api/forecasts/AAPL?limit=100")
    Page[Forecast].model_validate(body)
    origins = [item["origin"] for item in body["items"]]
    assert origins == sorted(origins, reverse=True)
    assert len(origins) == 8
    scored = next(item for item in body["items"] if item["forecast_id"] == SCORE.forecast_id)
    assert scored["scores"]["1"]["actual"] == SCORE.actual
    champions = get(gateway, "/api/forecasts/AAPL?role=CHAMPION")["items"]
    assert {item["model"]["role"] for item in champions} == {"CHAMPION"}
    assert get(gateway, "/api/forecasts/AAPL?family=nobody")["items"] == []
    paged, cursor = [], ""
    while cursor is not None:
        query = f"?limit=3&before={cursor}" if cursor else "?limit=3"
        page = get(gateway, f"/api/forecasts/AAPL{query}")
        paged, cursor = paged + page["items"], page["next"]
    assert [item["forecast_id"] for item in paged] == [item["forecast_id"] for item in body["items"]]


def test_forecasts_as_of_a_moment_are_those_issued_by_then_without_later_scores(gateway):
    first = get(gateway, "/api/forecasts/AAPL?limit=1000")["items"][-1]
    then = get(gateway, f"/api/forecasts/AAPL?as_of={first['issued_at']}")
    Page[Forecast].model_validate(then)
    assert {item["issued_at"] for item in then["items"]} == {first["issued_at"]}
    assert all(score["recorded_at"] <= first["issued_at"] for it in then["items"] for score in it["scores"].values())
    made = get(gateway, f"/api/forecasts/AAPL?origin={first['origin']}")["items"]
    assert {item["origin"] for item in made} == {first["origin"]}
    assert get(gateway, "/api/forecasts/AAPL?as_of=1999-01-01T00:00:00Z")["items"] == []


def test_actions_are_listed_and_unknown_before_they_were_announced(gateway):
    body = get(gateway, "/api/actions/AAPL")
    Actions.model_validate(body)
    (split,) = body["items"]
    assert (split["kind"], split["ex_date"], split["ratio"]) == ("SPLIT", SPLIT.ex_date.isoformat(), SPLIT.ratio)
    assert get(gateway, f"/api/actions/AAPL?as_of={stamp(APPLE[60].recorded_at)}")["items"] == []
    assert get(gateway, "/api/actions/NONE", 404)["type"].endswith("unknown-symbol")


def test_promotions_are_every_move_with_its_evaluation(gateway):
    body = get(gateway, "/api/promotions")
    Promotions.model_validate(body)
    assert {item["alias"] for item in body["items"]} == {"champion", "naive"}
    assert body["items"][0]["evaluation"]["naive"]["n"] == PROMOTED.evaluation.naive.n


def test_models_are_where_the_aliases_point(gateway):
    body = get(gateway, "/api/models")
    Models.model_validate(body)
    assert [(item["alias"], item["version"]) for item in body["items"]] == [("champion", "4"), ("naive", "1")]
    assert body["items"][0]["metrics"]["mase"] == 1.09


def test_leaderboard_shows_the_scores_added_up(gateway):
    body = get(gateway, "/api/leaderboard?step=1")
    Leaderboard.model_validate(body)
    (item,) = body["items"]
    assert (item["version"], item["n"], item["coverage_80"]) == (SCORE.model_version, 2, 1.0)
    assert item["skill"] == pytest.approx(1 - SCORE.absolute_error / SCORE.naive_absolute_error)
    assert (item["sessions"], item["skill_low"]) == (2, None)


def test_leaderboard_of_a_symbol_a_family_or_a_window_counts_only_those(gateway):
    counts = {
        query: [item["n"] for item in get(gateway, f"/api/leaderboard?step=1&{query}")["items"]]
        for query in ("symbol=FB", "symbol=NONE", f"family={SCORE.family}", "family=none", "window=1", "window=2")
    }
    assert counts == {
        "symbol=FB": [1], "symbol=NONE": [], f"family={SCORE.family}": [2], "family=none": [],
        "window=1": [1], "window=2": [2],
    }  # fmt: skip
    assert get(gateway, "/api/leaderboard?window=0", 422)


def test_lineage_names_events_model_decision_and_scores(gateway):
    body = get(gateway, f"/api/lineage/{SCORE.forecast_id}")
    LineageOf.model_validate(body)
    assert body["lineage"] == sample(ForecastIssued).to_record()["lineage"]
    assert body["promotions"][0]["training"]["sha256"] == PROMOTED.training.sha256
    assert body["scores"]["1"]["absolute_error"] == SCORE.absolute_error
    assert get(gateway, "/api/lineage/none", 404)["type"].endswith("unknown-forecast")


def test_pipeline_shows_every_read_model_without_lag_and_the_services_that_are_away(gateway, projected):
    projected.catch_up()
    body = get(gateway, "/api/pipeline")
    Pipeline.model_validate(body)
    names = {
        "stock_data",
        "stock_data_revisions",
        "corporate_actions",
        "forecasts",
        "leaderboard",
        "symbols",
        "promotions",
    }
    assert {line["name"] for line in body["read_models"]} == names
    assert {line["lag"] for line in body["read_models"]} == {0}
    assert body["dead_letters"] == 0
    counted = {topic["name"]: (topic["messages"], topic["dead_letters"]) for topic in body["topics"]}
    assert counted["corporate-actions"] == (1, 0)
    assert body["links"]["mlflow"].startswith("http")
    assert body["clock"] is None
    assert body["market"] is None  # no producers run here
    assert {service["name"] for service in body["services"]} >= {"producers", "projections", "forecasting", "scoring"}


def test_readiness_names_what_is_missing(gateway):
    body = get(gateway, "/health/ready", 503)
    assert [reason for reason in body["reasons"] if reason.startswith("forecasting does not answer")]
    assert len(body["reasons"]) == 1
