"""Signals become a flag; who insists is heard."""

import os
import signal
import threading

import pytest

from keras_video.training import Termination


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_flag(number):
    before = [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)]
    with Termination() as termination:
        assert not termination.requested
        os.kill(os.getpid(), number)
        assert termination.requested
        assert termination.signal_name == number.name
    assert [signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_second_signal_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), Termination(grace=0):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_a_launcher_sends_twice_counts_once():
    with Termination(grace=1e9) as termination:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert termination.requested


def test_threads_leave_signals_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def run():
        with Termination() as termination:
            seen.append((signal.getsignal(signal.SIGTERM) == before, termination.requested))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(True, False)]
