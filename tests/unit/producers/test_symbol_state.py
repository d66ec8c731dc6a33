from datetime import UTC, datetime

from producers.sources.base import ReportRefusal
from producers.symbol_state import SHOWN, SymbolState

AT = datetime(2012, 1, 3, tzinfo=UTC)


def test_watch_failures_in_a_row_are_looked_at_ever_later_up_to_a_limit() -> None:
    watch = SymbolState("ACME", "P1D")
    waits = []
    for _ in range(8):
        watch.failed("503", AT, 100.0, 1.0)
        waits.append(watch.next_at - 100.0)
    assert waits == [2, 4, 8, 16, 30, 30, 30, 30]
    watch.succeeded(200.0, 1.0)
    assert (watch.next_at, watch.failures, watch.error, watch.errors) == (201.0, 0, None, 8)


def test_watch_waits_as_long_as_the_vendor_asks() -> None:
    watch = SymbolState("ACME", "P1D")
    watch.failed("429", AT, 0.0, 1.0, wait=3600.0)
    assert watch.next_at == 3600.0


def test_watch_refused_symbol_counts_as_answered() -> None:
    watch = SymbolState("ACME", "P1D")
    watch.failed("down", AT, 0.0, 1.0)
    assert watch.answers == 0
    watch.failed("no such symbol", AT, 0.0, 1.0, refused=True)
    assert watch.answers == 1


def test_watch_refusal_is_news_once() -> None:
    watch = SymbolState("ACME", "P1D")
    refusal = ReportRefusal("ACME", "2012-01-03", "high below low")
    assert [watch.refuse(refusal), watch.refuse(refusal)] == [True, False]
    assert watch.refuse(ReportRefusal("ACME", "2012-01-03", "volume negative"))


def test_watch_status_shows_the_newest_refusals_and_counts_all() -> None:
    watch = SymbolState("ACME", "P1D")
    for number in range(SHOWN + 5):
        watch.refuse(ReportRefusal("ACME", str(number), "broken"))
    told = watch.status(None, 0.0)
    assert told["refused"] == SHOWN + 5
    assert len(told["refusals"]) == SHOWN
    assert told["refusals"][-1] == {"at": str(SHOWN + 4), "reason": "broken"}
