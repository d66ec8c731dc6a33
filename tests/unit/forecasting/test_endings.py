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
