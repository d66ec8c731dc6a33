from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from producers.actions import KnownAction, SoundAction, action_key, decide, judge
from producers.sources.base import ReportRefusal, VendorAction

NOW = datetime(2012, 2, 1, tzinfo=UTC)
SPLIT = VendorAction(symbol="ACME", kind="SPLIT", ex_date=date(2012, 1, 4), value=Decimal(2))


def dividend(value: str, currency: str | None = "USD", noise: str = "0") -> VendorAction:
    return VendorAction(
        symbol="ACME",
        kind="DIVIDEND",
        ex_date=date(2012, 1, 4),
        value=Decimal(value),
        currency=currency,
        noise=Decimal(noise),
    )


def sound(action: VendorAction) -> SoundAction:
    found = judge(action, "yahoo", NOW)
    assert isinstance(found, SoundAction)
    return found


def test_judge_split_and_dividend_become_events() -> None:
    split, paid = sound(SPLIT).event, sound(dividend("0.25")).event
    assert (split.kind, split.ratio, split.amount, split.currency) == ("SPLIT", 2.0, None, None)
    assert (paid.kind, paid.ratio, paid.amount, paid.currency) == ("DIVIDEND", None, 0.25, "USD")


@pytest.mark.parametrize("action", [dividend("0"), dividend("-1"), dividend("NaN"), dividend("1", currency=None)])
def test_judge_broken_action_is_refused(action: VendorAction) -> None:
    refusal = judge(action, "yahoo", NOW)
    assert isinstance(refusal, ReportRefusal)
    assert refusal.at == "2012-01-04"


@pytest.mark.parametrize("kind", ["a later day", "one for one"])
def test_judge_split_that_is_not_in_force_or_none_waits(kind: str) -> None:
    later = replace(SPLIT, ex_date=date(2012, 2, 2)) if kind == "a later day" else replace(SPLIT, value=Decimal(1))
    assert judge(later, "yahoo", NOW) is None
    assert judge(replace(SPLIT, ex_date=NOW.date()), "yahoo", NOW) is not None


def test_decide_publishes_new_then_nothing_then_a_correction() -> None:
    first = decide({}, sound(dividend("0.25")))
    assert first is not None
    known = {action_key(first): KnownAction.of(first)}
    assert decide(known, sound(dividend("0.25"))) is None
    assert decide(known, sound(dividend("0.2501", noise="0.0002"))) is None
    corrected = decide(known, sound(dividend("0.26")))
    assert corrected is not None
    assert (corrected.revision, corrected.amount) == (1, 0.26)


def test_decide_split_and_dividend_of_one_day_are_two_actions() -> None:
    split = decide({}, sound(SPLIT))
    assert split is not None
    assert decide({action_key(split): KnownAction.of(split)}, sound(dividend("1"))) is not None
