"""``--tensorboard``: what the event files say, that they change nothing, and that they resume."""

from __future__ import annotations

import importlib.util
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
import soundfile
from tests.cli.conftest import Trained

from mondegreen.board import Board
from mondegreen.cli.main import main

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

COMMANDS = {
    "classifier": ["train", "classifier", "--preset", "smoke", "--training.batch-size", "32"],
    "generator": ["train", "generator", "--preset", "smoke", "--training.batch-size", "32"],
    "universal": ["train", "universal", "--preset", "smoke", "--training.batch-size", "32"],
    "harden": ["harden", "--epochs", "2", "--select-steps", "2", "--method", "pgd", "--steps", "1"],
}
STEPS = {
    "classifier": {"classifier/loss", "learning_rate", "gradient_norm"},
    "generator": {"generator/total", "train/snr_db", "learning_rate", "generator/gradient_norm"},
    "universal": {"universal/loss", "train/success", "learning_rate", "gradient_norm"},
    "harden": {"classifier/loss", "train/robust", "learning_rate", "gradient_norm"},
}
EPOCHS = {
    "classifier": {"classifier/loss", "validation/accuracy"},
    "generator": {"validation/success", "validation/snr_db", "generator/gradient_norm"},
    "universal": {"validation/success", "validation/snr_db"},
    "harden": {"validation/accuracy", "validation/robust"},
}


KEPT = {"generator": ("success", 25.0), "universal": ("success", 20.0), "harden": ("robust", 30.0)}
"""What is validated, and the budget in dB."""


class Watched(Protocol):
    """Returns the folder of a command's watched training."""

    def __call__(self, command: str) -> Path: ...


class Crash(BaseException):
    """Nobody catches it, and nothing is saved."""


def run(command: str, trained: Trained, out: Path, *more: str) -> int:
    words = [*COMMANDS[command], "--device", "cpu", "--cache", str(trained.cache)]
    words += ["--data", str(trained.data), "--out", str(out), *more]
    if command != "classifier":
        words += ["--classifier", str(trained.classifier)]
    return main(words)


def events(out: Path) -> Any:
    size = {"scalars": 0, "audio": 0}
    found = accumulators.EventAccumulator(str(out / "tensorboard"), size_guidance=size)
    return found.Reload()


def scalars(out: Path) -> dict[str, list[tuple[int, float]]]:
    """Return every series but those of time."""
    found = events(out)
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
        if "seconds" not in tag
    }


def rows(out: Path) -> list[dict[str, float]]:
    lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in lines]


def weights(out: Path) -> dict[str, bytes]:
    found = out.glob("checkpoints/*/*.safetensors")
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(one[name] == other[name] for name in one)


@pytest.fixture(scope="session")
def watched(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Each command's training with ``--tensorboard``, run where it is first needed."""
    root = tmp_path_factory.mktemp("watched")

    def folder(command: str) -> Path:
        out = root / command
        if not out.exists():
            assert run(command, trained, out, "--tensorboard") == 0
        return out

    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_training_is_watched_and_not_changed(
    command: str, trained: Trained, watched: Watched, tmp_path: Path
) -> None:
    plain, out = tmp_path / "plain", watched(command)
    assert run(command, trained, plain) == 0
    assert not (plain / "tensorboard").exists()
    assert weights(plain) and same(weights(plain), weights(out))
    assert rows(plain) == rows(out)

    found, logged = scalars(out), rows(out)
    steps = [step for step, _ in found["step/learning_rate"]]
    assert steps == list(range(1, len(steps) + 1)) and len(logged) == 2
    assert {f"step/{name}" for name in STEPS[command]} | EPOCHS[command] <= set(found)
    for name in EPOCHS[command]:
        assert [step for step, _ in found[name]] == [len(steps) // 2, len(steps)]
        written = [value for _, value in found[name]]
        assert written == pytest.approx([row[name] for row in logged], rel=1e-5)
    norm = next(tag for tag in found if tag.startswith("step/") and tag.endswith("gradient_norm"))
    assert all(value > 0.0 and math.isfinite(value) for _, value in found[norm])


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_crash_made_void_is_neither_doubled_nor_lost(
    command: str,
    trained: Trained,
    watched: Watched,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, parts = scalars(watched(command)), tmp_path / "parts"
    steps = [step for step, _ in found["step/learning_rate"]]
    real, ends = Board.step, len(steps) - 1

    def crash(self: Board, step: int, *arguments: Any) -> None:
        real(self, step, *arguments)
        if step == ends:  # it is in the second epoch; what was written of it is void
            self.flush()
            raise Crash

    monkeypatch.setattr(Board, "step", crash)
    with pytest.raises(Crash):
        run(command, trained, parts, "--tensorboard")
    assert [step for step, _ in scalars(parts)["step/learning_rate"]] == steps[:ends]
    monkeypatch.undo()
    assert run(command, trained, parts, "--tensorboard") == 0
    assert same(scalars(parts), found)
    files = list((parts / "tensorboard").iterdir())
    assert run(command, trained, parts) == 0  # finished, and it need not be watched
    assert list((parts / "tensorboard").iterdir()) == files


@pytest.mark.parametrize("command", ["generator", "universal", "harden"])
def test_the_same_clips_are_heard_after_every_validation(command: str, watched: Watched) -> None:
    out = watched(command)
    found = events(out)
    validations = [event.step for event in found.Scalars("validation/" + KEPT[command][0])]
    tags = found.Tags()["audio"]
    clips = {tag.rpartition("/")[0] for tag in tags}
    assert len(clips) == 3 and len(tags) == 9 and len(validations) == 2
    for clip in clips:
        assert command == "harden" or "_as_" in clip
        heard: dict[str, list[Any]] = {}
        for kind in ("clean", "perturbed", "perturbation"):
            sounds = found.Audio(f"{clip}/{kind}")
            assert [sound.step for sound in sounds] == validations
            assert all(sound.sample_rate == 16_000 for sound in sounds)
            heard[kind] = [soundfile.read(io.BytesIO(s.encoded_audio_string))[0] for s in sounds]
        assert np.array_equal(*heard["clean"])
        for x, x_adv, delta in zip(*heard.values(), strict=True):
            assert np.abs(x_adv - x - delta).max() < 3 / 32768  # each is rounded to a file
            ratio = 10.0 * np.log10(np.square(x).sum() / np.square(x_adv - x).sum())
            assert -0.5 <= ratio - KEPT[command][1] <= 4.0  # an ascent may end within its budget


def test_the_extra_is_named_where_it_is_missing(
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = importlib.util.find_spec

    def missing(name: str, *more: Any) -> Any:
        return None if name == "tensorboard" else real(name, *more)

    monkeypatch.setattr("mondegreen.board.importlib.util.find_spec", missing)
    assert run("generator", trained, tmp_path / "run", "--tensorboard") == 2
    assert "pip install 'mondegreen[track]'" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "run").exists()
