"""Each topic has its own share of a batch, and batches are as large as they are quick."""

from dataclasses import dataclass

import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from streaming.inbox import BATCH_MESSAGES, Inbox, Pace

TOPICS = {"t-forecasts": "forecasts", "t-scores": "scores", "t-bars": "bars"}
PLACES = [(topic, partition) for topic in TOPICS.values() for partition in range(2)]


@dataclass(frozen=True)
class Told:
    """A message, as far as an inbox looks at it."""

    name: str
    place: int
    at: int
    end: bool = False

    def error(self):
        return KafkaError(KafkaError._PARTITION_EOF) if self.end else None

    def topic(self):
        return f"t-{self.name}"

    def partition(self):
        return self.place

    def offset(self):
        return self.at


def inbox(**waiting):
    made = Inbox(TOPICS)
    made.place(dict.fromkeys(PLACES, 0))
    for name, count in waiting.items():
        made.add(Told(name, 0, at) for at in range(count))
    return made


def counted(messages):
    return {name: sum(each.name == name for each in messages) for name in {each.name for each in messages}}


def test_batch_of_a_topic_with_a_backlog_leaves_the_others_their_share():
    made = inbox(scores=900, forecasts=40)
    assert counted(made.take(100)) == {"forecasts": 40, "scores": 60}
    made.add(Told("forecasts", 1, at) for at in range(80))
    assert counted(made.take(100)) == {"forecasts": 50, "scores": 50}


def test_batch_of_one_topic_alone_is_whole():
    assert counted(inbox(scores=900).take(100)) == {"scores": 100}


def test_message_that_came_before_or_is_of_a_partition_of_another_is_passed_over():
    made = inbox(scores=3)
    made.place({("scores", 0): 2})
    made.add([Told("scores", 0, 1), Told("scores", 0, 2), Told("scores", 0, 2), Told("scores", 1, 0)])
    assert made.take(10) == [Told("scores", 0, 2)]


def test_end_is_taken_up_where_it_lies_beyond_the_last_message():
    made = inbox(scores=2)
    made.add([Told("scores", 0, 2, end=True), Told("scores", 0, 4, end=True), Told("scores", 0, 4)])
    assert [(each.at, each.end) for each in made.take(9)] == [(0, False), (1, False), (4, True), (4, False)]


def test_topic_with_nothing_waiting_though_its_log_goes_on_lets_the_others_be_held_back():
    made = inbox(scores=5)
    ends = {("scores", 0): 900, ("forecasts", 1): 3}
    assert made.held_back(ends, ()) == {"scores"}
    made.add([Told("forecasts", 1, 0)])
    assert made.held_back(ends, {"scores"}) == set()
    assert inbox(scores=5).held_back({("scores", 0): 900}, ()) == set()


def test_topic_with_enough_waiting_is_held_back_until_it_has_less_than_a_batch():
    made = inbox(scores=2 * BATCH_MESSAGES)
    assert made.held_back({}, ()) == {"scores"}
    made.take(BATCH_MESSAGES)
    assert made.held_back({}, {"scores"}) == {"scores"}
    made.take(1)
    assert made.held_back({}, {"scores"}) == set()


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 30)), max_size=30),
    st.lists(st.tuples(st.integers(1, 25), st.booleans()), max_size=30),
)
def test_messages_however_they_are_taken_and_given_back_come_once_in_order_of_their_partition(arrivals, takes):
    made, ends, came = inbox(), dict.fromkeys(PLACES, 0), []
    for place, count in arrivals:
        made.add(Told(*place, ends[place] + at) for at in range(count))
        ends[place] += count
    for size, failed in [*takes, (sum(ends.values()), False)]:
        taken = made.take(size)
        assert len(taken) == min(size, len(taken) + len(made))
        made.give_back(taken) if failed else came.extend(taken)
    for place in PLACES:
        assert [each.at for each in came if (each.name, each.place) == place] == list(range(ends[place]))


@pytest.mark.parametrize(("seconds", "size"), [(20.0, 62), (0.5, 125), (0.01, 250)])
def test_pace_goes_by_how_long_a_batch_took(seconds, size):
    pace = Pace()
    pace.took(seconds)
    assert pace.size == size


def test_pace_never_stops_and_grows_again():
    pace = Pace()
    for _ in range(20):
        pace.slower()
    assert pace.size == 10
    for _ in range(20):
        pace.took(0.01)
    assert pace.size == BATCH_MESSAGES
