"""What a user may say about where the stack lives."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from stack.services.table import services
from stack.settings import StackSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in (
        "FORETICK_HOME",
        "FORETICK_CACHE",
        "FORETICK_PORT_OFFSET",
        "FORETICK_SOURCE",
        "FORETICK_YAHOO_URL",
        "FORETICK_MONGODB",
        "FORETICK_MONGOD",
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


def test_cache_of_a_user_without_a_home_is_in_this_stacks_home(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    assert StackSettings().layout().cache == tmp_path / "cache" / "foretick"


@pytest.fixture
def installed(monkeypatch, tmp_path) -> Path:
    """A `mongod` on the PATH."""
    program = tmp_path / "mongod"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def started(layout) -> list[str]:
    """Return the command of the document server that `up` would start, nothing where there is none."""
    return [part for service in services(layout) if service.name == "mongodb" for part in service.command]


def test_mongod_that_is_installed_is_used_and_has_a_folder_of_its_own(installed):
    layout = StackSettings().layout()
    (service,) = (each for each in services(layout) if each.name == "mongodb")
    assert service.command[0] == str(installed)
    assert service.folder == layout.data / "mongod"
    assert "FORETICK_MONGOD=embedded" in service.remedy


def test_embedded_server_is_used_where_nothing_is_installed_or_it_is_wanted(installed, monkeypatch):
    monkeypatch.setenv("FORETICK_MONGOD", "embedded")
    assert started(StackSettings().layout())[0].endswith("secantusd-py")
    monkeypatch.delenv("FORETICK_MONGOD")
    installed.unlink()
    assert started(StackSettings().layout())[0].endswith("secantusd-py")


def test_mongod_that_is_named_and_not_there_is_told(monkeypatch):
    monkeypatch.setenv("FORETICK_MONGOD", "/nowhere/mongod")
    with pytest.raises(ValidationError, match="no such program"):
        StackSettings()


def test_document_server_of_the_users_is_used_and_none_is_started(monkeypatch):
    own = StackSettings().layout().environment()["FORETICK_MONGODB"]
    for uri, starts in ((own, True), ("mongodb://db.example:27017/?tls=true", False)):
        monkeypatch.setenv("FORETICK_MONGODB", uri)
        layout = StackSettings().layout()
        assert layout.environment()["FORETICK_MONGODB"] == uri
        assert bool(started(layout)) == starts
