from __future__ import annotations

import json
import math
import pickle
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

import mondegreen
from mondegreen.configs import free
from mondegreen.errors import MondegreenError
from mondegreen.runs import Run, command_line, environment


@dataclass(frozen=True)
class Config:
    """What a run was asked for."""

    epochs: int = 2
    out: Path = Path("runs")
    rate: float = 0.5


def lines(run: Run) -> list[Any]:
    return [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A new run."""
    return Run(tmp_path / "deep" / "run", Config())


def test_a_new_run_tells_what_was_asked_and_where(run: Run) -> None:
    config = json.loads((run.folder / "config.json").read_text())
    assert config == {"epochs": 2, "out": "runs", "rate": 0.5}
    about = json.loads((run.folder / "env.json").read_text())
    assert about.pop("command")
    assert about == environment()
    assert about["torch"] == torch.__version__
    assert about["python"] == platform.python_version()
    assert about["mondegreen"] == mondegreen.__version__
    assert about["cpu"] and about["cores"] >= 1
    assert run.latest == run.folder / "checkpoints" / "latest"
    assert run.best == run.folder / "checkpoints" / "best"


def test_the_same_configuration_continues(run: Run) -> None:
    run.log(1, {"loss": 0.5})
    run.save_state({"step": 1, "weights": torch.arange(3)})
    again = Run(run.folder, Config())
    state = again.load_state()
    assert state is not None
    assert state["step"] == 1 and torch.equal(state["weights"], torch.arange(3))
    assert lines(again) == [{"step": 1, "loss": 0.5}]


def test_a_run_that_never_began_takes_another_configuration(run: Run) -> None:
    Run(run.folder, Config(epochs=3, rate=1.0))
    assert json.loads((run.folder / "config.json").read_text())["epochs"] == 3


def test_the_summary_is_written_once(run: Run) -> None:
    run.log(1, {"seconds": 2.0})
    run.log(2, {"seconds": 3.0})
    run.finish({"validation/accuracy": 0.5})
    run.finish({"validation/accuracy": 0.7})
    summary = json.loads((run.folder / "summary.json").read_text())
    assert summary["validation/accuracy"] == 0.5
    assert summary["training_seconds"] == 5.0


def test_another_configuration_is_refused(run: Run) -> None:
    run.log(1, {"loss": 1.0})
    before = (run.folder / "config.json").read_text()
    with pytest.raises(MondegreenError, match=r"differs in: epochs, rate\).*--out"):
        Run(run.folder, Config(epochs=3, rate=1.0))
    (run.folder / "config.json").write_text("[]")
    with pytest.raises(MondegreenError, match="differs in: everything"):
        Run(run.folder, Config())
    (run.folder / "config.json").write_text(before[:10])
    with pytest.raises(MondegreenError, match=r"config\.json is not valid JSON"):
        Run(run.folder, Config())


@dataclass(frozen=True)
class Inner:
    """Options within options, one of them new."""

    depth: int = 3
    fresh: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Newer(Config):
    """What a later version asks for."""

    switch: bool = False
    inner: Inner = Inner()
    watched: bool = free(False)


def test_options_that_an_earlier_version_did_not_know_stand_for_their_defaults(run: Run) -> None:
    run.log(1, {"loss": 1.0})
    path = run.folder / "config.json"
    before = path.read_text()
    Run(run.folder, Newer())
    with pytest.raises(MondegreenError, match=r"differs in: switch\)"):
        Run(run.folder, Newer(switch=True))
    with pytest.raises(MondegreenError, match=r"differs in: inner\)"):
        Run(run.folder, Newer(inner=Inner(fresh=())))
    path.write_text(json.dumps(json.loads(before) | {"inner": {"depth": 3}}))
    Run(run.folder, Newer())
    with pytest.raises(MondegreenError, match=r"differs in: inner\)"):
        Run(run.folder, Newer(inner=Inner(depth=4)))
    with pytest.raises(MondegreenError, match=r"differs in: inner\)"):
        Run(run.folder, Config())  # what a later version asked for is no default
    path.write_text(json.dumps({"epochs": 2, "out": "runs"}))
    Run(run.folder, Config())
    with pytest.raises(MondegreenError, match=r"differs in: rate\)"):
        Run(run.folder, Config(rate=0.25))


def test_what_changes_no_result_may_be_switched(run: Run) -> None:
    run.log(1, {"loss": 1.0})
    Run(run.folder, Newer(watched=True))
    Run(run.folder, Newer(watched=False))
    assert "watched" not in json.loads((run.folder / "config.json").read_text())


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(MondegreenError, match=r"is not a run.*--out"):
            Run(folder, Config())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    assert Run(tmp_path / "empty", Config()).load_state() is None


def test_options_that_json_has_no_form_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MondegreenError, match="NaN or infinite"):
        Run(tmp_path / "run", Config(rate=math.inf))
    assert not list(tmp_path.glob("run/*"))


def test_resuming_drops_what_was_logged_after_the_state(run: Run) -> None:
    for step in (1, 2, 3, 4):
        run.log(step, {"loss": 1 / step, "nothing": None})
        if step == 2:
            run.save_state({"step": step})
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "lo')
    assert [row["step"] for row in run.metrics()] == [1, 2, 3, 4]
    run.load_state()
    assert [row["step"] for row in lines(run)] == [1, 2]
    run.log(3, {"loss": 0.0})
    assert lines(run)[-1] == {"step": 3, "loss": 0.0}
    assert lines(run)[0] == {"step": 1, "loss": 1.0, "nothing": None}


def test_without_a_state_the_metrics_start_afresh(run: Run) -> None:
    run.log(1, {"loss": 1.0})
    assert run.load_state() is None
    assert run.metrics() == []


@pytest.mark.parametrize(
    "damage",
    [
        b"\x00" * 50,
        b"\xff\xfe",
        b"5\n",
        b"null\n",
        b'{"loss": 1}\n',
        b'{"step": "2"}\n',
        b"[" * 9999,
    ],
    ids=lambda damage: repr(damage[:12]),
)
def test_damaged_metrics_end_where_the_damage_begins(damage: bytes, run: Run) -> None:
    run.log(1, {"loss": 1.0})
    with (run.folder / "metrics.jsonl").open("ab") as file:
        file.write(damage + b'\n{"step": 2, "loss": 3}\n')
    run.save_state({"step": 2})
    assert run.metrics() == [{"step": 1, "loss": 1.0}]
    run.load_state()
    assert lines(run) == [{"step": 1, "loss": 1.0}]


class Evil:
    """Pickles to a call that writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"PK\x03\x04 not a zip", [1, 2], {"epoch": 1}, {"step": "one"}, torch.ones(2)],
    ids=repr,
)
def test_a_damaged_state_is_named(content: Any, run: Run) -> None:
    path = run.latest / "state.pt"
    run.save_state({"step": 1})
    run.log(1, {"loss": 1.0})
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(MondegreenError, match=r"state\.pt is damaged.*Delete"):
        run.load_state()
    assert lines(run) == [{"step": 1, "loss": 1.0}]


