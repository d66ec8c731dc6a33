"""The walks of a visitor, in a real browser against the real system."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from pymongo import MongoClient

from contracts.events import BarClosed
from contracts.ids import stamp
from contracts.topics import STOCK_DATA
from producers.exchange.api import COMMAND
from stack.services.supervisor import Supervisor
from streaming.reader import read_all
from tests.e2e.conftest import PATIENCE, set_clock
from tests.support.supervised import kill
from tests.support.waiting import until

CONNECTED = re.compile("live|replaying|recovered")
PICTURES = Path(__file__).parents[2] / "docs" / "images"


def picture(page: Page, name: str) -> None:
    """Write a picture of the README, on request: a test run does not touch the work tree."""
    if os.environ.get("FORETICK_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(600)  # the canvas is drawn in the frame after its data
        page.screenshot(path=PICTURES / f"{name}.png")


def last_bar(page: Page) -> datetime:
    return datetime.fromisoformat(page.get_by_test_id("last-bar-date").get_attribute("data-closed-at"))


def wait_for_a_later_bar(page: Page) -> None:
    before = page.get_by_test_id("last-bar-date").get_attribute("data-closed-at")
    page.wait_for_function(
        "before => document.querySelector('[data-testid=last-bar-date]')?.dataset.closedAt > before",
        arg=before,
        timeout=PATIENCE,
    )


def wait_for_history(page: Page) -> int:
    """Wait until the page holds its snapshot, not only what was streamed since; return how many bars it holds."""
    handle = page.wait_for_function(
        "() => { const n = +document.querySelector('[data-testid=bars-count]')?.dataset.count; return n > 400 && n; }",
        timeout=PATIENCE,
    )
    return int(handle.json_value())


def visit(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def bars_in_mongodb(system, symbol: str, first: datetime, last: datetime) -> list[dict]:
    with MongoClient(system.environment()["FORETICK_MONGODB"], tz_aware=True) as client:
        where = {"symbol": symbol, "interval": "P1D", "closed_at": {"$gte": first, "$lte": last}}
        return list(client["stock_db"]["stock_data"].find(where).sort("closed_at"))


def test_page_shows_live_bars_of_every_symbol(page):
    expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-state", CONNECTED)
    for symbol in ("AAPL", "GOOG", "IBM", "MSFT"):
        expect(page.get_by_test_id(f"symbol-{symbol}")).to_be_visible()
    first = last_bar(page)
    wait_for_a_later_bar(page)
    assert last_bar(page) > first


def test_page_shows_the_champion_and_its_fan(page):
    expect(page.get_by_test_id("model-version")).to_contain_text("v")
    expect(page.get_by_test_id("fan-legend")).to_contain_text("champion")
    expect(page.get_by_test_id("forecast-table")).to_contain_text("Random walk")
    expect(page.locator("[data-testid=chart] canvas").first).to_be_visible()
    wait_for_a_later_bar(page)
    picture(page, "market")
    page.get_by_test_id("theme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    picture(page, "market-light")


def test_chart_switched_in_every_way_keeps_its_bars(page):
    held = wait_for_history(page)
    for control in ("style-line", "scale-log", "scale-percent", "adjusted", "adjusted", "range-1Y", "style-candles"):
        page.get_by_test_id(control).click()
    page.get_by_test_id("scale-linear").click()
    page.get_by_test_id("compare").select_option("MSFT")
    expect(page.get_by_test_id("scale-percent")).to_have_attribute("aria-pressed", "true")
    picture(page, "comparison")
    page.get_by_test_id("compare").select_option("")
    canvas = page.get_by_role("application")
    canvas.focus()
    before = page.get_by_test_id("ohlcv").inner_text()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    expect(page.get_by_test_id("ohlcv")).not_to_have_text(before)
    assert wait_for_history(page) >= held


def test_all_of_a_history_is_the_whole_of_mongodb(page, market):
    wait_for_history(page)
    page.get_by_test_id("range-All").click()
    page.wait_for_function("() => +document.querySelector('[data-testid=bars-count]').dataset.count > 2700")
    set_clock(market, running=False)
    assert_page_holds_what_mongodb_holds(page, market, "AAPL")


def test_chart_on_a_phone_is_zoomed_by_keys_and_fingers_and_lets_the_page_scroll(browser, market):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(market.url("gateway"))
    wait_for_history(page)
    canvas = page.get_by_role("application")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = {"x": box["x"] + box["width"] / 3, "y": box["y"] + box["height"] / 2}

    def in_view(least: int, most: int) -> int:
        """Wait until the chart shows so many bars; return how many."""
        page.wait_for_function(
            "([least, most]) => { const n = +document.querySelector('[role=application]').dataset.inView;"
            " return least <= n && n <= most; }",
            arg=[least, most],
        )
        return int(canvas.get_attribute("data-in-view"))

    page.get_by_test_id("range-1Y").tap()
    whole = in_view(240, 270)
    canvas.focus()
    page.keyboard.press("+")
    closer = in_view(1, whole - 1)
    finger = context.new_cdp_session(page)
    for apart, kind in ((40, "touchStart"), (60, "touchMove"), (90, "touchMove"), (120, "touchMove"), (0, "touchEnd")):
        points = [{"x": middle["x"] + side * apart, "y": middle["y"], "id": side} for side in (0, 1)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if apart else []})
    in_view(1, closer - 1)
    page.get_by_test_id("range-fit").tap()
    in_view(whole - 2, whole + 2)
    before = page.evaluate("scrollY")
    swipe = [(middle["y"] - by, "touchMove" if by else "touchStart") for by in (0, 20, 60, 120)]
    for y, kind in [*swipe, (0.0, "touchEnd")]:
        points = [{"x": middle["x"], "y": y}] if y else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("before => scrollY > before", arg=before)  # a finger on the chart does not hold the page
    context.close()


def test_slider_walks_back_to_a_past_forecast(page):
    wait_for_history(page)
    wait_for_a_later_bar(page)
    slider = page.get_by_test_id("walk-slider")
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("walk-said")).to_contain_text("inside 80 %")
    origin = page.get_by_test_id("walk-said").get_attribute("data-origin")
    assert datetime.fromisoformat(origin) < last_bar(page)
    picture(page, "past-forecast")
    page.get_by_test_id("walk-now").click()
    expect(page.get_by_test_id("walk-said")).to_have_text("the newest forecast")


def test_prediction_on_request_is_shown(page):
    page.get_by_test_id("symbol-MSFT").click()
    for _ in range(3):  # a model that is late on a busy machine says so, and a visitor asks again
        with page.expect_response("**/predict") as answer:
            # The address moves first: until then the button asks for the symbol before.
            page.get_by_role("button", name="Predict MSFT").click()
        if answer.value.ok:
            break
        assert answer.value.json()["type"].endswith("prediction-late"), answer.value.text()
    expect(page.get_by_test_id("prediction-table")).to_be_visible()


def test_lineage_of_a_forecast_names_its_events_and_its_run(page, market):
    page.get_by_test_id("forecast-table").get_by_role("link").first.click()
    chain = page.get_by_test_id("lineage")
    expect(chain).to_contain_text("stock-data")
    forecast_id = page.url.rsplit("/", 1)[-1].split("?")[0]
    told = httpx.get(market.url("gateway", f"/api/lineage/{forecast_id}")).raise_for_status().json()
    expect(chain).to_contain_text(told["lineage"]["input_sha256"])
    run = page.get_by_test_id("lineage-run").get_attribute("href")
    assert run.endswith(f"/#/runs/{told['model']['run_id']}")
    picture(page, "lineage")


def test_leaderboard_sorts_and_filters(page, market):
    visit(page, "Leaderboard")
    table = page.get_by_test_id("leaderboard-page")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    expect(page.get_by_role("columnheader", name="Skill")).to_have_attribute("aria-sort", "descending")
    page.get_by_test_id("sort-mase").click()
    expect(page.get_by_role("columnheader", name="MASE")).to_have_attribute("aria-sort", "ascending")
    for rows in ("tr:not(.row-few)", "tr.row-few"):  # those of too few sessions come last, whatever one sorts by
        cells = [cell.inner_text() for cell in table.locator(f"tbody {rows} td:nth-of-type(4)").all()]
        assert cells == sorted(cells)
    page.get_by_test_id("leaderboard-symbol").select_option("IBM")
    page.get_by_test_id("leaderboard-step").select_option("2")
    expect(table.locator("tbody td:nth-of-type(1)").first).to_have_text("2")
    picture(page, "leaderboard")


def test_pipeline_shows_services_topics_and_read_models(page):
    visit(page, "Pipeline")
    for name in ("producers", "projections", "forecasting", "scoring"):
        expect(page.get_by_test_id("pipeline-services")).to_contain_text(name)
    expect(page.get_by_test_id("pipeline-topics")).to_contain_text("stock-data")
    expect(page.get_by_test_id("pipeline-models")).to_contain_text("leaderboard")
    expect(page.get_by_test_id("pipeline-training")).to_contain_text("champion")
    expect(page.get_by_test_id("pipeline-dead")).to_have_text("0")
    page.wait_for_timeout(7000 if os.environ.get("FORETICK_PICTURES") else 0)  # rates to draw
    picture(page, "pipeline")


def test_csv_of_ones_own_is_forecast(page, tmp_path):
    visit(page, "Try it")
    page.get_by_test_id("try-csv").fill("date,close\n2012-01-03,ten\n")
    expect(page.get_by_test_id("try-faults")).to_contain_text("Line 2")
    expect(page.get_by_test_id("try-ask")).to_be_disabled()
    rows = [f"2012-{1 + day // 28:02}-{1 + day % 28:02},{100 + day % 7}" for day in range(90)]
    file = tmp_path / "prices.csv"
    file.write_text("\n".join(["date,close", *rows]))
    page.get_by_test_id("try-file").set_input_files(file)
    expect(page.get_by_test_id("try-read")).to_contain_text("90 bars read")
    page.get_by_test_id("try-ask").click()
    expect(page.get_by_test_id("prediction-table").locator("tbody tr")).to_have_count(5)
    expect(page.get_by_test_id("try-chart")).to_have_attribute("data-fans", "1")
    page.get_by_test_id("try-sample").click()
    expect(page.get_by_test_id("try-read")).to_contain_text("250 bars read")
    page.get_by_test_id("try-ask").click()
    expect(page.get_by_test_id("prediction-table")).to_be_visible()
    picture(page, "try-it")


def test_time_machine_shows_what_was_known_then(page, market):
    for _ in range(2):  # so that there is a day whose forecast has been settled
        wait_for_a_later_bar(page)
    now = last_bar(page)
    set_clock(market, running=False)
    visit(page, "Time machine")
    origin = httpx.get(market.url("gateway", "/api/forecasts/AAPL?role=CHAMPION&limit=2")).json()["items"][-1]["origin"]
    page.get_by_test_id("machine-day").fill(origin[:10])
    page.get_by_test_id("machine-day").dispatch_event("change")
    machine = page.get_by_test_id("machine")
    expect(machine).to_have_attribute("data-as-of", f"{origin[:10]}T23:59:59Z")
    assert datetime.fromisoformat(machine.get_attribute("data-last")) == datetime.fromisoformat(origin) < now
    (bar,) = bars_in_mongodb(market, "AAPL", datetime.fromisoformat(origin), datetime.fromisoformat(origin))
    assert float(page.get_by_test_id("machine-closes").get_attribute("data-last-close")) == pytest.approx(bar["close"])
    expect(page.get_by_test_id("machine-said")).to_contain_text("champion")
    picture(page, "time-machine")


def test_corrected_bar_is_redrawn(page, market, stream):
    wait_for_history(page)
    now = set_clock(market, running=False)["now"]

    def newest() -> BarClosed | None:
        """Return the bar of the session at which the clock stands, once it is in the log."""
        events = [record.event for record in read_all(stream, STOCK_DATA)]
        found = [event for event in events if event.symbol == "AAPL" and stamp(event.closed_at) == now]
        return max(found, key=lambda bar: bar.revision, default=None)

    bar = until(newest, "the last session's bar is published")
    assert_page_holds_what_mongodb_holds(page, market, "AAPL")
    close = bar.low if bar.close == bar.high else bar.high
    # The vendor's correction, not one of ours: the producers would take that back at their next look.
    correction = {"symbol": "AAPL", "session": bar.opened_at.date().isoformat(), "close": close}
    told = {"correct": correction}
    httpx.put(market.url("exchange", "/faults"), json=told, headers=COMMAND, timeout=10).raise_for_status()
    page.wait_for_function(
        "close => +document.querySelector('[data-testid=last-close]').dataset.close === close",
        arg=close,
        timeout=PATIENCE,
    )
    assert_page_holds_what_mongodb_holds(page, market, "AAPL")
    assert newest().revision > bar.revision


def test_page_misses_no_bar_while_the_gateway_is_killed(page, market):
    wait_for_history(page)
    supervisor = Supervisor(market)
    kill(supervisor, "gateway")
    expect(page.get_by_test_id("connection-badge")).not_to_have_attribute("data-state", CONNECTED)
    expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-state", CONNECTED)
    wait_for_a_later_bar(page)
    set_clock(market, running=False)
    for symbol in ("AAPL", "IBM"):
        page.get_by_test_id(f"symbol-{symbol}").click()
        assert_page_holds_what_mongodb_holds(page, market, symbol)


def assert_page_holds_what_mongodb_holds(page: Page, system, symbol: str) -> None:
    """Compare the bars on the page with the read model's, once the clock stands and both have come to its time."""
    ends = httpx.get(system.url("gateway", f"/api/bars/{symbol}?limit=1")).json()["items"]
    page.wait_for_function(
        """([symbol, last]) => {
          const held = document.querySelector('[data-testid=bars-count]')?.dataset;
          const heading = document.querySelector('h1')?.textContent;
          return heading === symbol && held?.lastClosedAt >= last && +held.count > 400;
        }""",
        arg=[symbol, ends[0]["closed_at"]],
        timeout=PATIENCE,
    )

    def agreed() -> tuple[dict[str, str], list[dict[str, Any]]] | None:
        """Compare one moment of the page; it hears of a bar from the log, at times before the read model has it."""
        held = page.get_by_test_id("bars-count").evaluate(
            "element => ({...element.dataset, ...document.querySelector('[data-testid=last-close]').dataset})"
        )
        first, last = (datetime.fromisoformat(held[name]) for name in ("firstClosedAt", "lastClosedAt"))
        stored = bars_in_mongodb(system, symbol, first, last)
        return (held, stored) if int(held["count"]) == len(stored) else None

    held, stored = until(agreed, f"the page holds as many bars of {symbol} as MongoDB")
    assert stamp(stored[-1]["closed_at"]) == stamp(datetime.fromisoformat(held["lastClosedAt"]))
    assert float(held["close"]) == stored[-1]["close"]
