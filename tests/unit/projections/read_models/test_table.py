"""What each read model makes of its events."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from contracts.events import CorporateActionAnnounced, ModelPromoted
from contracts.samples import sample
from projections.documents import business
from projections.read_models.bars import BARS
from projections.read_models.corporate_actions import ACTIONS
from projections.read_models.forecasts import FORECASTS
from projections.read_models.leaderboard import LEADERBOARD
from projections.read_models.promotions import PROMOTIONS
from projections.read_models.revisions import REVISIONS
from projections.read_models.symbols import SYMBOLS
from tests.support.logs import CLOSED, DAY, bar, folded, issued, log_of, scored


def business_and_earlier(model, events):
    (document,) = folded(model, log_of(events)).values()
    return {name: value for name, value in document.items() if name not in ("_at", "_n")}


def test_bars_corrections_in_any_order_keep_the_highest_revision():
    bars = [bar(revision=0, close=410.0), bar(revision=2, close=412.0), bar(revision=1, close=411.0)]

    documents = folded(BARS, log_of(bars))

    assert list(documents) == ["AAPL|P1D|2012-01-03T21:00:00Z"]
    assert documents["AAPL|P1D|2012-01-03T21:00:00Z"]["close"] == 412.0


def test_bars_document_has_the_fields_of_the_event():
    event = bar()

    (document,) = folded(BARS, log_of([event])).values()

    assert business(document) == {"_id": event.bar_id, **event.to_record()}


def test_revisions_keep_every_revision_and_its_place_in_the_log():
    documents = folded(REVISIONS, log_of([bar(revision=0), bar(revision=1), bar(revision=1)], partitions=1))

    assert [key.rsplit("|", 1)[1] for key in documents] == ["0", "1"]
    assert [document["position"]["offset"] for document in documents.values()] == [0, 1]


def test_corporate_actions_correction_replaces_the_ratio_and_dates_are_text():
    split = sample(CorporateActionAnnounced)

    documents = folded(ACTIONS, log_of([split, replace(split, revision=1, ratio=3.0), split]))

    assert list(documents) == ["AAPL|2005-02-28|SPLIT"]
    assert documents["AAPL|2005-02-28|SPLIT"]["ratio"] == 3.0
    assert documents["AAPL|2005-02-28|SPLIT"]["ex_date"] == "2005-02-28"


def test_corporate_actions_revisions_in_any_order_make_the_same_document_with_all_of_them():
    split = sample(CorporateActionAnnounced)
    events = [replace(split, revision=number, ratio=2.0 + number) for number in range(3)]

    made = [business_and_earlier(ACTIONS, order) for order in permutations([*events, events[1]])]

    assert all(document == made[0] for document in made)
    assert made[0]["ratio"] == 4.0
    assert {number: old["ratio"] for number, old in made[0]["_earlier"].items()} == {"0": 2.0, "1": 3.0}


def test_forecasts_scores_in_any_order_make_the_same_document_with_all_of_them():
    events = [issued(), *(scored(revision=number, error=2.0 + number) for number in range(3))]

    made = [business_and_earlier(FORECASTS, order) for order in permutations([*events, events[2]])]

    assert all(document == made[0] for document in made)
    assert made[0]["scores"]["1"]["absolute_error"] == 4.0
    assert {number: old["absolute_error"] for number, old in made[0]["_earlier"]["1"].items()} == {"0": 2.0, "1": 3.0}


def test_promotions_each_move_of_an_alias_is_a_document():
    move = sample(ModelPromoted)

    documents = folded(PROMOTIONS, log_of([move, replace(move, decided_at=move.decided_at + DAY, version="5"), move]))

    assert {key: document["version"] for key, document in documents.items()} == {
        "champion|2012-01-03T21:00:00Z": "4",
        "champion|2012-01-04T21:00:00Z": "5",
    }


@pytest.mark.parametrize("score_first", [False, True])
def test_forecasts_score_before_or_after_its_forecast_makes_the_same_document(score_first):
    events = [issued(), scored(step=1)]

    (document,) = folded(FORECASTS, log_of(events[::-1] if score_first else events)).values()

    assert document["symbol"] == "AAPL"
    assert document["scores"]["1"]["absolute_error"] == 2.0
    assert "forecast_id" not in document["scores"]["1"]


def test_forecasts_score_alone_is_a_stub_without_symbol():
    (document,) = folded(FORECASTS, log_of([scored()])).values()

    assert "symbol" not in document
    assert list(document["scores"]) == ["1"]


def test_forecasts_step_settled_again_has_the_score_of_the_corrected_bar():
    (document,) = folded(
        FORECASTS, log_of([issued(), scored(error=2.0), scored(revision=1, error=3.0), scored()])
    ).values()

    assert document["scores"]["1"]["absolute_error"] == 3.0
    assert document["scores"]["1"]["bar"]["revision"] == 1


def test_leaderboard_scores_of_a_month_share_a_document():
    scores = [scored(f"f{n}", error=0.1 * n, day=n) for n in range(19)]

    (document,) = folded(LEADERBOARD, log_of(scores)).values()

    assert document["_id"] == "4|P1D|1|AAPL|2012-01"
    assert [terms["absolute_error"] for terms in document["scores"].values()] == [0.1 * n for n in range(19)]
    assert document["_offset"] == 18


def test_leaderboard_corrected_bar_replaces_the_score_and_repeats_count_once():
    first, again = scored(error=2.0), scored(error=5.0, revision=1, inside_80=False)

    (document,) = folded(LEADERBOARD, log_of([first, first, again, again, first])).values()

    (terms,) = document["scores"].values()
    assert (terms["absolute_error"], terms["inside_80"]) == (5.0, False)


def test_leaderboard_scores_in_any_order_are_the_same():
    scores = [scored(f"f{n}", error=10.0 ** (n - 8)) for n in range(16)]

    (one,) = folded(LEADERBOARD, log_of(scores)).values()
    (other,) = folded(LEADERBOARD, log_of(scores[::-1])).values()

    assert one["scores"] == other["scores"]


@pytest.mark.parametrize(("days", "counts"), [(0, 0), (1, 0), (-1, 1), (None, 1)])
def test_leaderboard_forecast_from_an_origin_that_the_training_saw_does_not_count(days, counts):
    until = None if days is None else CLOSED + days * DAY

    (document,) = folded(LEADERBOARD, log_of([scored(origin=CLOSED, trained_until=until)])).values()

    assert len(document["scores"]) == counts


def test_leaderboard_score_is_in_terms_of_the_price_and_of_the_usual_change():
    event = scored(actual=400.0, scale=4.0, error=2.0, naive_pinball=1.0)

    (document,) = folded(LEADERBOARD, log_of([event])).values()

    (terms,) = document["scores"].values()
    losses = [quantile.loss for quantile in event.pinball]
    assert (terms["scaled_error"], terms["naive_crps"]) == (0.5, 0.005)
    assert terms["crps"] == pytest.approx(2 * sum(losses) / len(losses) / 400)


def test_leaderboard_history_without_any_move_and_no_random_walk_have_no_figures():
    (document,) = folded(LEADERBOARD, log_of([scored(scale=0.0, naive_pinball=None)])).values()

    (terms,) = document["scores"].values()
    assert (terms["scaled_error"], terms["naive_crps"]) == (None, None)


@pytest.mark.parametrize(
    ("interval", "period"), [("P1D", "2012-01"), ("PT1H", "2012-01-04"), ("PT5M", "2012-01-04T21")]
)
def test_leaderboard_shorter_bars_have_shorter_periods(interval, period):
    (document,) = folded(LEADERBOARD, log_of([scored(interval=interval)])).values()

    assert document["period"] == period


def test_symbols_bars_and_corrections_are_counted_once():
    events = [
        bar(day=0),
        bar(day=1),
        bar(day=0),
        bar(day=1, revision=1, close=410.0),
        bar(day=1, revision=1),
        bar(day=-3),
    ]

    (document,) = folded(SYMBOLS, log_of(events)).values()

    assert (document["bars"], document["revisions"]) == (3, 1)
    assert (document["first_closed_at"], document["last_closed_at"]) == (CLOSED - 3 * DAY, CLOSED + DAY)
    assert document["last_close"] == 410.0
    assert document["last_recorded_at"] == CLOSED + DAY + timedelta(hours=1)


def test_symbols_correction_that_comes_before_its_bar_counts_one_bar():
    (document,) = folded(SYMBOLS, log_of([bar(revision=1), bar(revision=0)])).values()

    assert (document["bars"], document["revisions"], document["last_revision"]) == (1, 1, 1)


def test_symbols_second_interval_does_not_mix_into_the_first():
    (document,) = folded(
        SYMBOLS, log_of([bar(), bar(interval="PT1H", close=409.5), bar(interval="PT1H", day=1)])
    ).values()

    assert (document["interval"], document["bars"]) == ("P1D", 1)
    assert document["intervals"]["PT1H"]["bars"] == 2


def test_symbols_last_forecast_is_the_champions_newest():
    events = [issued("f1", day=1), issued("f0", day=0), issued("f2", day=2, role="SHADOW")]

    (document,) = folded(SYMBOLS, log_of(events)).values()

    assert document["last_forecast"]["forecast_id"] == "f1"
    assert document["bars"] == 0
