"""Tables for papers, with the rules of the package ``booktabs``."""

from __future__ import annotations

from collections.abc import Sequence

_SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    "†": "$^\\dagger$",
    "<": "$<$",
    ">": "$>$",
    "→": "$\\to$",
    "×": "$\\times$",
    "·": "$\\cdot$",
    "≥": "$\\geq$",
    "≤": "$\\leq$",
    "δ": "$\\delta$",
    "‖": "$\\|$",
    "₂": "$_2$",
    "∞": "$\\infty$",
    "−": "$-$",
    "±": "$\\pm$",
    "•": "$\\bullet$",
}


def latex_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], alignment: str, caption: str
) -> str:
    """Return a table over both columns of a page.

    Args:
        head: Titles of the columns.
        rows: The cells.
        alignment: ``l`` or ``r`` for every column.
        caption: Above the table.
    """
    body = "".join(_line(row) for row in rows)
    return (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{table*}\n\\centering\n"
        f"\\caption{{{escape(caption)}}}\n"
        f"\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"
        f"{_line(head)}\\midrule\n{body}\\bottomrule\n\\end{{tabular}}\n\\end{{table*}}\n"
    )


def wide_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], alignment: str, caption: str
) -> str:
    """Return a table over both columns that shrinks to the width of the page.

    It needs the packages ``booktabs`` and ``graphicx``.

    Args:
        head: Titles of the columns.
        rows: The cells.
        alignment: ``l`` or ``r`` for every column.
        caption: Above the table.
    """
    body = "".join(map(_line, rows))
    return (
        "\\begin{table*}\n\\centering\n"
        f"\\caption{{{escape(caption)}}}\n"
        "\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}{%\n"
        f"\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"
        f"{_line(head)}\\midrule\n{body}"
        "\\bottomrule\n\\end{tabular}}\n\\end{table*}\n"
    )


def _line(cells: Sequence[str]) -> str:
    return " & ".join(map(escape, cells)) + " \\\\\n"


def escape(text: str) -> str:
    r"""Return text as LaTeX prints it.

    Example:
        >>> print(escape("50 % ≥ a_b"))
        50 \% $\geq$ a\_b
    """
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
