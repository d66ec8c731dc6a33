"""Every page in both themes: no violation of WCAG AA that axe finds, nothing wider than a phone, a light first load."""

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from stack.layout import Layout
from tests.support.waiting import until

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PAGES = {
    "/": "[data-testid=chart] canvas",
    "/leaderboard": "[data-testid=leaderboard-page] tbody tr",
    "/pipeline": "[data-testid=pipeline-models] tbody tr",
    "/try": "[data-testid=try-csv]",
    "/time-machine": "[data-testid=machine]",
    "/lineage/ID": "[data-testid=lineage]",
}


def address(system: Layout, path: str) -> str:
    """Return where a page is; the lineage is that of the first forecast there is."""
    if "ID" not in path:
        return system.url("gateway", path)
    url = system.url("gateway", "/api/forecasts/AAPL?limit=1")
    items = until(lambda: httpx.get(url, timeout=20).raise_for_status().json()["items"], "a forecast of AAPL")
    return system.url("gateway", path.replace("ID", items[0]["forecast_id"]))


def open_page(browser: Browser, system: Layout, path: str, theme: str, width: int) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_init_script(f"localStorage.setItem('foretick.theme', '{theme}')")
    page = context.new_page()
    page.goto(address(system, path))
    expect(page.locator(PAGES[path]).first).to_be_visible()
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_violation_that_axe_finds(browser, market, path, theme):
    page = open_page(browser, market, path, theme, 1280)
    assert page.locator("html").get_attribute("data-theme") == theme
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    told = [(each["id"], each["help"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
    page.context.close()
    assert not told, json.dumps(told, indent=2)
    assert len(found["passes"]) > 10


@pytest.mark.parametrize("path", PAGES)
def test_page_on_a_phone_does_not_scroll_sideways(browser, market, path):
    page = open_page(browser, market, path, "light", 390)
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    page.context.close()
    assert wide <= 390


def test_first_load_without_charts_is_below_200_kilobytes(browser, market):
    context = browser.new_context()
    page = context.new_page()
    page.goto(market.url("gateway", "/leaderboard"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Leaderboard")
    sizes = page.evaluate(
        """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
          .filter(({name, entryType}) => entryType === 'navigation' || /\\.(js|css|svg)$/.test(name))
          .map(({name, transferSize}) => [name, transferSize])"""
    )
    context.close()
    assert all(size > 0 for _, size in sizes), sizes
    assert sum(size for _, size in sizes) < 200_000, sizes
