"""What the broker's answers about offsets are taken for."""

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import IsolationLevel, KafkaException, Uuid
from confluent_kafka.admin import AdminClient

from streaming.damage import LogUnsound
from streaming.ranges import NEXT, offsets, topic_epoch
from streaming.settings import StreamSettings

PLACES = [("bars", 0), ("bars", 1)]
UNTOLD = -1001  # librdkafka's, for a partition that the broker's answer leaves out


class Broker:
    """Answers with the next of its lists of offsets, and then with the last one."""

    def __init__(self, *answers: list[int]) -> None:
        self._answers = list(answers)

    def list_offsets(
        self, wanted: Mapping[Any, Any], isolation_level: Any, request_timeout: float
    ) -> dict[Any, Future[Any]]:
        assert isolation_level is IsolationLevel.READ_COMMITTED
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        found: dict[Any, Future[Any]] = {}
        for place, offset in zip(wanted, answer, strict=True):
            found[place] = Future()
            found[place].set_result(SimpleNamespace(offset=offset))
        return found


def test_offset_that_is_not_told_is_asked_for_again() -> None:
    broker = Broker([7, UNTOLD], [UNTOLD, 9], [7, 9])
    assert offsets(cast(AdminClient, broker), PLACES, NEXT, 10) == {("bars", 0): 7, ("bars", 1): 9}


def test_offset_that_is_never_told_is_a_broker_that_does_not_answer() -> None:
    with pytest.raises(KafkaException, match="no offset is told of"):
        offsets(cast(AdminClient, Broker([7, UNTOLD])), PLACES, NEXT, 0.3)


def test_broker_that_tells_no_ids_of_topics_is_not_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe_topics(_: object, request_timeout: float) -> dict[str, Future[Any]]:
        told: Future[Any] = Future()
        told.set_result(SimpleNamespace(topic_id=Uuid(0, 0)))
        return {"bars": told}

    monkeypatch.setattr("streaming.ranges.inquirer", lambda _: SimpleNamespace(describe_topics=describe_topics))

    with pytest.raises(LogUnsound, match="tells no id of bars"):
        topic_epoch(StreamSettings(), "bars")
