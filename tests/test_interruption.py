from __future__ import annotations

import os
import signal
import threading

import pytest

from mondegreen.interruption import Terminated, stop_when_safe, terminable


def test_a_request_waits_until_it_is_obeyed() -> None:
    done = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_when_safe() as stop:
        for number in range(9):
            done.append(number)
            if number == 3:
                os.kill(os.getpid(), signal.SIGINT)
            stop.obey()
    assert done == [0, 1, 2, 3]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_request_stops_at_once() -> None:
    with pytest.raises(Terminated), stop_when_safe():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("it went on")


def test_a_request_that_nobody_looked_at_counts_in_the_end() -> None:
    reached = False
    with pytest.raises(Terminated), stop_when_safe():
        os.kill(os.getpid(), signal.SIGTERM)
        reached = True
    assert reached


def test_sigterm_cleans_up_where_it_is_asked_to() -> None:
    cleaned = False
    with pytest.raises(Terminated), terminable():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            cleaned = True
    assert cleaned
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as after `nohup`
    try:
        with stop_when_safe() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_hold_nothing_back() -> None:
    seen = []

    def work() -> None:
        with terminable(), stop_when_safe() as stop:
            stop.obey()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
