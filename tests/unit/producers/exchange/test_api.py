import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from producers.exchange import api as module
from producers.exchange.api import COMMAND, application, main
from producers.exchange.replay import Exchange
from streaming.policies import by_hash
from tests.support.vendors import listings

CHART = "/v8/finance/chart/"


class Wall:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def wall() -> Wall:
    return Wall()


def opened(folder: Path, wall: Wall, pace: float | None = None, *, faults: bool = True) -> TestClient:
    exchange = Exchange(dict(listings()), folder, date(2012, 1, 3), pace, wall=wall)
    return TestClient(application(exchange, faults=faults), base_url="http://127.0.0.1", headers=COMMAND)


@pytest.fixture
def client(tmp_path: Path, wall: Wall) -> Iterator[TestClient]:
    with opened(tmp_path, wall) as client:
        yield client


@pytest.mark.parametrize("symbol", ["BF%2FB", "BF/B"])
def test_exchange_knows_the_whole_of_a_symbol_with_a_slash(client: TestClient, symbol: str) -> None:
    answer = client.get(CHART + symbol)
    assert (answer.status_code, answer.json()["chart"]["error"]["code"]) == (404, "Not Found")


def test_exchange_opens_held_at_the_close_before_the_live_session(client: TestClient) -> None:
    told = client.get("/clock").json()
    assert (told["now"], told["running"]) == ("2011-12-30T21:00:00Z", False)
    assert told["sessions_left"] == 291


