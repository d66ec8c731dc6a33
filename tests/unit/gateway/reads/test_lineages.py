"""The decision behind a forecast."""

from datetime import timedelta

from contracts.events import ForecastIssued, ModelPromoted
from contracts.samples import sample
from gateway.reads.lineages import promotion_behind

FORECAST = sample(ForecastIssued).to_record()
DAY = timedelta(days=1)


def decision(days: int, **changes: object) -> dict[str, object]:
    return {
        **sample(ModelPromoted).to_record(),
        "version": FORECAST["model"]["version"],
        "decided_at": FORECAST["issued_at"] + days * DAY,
        **changes,
    }


def test_promotion_of_a_champions_forecast_is_the_last_move_of_that_alias_before_it() -> None:
    wanted = decision(-2)
    decisions = [
        decision(1),
        decision(-1, outcome="KEPT"),
        decision(-1, alias="transformer"),
        wanted,
        decision(-3, version="1"),
        decision(-4),
    ]
    assert promotion_behind(FORECAST, decisions) is wanted


def test_promotion_of_a_shadows_forecast_is_that_of_its_family() -> None:
    shadow = {**FORECAST, "model": {**FORECAST["model"], "role": "SHADOW"}}
    wanted = decision(-2, alias="transformer")
    assert promotion_behind(shadow, [decision(-1), wanted]) is wanted


def test_promotion_that_the_log_dates_later_is_the_first_there_is() -> None:
    first = decision(1)
    assert promotion_behind(FORECAST, [decision(2), first]) is first
    assert promotion_behind(FORECAST, [decision(-1, version="1")]) is None
