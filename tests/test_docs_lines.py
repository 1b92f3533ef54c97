"""Every shell line of the documentation is executed, page by page; shrunk by a table of rules."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.classifiers.strangers.raw import served
from tests.furnished import collections
from tests.furnished.basics import furnish
from tests.furnished.lines import count, every_line, lines
from tests.furnished.runs import furnish_runs
from tests.furnished.set_aside import SET_ASIDE, reason
from tests.furnished.shrinking import CONSTANTS, shrunk
from tests.furnished.stages import in_this_process
from tests.furnished.strangers import furnish_small_strangers, furnish_strangers, linear

import blocks
from blocks import Block
from mondegreen.cli import main
from mondegreen.generators.spectral import SpectralConfig

LINKED = (
    "clips",
    "speech_commands",
    "speech_commands_other",
    "esc10",
    "recordings",
    "benchmarks",
    "leaderboard",
    "path",
    "results",
)
"""Folders that no line changes: pages share them."""
BENCHMARKS = {
    "generators.py": "--rounds 1 --batch 1 --no-compile --out measured.json",
    "evolution.py": "--rounds 1 --clips 2 --threads 1 --out measured.json",
    "loading.py": "--clips 8 --epochs 1 --pairs 2 --rounds 1 --counts 50 100 --out measured.json",
}
"""The options that make a benchmark small, and keep it from the results that are published."""
SERVICE = "https://example.org/listen"


LIGHT = ("docs/classifiers.md", "docs/concepts/splits.md")
"""Pages whose lines take seconds, and run with all other tests."""
PAGES = [
    pytest.param(page, id=name)
    for page in blocks.pages()
    if lines(page) and (name := str(page.relative_to(blocks.ROOT))) not in LIGHT
]


@contextmanager
def furnishing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a folder, which counts as the real data, and stay in it with what makes lines small."""
    root = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("MONDEGREEN_DATA", str(root))
        patch.setenv("MONDEGREEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MONDEGREEN_ALLOWED", str(tmp_path_factory.mktemp("allowed")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        for name, value in CONSTANTS.items():
            patch.setattr(name, value)
        patch.setattr("mondegreen.cli.audit.run_stages", in_this_process)
        collections.speech_commands(root / "speech_commands")
        yield root


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all that pages take for granted, made once."""
    with furnishing(tmp_path_factory) as root:
        furnish(root, SpectralConfig(dial=True))  # as large as trainings without a preset make it
        collections.other_words(root / "speech_commands_other")
        collections.esc10(root / "esc10")
        collections.recordings(root / "recordings", ("dog_bark", "rain", "rooster"))
        for name in ("leaderboard", "results"):
            (root / name).symlink_to(blocks.ROOT / name)
        (root / "path").mkdir()
        (root / "path/to").symlink_to(root)
        (root / "speech_commands_v0.01").symlink_to(root / "speech_commands")
        furnish_runs()
        furnish_strangers()
        yield root


@pytest.fixture(scope="module")
def lightly_furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what the light pages take for granted."""
    with furnishing(tmp_path_factory) as root:
        furnish(root)
        furnish_small_strangers()
        yield root


def copy_of(root: Path, place: Path) -> None:
    """Copy a furnished folder, in which large folders become links."""
    shutil.copytree(root, place, symlinks=True, ignore=shutil.ignore_patterns(*LINKED, "mixtures"))
    for name in (*LINKED, "runs/mixtures"):
        if (root / name).exists():
            (place / name).symlink_to(root / name)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, which is not there yet."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path / "place"
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The address of a classifier that answers over HTTP."""
    with served(linear()) as server:
        described = {"labels": ["no", "yes"], "sample_rate": 16_000, "clip_samples": 16_000}
        server.described = described | {"version": "1"}
        yield server.url


def write_files(block: Block) -> None:
    """Write a Python block that is a file into the folder: by its title or its first line."""
    first = block.code.partition("\n")[0]
    name = block.title or (first[2:] if first.startswith("# my_") else "")
    if name or "class Hum" in block.code:
        Path(name or "my_attacks.py").write_text(block.code, encoding="utf-8")


def run_benchmark(words: list[str]) -> None:
    """Run a benchmark in a process of its own."""
    name = Path(words[0]).name
    given = [os.path.expandvars(word) for word in words[1:]]
    program = [sys.executable, f"benchmarks/{name}", *given, *BENCHMARKS[name].split()]
    subprocess.run(program, check=True, capture_output=True, text=True, timeout=300)


def run_page_server(words: list[str]) -> None:
    """Start the live page, look at it, and ask it to end."""
    if "--port" not in words:
        words = [*words, "--port", "0"]
    command = [sys.executable, "-m", "mondegreen", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        killer = threading.Timer(600, process.kill)  # a busy machine is slow
        killer.start()
        try:
            said = ""
            while "http://" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            address = next(word for word in said.split() if word.startswith("http://"))
            with urllib.request.urlopen(address.rstrip(".,"), timeout=300) as answer:
                assert b"Mondegreen" in answer.read()
        finally:
            process.send_signal(signal.SIGTERM)
            said += process.communicate()[1]
            killer.cancel()
    assert process.returncode in (0, 143), f"exit code {process.returncode}: {said}"


def make_room(words: list[str], made: set[str]) -> None:
    """Take away what was furnished where a line writes for the first time on its page."""
    if "--out" in words:
        out = words[words.index("--out") + 1]
        if out not in made and out.startswith("runs/") and Path(out).exists():
            shutil.rmtree(out)
        made.add(out)


def run_line(words: list[str], service: str, made: set[str]) -> None:
    """Run one line of a page; ``made`` holds where earlier lines wrote."""
    program, *rest = blocks.without_variables(words)
    name = Path(program).name
    if name == "python":
        name, *rest = Path(rest[0]).name, *rest[1:]
    if name in BENCHMARKS:
        run_benchmark([name, *rest])
        return
    assert name == "mondegreen", words
    small = shrunk(rest, {SERVICE: service})
    make_room(small, made)
    if small[0] == "serve":
        run_page_server(small)
        return
    start = time.process_time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mondegreen", *small])  # further processes take it over
        code = main.main(small)
    print(f"LINE {time.process_time() - start:6.1f} s: {' '.join(small)}", file=sys.stderr)
    assert code == 0, f"exit code {code}: {' '.join(small)}"


def run_page(page: Path, service: str) -> None:
    """Run all lines of a page that are not set aside, in order."""
    made: set[str] = set()
    for block in blocks.blocks(page):
        if block.language == "python":
            write_files(block)
        for words in block.commands() if block.language in blocks.SHELL else ():
            if reason(blocks.without_variables(words)) is None:
                run_line(words, service, made)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_the_page_runs(
    page: Path, furnished: Path, place: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(furnished, place)
    monkeypatch.chdir(place)
    run_page(page, service)


@pytest.mark.parametrize("page", LIGHT)
def test_every_line_of_a_light_page_runs(
    page: str, lightly_furnished: Path, place: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(lightly_furnished, place)
    monkeypatch.chdir(place)
    run_page(blocks.ROOT / page, service)


def test_every_line_is_run_or_set_aside_with_a_reason() -> None:
    """The table names no line that is gone, and few kinds of lines."""
    every = every_line()
    gone = [start for start in SET_ASIDE if not any(line.startswith(start) for line in every)]
    assert not gone
    assert len(set(SET_ASIDE.values())) <= 5
    left = [line for line in every if reason(line.split()) is None]
    assert len(left) >= 0.85 * len(every)
    assert f"{len(every)} lines of documentation, {len(left)} of them run" in count()
    programs = {Path(line.removeprefix("python ").split()[0]).name for line in left}
    assert programs == {"mondegreen", *BENCHMARKS}
