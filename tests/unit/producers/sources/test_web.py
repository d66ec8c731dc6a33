import httpx
import pytest

from contracts.files.numbers import excerpt
from producers.sources.base import VendorDown, VendorRefused
from producers.sources.budget import DAY, Budget
from producers.sources.web import VendorAnswer, blames_key, redacted
from tests.support.vendors import Vendor, recorded

URL = "https://vendor.example/prices"


def text_of(answer: VendorAnswer) -> str:
    return answer.text


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("too slow"),
        httpx.Response(503, text="<html>upstream</html>"),
        httpx.Response(429, text="slow down", headers={"retry-after": "0"}),
        httpx.Response(302, headers={"location": "https://consent.example"}),
    ],
)
def test_web_failure_that_passes_is_tried_again(failure: httpx.Response | Exception) -> None:
    vendor = Vendor(failure, httpx.Response(200, text="ok"))
    assert vendor.web().ask(URL, text_of) == "ok"
    assert len(vendor.requests) == 2
    assert len(vendor.waits) == 1


def test_web_lasting_failure_ends_after_three_attempts_with_the_last_reason() -> None:
    vendor = Vendor(httpx.Response(503, text="maintenance"))
    with pytest.raises(VendorDown, match="503: maintenance"):
        vendor.web().ask(URL, text_of)
    assert len(vendor.requests) == 3


def test_web_refusal_is_not_tried_again() -> None:
    vendor = Vendor(httpx.Response(200, text="no"))

    def refuse(answer: VendorAnswer) -> str:
        raise VendorRefused(answer.text)

    with pytest.raises(VendorRefused):
        vendor.web().ask(URL, refuse)
    assert len(vendor.requests) == 1


def test_web_short_retry_after_is_waited_for() -> None:
    vendor = Vendor(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200, text="ok"))
    assert vendor.web().ask(URL, text_of) == "ok"
    assert vendor.waits[0] >= 7


@pytest.mark.parametrize("header", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_web_long_retry_after_is_left_to_the_poller(header: str) -> None:
    vendor = Vendor(httpx.Response(429, headers={"retry-after": header}))
    with pytest.raises(VendorDown) as caught:
        vendor.web().ask(URL, text_of)
    assert len(vendor.requests) == 1
    assert (caught.value.retry_after or 0) >= 3600


def test_web_limit_that_names_no_time_leaves_the_vendor_alone_for_a_minute_whatever_is_asked() -> None:
    moment = 1000.0
    vendor = Vendor(httpx.Response(429, text="slow down"), httpx.Response(200, text="ok"))
    web = vendor.web(now=lambda: moment)
    with pytest.raises(VendorDown, match="429: slow down") as caught:
        web.ask(URL + "/A", text_of)
    assert caught.value.retry_after == 60
    moment = 1059.0
    with pytest.raises(VendorDown, match=r"429: slow down.*asked again in 1 s") as caught:
        web.ask(URL + "/B", text_of)
    assert caught.value.retry_after == 1
    assert len(vendor.requests) == 1
    moment = 1060.0
    assert web.ask(URL + "/B", text_of) == "ok"


@pytest.mark.parametrize("status", [429, 503])
def test_web_long_retry_after_holds_for_all_that_is_asked(status: int) -> None:
    moment = 0.0
    vendor = Vendor(httpx.Response(status, headers={"retry-after": "3600"}))
    web = vendor.web(now=lambda: moment)
    for _ in range(3):
        with pytest.raises(VendorDown):
            web.ask(URL, text_of)
    assert len(vendor.requests) == 1
    moment = 3600.0
    with pytest.raises(VendorDown):
        web.ask(URL, text_of)
    assert len(vendor.requests) == 2


def test_web_limit_that_the_reader_finds_in_a_200_holds_for_all_that_is_asked() -> None:
    vendor = Vendor(httpx.Response(200, text="too much"))
    web = vendor.web(now=lambda: 0.0)

    def limited(answer: VendorAnswer) -> str:
        raise VendorDown(answer.text, 60.0)

    for _ in range(2):
        with pytest.raises(VendorDown, match="too much"):
            web.ask(URL, limited)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("text", "blamed"),
    [
        ("Invalid API key", True),
        ("the parameter apikey is invalid or missing. Please claim your free API key", True),
        ("Unknown Api-Key", True),
        ("We have detected your API key as X and our rate limit is 25 requests per day", False),
        ("Your API key is not entitled to this data", False),
        ("Your plan does not include this; upgrade your API key", False),
        ("no such symbol", False),
        ("", False),
    ],
)
def test_words_about_a_wrong_key_are_told_from_those_about_what_a_right_one_may_do(text: str, blamed: bool) -> None:
    assert blames_key(text) is blamed


def test_web_reader_that_breaks_on_an_answer_is_a_vendor_that_is_down() -> None:
    vendor = Vendor(httpx.Response(200, text="x"))

    def broken(answer: VendorAnswer) -> str:
        raise KeyError(f"SECRETKEY {answer.text}")

    with pytest.raises(VendorDown, match="KeyError") as caught:
        vendor.web().ask(URL, broken)
    assert "SECRETKEY" not in str(caught.value)


def test_web_key_echoed_by_the_vendor_never_shows() -> None:
    vendor = Vendor(httpx.Response(500, text=recorded("alphavantage_limit.json")))
    with pytest.raises(VendorDown) as caught:
        vendor.web().ask(URL, text_of, params={"apikey": "SECRETKEY"})
    assert "SECRETKEY" not in str(caught.value)
    assert "***" in str(caught.value)


def test_budget_minute_spent_waits_until_the_oldest_request_is_a_minute_old() -> None:
    now = 0.0
    budget = Budget(2, 0, lambda: now)
    assert [budget.take(), budget.take()] == [0, 0]
    now = 20.0
    assert budget.take() == 40.0
    now = 60.0
    assert budget.take() == 0


def test_budget_day_spent_waits_longer_than_the_minute() -> None:
    budget = Budget(1, 2, iter([0.0, 100.0, 200.0]).__next__)
    assert [budget.take(), budget.take()] == [0, 0]
    assert budget.take() == DAY - 200


def test_budget_spent_for_the_day_is_reported_with_the_wait() -> None:
    vendor = Vendor(httpx.Response(200, text="ok"))
    web = vendor.web(budget=Budget(0, 1))
    web.ask(URL, text_of)
    with pytest.raises(VendorDown, match="budget") as caught:
        web.ask(URL, text_of)
    assert len(vendor.requests) == 1
    assert (caught.value.retry_after or 0) > 3600


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("the key s3cr+t/k= is wrong", "the key *** is wrong"),
        ("no such page: /q?key=s3cr%2Bt%2Fk%3D", "no such page: /q?key=***"),
        ("no such page: /q?key=s3cr%2bt/k%3d", "no such page: /q?key=***"),
        ("S3CR+T/K= is wrong", "*** is wrong"),
        ("x" * 112 + "s3cr+t/k=", "x" * 112 + "***…"),  # cut inside the key
        ("x" * 112 + "s3cr%2Bt%2Fk%3D", "x" * 112 + "***…"),
        ("x" * 119 + "s3cr+t/k=", "x" * 119 + "s…"),
    ],
)
def test_web_key_never_shows_however_it_is_written_or_cut(said: str, left: str) -> None:
    assert redacted(excerpt(said), ["s3cr+t/k=", ""]) == left


def test_vendors_words_cannot_steer_a_terminal() -> None:
    assert excerpt("\x1b]0;pwned\x07 down\x1b[2J \u202egnp\n\tbusy") == "�]0;pwned� down�[2J �gnp busy"
