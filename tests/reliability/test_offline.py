"""Nothing goes to the network unless it is asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import soundfile

from mondegreen.cli.main import main

CUT_OFF = """
import socket, sys

def refuse(*arguments, **options):
    print("asked for the network:", arguments, file=sys.stderr)
    raise SystemExit(99)

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse
from mondegreen.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def cut_off(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that ends with 99 where it asks for the network."""
    return subprocess.run(
        [sys.executable, "-c", CUT_OFF, *words],
        cwd=folder,
        env={**os.environ, "MONDEGREEN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_attack_by_the_shipped_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "hello.wav", rng.uniform(-0.3, 0.3, 16_000), 16_000)
    done = cut_off(["attack", "hello.wav", "--target", "yes", "--out", "fooled"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fooled" / "hello.yes.wav").is_file()


def test_what_asks_for_the_network_is_noticed(tmp_path: Path) -> None:
    words = ["data", "download", "--out", "speech"]
    assert cut_off(words, tmp_path).returncode == 99


@pytest.mark.slow
def test_the_whole_demo(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    done = cut_off(["demo", "--preset", "smoke", "--out", "demo"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "evaluation" / "report.html").is_file()


def test_the_network_is_not_there_where_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> NoReturn:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert main(["data", "download", "--out", str(tmp_path / "speech")]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "cannot reach" in text and "by hand" in text
