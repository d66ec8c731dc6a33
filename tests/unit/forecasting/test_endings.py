"""Signals that tell a process to end, as an exception."""

import os
import signal

import pytest

from forecasting.endings import Told, told_to_end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_process_told_to_end_unwinds_with_the_shells_code(number: int) -> None:
    closed = []

    @told_to_end()
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)  # told twice at once: what is being closed is closed to the end
            closed.append("run")

    with pytest.raises(Told) as told:
        work()

    assert told.value.code == 128 + number
    assert closed == ["run"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_told_to_end_within_numpy_ends_as_told_though_numpy_makes_an_error_of_it(number: int) -> None:
    @told_to_end()
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        except (Told, KeyboardInterrupt) as told:
            try:
                raise SystemError("<method '__array__'> returned a result with an exception set") from told
            except SystemError as error:
                raise error from None  # as TensorFlow passes errors on

    with pytest.raises((Told, KeyboardInterrupt)) as told:
        work()

    assert number == signal.SIGINT or told.value.code == 128 + number


def test_error_that_nobody_was_told_in_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="wrong"), told_to_end():
        raise ValueError("wrong")


def test_handlers_of_before_are_there_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with told_to_end():
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


def test_hangup_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with told_to_end():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
