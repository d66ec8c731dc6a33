"""How a service goes on whose log is another one than its read models were made of."""

import random
from typing import Any

from projections.rebuild import rebuild
from projections.settings import ProjectionSettings
from tests.faults.streams import caught_up, publish, stream
from tests.faults.truths import MODELS, assert_exactly_once
from tests.support.waiting import until


def go_on_rebuilt(settings: ProjectionSettings, consumer: Any, dice: random.Random) -> None:
    """Rebuild the read models, start the service again, and have it take in more, exactly once."""
    for model in MODELS:
        assert rebuild(settings, model.name, accept_difference=True).took_over
    consumer.start()
    publish(settings, stream(100, dice, first=9000))
    until(lambda: caught_up(settings), "it goes on")
    assert consumer.stop() == 0
    assert_exactly_once(settings)
