"""The code of the pages runs: all Python, and the commands that take seconds, page by page."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import soundfile
from tests.furnished.basics import AT_HAND, furnish

import blocks
import mondegreen
from blocks import Block
from mondegreen.cli import main
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.report.results import load_results

ELSEWHERE = ("docs/tour.md", "docs/attacks.md", "docs/serve.md", "docs/classifiers.md")
"""Pages whose Python is run by test_tour.py, below, by tests/live and test_docs_classifiers.py."""
QUICK = ("attack", "data info", "evaluate", "export", "report")
"""Commands that take seconds; trainings do with ``--preset smoke``, comparisons with 20 pairs."""


def inputs(words: list[str]) -> set[str]:
    """What a command reads: files and runs that it names, but for where it writes."""
    kept = [word for before, word in zip(["", *words], words, strict=False) if before != "--out"]
    ends = (".wav", ".onnx")
    return {word for word in kept if word.startswith("runs/") or word.endswith(ends)} | {
        word
        for option, word in itertools.pairwise(words)
        if option in ("--data", "--classifiers") or "speech_commands" in word
    } - {"zoo:speech-commands"}


def quick(words: list[str]) -> bool:
    """Whether a command of Mondegreen takes seconds in the tests' workplace."""
    text = " ".join(words)
    if "--devices" in words:  # starts itself again, which is not this program
        return False
    if "--preset smoke" in text and words[0] == "train":
        return True
    return text.startswith(QUICK) or "--pairs 20 " in text


def to_run(page: Path) -> list[tuple[Block, list[str]]]:
    """The page's commands that are run: the quick ones whose inputs are there by then."""
    there, found = set(AT_HAND), []
    for block in blocks.blocks(page):
        for words in block.commands() if block.language in blocks.SHELL else ():
            program, *rest = blocks.without_variables(words)
            if Path(program).name == "mondegreen" and quick(rest) and inputs(rest) <= there:
                found.append((block, rest))
                there |= {rest[rest.index("--out") + 1]} if "--out" in rest else set()
    return found


def has_code(page: Path) -> bool:
    name = str(page.relative_to(blocks.ROOT))
    python = any(one.language == "python" for one in blocks.blocks(page))
    return name not in ELSEWHERE and (python or bool(to_run(page)))


PAGES = [
    pytest.param(page, id=str(page.relative_to(blocks.ROOT)))
    for page in blocks.pages()
    if has_code(page)
]


def _without_extras(*_: object, **__: object) -> NoReturn:
    raise MissingExtraError("pesq", "quality")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is at hand; made once, copied for each page."""
    root = tmp_path_factory.mktemp("furnished")
    furnish(root)
    return root


@pytest.fixture
def workplace(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it to work in, without what takes long and is tested elsewhere."""
    place = tmp_path / "place"
    shutil.copytree(furnished, place)
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("mondegreen.evaluation.timing._seconds", lambda *_: 0.001)
    # PESQ takes long over noise.
    monkeypatch.setattr("mondegreen.evaluation.results.quality", _without_extras)
    monkeypatch.setattr("mondegreen.cli.attack.quality", _without_extras)
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))
    yield place
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


def run_python(block: Block, names: dict[str, Any]) -> None:
    code = block.code.replace("snr_db=20)", 'snr_db=20, preset="smoke")')
    if block.title:
        Path(block.title).write_text(code, encoding="utf-8")
    exec(compile(code, block.name, "exec"), names)


def run_page(page: Path) -> dict[str, Any]:
    """Run what a page tells the reader to run, in order; return the names of its Python."""
    names: dict[str, Any] = {}
    commands = to_run(page)
    for block in blocks.blocks(page):
        if block.language == "python":
            run_python(block, names)
        for words in [words for owner, words in commands if owner == block]:
            drawn = ["--no-report"] if words[0] == "evaluate" else []
            assert main.main([*words, *drawn]) == 0, words
    return names


@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs(page: Path, workplace: Path) -> None:
    names = run_page(page)
    checks = {
        "README.md": check_readme,
        "extending.md": check_extending,
        "measurement.md": check_measurement,
    }
    if page.name in checks:
        checks[page.name](workplace, names)


def check_readme(workplace: Path, names: dict[str, Any]) -> None:
    assert soundfile.info(str(workplace / "fooled.wav")).frames == 16_384
    assert (workplace / "runs/against-mine/checkpoints/best/generator.json").is_file()
    again = mondegreen.load_generator(Path("runs/against-mine"), names["classifier"])
    assert again.config.targets == ("no", "yes")
    assert names["found"].pairs.success.all()  # a linear classifier is fooled by one step


def check_measurement(workplace: Path, names: dict[str, Any]) -> None:
    found = load_results(workplace / "runs/from-python/results.json")
    assert (found.data.name, str(found.budget), found.pesq_nb.mean) == (
        "clips",
        "SNR ≥ 25 dB",
        None,
    )


def check_extending(workplace: Path, names: dict[str, Any]) -> None:
    compared = json.loads((workplace / "runs/with-noise/comparison.json").read_text())
    assert [cell["attack"].get("seed") for cell in compared["cells"]] == [None, 0, 1]
    assert all(cell["snr_db"]["min"] >= 20.0 - 1e-4 for cell in compared["cells"])
    measured = json.loads((workplace / "runs/with-metric/results.json").read_text())
    found = measured["metrics"]["my_metrics:loudest_moment"]
    with (workplace / "runs/with-metric/pairs.csv").open() as file:
        column = [float(row["my_metrics:loudest_moment"]) for row in csv.DictReader(file)]
    assert found["pairs"] == len(column) and found["failed"] == 0
    assert found["mean"] == pytest.approx(np.mean(column), abs=1e-3)
    heard = json.loads((workplace / "runs/covered/results.json").read_text())["channels"]
    assert [one["random"] for one in heard] == [False, True]
    sys.path[:] = [place for place in sys.path if place not in ("", str(workplace))]
    del sys.modules["my_networks"]
    with pytest.raises(MondegreenError, match="in a folder that PYTHONPATH names"):
        mondegreen.load_generator("runs/filters")  # a run brings no code along
    sys.path.append(str(workplace))
    own = mondegreen.load_generator("runs/filters")
    assert own.name == "my_networks:Filters" and own.parameter_count() == 2 * 127


def test_the_attacks_of_the_page_run(workplace: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks.blocks(blocks.ROOT / "docs/attacks.md"):
        if block.language == "python":
            run_python(block, names)
    assert issubclass(names["Hum"], mondegreen.Attack)
    assert names["found"].queries.max() <= 200


def test_enough_is_run_and_not_only_parsed() -> None:
    run = {str(page.relative_to(blocks.ROOT)): len(to_run(page)) for page in blocks.pages()}
    howto = {name for name in run if "howto/" in name} - {"docs/howto/reproduce.md"}
    assert all(run[name] for name in {"README.md", "docs/index.md", "docs/extending.md", *howto})
    assert sum(run.values()) >= 25
