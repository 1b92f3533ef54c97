"""What a log without a terminal is told of long work."""

from __future__ import annotations

import pytest

from mondegreen.progress import hidden, progress_bar, task


class Clock:
    """Tells the seconds that it is set to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_a_minute_tells_how_far_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    with progress_bar(clock) as bar:
        work = bar.add_task("attacking", total=4000)
        for second in range(0, 200, 10):
            clock.now = 1000.0 + second
            bar.advance(work, 50)
            with task("one batch", 2) as step:
                step()
        clock.now += 60.0
        bar.update(work, description="attacking (12 % so far)", completed=3000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "attacking: 350 of 4,000 after 1 min",
        "attacking: 650 of 4,000 after 2 min",
        "attacking: 950 of 4,000 after 3 min",
        "attacking (12 % so far): 3,000 of 4,000 after 4 min",
    ]


def test_quick_work_and_hidden_work_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with progress_bar(clock) as bar:
        bar.advance(bar.add_task("quick", total=None))
    with hidden(), progress_bar(clock) as bar:
        work = bar.add_task("served", total=2)
        clock.now += 600.0
        bar.advance(work)
    assert capsys.readouterr().err == ""


def test_how_much_there_is_need_not_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with progress_bar(clock) as bar:
        work = bar.add_task("downloading", total=None)
        clock.now += 90.0
        bar.advance(work, 5000)
    assert capsys.readouterr().err == "downloading: 5,000 after 2 min\n"
