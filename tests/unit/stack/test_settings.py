"""What a user may say about where the stack lives."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from stack.settings import StackSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in (
        "FORETICK_HOME",
        "FORETICK_CACHE",
        "FORETICK_PORT_OFFSET",
        "FORETICK_SOURCE",
        "FORETICK_YAHOO_URL",
        "XDG_CACHE_HOME",
    ):
        monkeypatch.delenv(name, raising=False)


def test_layout_of_nothing_said_is_under_the_project(monkeypatch):
    layout = StackSettings().layout()
    assert layout.home == layout.project / ".foretick"
    assert layout.cache == Path.home() / ".cache" / "foretick"


def test_layout_of_a_relative_home_is_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORETICK_HOME", "here")
    assert StackSettings().layout().home == tmp_path / "here"


@pytest.mark.parametrize("name", ["FORETICK_CACHE", "XDG_CACHE_HOME"])
def test_cache_follows_the_environment(monkeypatch, name):
    monkeypatch.setenv(name, "/srv/cache")
    expected = {"FORETICK_CACHE": "/srv/cache", "XDG_CACHE_HOME": "/srv/cache/foretick"}[name]
    assert StackSettings().layout().cache == Path(expected)


@pytest.mark.parametrize("offset", ["-1", "60000", "many"])
def test_port_offset_that_leaves_the_range_is_refused(monkeypatch, offset):
    monkeypatch.setenv("FORETICK_PORT_OFFSET", offset)
    with pytest.raises(ValidationError, match="port_offset"):
        StackSettings()


def test_layout_of_a_real_vendor_has_no_simulated_clock(monkeypatch):
    monkeypatch.setenv("FORETICK_SOURCE", "alphavantage")
    layout = StackSettings().layout()
    assert not layout.replay
    assert "FORETICK_CLOCK_URL" not in layout.environment()


def test_layout_of_the_default_source_is_replayed_even_when_its_address_is_told(monkeypatch):
    told = StackSettings().layout().environment()["FORETICK_YAHOO_URL"]
    monkeypatch.setenv("FORETICK_YAHOO_URL", told)
    assert StackSettings().layout().replay
