"""A log restored to an earlier state beside a document store that was not: told, and mended by what is told."""

import random
import re
import shutil
from pathlib import Path

import pytest

from contracts.topics import STOCK_DATA
from tests.faults.reprise import go_on_rebuilt
from tests.faults.streams import caught_up, publish, stream
from tests.support.waiting import until

pytestmark = pytest.mark.long


@pytest.mark.parametrize("more", [0, 900], ids=["shorter", "gone on beyond"])
def test_log_restored_older_than_the_read_models_is_told_and_the_command_it_names_mends_it(
    settings, broken, service, dice: random.Random, tmp_path: Path, more: int
):
    consumer = service()
    consumer.start()
    publish(settings, stream(300, dice))
    until(lambda: caught_up(settings), "it has caught up")
    folders = list((broken.layout.data / "kafka").glob(f"{settings.physical(STOCK_DATA.name)}-*"))
    with broken.away("kafka"):
        for folder in folders:
            shutil.copytree(folder, tmp_path / folder.name)
    publish(settings, stream(300, dice, first=2000))
    until(lambda: caught_up(settings), "it has caught up again")
    assert consumer.stop() == 0

    with broken.away("kafka"):
        for folder in folders:
            shutil.rmtree(folder)
            shutil.copytree(tmp_path / folder.name, folder)
    publish(settings, stream(more, dice, first=5000))  # offsets fit again: nothing but the events tells

    consumer.start()
    assert until(lambda: consumer.process.poll(), "it stops") == 1
    assert "the log was restored to an earlier state" in consumer.log
    assert re.search(r"foretick rebuild \w+ --accept-difference", consumer.log)  # of the one that looked first
    go_on_rebuilt(settings, consumer, dice)
