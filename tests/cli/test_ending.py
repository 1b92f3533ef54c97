from __future__ import annotations

import errno
import os
import re
import signal

import pytest
import torch

from mondegreen.cli.ending import end_with_code
from mondegreen.errors import MondegreenError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MondegreenError("no [clips]"), "error: no [clips]"),
        (OSError(errno.ENOSPC, "No space left on device", "a.wav"), "a.wav: No space left.*Free"),
        (OSError(errno.EROFS, "Read-only file system", "a"), "a: Read-only.*another output folder"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a"), "a: No such file. Was it moved"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 3000), r"a{200}\.\.\.: File name"),
        (torch.OutOfMemoryError("CUDA out of memory"), "GPU's memory does not suffice.*smaller"),
        (MemoryError(), "memory does not suffice.*--batch-size"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you"), "memory does not suffice"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_faults_of_the_surroundings_end_with_two(
    error: Exception, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise error

    assert end_with_code(run, ["evaluate"]) == 2
    text = capsys.readouterr().err.replace("\n", " ")

    assert re.search(said.replace("[", r"\["), text), text


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), OSError("?"), KeyError("x")])
def test_errors_of_ours_are_not_hidden(error: Exception) -> None:
    def run() -> None:
        raise error

    with pytest.raises(type(error)):
        end_with_code(run, ["evaluate"])


@pytest.mark.parametrize(
    ("words", "number", "code", "said"),
    [
        (
            ["train", "classifier", "--data", "my clips"],
            signal.SIGINT,
            130,
            "interrupted; continue",
        ),
        (["evaluate", "--out", "e"], signal.SIGTERM, 143, "terminated; continue"),
        (["attack", "a.wav"], signal.SIGINT, 130, "interrupted; run it again"),
    ],
)
def test_an_interruption_tells_how_to_go_on(
    words: list[str],
    number: signal.Signals,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert end_with_code(lambda: os.kill(os.getpid(), number), words) == code
    text = capsys.readouterr().err
    assert said in text
    assert f"\n  mondegreen {' '.join(words)}\n".replace("my clips", "'my clips'") in text


def test_an_interruption_that_another_error_hides(capsys: pytest.CaptureFixture[str]) -> None:
    """So it is where Ctrl-C comes while PyTorch builds a network on the meta device."""

    def run() -> None:
        try:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            finally:
                raise RuntimeError("trying to pop from empty mode stack")
        except RuntimeError as error:
            raise MondegreenError("no network can be built so") from error

    assert end_with_code(run, ["evaluate"]) == 130
    assert "interrupted; continue" in capsys.readouterr().err
