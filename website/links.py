"""Links of pages that are read on a code host, too, as the site needs them."""

from __future__ import annotations

import posixpath
import re

LINK = re.compile(r"(\]\(\s*)([^)\s#]+)?(#[^)\s]*)?(\s*\))")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)

PAGES = {
    "README.md": "index.md",
    "README.md#threat-model-scope-and-responsible-use": "responsible-use.md",
    "README.md#your-own-classifier": "extending.md#a-classifier",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "license.md",
}
"""Files outside of ``docs`` and the pages of the site that stand for them."""


def rewrite(markdown: str, source: str, page: str) -> str:
    """Return a page's text with its links into the repository turned into links of the site.

    Args:
        markdown: The text.
        source: Where it lies in the repository.
        page: Its address below ``docs``.

    Example:
        >>> rewrite("[design](docs/design.md#nouns)", "CHANGELOG.md", "changelog.md")
        '[design](design.md#nouns)'
        >>> rewrite("[change](../CHANGELOG.md)", "docs/tour.md", "tour.md")
        '[change](changelog.md)'
    """
    parts = FENCE.split(markdown)
    for place in range(0, len(parts), 2):
        parts[place] = LINK.sub(lambda link: _moved(link, source, page), parts[place])
    return "".join(parts)


def _moved(link: re.Match[str], source: str, page: str) -> str:
    before, target, anchor, after = link[1], link[2] or "", link[3] or "", link[4]
    if not target or re.match(r"[a-z]+:", target):
        return link[0]
    place = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if place + anchor in PAGES:
        found = PAGES[place + anchor]
    elif place in PAGES:
        found = PAGES[place] + anchor
    elif place.startswith("docs/"):
        found = place.removeprefix("docs/") + anchor
    else:
        return link[0]  # the build says that there is no such page
    return before + posixpath.relpath(found, posixpath.dirname(page) or ".") + after
