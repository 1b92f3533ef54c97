"""Stages run in order, several at once, and continue; what fails does not take the rest along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mondegreen.errors import MondegreenError
from mondegreen.stages.runner import run_stages
from mondegreen.stages.stage import Outcome, Stage, last_error

Writes = Callable[..., Stage]
Program = tuple[str, ...]


def states(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.state for name, outcome in outcomes.items()}


def test_a_stage_runs_after_what_it_needs(tmp_path: Path, writes: Writes, program: Program) -> None:
    first = writes("a/first", ("sleep", "0.2"))
    second = Stage("second", "", (("write", str(first.produces)),), first.produces, ("a/first",))
    told: list[str] = []
    found = run_stages([first, second], tmp_path, jobs=2, tell=told.append, program=program)
    assert states(found) == {"a/first": "done", "second": "done"}
    assert first.produces.read_text().count("\n") == 2
    assert [text.partition(":")[0] for text in told] == [
        *("a/first", "[1/2] a/first", "second", "[2/2] second")
    ]
    outcome = found["a/first"]
    assert outcome.seconds is not None and outcome.seconds >= 0.2
    assert outcome.processor_seconds is not None and outcome.processor_seconds > 0.0


def test_finished_stages_are_not_run_again(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    stage = writes("one")
    for _ in range(2):
        run_stages([stage], tmp_path, jobs=1, program=program)
    assert stage.produces.read_text().count("\n") == 1
    other = Stage("one", "", (*stage.commands, ("sleep", "0")), stage.produces)
    run_stages([other], tmp_path, jobs=1, program=program)
    assert stage.produces.read_text().count("\n") == 2, "another command is another stage"
    stage.produces.unlink()
    run_stages([other], tmp_path, jobs=1, program=program)
    assert stage.produces.read_text().count("\n") == 1, "its result was gone"


def test_a_failure_leaves_out_what_needs_it_and_is_tried_again(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    flag = tmp_path / "flag"
    broken = writes("broken", ("fail", "no clips here."))
    after = writes("after", needs=("broken",))
    last = writes("last", needs=("after",))
    other = writes("other")
    every = [broken, after, last, other]
    found = run_stages(every, tmp_path, jobs=1, program=program)
    assert states(found) == {
        **{"broken": "failed", "after": "left out"},
        **{"last": "left out", "other": "done"},
    }
    assert found["broken"].reason.startswith("no clips here. (see ")
    assert found["after"].reason == "it needs broken"
    flag.touch()
    mended = Stage("broken", "", (("write", str(broken.produces)),), broken.produces)
    found = run_stages([mended, after, last, other], tmp_path, jobs=1, program=program)
    assert set(states(found).values()) == {"done"}
    assert other.produces.read_text().count("\n") == 1
    seconds = found["broken"].seconds
    assert seconds is not None and seconds > 0.0


def test_a_command_that_leaves_no_result_has_failed(tmp_path: Path, program: Program) -> None:
    stage = Stage("empty", "", (("sleep", "0"),), tmp_path / "nothing.json")
    found = run_stages([stage], tmp_path, jobs=1, program=program)
    assert found["empty"].state == "failed"
    assert "it printed nothing" in found["empty"].reason


def test_stages_run_beside_each_other(tmp_path: Path, writes: Writes, program: Program) -> None:
    """Each waits for the other's sign, so one at a time would never end."""
    signs = [str(tmp_path / name) for name in ("left", "right")]
    pair = [
        writes("left", ("write", signs[0]), ("wait", signs[1])),
        writes("right", ("write", signs[1]), ("wait", signs[0])),
    ]
    found = run_stages(pair, tmp_path, jobs=2, program=program)
    assert set(states(found).values()) == {"done"}
    share = str(max(1, (os.cpu_count() or 1) // 2))
    wanted = os.environ.get("OMP_NUM_THREADS", share)
    assert pair[0].produces.read_text().strip() == wanted


def test_a_stage_that_takes_times_runs_alone(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    busy = str(tmp_path / "busy.txt")
    alone = writes("alone", ("absent", busy), ("sleep", "0.1"), ("absent", busy), alone=True)
    found = run_stages([alone, writes("busy")], tmp_path, jobs=2, program=program)
    assert set(states(found).values()) == {"done"}


def test_two_reproductions_do_not_share_a_folder(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    def interfere(text: str) -> None:
        with pytest.raises(MondegreenError, match="another process is working"):
            run_stages([], tmp_path, jobs=1)

    run_stages([writes("one")], tmp_path, jobs=1, tell=interfere, program=program)


PARENT = """
import signal
import sys
from pathlib import Path
from mondegreen.stages.runner import run_stages
from mondegreen.stages.stage import Stage
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
folder = Path(sys.argv[1])
commands = (("write", str(folder / "begun")), ("sleep", "30"), ("write", str(folder / "ended")))
stage = Stage("long", "", commands, folder / "ended")
run_stages([stage], folder, jobs=1, program=(sys.executable, sys.argv[2]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stages_end_with_the_reproduction(
    tmp_path: Path, program: Program, number: signal.Signals
) -> None:
    words = [sys.executable, "-c", PARENT, str(tmp_path), program[1]]
    parent = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.send_signal(number)
    assert parent.wait(timeout=60) != 0
    while _running(str(tmp_path / "ended")):
        assert time.monotonic() < deadline, "the stage outlived its reproduction"
        time.sleep(0.02)
    stage = Stage("long", "", (("write", str(tmp_path / "ended")),), tmp_path / "ended")
    found = run_stages([stage], tmp_path, jobs=1, program=program)
    assert found["long"].state == "done", "the folder is free again"


def _running(words: str) -> bool:
    """Tell whether a process that is not a zombie has ``words`` on its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in path.read_text() and " Z " not in (path.parent / "stat").read_text():
                return True
        except OSError:
            continue
    return False


def test_the_last_error_is_found() -> None:
    framed = "╭─ Error ──╮\n│ old      │\n╰──╯\n╭─ Unknown ─╮\n│ --kind is │\n"
    framed += "│ For full helptext, run │\n╰─╯"
    assert last_error(framed) == "Unknown --kind is"
    assert last_error("error: first\nerror: second\n") == "second"
    assert last_error("") == "it printed nothing"


def test_machines_that_share_a_folder_divide_the_stages(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    every = [writes("first", ("sleep", "0.3"))]
    every += [writes(f"later{number}", ("sleep", "0.2"), needs=("first",)) for number in range(4)]
    broken = writes("broken", ("fail", "no clips here."))
    every += [broken, writes("after", needs=("broken",))]
    told: list[list[str]] = [[], []]

    def work(number: int) -> dict[str, Outcome]:
        return run_stages(
            every, tmp_path, jobs=1, tell=told[number].append, program=program, share=True
        )

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(work, range(2)))
    wanted = {stage.name: "done" for stage in every} | {"broken": "failed", "after": "left out"}
    assert [states(one) for one in found] == [wanted, wanted]
    lines = [stage.produces.read_text().count("\n") for stage in every[:5]]
    assert lines == [1] * 5, "no stage ran twice"
    assert all(any(text.startswith("later") for text in one) for one in told), "both had some"


def test_who_shares_and_who_does_not_keep_out_of_each_others_way(
    tmp_path: Path, writes: Writes, program: Program
) -> None:
    gate = tmp_path / "gate"
    slow = writes("slow", ("wait", str(gate)))
    with ThreadPoolExecutor(1) as pool:
        sharing = pool.submit(run_stages, [slow], tmp_path, jobs=1, program=program, share=True)
        while not (tmp_path / "stages" / "claims" / "slow").exists():
            time.sleep(0.01)
        with pytest.raises(MondegreenError, match="another process is working"):
            run_stages([slow], tmp_path, jobs=1, program=program)
        gate.touch()
        assert states(sharing.result()) == {"slow": "done"}
