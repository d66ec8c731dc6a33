"""A gateway that asks for tokens, as a person meets it: who has none is kept out, who has one is let in."""

import json
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.access.tokens import new_token, token_entry
from projections.settings import ProjectionSettings
from stack.services.web_build import build_web
from stack.settings import StackSettings
from stack.terminal import Terminal
from tests.e2e.conftest import PATIENCE
from tests.e2e.test_accessibility import AXE, RULES
from tests.integration.gatewaying import GatewayProcess, bars, publish
from tests.integration.projecting import Running
from tests.support.topics import clear_topics

OWNER, READER = new_token(), new_token()


@pytest.fixture(scope="module")
def gateway(isolated_module, tmp_path_factory) -> Iterator[GatewayProcess]:
    """A gateway with two tokens over the bars of five symbols; it serves the built app."""
    own = StackSettings().layout()
    own.logs.mkdir(parents=True, exist_ok=True)
    build_web(own, Terminal())
    tokens = [token_entry("owner", {"read", "predict"}, OWNER), token_entry("reader", {"read"}, READER)]
    settings = ProjectionSettings(snapshot_seconds=0)
    publish(settings, bars(500))
    with Running(settings) as running:
        running.catch_up()
    wishes = {"FORETICK_TOKENS": json.dumps(tokens), "FORETICK_WEB": str(own.web)}
    gateway = GatewayProcess(tmp_path_factory.mktemp("gateway"), isolated_module.environment | wishes)
    gateway.start()
    yield gateway
    gateway.end(signal.SIGKILL)
    clear_topics(settings)


@pytest.fixture(params=["dark", "light"])
def visitor(browser: Browser, gateway: GatewayProcess, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser that has shown nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=request.param)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(gateway.url)
    yield page
    context.close()


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_visitor_without_a_token_is_led_to_sign_in_and_a_wrong_one_is_refused(visitor, gateway):
    expect(visitor).to_have_url(f"{gateway.url}/sign-in")
    visitor.evaluate(AXE.read_text())
    found = visitor.evaluate("rules => axe.run(document, rules)", RULES)
    assert not found["violations"], found["violations"]
    sign_in(visitor, "ftk_stranger")
    expect(visitor.get_by_role("alert")).to_have_text("The token is not known here.")
    visitor.goto(gateway.url + "/leaderboard")
    expect(visitor).to_have_url(f"{gateway.url}/sign-in")


def test_visitor_with_a_token_sees_the_market_and_its_stream(visitor, gateway):
    sign_in(visitor, OWNER)
    # No producers tell it the market's hours: what is connected claims to be neither live nor closed.
    expect(visitor.get_by_test_id("connection-badge")).to_have_attribute("data-state", "unknown")
    expect(visitor.get_by_test_id("symbol-IBM")).to_be_visible()
    expect(visitor.locator("[data-testid=chart] canvas").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_visitor_who_has_signed_in_signs_out_from_any_page(visitor, gateway, width):
    sign_in(visitor, OWNER)
    visitor.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/leaderboard", "/pipeline", "/try", "/time-machine"):
        visitor.goto(gateway.url + path)
        expect(visitor.get_by_test_id("sign-out")).to_be_in_viewport()
    if width > 1000:
        visitor.get_by_role("link", name="owner").click()
        expect(visitor.get_by_text("Where you are signed in")).to_be_visible()
        visitor.evaluate(AXE.read_text())
        found = visitor.evaluate("rules => axe.run(document, rules)", RULES)
        assert not found["violations"], found["violations"]
        visitor.go_back()
    left_open = visitor.context.new_page()
    left_open.goto(gateway.url)
    expect(left_open.get_by_test_id("symbol-IBM")).to_be_visible()
    visitor.get_by_test_id("sign-out").click()
    expect(visitor).to_have_url(f"{gateway.url}/sign-in")
    visitor.goto(gateway.url + "/leaderboard")
    expect(visitor).to_have_url(f"{gateway.url}/sign-in")
    expect(left_open.get_by_test_id("trouble")).to_contain_text("This gateway wants a token")
    left_open.get_by_test_id("sign-in").first.click()
    expect(left_open).to_have_url(f"{gateway.url}/sign-in")


def test_visitor_whose_token_may_only_read_is_told_so_when_asking_for_a_prediction(visitor, gateway):
    sign_in(visitor, READER)
    expect(visitor.locator("[data-testid=chart] canvas").first).to_be_visible()
    visitor.get_by_test_id("predict-button").click()
    expect(visitor.get_by_text("This token does not allow it")).to_be_visible()
