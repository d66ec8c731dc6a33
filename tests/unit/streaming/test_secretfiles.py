"""Secrets come from files, too; the environment wins, and an empty variable says nothing."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from forecasting.settings import ServeSettings
from gateway.settings import GatewaySettings
from producers.catalogue import source_from
from producers.settings import ProducerSettings
from producers.sources.base import VendorRefused
from projections.settings import ProjectionSettings
from stack.run.validation import settings_faults
from stack.settings import StackSettings
from streaming.secretfiles import secret_fields
from streaming.settings import StreamSettings

URI = "mongodb://127.0.0.1:1/?appName=file"
SETTINGS = (StreamSettings, ProducerSettings, ProjectionSettings, ServeSettings, GatewaySettings, StackSettings)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETICK_SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_secrets_are_read_from_the_folder_that_is_named_as_kubernetes_mounts_it(folder: Path) -> None:
    mounted = folder / "..2026_01_01"
    mounted.mkdir()
    (mounted / "FORETICK_MONGODB").write_text(f"{URI}\n")
    (folder / "..data").symlink_to(mounted.name)
    (folder / "FORETICK_MONGODB").symlink_to("..data/FORETICK_MONGODB")
    (folder / "foretick_kafka_options").write_text('{"sasl.password": "word"}')
    (folder / "FORETICK_ALPHAVANTAGE_KEY").write_text("key")
    for settings in (ProjectionSettings(), GatewaySettings(), StackSettings()):
        assert settings.mongodb.get_secret_value() == URI
    assert all(each().kafka_options == {"sasl.password": "word"} for each in SETTINGS[:-1])
    assert ProducerSettings().alphavantage_key.get_secret_value() == "key"  # type: ignore[union-attr]


def test_environment_wins_over_the_folder_and_an_empty_variable_leaves_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "FORETICK_MONGODB").write_text(URI)
    monkeypatch.setenv("FORETICK_MONGODB", "mongodb://127.0.0.1:2")
    assert ProjectionSettings().mongodb.get_secret_value() == "mongodb://127.0.0.1:2"
    monkeypatch.setenv("FORETICK_MONGODB", "")
    assert ProjectionSettings().mongodb.get_secret_value() == URI


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: each.__name__)
def test_folder_of_secrets_that_is_not_there_is_told_by_its_setting(
    settings: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    for wrong in (tmp_path / "nowhere", file):
        monkeypatch.setenv("FORETICK_SECRETS_DIR", str(wrong))
        with pytest.raises(ValidationError) as refused:
            settings()
        assert settings_faults(refused.value)[0].startswith("FORETICK_SECRETS_DIR: Path does not point to a directory")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: each.__name__)
def test_empty_secret_is_none_and_so_is_an_empty_folder(
    settings: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = settings()
    for name in secret_fields(settings):
        monkeypatch.setenv(f"FORETICK_{name.upper()}", "")
    monkeypatch.setenv("FORETICK_SECRETS_DIR", "")
    assert settings() == plain
    empty = tmp_path / ".env"
    empty.write_text("FORETICK_MONGODB=\nFORETICK_REGISTRY_AUTH=\nFORETICK_KAFKA_OPTIONS=\n")
    assert settings(_env_file=empty) == plain


def test_empty_key_of_a_vendor_is_asked_for() -> None:
    with pytest.raises(VendorRefused, match="FORETICK_ALPHAVANTAGE_KEY"):
        source_from(ProducerSettings(source="alphavantage", alphavantage_key=""))  # type: ignore[arg-type]