def test_a_state_cut_off_anywhere_is_named(run: Run) -> None:
    run.save_state({"step": 1, "weights": torch.randn(100)})
    path = run.latest / "state.pt"
    whole = path.read_bytes()
    for size in (1, 30, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(MondegreenError, match=r"state\.pt is damaged"):
            run.load_state()


def test_a_state_never_runs_code(run: Run, tmp_path: Path) -> None:
    run.save_state({"step": 1})
    for save in (torch.save, lambda value, path: path.write_bytes(pickle.dumps(value, protocol=2))):
        save({"step": Evil(tmp_path / "executed")}, run.latest / "state.pt")
        with pytest.raises(MondegreenError, match=r"state\.pt is damaged"):
            run.load_state()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("full")])
def test_a_state_is_written_whole_or_not_at_all(
    error: Exception, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.save_state({"step": 1})

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(MondegreenError, match=r"cannot write .*state\.pt"):
        run.save_state({"step": 2})
    monkeypatch.undo()
    assert run.load_state() == {"step": 1}
    assert [path.name for path in run.latest.iterdir()] == ["state.pt"]


def test_metrics_that_cannot_be_written_are_an_error(run: Run) -> None:
    (run.folder / "metrics.jsonl").mkdir()
    with pytest.raises(MondegreenError, match="cannot write"):
        run.log(1, {})


def test_the_summary_says_how_it_came_about(run: Run) -> None:
    run.finish({"test/accuracy": 0.5})
    summary = json.loads((run.folder / "summary.json").read_text())
    assert summary["test/accuracy"] == 0.5
    assert summary["command"] == command_line()
    assert summary["environment"] == environment()


@pytest.mark.parametrize(
    ("data", "words", "wanted"),
    [
        ("/data", ["--data", "/data/words"], "--data $MONDEGREEN_DATA/words"),
        ("/data/", ["--data", "/data"], "--data $MONDEGREEN_DATA"),
        ("/data", ["--data=/data/words"], "--data=$MONDEGREEN_DATA/words"),
        ("/data", ["--data", "/data/two words"], "--data $MONDEGREEN_DATA'/two words'"),
        ("/data", ["--data", "/data2/words"], "--data /data2/words"),
        ("/data", ["--out", "/home/data/x"], "--out /home/data/x"),
        ("data", ["data", "info", "--data=data/x"], "data info --data=$MONDEGREEN_DATA/x"),
        ("/my data", ["--data", "/my data/x"], "--data $MONDEGREEN_DATA/x"),
        ("/", ["--data", "/x"], "--data /x"),
        ("", ["--data", "/x y", "a=b"], "--data '/x y' a=b"),
        (None, ["$HOME"], "'$HOME'"),
    ],
)
def test_the_command_names_the_data_by_its_variable(
    data: str | None, words: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/mondegreen", *words])
    if data is None:
        monkeypatch.delenv("MONDEGREEN_DATA", raising=False)
    else:
        monkeypatch.setenv("MONDEGREEN_DATA", data)
    assert command_line() == f"mondegreen {wanted}"


def test_sharers_keep_out_others_in_other_processes(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", Config(), shared=True)
    program = """
import sys
from pathlib import Path
from mondegreen.errors import MondegreenError
from mondegreen.runs import lock_folder
for shared in (True, False):
    try:
        lock_folder(Path(sys.argv[1]), shared=shared)
        print("in")
    except MondegreenError:
        print("out")
"""
    words = [sys.executable, "-c", program, str(run.folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["in", "out"]
