"""The order in which services start, and what is told of one that does not."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stack.layout import Layout
from stack.run.starting import start_services
from stack.services.service import DidNotStart, Service
from stack.services.supervisor import State
from stack.terminal import Terminal
from tests.support.waiting import PATIENCE


@dataclass
class Supervised:
    """Stands for supervisord: what is started runs at once, or dies for ever."""

    dying: bool = False
    started: list[str] = field(default_factory=list)
    pids: int = 100

    def start(self, service: Service) -> None:
        self.started.append(service.name)

    def states(self) -> dict[str, State]:
        self.pids += self.dying
        return {name: State(name, "RUNNING", self.pids) for name in self.started}


def service(name: str, *needs: str, answers=lambda: True, **more) -> Service:
    return Service(name=name, group="services", command=("true",), answers=answers, ports=(), needs=needs, **more)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "logs").mkdir()
    return Layout(home=tmp_path, cache=tmp_path)


def begin(layout: Layout, supervised: Supervised, *services: Service) -> None:
    start_services(layout, supervised, services, Terminal(quiet=True))


def test_start_waits_for_what_a_service_needs(layout):
    supervised = Supervised()
    begin(layout, supervised, service("last", "middle"), service("middle", "first"), service("first"))
    assert supervised.started == ["first", "middle", "last"]


def test_start_does_not_wait_for_what_was_not_asked_for(layout):
    supervised = Supervised()
    begin(layout, supervised, service("alone", "absent"))
    assert supervised.started == ["alone"]


def test_start_prepares_a_service_before_it_starts(layout):
    supervised = Supervised()
    seen: list[list[str]] = []
    begin(layout, supervised, service("one", prepare=lambda: seen.append(list(supervised.started))))
    assert seen == [[]]


def test_start_independent_services_side_by_side(layout):
    both = threading.Barrier(2, timeout=PATIENCE * 10)
    begin(layout, Supervised(), service("one", prepare=both.wait), service("other", prepare=both.wait))


def test_start_service_that_never_answers_ends_with_its_log(layout):
    layout.log("mute").write_text("cannot find my feet\n")
    with pytest.raises(DidNotStart, match=r"mute did not answer within 0 s(.|\n)*cannot find my feet\nmv it"):
        begin(layout, Supervised(), service("mute", answers=lambda: False, patience=0.1, remedy="mv it"))


def test_start_service_that_dies_again_and_again_is_given_up_early(layout):
    with pytest.raises(DidNotStart, match="mayfly was started 5 times and ended each time"):
        begin(layout, Supervised(dying=True), service("mayfly", answers=lambda: False))


def test_start_preparation_that_fails_is_told(layout):
    def fail() -> None:
        raise DidNotStart("no room for Kafka's storage")

    with pytest.raises(DidNotStart, match="no room"):
        begin(layout, Supervised(), service("kafka", prepare=fail))
