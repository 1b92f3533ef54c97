"""Figures inside of a page: SVG that takes its ink from the page's theme."""

from __future__ import annotations

import io
import re

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from mondegreen.report.comparison_style import COLOURS
from mondegreen.report.style import figure_style

INKS = {
    **{colour.lower(): f"var(--series-{place})" for place, colour in enumerate(COLOURS)},
    "#000000": "currentColor",
    "#ffffff": "var(--surface)",
    "#dddddd": "var(--line)",
    "#bbbbbb": "var(--front)",
    "#888888": "var(--muted)",
    "#808080": "var(--muted)",
}
"""Colours of the figures as the style sheet of the page knows them, for both themes."""

LARGEST = 2.4
"""Pixels a point at most: type of 7 points becomes that of the page."""


def inline_svg(figure: Figure, name: str, label: str) -> Markup:
    """Return a figure as an ``svg`` element.

    Args:
        figure: The figure; its backgrounds become transparent.
        name: Begins all identifiers, so that several figures can stand in one page.
        label: What a screen reader says.
    """
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    file = io.StringIO()
    # Text stays text: it is read, searched and set in the page's type.
    with figure_style(), matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id=")', rf"\g<1>{name}-", text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # would hold for the whole page
    text = text.replace("xlink:href", "href")
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"font: [^;\"]*?([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda found: INKS.get(found[0], found[0]), text)
    width, height = (72.0 * inches for inches in figure.get_size_inches())
    head = (
        f'<svg class="figure" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(label)}" style="max-width:{LARGEST * width:.0f}px">'
    )
    return Markup(head + text[text.index(">") + 1 :])
