"""Full disks: the broker's, and that of the CSV snapshots."""

import resource
import shutil
from pathlib import Path

import pytest

from projections.asof import verify_against_log
from projections.snapshots.verification import verify
from stack.services.service import DidNotStart
from tests.faults.streams import Publishing, caught_up, publish, stream
from tests.faults.truths import assert_all_arrived, assert_exactly_once
from tests.support.disks import filled, is_small, mounted
from tests.support.supervised import ended
from tests.support.waiting import until

pytestmark = pytest.mark.long


def test_broker_disk_full_stops_the_stream_and_loses_nothing_once_there_is_room(settings, broken, service, dice):
    folder = broken.layout.data / "kafka"
    if not is_small(folder):
        pytest.skip("the broker's disk cannot be filled: this process may not mount a small one (that takes root)")
    published = stream(8000, dice)
    consumer = service()
    consumer.start()
    publish(settings, published[:2000])
    until(lambda: caught_up(settings), "it has caught up")
    was = broken.process("kafka")

    with Publishing(settings, published[2000:], lead=10**9):
        with filled(folder, spare=128 * 1024):
            until(lambda: ended(was), "the broker has given up")
            assert "No space left on device" in broken.layout.log("kafka").read_text()
        broken.await_all()

    until(lambda: caught_up(settings), "it goes on by itself", 120)
    assert consumer.process.poll() is None
    assert consumer.stop() == 0
    assert_all_arrived(settings, published)
    assert_exactly_once(settings)


def test_damaged_document_server_is_told_and_set_aside_and_the_read_models_are_made_anew(
    settings, broken, service, dice
):
    published = stream(500, dice)
    consumer = service()
    consumer.start()
    publish(settings, published)
    until(lambda: caught_up(settings), "it has caught up")
    assert consumer.stop() == 0

    folder = broken.layout.data / "mongodb"
    aside = folder.with_name("mongodb.damaged")
    with broken.away("mongodb"):
        for file in folder.rglob("*"):
            if file.is_file():
                file.write_bytes(dice.randbytes(max(file.stat().st_size, 4096)))
        with pytest.raises(DidNotStart, match=rf"set them aside and start again: mv '{folder}' '{aside}'"):
            broken.begin("mongodb")
        folder.rename(aside)
        folder.mkdir()

    consumer.start()
    until(lambda: caught_up(settings), "the read models are there again")
    assert consumer.stop() == 0
    assert_all_arrived(settings, published)
    assert_exactly_once(settings)
    shutil.rmtree(aside)


def test_snapshot_disk_full_is_told_the_last_snapshot_stays_whole_and_projections_go_on(
    settings, service, dice, tmp_path: Path
):
    events = stream(6000, dice)
    folder = tmp_path / "snapshots"
    with mounted(folder, "4m") as small:
        consumer = service(FORETICK_SNAPSHOTS=str(folder), FORETICK_SNAPSHOT_SECONDS="0.5")
        consumer.start()
        publish(settings, events[:500])
        until(lambda: caught_up(settings) and _snapshots(consumer)["rows"] >= 450, "a snapshot is there")

        with filled(folder, spare=64 * 1024) if small else _no_file_larger(consumer, 16 * 1024):
            publish(settings, events[500:])
            wanted = "No space left" if small else "File too large"
            until(lambda: wanted in _snapshots(consumer)["failure"], "the full disk is told")
            until(lambda: caught_up(settings), "the projections go on")
            assert verify(folder) == []

        rows = len({event.bar_id for event in events})
        until(lambda: _snapshots(consumer)["rows"] == rows, "with room again, a snapshot is written")
        assert _snapshots(consumer)["failure"] == ""
        assert consumer.stop() == 0
        assert verify_against_log(settings, folder) == []
    assert_exactly_once(settings)


def _snapshots(consumer):
    answer = consumer.get("/status")
    return answer.json()["snapshots"] if answer else {"rows": 0, "failure": ""}


class _no_file_larger:
    """Let a process write no file larger than so many bytes: what can be had without the right to mount."""

    def __init__(self, consumer, size: int) -> None:
        self._pid, self._size = consumer.process.pid, size

    def __enter__(self) -> None:
        self._before = resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (self._size, resource.RLIM_INFINITY))

    def __exit__(self, *_: object) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, self._before)
