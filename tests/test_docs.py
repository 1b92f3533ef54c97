"""The pages tell the truth: snippets run, commands parse, links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import soundfile
import torch

import mondegreen
from mondegreen import zoo
from mondegreen.classifiers.classifier import Classifier, ClassifierConfig, save_classifier
from mondegreen.cli import main, options
from mondegreen.errors import MissingExtraError
from mondegreen.generators.generator import Generator, describe_classifier, save_generator
from mondegreen.generators.spectral import SpectralConfig
from mondegreen.report.results import load_results

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MACHINE_PATH = re.compile(r"(?<![\w.~/:])/(home|root|work|tmp|mnt|opt|usr|var|Users)/|[A-Z]:\\")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """The page without its fenced blocks and code spans."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def commands(page: Path) -> list[list[str]]:
    """The words of every command in the page's ``sh`` blocks."""
    lines = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line for line in words if line]


PYTHON = [
    pytest.param(code, id=f"{name_of(page)}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "python"), start=1)
]
MONDEGREEN = [
    pytest.param(words[1:], id=" ".join(words))
    for page in PAGES
    for words in commands(page)
    if Path(words[0]).name == "mondegreen"
]
MAKE = sorted({words[1] for page in PAGES for words in commands(page) if words[0] == "make"})


def test_there_is_something_to_check() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {page.name for page in PAGES}
    assert len(PYTHON) >= 5 and len(MONDEGREEN) >= 15 and "demo" in MAKE


@pytest.mark.parametrize("code", PYTHON)
def test_python_compiles_and_imports_names_that_exist(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mondegreen"):
            module = importlib.import_module(node.module or "")
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert not missing, f"{node.module} has no {missing}"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "mondegreen":
            assert node.attr in mondegreen.__all__


class ParsedError(Exception):
    """Raised in place of executing a command whose words were understood."""


@pytest.mark.parametrize("words", MONDEGREEN)
def test_commands_parse(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def parse_and_stop(kind: type[Any], given: Sequence[str], *rest: Any, **named: Any) -> NoReturn:
        options.parse(kind, given, *rest, **named)
        raise ParsedError

    name = " ".join(words[:2]) if " ".join(words[:2]) in main.COMMANDS else words[0]
    assert name in main.COMMANDS
    module = importlib.import_module("mondegreen.cli." + name.replace(" ", "_"))
    monkeypatch.setattr(module, "parse", parse_and_stop)
    with pytest.raises(ParsedError):
        module.run(words[len(name.split()) :])


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_is_in_the_changelog(command: str) -> None:
    assert f"`{command}`" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def options_named(page: Path) -> set[str]:
    """Options that stand in code spans outside of the blocks, such as ``--snr-db``."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    spans = "\n".join(re.findall(r"`([^`\n]+)`", text))
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9.-]*[a-z0-9]", spans))


@pytest.fixture(scope="module")
def help_texts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The help of every command, that of two of them for both of their kinds."""
    every = [name.split() for name in main.COMMANDS]
    every += [
        ["train", "generator", "--network", "unet"],
        ["data", "synthesize", "--kind", "music"],
    ]
    parts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        for words in every:
            path = tmp_path_factory.mktemp("help") / "help.txt"
            with path.open("w") as file, pytest.raises(SystemExit):
                patch.setattr("sys.stdout", file)
                main.main([*words, "--help"])
            parts.append(path.read_text())
    return "\n".join(parts)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_in_the_text_exist(page: Path, help_texts: str) -> None:
    known = set(re.findall(r"--[a-z][a-z0-9.-]*[a-z0-9]", help_texts))
    known |= set(re.findall(r"--[a-z-]+", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert options_named(page) <= known | {"--strict"}


@pytest.mark.parametrize("target", MAKE)
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_models_of_the_package_exist(page: Path) -> None:
    named = set(re.findall(r"zoo:([a-z0-9-]+)", page.read_text(encoding="utf-8")))
    assert named <= set(zoo.models())


def slug(heading: str) -> str:
    """The anchor that a Markdown heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            yield target


LINKS = [
    pytest.param(page, target, id=f"{name_of(page)}->{target}")
    for page in PAGES
    for target in dict.fromkeys(links(page))
]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    file, _, anchor = target.partition("#")
    found = page.parent / file if file else page
    assert found.is_file()
    if anchor:
        headings = re.findall(r"^#+ +(.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {slug(heading) for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CITATION.cff"], ids=name_of)
def test_no_page_names_a_folder_of_somebodys_machine(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if MACHINE_PATH.search(line) or "../shared" in line]


def test_the_version_is_the_same_everywhere() -> None:
    version = mondegreen.__version__
    for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml"):
        assert version in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_readme_has_a_place_for_results() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("<!-- results:begin -->\n") < text.index("<!-- results:end -->\n")


def _without_extras(*_: object) -> NoReturn:
    raise MissingExtraError("pesq", "quality")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the snippets expect: two runs, clips and a recording."""
    monkeypatch.chdir(tmp_path)
    # Timing repeats every attack, and PESQ takes long over noise: both are tested elsewhere.
    monkeypatch.setattr("mondegreen.evaluation.evaluate.milliseconds", lambda *_, **__: 1.0)
    monkeypatch.setattr("mondegreen.evaluation.results.quality", _without_extras)
    monkeypatch.setenv("MONDEGREEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MONDEGREEN_ALLOWED", str(tmp_path / "allowed"))
    torch.manual_seed(20)
    config = ClassifierConfig(labels=("no", "yes"))
    classifier = Classifier.from_config(config).freeze()
    save_classifier(Path("runs/spotter"), classifier, config)
    network = SpectralConfig(width=8, blocks=1)
    generator = Generator(describe_classifier(classifier, network, (), 20.0))
    save_generator(Path("runs/generator"), generator)
    rng = np.random.default_rng(20)
    soundfile.write("hello.wav", rng.uniform(-0.5, 0.5, 12_000), 16_000)
    for label in classifier.labels:
        Path("clips", label).mkdir(parents=True)
        for speaker in range(30):
            noise = rng.uniform(-0.5, 0.5, 16_000)
            soundfile.write(f"clips/{label}/s{speaker}_nohash_0.wav", noise, 16_000)
    return tmp_path


def test_the_snippets_of_the_readme_run(workplace: Path) -> None:
    names: dict[str, Any] = {}
    for code in blocks(ROOT / "README.md", "python"):
        assert "cpu" not in code or '("cpu", None)' in code
        exec(code.replace('("cpu", None)', '("smoke", None)'), names)
    assert soundfile.info(str(workplace / "fooled.wav")).frames == 16_384
    assert (workplace / "runs/against-mine/checkpoints/best/generator.json").is_file()
    again = mondegreen.load_generator(Path("runs/against-mine"), names["classifier"])
    assert again.config.targets == ("no", "yes")
    assert names["found"].pairs.success.all()  # a linear classifier is fooled by one step


def test_the_snippets_on_classifiers_run(workplace: Path) -> None:
    snippets = blocks(ROOT / "docs/classifiers.md", "python")
    Path("my_model.py").write_text(snippets[0])
    for code in snippets:
        exec(code, {})
    words = ["adopt", "my_model.py:build", "--labels", "no", "yes", "--sample-rate", "16000"]
    assert main.main([*words, "--data", "clips", "--out", "runs/mine"]) == 0
    assert mondegreen.load_classifier("runs/mine").differentiable


def test_the_snippets_on_measuring_run(workplace: Path) -> None:
    for code in blocks(ROOT / "docs/measurement.md", "python"):
        exec(code, {})
    found = load_results(workplace / "runs/from-python/results.json")
    assert (found.data.name, str(found.budget), found.pesq_nb.mean) == (
        "clips",
        "SNR ≥ 25 dB",
        None,
    )
