"""Docstrings as Markdown: the roles and the maths that they are written with are reST."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe
from latex2mathml.converter import convert

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")
MATHS = re.compile(r":math:`([^`]+)`")
EQUATION = re.compile(r"^( *)\.\. math:: *(.+(?:\n\1    .+)*)", re.MULTILINE)
SHAPE = re.compile(r"^Shape:\n((?:    .*\n?|\n)+)", re.MULTILINE)
EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)


class PlainRoles(griffe.Extension):
    """Rewrites each docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite an object's docstring; aliases have none of their own."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Return a docstring with code spans for roles and MathML for LaTeX.

    Example:
        >>> markdown("See :func:`~mondegreen.audio.read_audio`.")
        'See `read_audio`.'
    """
    text = EQUATION.sub(lambda found: _equation(found[1], found[2]), text)
    text = MATHS.sub(lambda found: convert(found[1].replace("\n", " ")), text)
    text = ROLE.sub(lambda found: f"`{_shown(found[1], found[2])}`", text)
    text = SHAPE.sub(lambda found: f"**Shape:**\n\n{textwrap.dedent(found[1])}\n", text)
    return EXAMPLE.sub(r"\1Examples:", text)


def _equation(indent: str, latex: str) -> str:
    written = " ".join(textwrap.dedent(latex).split())
    return f"{indent}{convert(written, display='block')}\n"


def _shown(short: str, name: str) -> str:
    return name.rpartition(".")[2] if short else name
