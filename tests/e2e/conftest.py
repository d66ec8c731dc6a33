"""A real Chromium, and a page of the app over a market that moves for as long as the tests need it."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from producers.exchange.api import COMMAND
from stack.layout import Layout
from streaming.settings import StreamSettings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
REQUIRED = os.environ.get("FORETICK_REQUIRE_CHROMIUM")
HOW = "BROWSER TESTS SKIPPED: no Chromium found. Install it (Debian, Ubuntu: apt install chromium) and run again"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip
SECONDS_PER_SESSION = 4.0
PATIENCE = 180_000  # milliseconds, for what never comes: machines are slow and shared
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM and not REQUIRED:
        pytest.skip(HOW)
    assert CHROMIUM, HOW
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def market(system: Layout) -> Iterator[Layout]:
    """Let the replay go on slowly during a test and stand still between tests: it has an end."""
    state = set_clock(system, running=True, seconds_per_session=SECONDS_PER_SESSION)
    assert state["sessions_left"] > 20, f"the replay has come to its end before the browser's tests: {state}"
    yield system
    set_clock(system, running=False)


def set_clock(system: Layout, **change: Any) -> dict[str, Any]:
    """Change the exchange's clock; return its state."""
    answer = httpx.put(system.url("exchange", "/clock"), json=change, headers=COMMAND, timeout=10).raise_for_status()
    state: dict[str, Any] = answer.json()
    return state


@pytest.fixture
def stream(system: Layout) -> StreamSettings:
    """Say where the system's log is."""
    return system.stream()


@pytest.fixture
def page(browser: Browser, market: Layout) -> Iterator[Page]:
    """Open the market page; an error in the browser's console fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if _of_the_app(said) else None)
    page.goto(market.url("gateway"))
    yield page
    context.close()
    assert not broken, broken


def _of_the_app(said: ConsoleMessage) -> bool:
    """Tell errors that the app logs, Angular's own included, from the browser's word on a network that is away."""
    return said.type == "error" and not said.text.startswith(("Failed to load resource", "WebSocket connection to"))
