"""The committed list of what is downloaded."""

import re

import pytest

from stack.services import artifacts
from stack.services.artifacts import KAFKA, KAFKA_LOGGING, LIST, REGISTRY, WrongChecksum, pins


def test_list_names_what_the_code_asks_for():
    listed = {(pin.group, pin.artifact, pin.version) for pin in pins()}
    assert {KAFKA, KAFKA_LOGGING, REGISTRY} <= listed


def test_list_has_a_sha256_for_every_file_and_no_address():
    assert all(re.fullmatch(r"[0-9a-f]{64}", pin.sha256) for pin in pins())
    assert "://" not in LIST.read_text()
    assert len({pin.filename for pin in pins()}) == len(pins())


def test_list_written_again_is_the_same():
    assert "".join(f"{pin.line()}\n" for pin in pins()) == LIST.read_text()


def test_clients_and_broker_are_of_one_version():
    versions = {pin.version for pin in pins() if pin.group == "org.apache.kafka"}
    assert versions == {KAFKA[2]}


def test_file_with_other_bytes_is_not_used(tmp_path, monkeypatch):
    (pin, *_) = pins()
    place = artifacts._place(tmp_path, pin)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something else")
    asked = []

    def refuse(_cache, missing):
        asked.extend(missing)
        raise WrongChecksum("as downloaded")

    monkeypatch.setattr(artifacts, "_download", refuse)
    with pytest.raises(WrongChecksum):
        artifacts.obtain(tmp_path)
    assert pin in asked
