"""What does not move, and what is told: pages that load, a gateway that falls silent, reads that fail, a late bar."""

import json
import os
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from contracts.ids import stamp
from stack.layout import Layout
from stack.services.supervisor import Supervisor
from tests.e2e.conftest import set_clock
from tests.e2e.test_accessibility import PAGES, open_page
from tests.e2e.test_browser import CONNECTED, last_bar, wait_for_a_later_bar, wait_for_history

SHIFT = 0.1  # web.dev's bound of a good page
SUM_SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
}"""


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", PAGES)
def test_page_stands_still_while_it_loads(browser: Browser, market: Layout, path: str, width: int) -> None:
    page = open_page(browser, market, path, "dark", width)
    page.wait_for_load_state("networkidle")
    page.evaluate(SUM_SHIFTS)  # buffered: it counts from the first frame on
    page.wait_for_timeout(2000)  # what comes late moves things, too
    shifted = page.evaluate("() => window.shifted")
    page.context.close()
    assert shifted < SHIFT


def test_gateway_that_falls_silent_is_told_within_six_seconds(page: Page, market: Layout) -> None:
    badge = page.get_by_test_id("connection-badge")
    expect(badge).to_have_attribute("data-state", CONNECTED)
    wait_for_history(page)
    gateway = Supervisor(market).states()["gateway"].pid
    os.kill(gateway, signal.SIGSTOP)
    began = time.monotonic()
    try:
        expect(badge).to_have_attribute("data-state", "silent")
        told_after = time.monotonic() - began
        expect(badge).to_contain_text("no word for")
    finally:
        os.kill(gateway, signal.SIGCONT)
    assert told_after < 6.5  # half a second for the look itself
    expect(badge).to_have_attribute("data-state", CONNECTED)


def test_reads_that_fail_are_one_alert_with_a_countdown_and_come_back(browser: Browser, market: Layout) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    away = {"content-type": "application/problem+json"}, json.dumps({"detail": "MongoDB does not answer"})
    for path in ("**/api/leaderboard*", "**/api/forecasts/*"):
        page.route(path, lambda route: route.fulfill(status=503, headers=away[0], body=away[1]))
    page.goto(market.url("gateway"))
    expect(page.get_by_test_id("load-trouble")).to_have_count(2)
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_test_id("trouble-again")).to_contain_text("Trying again")
    expect(page.get_by_test_id("model-version")).to_be_visible()  # what can be read is
    page.unroute_all()
    page.get_by_test_id("trouble-now").click()
    expect(page.get_by_test_id("forecast-table")).to_be_visible()
    expect(page.get_by_test_id("leaderboard")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    context.close()


def test_page_of_a_replay_does_not_tell_the_date_of_the_wall_before_it_knows_the_clock(
    browser: Browser, market: Layout
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.route("**/api/pipeline", lambda route: route.abort())
    page.goto(market.url("gateway"))
    expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-state", "unknown")
    expect(page.get_by_test_id("market-clock")).to_have_text("")
    page.unroute_all()
    expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-state", CONNECTED)
    context.close()


def test_bar_that_comes_late_is_drawn_in_its_place(page: Page, market: Layout) -> None:
    """A bar before the newest, as a late correction brings it; the page's fixture fails on what the chart refuses."""
    sockets: list[WebSocketRoute] = []

    def listen(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/live", listen)
    page.reload()
    held = wait_for_history(page)
    wait_for_a_later_bar(page)
    set_clock(market, running=False)
    items: list[dict[str, Any]] = httpx.get(market.url("gateway", "/api/bars/AAPL?limit=1")).json()["items"]
    late = datetime.fromisoformat(items[0]["closed_at"]) - timedelta(hours=8)
    bar = items[0] | {"closed_at": stamp(late), "opened_at": stamp(late - timedelta(hours=6)), "revision": 0}
    sockets[-1].send(json.dumps({"type": "bar", "topic": "stock-data", "partition": 99, "offset": 0, "data": bar}))
    page.wait_for_function(
        "least => +document.querySelector('[data-testid=bars-count]').dataset.count > least", arg=held + 1
    )
    assert last_bar(page) > late
    set_clock(market, running=True)
    wait_for_a_later_bar(page)  # the chart takes what comes after it
