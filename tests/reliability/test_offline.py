"""Nothing goes to the network unless it is asked for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import soundfile

from mondegreen.cli.main import main
from mondegreen.metrics.pool import available_cores

GUARD = """
import os, sys

def guard(event, arguments):
    if event.startswith("socket.") and event.removeprefix("socket.") in REFUSED:
        family = getattr(arguments[0], "family", None) if arguments else None
        if family is None or family.name != "AF_UNIX":
            record("asked", f"{event} {arguments}")
            os._exit(99)

def record(name, text):
    with open(os.path.join(os.environ["GUARD_FOLDER"], name), "a") as file:
        file.write(f"{os.getpid()} {text}\\n")

REFUSED = {"connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr"}
sys.addaudithook(guard)
record("guarded", sys.executable)
"""
"""Python runs it as ``sitecustomize`` at every start, in processes of processes, too."""


def cut_off(
    words: list[str], folder: Path, *, without: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run Python; it, or a process that it starts, ends with 99 where it asks for a network.

    Args:
        words: What comes after ``python``.
        folder: Where to run; ``guarded`` and ``asked`` say there which processes were watched, and
            what they asked for.
        without: A command in front that takes the network away from all programs.
    """
    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    paths = [str(guard), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    variables = {"MONDEGREEN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    variables |= {"GUARD_FOLDER": str(folder), "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [*without, sys.executable, *words],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def processes(folder: Path) -> set[str]:
    """Return the ids of the processes that were watched."""
    return {line.split()[0] for line in (folder / "guarded").read_text().splitlines()}


def test_an_attack_by_the_shipped_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "hello.wav", rng.uniform(-0.3, 0.3, 16_000), 16_000)
    words = ["attack", "hello.wav", "--target", "yes", "--out", "fooled"]
    done = cut_off(["-m", "mondegreen", *words], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fooled" / "hello.yes.wav").is_file()
    assert processes(tmp_path) and not (tmp_path / "asked").exists()


def test_what_asks_for_the_network_is_noticed(tmp_path: Path) -> None:
    words = ["data", "download", "--out", "speech"]
    assert cut_off(["-m", "mondegreen", *words], tmp_path).returncode == 99
    assert "socket." in (tmp_path / "asked").read_text()


ASKING = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)"
STARTING = f"""
import subprocess, sys
subprocess.run([sys.executable, "-P", "-c", {ASKING!r}])
"""


def test_a_process_of_a_process_is_noticed_too(tmp_path: Path) -> None:
    done = cut_off(["-c", STARTING], tmp_path)
    assert done.returncode == 0  # nobody looked at what became of the other
    assert len(processes(tmp_path)) == 2
    assert "socket." in (tmp_path / "asked").read_text()


def test_the_processes_that_compute_pesq_are_among_them(tmp_path: Path) -> None:
    pytest.importorskip("pesq")
    code = (
        "import torch; from mondegreen.metrics.pool import score_pairs\n"
        "x = 0.1 * torch.randn(2, 16_000 * 61); kinds = ['stoi']\n"
        "score_pairs(x, x + 0.01 * torch.randn_like(x), 16_000, kinds, workers=2, description='')"
    )
    done = cut_off(["-c", code], tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(processes(tmp_path)) == 3 and not (tmp_path / "asked").exists()


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["smoke", "demo"])
def test_the_whole_demo(preset: str, tmp_path: Path) -> None:
    """No Python in it asks for a network, and no program finds one, where it can be cut off."""
    pytest.importorskip("espeakng_loader")
    cut = ["unshare", "--map-root-user", "--net"]
    can = shutil.which("unshare") and not subprocess.run([*cut, "true"], check=False).returncode
    words = ["-m", "mondegreen", "demo", "--preset", preset, "--out", "demo"]
    done = cut_off(words, tmp_path, without=cut if can else ())
    assert done.returncode == 0, done.stderr
    for stage in ("speech", "classifier", "generator", "evaluation"):
        assert (tmp_path / "demo" / stage).is_dir()
    assert (tmp_path / "demo" / "evaluation" / "report.html").is_file()
    assert not (tmp_path / "asked").exists()
    # With as many pairs as in the demo, PESQ is computed in processes of their own.
    assert preset == "smoke" or available_cores() == 1 or len(processes(tmp_path)) > 1


def test_the_network_is_not_there_where_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> NoReturn:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert main(["data", "download", "--out", str(tmp_path / "speech")]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "cannot reach" in text and "by hand" in text