def test_exchange_visited_by_a_stranger_says_what_it_is_and_links_to_what_answers(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "at the session of <b>2011-12-30</b>, held; 291 sessions are left" in page.text
    links = re.findall("href='([^']+)'", page.text)
    assert "/clock" in links
    assert any(link.startswith(CHART) for link in links)
    assert [client.get(link).status_code for link in links] == [200] * len(links)


def test_exchange_started_steps_and_resumes_where_it_was_after_a_restart(
    client: TestClient, tmp_path: Path, wall: Wall
) -> None:
    client.put("/clock", json={"running": True, "seconds_per_session": 2.0})
    wall.seconds = 5.0
    assert client.get("/clock").json()["now"] == "2012-01-04T21:00:00Z"
    wall.seconds = 1000.0  # a new process counts from another zero, and what passed while none ran does not count
    again = opened(tmp_path, wall)
    assert again.get("/clock").json()["now"] == "2012-01-04T21:00:00Z"
    assert again.get("/clock").json()["running"] is True
    wall.seconds = 1002.0
    assert again.get("/clock").json()["now"] == "2012-01-05T21:00:00Z"


def test_exchange_goes_on_at_its_pace_unless_told_another_one(client: TestClient, tmp_path: Path, wall: Wall) -> None:
    assert client.get("/clock").json()["seconds_per_session"] == 5.0
    client.put("/clock", json={"seconds_per_session": 3.0})
    assert opened(tmp_path, wall).get("/clock").json()["seconds_per_session"] == 3.0
    assert opened(tmp_path, wall, 10.0).get("/clock").json()["seconds_per_session"] == 10.0


def test_exchange_clock_is_set_and_held(client: TestClient, wall: Wall) -> None:
    client.put("/clock", json={"running": True})
    told = client.put("/clock", json={"running": False, "now": "2012-07-03T12:00:00-05:00"}).json()
    assert told["now"] == "2012-07-03T17:00:00Z"
    wall.seconds = 100.0
    assert client.get("/clock").json()["now"] == "2012-07-03T17:00:00Z"


@pytest.mark.parametrize(
    "change",
    [
        {"now": "2020-01-01T00:00:00Z"},
        {"now": "2012-01-03T21:00:00"},
        {"now": "9999-12-31T23:00:00-05:00"},  # in UTC, a time that there is not
        {"now": "0001-01-01T00:00:00+05:00"},
        {"seconds_per_session": 0},
        {"speed": 3},
    ],
)
def test_exchange_clock_refuses_nonsense(client: TestClient, change: dict[str, object]) -> None:
    assert client.put("/clock", json=change).status_code == 422
    assert client.get("/clock").json()["now"] == "2011-12-30T21:00:00Z"


def test_exchange_lists_its_shares_with_what_is_visible(client: TestClient) -> None:
    listed = {each["symbol"]: each for each in client.get("/symbols").json()}
    assert listed["FB"]["visible"] == 0
    assert listed["FB"]["first_session"] == "2012-05-18"
    assert (listed["AAPL"]["visible"], listed["AAPL"]["sessions"]) == (2979, 3270)


def test_exchange_answers_unknown_symbols_as_yahoo_does(client: TestClient) -> None:
    answer = client.get(CHART + "NOPE")
    assert answer.status_code == 404
    assert answer.json()["chart"]["error"]["code"] == "Not Found"


def test_exchange_has_daily_bars_only(client: TestClient) -> None:
    assert client.get(CHART + "AAPL", params={"interval": "1m"}).status_code == 422


@pytest.mark.parametrize(("faults", "status", "text"), [
    ({"status": 503}, 503, "<html>"), ({"status": 429}, 429, "Too Many Requests"), ({"body": "html"}, 200, "<!doctype")
])  # fmt: skip
def test_exchange_misbehaves_until_told_otherwise(
    client: TestClient, faults: dict[str, object], status: int, text: str
) -> None:
    client.put("/faults", json=faults)
    answer = client.get(CHART + "AAPL")
    assert (answer.status_code, answer.text.startswith(text)) == (status, True)
    assert client.get("/faults").json() | faults == client.get("/faults").json()
    client.put("/faults", json={})
    assert client.get(CHART + "AAPL").json()["chart"]["error"] is None


def test_exchange_that_limits_says_for_how_long_where_it_is_told_to(client: TestClient) -> None:
    client.put("/faults", json={"status": 429})
    assert "retry-after" not in client.get(CHART + "AAPL").headers
    client.put("/faults", json={"status": 429, "retry_after": 7})
    assert client.get(CHART + "AAPL").headers["retry-after"] == "7"


def test_exchange_truncates_its_answer(client: TestClient) -> None:
    client.put("/faults", json={"body": "truncated"})
    answer = client.get(CHART + "AAPL")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_exchange_corrects_a_session_for_good(client: TestClient, tmp_path: Path, wall: Wall) -> None:
    correction = {"symbol": "IBM", "session": "2011-12-30", "close": 183.5}
    assert client.put("/faults", json={"correct": correction}).json()["correct"] is None
    for again in (client, opened(tmp_path, wall)):
        [result] = again.get(CHART + "IBM").json()["chart"]["result"]
        assert result["indicators"]["quote"][0]["close"][-1] == 183.5


def test_exchange_refuses_to_correct_what_it_does_not_have(client: TestClient) -> None:
    correction = {"symbol": "IBM", "session": "2012-01-01", "close": 1}
    assert client.put("/faults", json={"correct": correction}).status_code == 422


def test_exchange_that_was_not_told_to_offers_no_faults(tmp_path: Path, wall: Wall) -> None:
    with opened(tmp_path, wall, faults=False) as client:
        assert client.get("/faults").status_code == client.put("/faults", json={}).status_code == 404
        assert "faults" not in client.get("/").text
        assert not [path for path in client.get("/openapi.json").json()["paths"] if "faults" in path]
    exchange = Exchange(dict(listings()), tmp_path, date(2012, 1, 3), None, wall=wall)
    assert TestClient(application(exchange), base_url="http://127.0.0.1").get("/faults").status_code == 404


def test_exchange_offers_what_an_operator_needs(client: TestClient) -> None:
    assert client.get("/health/ready").status_code == 200
    assert client.get("/metrics").status_code == 200


def test_exchanges_page_may_have_its_own_style_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/")
    (style,) = re.findall("<style>(.*)</style>", page.text)
    assert by_hash(style) in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text
    for path in ("/docs", "/redoc"):  # FastAPI's load scripts from elsewhere
        assert client.get(path).status_code == 404


def test_exchange_is_served_under_its_own_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []

    class Server:
        started = True

        def __init__(self, config: uvicorn.Config) -> None:
            served.append(config.app)

        def run(self) -> None:
            pass

    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    monkeypatch.setattr(module, "configure_logging", lambda service: None)
    monkeypatch.setattr(module, "load_listings", lambda: dict(listings()))
    monkeypatch.setattr(uvicorn, "Server", Server)
    assert main() == 0
    client = TestClient(served[0], base_url="http://127.0.0.1")
    assert client.get("/clock").status_code == 200
    foreign = client.get("/clock", headers={"Host": "evil.example"})
    assert (foreign.status_code, foreign.headers["X-Content-Type-Options"]) == (400, "nosniff")
    assert client.get("/faults").status_code == 404
    monkeypatch.setenv("FORETICK_EXCHANGE_FAULTS", "true")
    assert main() == 0
    assert TestClient(served[1], base_url="http://127.0.0.1").get("/faults").status_code == 200
