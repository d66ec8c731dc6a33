"""A topic deleted and made again under a running service: told in words within seconds, mended by what they say."""

import random

from contracts.topics import STOCK_DATA
from tests.faults.reprise import go_on_rebuilt
from tests.faults.streams import caught_up, publish, stream
from tests.integration.projecting import command
from tests.support.topics import make_anew
from tests.support.waiting import until


def test_topic_made_anew_under_a_running_service_stops_it_and_the_command_it_names_mends_it(
    settings, service, dice: random.Random
):
    consumer = service()
    consumer.start()
    publish(settings, stream(300, dice))
    until(lambda: caught_up(settings), "it has caught up")

    make_anew(settings, STOCK_DATA)
    publish(settings, stream(900, dice, first=5000))  # more than it has read of the old one: offsets fit

    assert until(lambda: consumer.process.poll(), "it stops, having read some of the new one or nothing", 30) == 1
    assert "foretick rebuild" in consumer.log
    consumer.start()
    assert until(lambda: consumer.process.poll(), "it stops again") == 1
    assert "was deleted and made again" in consumer.log
    assert "foretick rebuild stock_data --accept-difference" in consumer.log
    assert "--accept-difference" in command("rebuild", "stock_data", code=1)

    go_on_rebuilt(settings, consumer, dice)
