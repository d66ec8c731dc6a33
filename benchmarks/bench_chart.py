"""The chart: frames a second and from a bar's event time until it is painted, in headless Chromium over real Kafka.

    .venv/bin/python benchmarks/bench_chart.py [--quick]

The built app is served by a gateway process that reads Kafka; the page holds 2,000 bars, a champion's fan and the
random walk's, and all of it is in view. 50 events a second are published, each a correction of the newest bar, once a
second a new bar with new forecasts. Beside it, in the same browser and from the same gateway: the same bars and volumes
without fans, legends and lists, drawn with the same library as its tutorial has it (`update` for each message) and as
many pages have it (`setData` for each message).

`still`: nobody touches the chart. `scrolled`: it is moved in each frame, so that each frame is drawn again. Painted is
when the first task after the frame runs that drew the bar's close, or a newer one's. `main thread` is the share of time
that the page's main thread was busy. Chromium draws without a GPU, at most 60 frames a second. Medians and ranges.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
from bench_predict import free_port
from chart_market import SYMBOL, Market
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table
from servers import corner, servers

from stack.services.web_build import build_web

HERE = Path(__file__).parent
LIBRARY = HERE.parent / "web/node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.js"
BARS, RATE = 2000, 50
PAGES = {"Foretick": "/", "update for each": "/chart_rival.html", "setData for each": "/chart_rival.html?anew"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run",
         # The rival's page is given to the browser by us: it would not know that its sockets stay on this machine.
         "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement: frames a second, times in milliseconds, the main thread in percent."""

    frames: float
    frame_p99: float
    p50: float
    p99: float
    busy: float


@contextmanager
def process(module: str, log: Path, **environment: str) -> Iterator[None]:
    """Run a service of ours."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            (sys.executable, "-m", module), env=os.environ | environment, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def until_served(url: str, seconds: float = 120) -> None:
    """Wait until the gateway answers the whole history."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if len(httpx.get(f"{url}/api/bars/{SYMBOL}?limit={BARS}", timeout=5).json().get("items", ())) == BARS:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer {BARS} bars within {seconds:g} s")


def opened(browser: Browser, url: str, path: str) -> Page:
    """Open a page, and wait until it holds all bars and has them in view."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.route("**/chart_rival.*", lambda route: route.fulfill(path=HERE / Path(route.request.url).name.split("?")[0]))
    page.route("**/library.js", lambda route: route.fulfill(path=LIBRARY))
    page.goto(url + path)
    if path == "/":
        page.locator("[data-testid=chart] canvas").first.wait_for(timeout=60_000)
        page.get_by_test_id("range-All").click()
    page.wait_for_function(
        "bars => +document.querySelector('[data-testid=bars-count]')?.dataset.count >= bars", arg=BARS, timeout=60_000
    )
    page.evaluate((HERE / "chart_watch.js").read_text())
    return page


def measure(browser: Browser, url: str, path: str, scrolled: bool, market: Market, seconds: float) -> Result:
    """Watch one page for a while."""
    page = opened(browser, url, path)
    try:
        inspector = page.context.new_cdp_session(page)
        inspector.send("Performance.enable")

        def busy() -> float:
            return next(each["value"] for each in inspector.send("Performance.getMetrics")["metrics"]
                        if each["name"] == "TaskDuration")  # fmt: skip

        page.evaluate("scrolled => watch(scrolled)", scrolled)
        page.wait_for_timeout(2000)
        page.evaluate("() => watched()")
        before, begun = busy(), time.time()
        page.wait_for_timeout(seconds * 1000)
        used, took = busy() - before, time.time() - begun
        seen = page.evaluate("() => watched()")
    finally:
        page.close()
    gaps = [b - a for a, b in pairwise(seen["frames"])]
    delays = market.delays(seen["painted"])
    cuts = quantiles(delays, n=100) if len(delays) > 1 else [float("inf")] * 99
    return Result(
        len(seen["frames"]) / took, quantiles(gaps, n=100)[98], cuts[49] * 1e3, cuts[98] * 1e3, used / took * 100
    )


def middle(results: list[Result]) -> list[str]:
    """Return the median of each figure, and its range."""
    return [
        f"{median(values):,.0f} ({min(values):,.0f}-{max(values):,.0f})" if len(values) > 1 else f"{values[0]:,.0f}"
        for values in ([getattr(result, name) for result in results] for name in Result.__slots__)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="once each, 4 seconds")
    wish = parser.parse_args()
    repeat, seconds = (1, 4.0) if wish.quick else (3, 8.0)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    console = Console(stderr=True)
    if chromium is None:
        raise SystemExit("No Chromium found: install it (Debian, Ubuntu: apt install chromium).")
    with ExitStack() as parts:
        running = parts.enter_context(servers())
        build_web(running.layout, console)
        settings = parts.enter_context(corner(running))
        folder = Path(parts.enter_context(TemporaryDirectory(prefix="foretick-bench-")))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        market = Market(settings)
        market.publish_history(BARS)
        parts.enter_context(process("projections.main", folder / "projections.log"))
        patient = {"FORETICK_GATEWAY_PORT": str(port), "FORETICK_MONGODB_SECONDS": "30"}
        parts.enter_context(process("gateway.main", folder / "gateway.log", **patient))
        until_served(url)
        stop = threading.Event()
        feeding = threading.Thread(target=market.feed, args=(RATE, stop))
        feeding.start()
        parts.callback(feeding.join)
        parts.callback(stop.set)
        playwright = parts.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        plan = [(name, scrolled) for scrolled in (False, True) for name in PAGES] * repeat
        found: dict[tuple[str, bool], list[Result]] = {}
        for name, scrolled in track(plan, description="watching", console=console):
            result = measure(browser, url, PAGES[name], scrolled, market, seconds)
            found.setdefault((name, scrolled), []).append(result)
        browser.close()
    table = Table(title=f"{BARS:,} bars, {RATE} updates a second; {seconds:g} s, median (range) of {repeat}")
    for column in ("", "", "frames/s", "frame p99 ms", "event to paint p50 ms", "p99 ms", "main thread %"):
        table.add_column(column, justify="left" if not column else "right")
    for (name, scrolled), results in found.items():
        table.add_row("scrolled" if scrolled else "still", name, *middle(results))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
