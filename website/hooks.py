"""What MkDocs is told beyond mkdocs.yml: pages that are made, links that lead out of docs/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from cli_pages import address
from cli_pages import pages as cli_pages
from links import rewrite
from mondegreen.cli import main

ROOT = Path(__file__).parents[1]
COPIES = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the commands into the navigation, where it says ``cli/``."""
    commands = [{name: address(name)} for name in sorted(main.COMMANDS)]
    for section in config.nav or ():
        for title, entries in section.items():
            section[title] = (
                [_filled(one, commands) for one in entries]
                if isinstance(entries, list)
                else entries
            )
    return config


def _filled(entry: Any, commands: list[dict[str, str]]) -> Any:
    if isinstance(entry, dict) and "cli/" in entry.values():
        return {title: ["cli/index.md", *commands] for title in entry}
    return entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of ``docs``."""
    made = {page: (ROOT / source).read_text("utf-8") for page, source in COPIES.items()}
    made["license.md"] = "# Licence\n\n" + (ROOT / "LICENSE").read_text("utf-8")
    for page, text in {**made, **cli_pages()}.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **kwargs: Any) -> str:
    """Turn links into the repository into links of the site."""
    address = page.file.src_uri
    if address in ("index.md", "tour.md"):
        page.meta["hide"] = ["navigation"]  # a column with one entry
    return rewrite(markdown, COPIES.get(address, f"docs/{address}"), address)
