"""Signals that tell a process to end, as an exception."""

import os
import signal
from collections.abc import Callable

import pytest

from forecasting.modelstore.signals import Terminated, is_terminating, terminated_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_process_told_to_end_unwinds_with_the_shells_code(number: int) -> None:
    closed = []

    @terminated_by_signals()
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)  # told twice at once: what is being closed is closed to the end
            closed.append("run")

    with pytest.raises(Terminated) as told:
        work()

    assert told.value.code == 128 + number
    assert closed == ["run"]


def lost() -> int:
    raise TypeError("Expected `context` argument to have a `_handle` attribute")  # TensorFlow's


def caught() -> int:
    return 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("goes_on", [lost, caught])
def test_process_told_to_end_where_that_is_taken_for_an_error_ends_as_told(
    number: int, goes_on: Callable[[], int]
) -> None:
    @terminated_by_signals()
    def work() -> int:
        try:
            os.kill(os.getpid(), number)
        except (Terminated, KeyboardInterrupt):
            assert is_terminating()
        return goes_on()

    with pytest.raises((Terminated, KeyboardInterrupt)) as told:
        work()

    assert number == signal.SIGINT or told.value.code == 128 + number
    assert not is_terminating()


def test_error_that_nobody_was_told_in_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="wrong"), terminated_by_signals():
        raise ValueError("wrong")


def test_handlers_of_before_are_there_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with terminated_by_signals():
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


def test_hangup_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with terminated_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
