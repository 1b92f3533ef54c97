"""Before and after hardening: tables in the terminal and in Markdown, and a folder's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mondegreen.files import write_text
from mondegreen.report.formatting import DASH, duration, number
from mondegreen.report.hardening_figures import hardening_figure
from mondegreen.report.hardening_results import Hardened, HardeningResults, Rate
from mondegreen.report.hardening_words import cost, epochs, verdict
from mondegreen.report.markdown import escape_text
from mondegreen.report.style import save_figure
from mondegreen.report.tables import Table

GENERATOR = "a generator trained against it"


def rates(found: HardeningResults) -> Table:
    """Return the table of what is measured, a column each classifier."""
    names = (one.name for one in found.classifiers)
    return Table("Before and after", ("", *names), tuple(map(tuple, rows(found))))


def rows(found: HardeningResults) -> list[list[str]]:
    """Return the texts of the cells: accuracy, robustness, targeted success, cost, checks."""
    lines = [["clean accuracy", *(_shown(one.clean) for one in found.classifiers)]]
    for attack, words in (("pgd", "gradient search"), ("square", "square attack")):
        for db in found.ratios:
            rates = [_shown(one.robust(db, attack)) for one in found.classifiers]
            lines.append([f"accuracy under {words}, {db:g} dB", *rates])
    targeted = (("pgd targeted", "gradient search"), ("generator", GENERATOR))
    for attack, words in targeted:
        for db in found.ratios:
            rates = [_shown(one.success(db, attack)) for one in found.classifiers]
            if attack == "generator":
                rates = [_with_epochs(*each) for each in zip(rates, found.classifiers, strict=True)]
            lines.append([f"targets reached by {words}, {db:g} dB", *rates])
    lines = [line for line in lines if any(cell != DASH for cell in line[1:])]
    lines.append(["training, processor time", *map(_time, found.classifiers)])
    lines.append(["of that an epoch", *map(_epoch, found.classifiers)])
    lines.append(["limit of lost accuracy kept in validation?", *map(_limit, found.classifiers)])
    lines.append(["gradients masked?", *map(_masked, found.classifiers)])
    return lines


def _shown(rate: Rate | None) -> str:
    if rate is None:
        return DASH
    return f"{number(100 * rate.value, 1)} [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"


def _with_epochs(rate: str, one: Hardened) -> str:
    count = one.generator_epochs
    return rate if rate == DASH or count is None else f"{rate}, {epochs(count)}"


def _time(one: Hardened) -> str:
    return DASH if one.training is None else duration(one.training.cpu_seconds)


def _epoch(one: Hardened) -> str:
    trained = one.training
    return DASH if trained is None else duration(trained.cpu_seconds / len(trained.course))


def _limit(one: Hardened) -> str:
    if one.training is None:
        return DASH
    return "yes" if one.training.within_limit else "no"


def _masked(one: Hardened) -> str:
    return "unreliable" if one.unreliable else "no sign of it"


def check_rows(found: HardeningResults) -> list[list[str]]:
    """Return the texts of the table of checks: which, of which classifier, and its numbers."""
    return [
        [
            check.name,
            one.name,
            number(100 * check.value, 1),
            number(100 * check.at_least, 1),
            "yes" if check.holds else "no",
        ]
        for one in found.classifiers
        for check in one.checks
    ]


def checks(found: HardeningResults) -> Table:
    """Return the table of the checks of gradient masking."""
    titles = ("check", "classifier", "found (%)", "at least (%)", "holds")
    lines = tuple(map(tuple, check_rows(found)))
    return Table("Checks of gradient masking", titles, lines, left=2, remarks=True)


def about(found: HardeningResults) -> str:
    """Return, in one paragraph, what all numbers have in common and how they are read."""
    first = found.before
    pairs = next(iter(first.attacks["pgd"].values())).pairs
    targeted = next(iter(first.attacks["pgd targeted"].values())).pairs
    words = [
        f"{first.classifier.name} on {found.data.name}, {found.data.split} split by "
        f"{found.data.split_kind}: the same {pairs} clips, untargeted, and {targeted} pairs, "
        f"targeted, for every classifier, seed {found.seed}; clean accuracy on all "
        f"{found.data.clips}. In brackets 95 % intervals over speakers or tracks, in per cent."
    ]
    if "square" in first.attacks:
        few = next(iter(first.attacks["square"].values())).pairs
        limit = first.queries.get("square")
        words.append(f"The square attack: {few} of the clips, {limit} queries each.")
    if any(one.generator_epochs is not None for one in found.after):
        words.append(
            "Beside targets reached by a generator: the epochs for which it was trained against "
            "that classifier; figures after unequal ones are no comparison."
        )
    return " ".join(words)


def markdown(found: HardeningResults) -> str:
    """Return verdicts, tables and costs as Markdown."""
    parts = ["".join(f"* {escape_text(verdict(found, one))}\n" for one in found.after)]
    parts.append(rates(found).markdown())
    lines = cost(found)
    if lines:
        parts.append("".join(f"* {escape_text(line)}\n" for line in lines))
    parts.append(checks(found).markdown())
    return "\n".join(parts)


def write_hardening(
    folder: Path, found: HardeningResults, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``table.md`` and the figure into a measurement's folder; return the files.

    Args:
        folder: Where ``hardening.json`` lies.
        found: Its content.
        formats: Of ``png``, ``svg`` and ``pdf``.

    Raises:
        MondegreenError: A file cannot be written.
    """
    path = folder / "table.md"
    write_text(path, f"{escape_text(about(found))}\n\n{markdown(found)}")
    figure = hardening_figure(found)
    return [path, *save_figure(figure, folder / "figures" / "hardening", tuple(formats))]


def print_hardening(found: HardeningResults, console: Console | None = None) -> None:
    """Print the table, the verdicts and the costs.

    Args:
        found: A loaded ``hardening.json``.
        console: Standard output by default.
    """
    console = console or Console()
    rates(found).print(console)
    for one in found.after:
        console.print(Text(verdict(found, one)))
    for line in cost(found):
        console.print(Text(line))
    console.print(Text(about(found), style="dim"))
