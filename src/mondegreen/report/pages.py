"""What all pages have in common: templates, style, scripts, and what the browser may run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mondegreen.report.formatting import number, option, percent, size

PAGE_BYTES = 15_000_000
"""No page is larger: it has to open on a phone and fit into a mail."""


def render_page(
    template: str, scripts: Sequence[str], *, styles: Sequence[str] = (), **shown: Any
) -> str:
    """Return a page as HTML.

    Args:
        template: Its file among the templates.
        scripts: Files of scripts, which run as one; the style and the theme's switch are of every
            page.
        styles: Files of styles beside that of every page.
        shown: What the template shows.
    """
    environment = Environment(
        loader=PackageLoader("mondegreen.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "number": number, "size": size, "option": option}
    body = "".join(_source(environment, name) for name in ("theme.js", *scripts))
    script = Markup('(() => {{\n"use strict";\n{}}})();\n').format(Markup(body))
    head_script = Markup(_source(environment, "head.js"))
    return environment.get_template(template).render(
        style=Markup("".join(_source(environment, name) for name in ("report.css", *styles))),
        script=script,
        head_script=head_script,
        script_sources=Markup(" ").join(map(_hash, (script, head_script))),
        **shown,
    )


def fit(render: Callable[[int], str], sound_bytes: int, page_bytes: int = PAGE_BYTES) -> str:
    """Return the page with as many sounds as it may weigh.

    Args:
        render: Returns the page with so many bytes of sounds at most.
        sound_bytes: To begin with.
        page_bytes: What the page may weigh. Without any sounds it may still weigh more.
    """
    page = render(sound_bytes)
    while sound_bytes and (excess := len(page.encode()) - page_bytes) > 0:
        sound_bytes = max(0, min(sound_bytes - excess, int(0.9 * sound_bytes)))
        page = render(sound_bytes)
    return page


def _source(environment: Environment, name: str) -> str:
    loader = environment.loader
    assert loader is not None
    return loader.get_source(environment, name)[0]


def _hash(script: Markup) -> Markup:
    """Return a script's hash for the page's policy: the browser runs no other."""
    digest = hashlib.sha256(script.encode()).digest()
    return Markup("'sha256-{}'").format(base64.b64encode(digest).decode())
