"""A model of the package, clips in every state, and a page that is served for real."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mondegreen.live.channels import Channels
from mondegreen.live.models import LiveModel, load_model
from mondegreen.live.quality import Pesq
from mondegreen.live.studio import Studio
from mondegreen.zoo import resolve

NAME = "zoo:speech-commands"
Wave = npt.NDArray[np.float64]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def model() -> LiveModel:
    """The keyword spotter that comes with the package."""
    folder = resolve(Path(NAME))
    return load_model(NAME, folder, folder)


@pytest.fixture(scope="session")
def voice() -> Wave:
    """Half a second of a hum with formants and a little noise: PESQ takes it for speech."""
    time = np.arange(8_000) / 16_000
    hum = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 25))
    noise = np.random.default_rng(0).normal(size=8_000)
    return 0.1 * np.hanning(8_000) * (hum + 0.1 * noise)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder of the uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


@pytest.fixture
def write(files: Path) -> Write:
    """Write an upload."""

    def write_file(name: str, x: Wave, rate: int = 16_000, **options: str) -> Path:
        soundfile.write(files / name, x, rate, **options)
        return files / name

    return write_file


@pytest.fixture
def studio(model: LiveModel, files: Path) -> Iterator[Studio]:
    """A studio without PESQ's processes, which start when they are first asked."""
    with Pesq(1) as pesq:
        examples = (("gain:db=-6", "Half."), ("noise:snr_db=10", "Noise."))
        yield Studio({NAME: model}, pesq, Channels(examples), files)


@dataclass(frozen=True)
class Page:
    """A page that is served by a process of its own."""

    url: str
    process: subprocess.Popen[str]
    folder: Path
    """Where temporary folders are made."""

    def left_behind(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Page]:
    """Serve the page at a free port."""
    command = [sys.executable, "-m", "mondegreen", "serve", "--port", "0", *options]
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    ignored = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # by nohup, and so by the page, too
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    signal.signal(signal.SIGHUP, ignored)
    assert process.stderr is not None
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                yield Page(found.group(), process, folder)
                return
        pytest.fail(f"the page did not start: {''.join(lines)}")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[Page]]:
    """Serves a page for one test."""
    return serving


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A served page, for all tests that ask it something."""
    pytest.importorskip("gradio", reason="needs the extra 'demo'")
    with serving(tmp_path_factory.mktemp("tmp")) as served:
        yield served
