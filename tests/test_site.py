"""The site's navigation, its reference and the pages that are made: nothing public is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown import Markdown
from markdown_it import MarkdownIt
from mkdocs.config.defaults import MkDocsConfig

import cli_pages
import docstrings
import hooks
import links
import mondegreen
from mondegreen.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = sorted((DOCS / "reference").glob("*.md"))
OTHERS = {"changelog.md", "contributing.md", "license.md"}
"""Pages that website/hooks.py makes of files at the root."""


def navigation() -> list[str]:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    start, end = text.index("\nnav:"), text.index("\nvalidation:")
    lines = [line.partition(" #")[0] for line in text[start:end].splitlines()]
    return [found[1] for line in lines if (found := re.search(r"([\w/-]+\.md)$", line.strip()))]


def test_every_page_is_in_the_navigation_once() -> None:
    pages = [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")]
    assert sorted(navigation()) == sorted([*pages, *OTHERS])


def test_every_command_is_in_the_navigation() -> None:
    nav = [{"Home": "index.md"}, {"Reference": ["reference/index.md", {"Commands": "cli/"}]}]
    config = MkDocsConfig()
    config.load_dict({"nav": nav})
    filled = hooks.on_config(config).nav
    assert filled is not None and filled[0] == {"Home": "index.md"}
    index, commands = filled[1]["Reference"]
    assert index == "reference/index.md" and commands["Commands"][0] == "cli/index.md"
    assert commands["Commands"][1:] == [
        {name: cli_pages.address(name)} for name in sorted(main.COMMANDS)
    ]


@pytest.mark.parametrize("name", mondegreen.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    shown = [page for page in REFERENCE if f"\n::: mondegreen.{name}\n" in page.read_text("utf-8")]
    assert len(shown) == 1
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    assert f"`{name}`" in index, "the index of the reference lists all names"


def test_the_pages_of_the_commands_know_every_option() -> None:
    pages = cli_pages.pages()
    for name in main.COMMANDS:
        page = pages[cli_pages.address(name)]
        parser = cli_pages.parser_of(name, [])
        flags = [one for action in parser._actions for one in action.option_strings]
        assert parser.prog == f"mondegreen {name}" and (len(flags) > 2 or name == "report")
        assert all(f"`{flag}`" in page for flag in flags if flag not in ("-h", "--help")), name
        assert cli_pages.address(name).removeprefix("cli/") in pages["cli/index.md"]
    attack = pages["cli/attack.md"]
    assert "`--refine` `INT` · default `0`\n:   Gradient steps that follow" in attack
    assert "`--target` `STR` · required" in attack and "## Arguments\n\n`CLIPS`" in attack
    assert "## With `--network unet`" in pages["cli/train-generator.md"]


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("[a](../README.md)", "[a](../index.md)"),
        ("[a](../../README.md#install)", "[a](../index.md#install)"),
        ("[a](../../CONTRIBUTING.md)", "[a](../contributing.md)"),
        ("[a](budgets.md#which-one)", "[a](budgets.md#which-one)"),
        ("![a](../images/clip.svg)", "![a](../images/clip.svg)"),
        ("[a](#here) [b](https://example.org/README.md)",) * 2,
        ("```\n[a](../../README.md)\n```",) * 2,
        ("[a](../../src/mondegreen/audio.py)",) * 2,
    ],
)
def test_links_out_of_the_folder(written: str, made: str) -> None:
    source = "docs/concepts/success.md"
    if written == "[a](../README.md)":
        source = "docs/concepts.md"
        made = "[a](index.md)"
    assert links.rewrite(written, source, source.removeprefix("docs/")) == made


def test_docstrings_become_markdown() -> None:
    text = "See :class:`~a.b.C` and :math:`x^2`.\n\n.. math:: y =\n    z\n\n"
    text += "Shape:\n    - x: ``(1,)``\n\nExample:\n    >>> 1\n    1\n"
    made = docstrings.markdown(text)
    assert "See `C` and <math" in made and "<msup>" in made and 'display="block"' in made
    assert "**Shape:**\n\n- x: ``(1,)``\n" in made and "\nExamples:\n    >>> 1" in made
    assert ".. math" not in made and ":class:" not in made


def counts(html: str) -> dict[str, int]:
    """How often each of the elements occurs whose syntax differs between dialects."""
    found = {tag: len(re.findall(rf"<{tag}\b", html)) for tag in ("li", "tr", "pre", "h2", "h3")}
    return found | {"nested": len(re.findall(r"<li>[^<]*<ul>", html))}


PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path not in REFERENCE]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_page_reads_the_same_on_a_code_host(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    site = Markdown(extensions=["tables", "attr_list", "def_list", "pymdownx.superfences"])
    host = MarkdownIt("commonmark").enable("table")
    assert counts(site.convert(text)) == counts(host.render(text))
