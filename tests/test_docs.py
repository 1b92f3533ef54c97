"""The pages tell the truth: snippets run, commands parse, links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

import blocks
import mondegreen
from blocks import Block
from mondegreen import zoo
from mondegreen.cli import main, options

ROOT = Path(__file__).parents[1]
PAGES = blocks.pages()
MACHINE_PATH = re.compile(r"(?<![\w.~/:])/(home|root|work|tmp|mnt|opt|usr|var|Users)/|[A-Z]:\\")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its fenced blocks and code spans."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def commands(page: Path) -> list[list[str]]:
    """The words of every command in the page's shell blocks, without variables before it."""
    found = [one for one in blocks.blocks(page) if one.language in blocks.SHELL]
    return [blocks.without_variables(words) for block in found for words in block.commands()]


BLOCKS = [pytest.param(one, id=one.name) for page in PAGES for one in blocks.blocks(page)]
PYTHON = [
    pytest.param(one.code, id=one.name)
    for page in PAGES
    for one in blocks.blocks(page)
    if one.language == "python"
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


def known(words: list[str]) -> bool:
    """Whether the tests know what to do with a command: all that is not Mondegreen's is here."""
    if words[0] == "python" and words[1].startswith("benchmarks/"):
        words = words[1:]
    program = Path(words[0]).name
    if program in ("mondegreen", "make"):
        return True  # parsed, or looked up, below
    if program == "pip":
        extras = re.findall(r"\[([^]]+)\]", " ".join(words))
        declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        names = [name for one in extras for name in one.split(",")]
        return words[1] == "install" and all(f"\n{name} = [" in declared for name in names)
    if program.endswith(".py"):
        source = (ROOT / "benchmarks" / program).read_text(encoding="utf-8")
        options = [word for word in words[1:] if word.startswith("--")]
        fields = [option.removeprefix("--").removeprefix("no-") for option in options]
        return all(field.replace("-", "_") in source for field in fields)
    if words[1:2] == ["-m"] and words[2].startswith("benchmarks."):
        folder = ROOT / words[2].replace(".", "/")
        source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
        options = [word for word in words if word.startswith("--")]
        return bool(source) and all(f'"{option}"' in source for option in options)
    return words[:3] == ["python3", "-m", "venv"]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_run_or_parsed_or_shown(block: Block) -> None:
    if block.language in blocks.SHELL:
        every = [blocks.without_variables(words) for words in block.commands()]
        assert every and all(map(known, every)), every
    else:  # Python is run by test_docs_code.py and compiled here; the rest says what it is
        assert block.language in ("python", "text", "bibtex", "toml"), block.name
        assert block.language != "toml" or tomllib.loads(block.code)


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
    monkeypatch.setattr("mondegreen.cli.train_generator.find_own", lambda network: None)
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
    """The help of every command, that of two of them for all of their kinds."""
    every = [name.split() for name in main.COMMANDS]
    every += [
        ["train", "generator", "--network", "unet"],
        ["train", "generator", "--network", "mondegreen.generators.own:OwnNetwork"],
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
    others = {"--strict", "--logdir", "--system-site-packages"}  # of other programs
    assert options_named(page) <= known | others


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
