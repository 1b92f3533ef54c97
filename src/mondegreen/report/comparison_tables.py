"""A comparison as a table: in the terminal, in Markdown, in LaTeX; and all files of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.comparison import machine_of
from mondegreen.report.comparison_figures import draw_comparison
from mondegreen.report.comparison_results import CellResult, Comparison
from mondegreen.report.formatting import DASH, number
from mondegreen.report.markdown import table
from mondegreen.report.results import Quality
from mondegreen.report.style import save_figure

ENOUGH = 0.9
"""The success that the quickest attack is sought for."""


def columns(comparison: Comparison) -> tuple[str, ...]:
    """Return the titles of the columns."""
    full = comparison.cells[0].cost.n
    return (
        "attack",
        "budget",
        "success (%)",
        "95 % interval",
        "right (%)",
        "SNR mean / median / worst (dB)",
        "PESQ nb",
        "PESQ wb",
        "STOI",
        "ms, batch 1 (median / mean)",
        f"ms, batch {full or 'N'}",
        "gradients",
    )


def rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the texts of the cells, one row an attack and budget."""
    return [_row(cell) for cell in comparison.cells]


def _row(cell: CellResult) -> tuple[str, ...]:
    snr, right = cell.snr_db, cell.success_rate_correct
    low, high = cell.success_interval or (float("nan"), float("nan"))
    return (
        cell.title,
        str(cell.budget),
        f"{100 * cell.success_rate:.1f}",
        DASH if cell.success_interval is None else f"{100 * low:.1f}–{100 * high:.1f}",
        number(None if right is None else 100 * right, 1),
        f"{number(snr.mean)} / {number(snr.median)} / {number(snr.worst)}",
        _quality(cell.pesq_nb, 2),
        _quality(cell.pesq_wb, 2),
        _quality(cell.stoi, 3),
        f"{number(cell.cost.batch1_ms)} / {number(cell.mean_ms)}",
        number(cell.cost.batch_n_ms),
        number(cell.gradients, 1),
    )


def _quality(quality: Quality, digits: int) -> str:
    return number(quality.mean, digits)


def about(comparison: Comparison) -> str:
    """Return, in one paragraph, what all cells have in common."""
    c, timing = comparison, comparison.timing
    which = "all" if c.pairs == c.available else f"{c.pairs:,} of {c.available:,}, drawn"
    heard = f"PESQ and STOI on the same {c.quality_pairs:,}" if c.quality_pairs else "no PESQ"
    return (
        f"{c.classifier.name} on {c.data.name}, {c.data.split} split by {c.data.split_kind}: the "
        f"same {c.pairs:,} pairs ({which}) of {c.clips:,} clips and {c.groups:,} speakers or "
        f"tracks for every attack, {heard}, seed {c.seed}. Clean accuracy "
        f"{100 * c.clean_accuracy:.2f} %; untouched clips hit the target in "
        f"{100 * c.baseline_rate:.2f} % of the pairs. Times are of up to "
        f"{timing.get('rounds', '?')} calls after {timing.get('warmup', '?')} for warming up, the "
        f"attacks taking turns, on {machine_of(c.environment)}, "
        f"{timing.get('threads', '?')} PyTorch thread(s), Python "
        f"{c.environment.get('python', '?')}, PyTorch {c.environment.get('torch', '?')}{_load(c)}."
    )


def _load(comparison: Comparison) -> str:
    load = comparison.timing.get("load")
    if not isinstance(load, (int, float)):
        return ""
    cores = comparison.environment.get("cores")
    busy = isinstance(cores, int) and load > cores
    return f"; load average before {load:g}" + (", so the machine was busy" if busy else "")


def verdicts(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return for every budget in dB who succeeds most, and who is quickest at 90 %.

    Ties are named together. Attacks whose time was not measured cannot be quickest.
    """
    found = []
    for db in comparison.budgets_db:
        cells = [cell for cell in comparison.cells if cell.budget_db == db]
        best = max(cell.success_rate for cell in cells)
        winners = ", ".join(cell.title for cell in cells if cell.success_rate == best)
        good = [c for c in cells if c.success_rate >= ENOUGH and c.mean_ms is not None]
        quick = min(good, key=lambda cell: cell.mean_ms or 0.0, default=None)
        fastest = f"{quick.title} ({number(quick.mean_ms)} ms)" if quick else "none"
        found.append((f"{db:g} dB", f"{winners} ({100 * best:.1f} %)", fastest))
    return found


def markdown(comparison: Comparison) -> str:
    """Return the table as Markdown."""
    return table(columns(comparison), rows(comparison), "ll" + "r" * 10)


def latex(comparison: Comparison) -> str:
    """Return the table for a paper, with the rules of the package ``booktabs``."""
    head = " & ".join(_tex(title) for title in columns(comparison))
    body = "".join(" & ".join(map(_tex, row)) + " \\\\\n" for row in rows(comparison))
    return (
        "% needs \\usepackage{booktabs}\n"
        "\\begin{table*}\n\\centering\n"
        f"\\caption{{{_tex(about(comparison))}}}\n"
        f"\\begin{{tabular}}{{ll{'r' * 10}}}\n\\toprule\n"
        f"{head} \\\\\n\\midrule\n{body}\\bottomrule\n\\end{{tabular}}\n\\end{{table*}}\n"
    )


def _tex(text: str) -> str:
    special = {
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        "\\": "\\textbackslash{}",
        "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}",
        "–": "--",
        "≥": "$\\geq$",
        "≤": "$\\leq$",
        "δ": "$\\delta$",
        "‖": "$\\|$",
        "₂": "$_2$",
        "∞": "$\\infty$",
        "−": "$-$",
    }
    return "".join(special.get(letter, letter) for letter in text)


def write_comparison(
    folder: Path, comparison: Comparison, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md``, ``table.tex`` and the figures into a comparison's folder.

    Args:
        folder: Where ``comparison.json`` lies.
        comparison: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Returns:
        The files written.

    Raises:
        MondegreenError: A file cannot be written.
    """
    texts = {
        "table.md": f"{about(comparison)}\n\n{markdown(comparison)}",
        "table.tex": latex(comparison),
    }
    files = [folder / name for name in texts]
    for path in files:
        write_text(path, texts[path.name])
    for name, figure in draw_comparison(comparison).items():
        files.extend(save_figure(figure, folder / "figures" / name, tuple(formats)))
    return files


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print the table.

    Args:
        comparison: A loaded ``comparison.json``.
        console: Standard output by default.
    """
    console = console or Console()
    title = Text(f"attacks against {comparison.classifier.name}")
    shown = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("attack", "success (%)", "SNR (dB)", "PESQ nb", "ms a clip"):
        justify: Literal["left", "right"] = "left" if name == "attack" else "right"
        shown.add_column(Text(name), justify=justify, no_wrap=True)
    budget = ""
    for cell in comparison.cells:
        if str(cell.budget) != budget:
            budget = str(cell.budget)
            shown.add_section()
            shown.add_row(Text(budget, style="bold"))
        name, _, success, interval, *_ = _row(cell)
        numbers = (number(cell.snr_db.mean), number(cell.pesq_nb.mean), number(cell.mean_ms))
        shown.add_row(*map(Text, (name, f"{success} ({interval})", *numbers)))
    console.print(shown)
    console.print(Text(about(comparison), style="dim"))
