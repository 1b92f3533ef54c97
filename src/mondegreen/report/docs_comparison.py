"""``docs/comparison.md`` and its pictures, generated from every ``results/<name>/comparison.json``.

``python -m mondegreen.report.docs_comparison results docs/comparison.md`` writes the page and
``images/comparison-<name>-<figure>.svg`` beside it; ``--check`` tells whether they are in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report import comparison_paper
from mondegreen.report.comparison_figures import draw_comparison, figure_names
from mondegreen.report.comparison_results import Comparison, load_comparison
from mondegreen.report.comparison_tables import markdown, markdown_reaches
from mondegreen.report.comparison_texts import about, own_time, verdicts
from mondegreen.report.comparison_words import plain_words
from mondegreen.report.generated import mark, picture, result_files, run_for_page
from mondegreen.report.markdown import console_block, escape_text, table

HEAD = """\
# Attacks compared

<!-- Generated from results/*/comparison.json by `make results`; edit those, not this page. -->

Each comparison is one run of `mondegreen compare`. What makes it fair:

* Every attack meets the **same pairs** of clip and target, the same classifier and the same
  budgets. The pairs are drawn before anything is attacked.
* The budget is kept and **success is scored by the same code** for all attacks, on the waveform
  that a 16-bit WAV file holds after it was written and read back.
* The interval is a bootstrap over speakers or tracks. Where two intervals overlap widely, the order
  of the two attacks may be chance. An attack is called better than the generator only where the
  interval of their difference on the same pairs leaves out zero or, in files that do not hold that
  interval, where their own two do not meet.
* PESQ and STOI are means over the same pairs for every attack, successes and failures alike; pairs
  without a score are left out.
* **Times** are of the perturbation alone, after warming up. The attacks take turns on the same
  clips, so a machine that is busy for a while slows all of them. Attacks that stop early spend more
  on a difficult clip than on an easy one, so at batch 1 the mean stands beside the median, and the
  figures show the mean. Attacks that take seconds for a clip are not run again for that: they have
  the time of the run itself, in batches, which every attack has and no turns were taken for.
* *Queries* a clip are forward passes of the classifier, *gradients* those that went into its
  perturbation; both are counted at the classifier where the attack does not count them.
* *Memory* is what a batch took at most, beyond what was in use before: resident memory on a CPU,
  allocated memory on a GPU.
* Training is not in the times: the generator, the universal perturbation and the filter were
  trained for this classifier beforehand, the other attacks were not.
* An attack that stops early with a clip that succeeds may leave it quieter than the budget asks.
* Without a hard budget, the genetic, the swarm and the square attack keep a bound of their own: the
  eight least significant bits of each sample.
* Where it stands so, the comparison is **untargeted**: a pair is a clip and its own label, and any
  other label is a success.

How quiet an attack may become is the **ratio at which it still succeeds** with 50, 90 or 99 % of
the pairs: success over the budgets, made to fall by isotonic regression and joined by straight
lines over dB. Attacks that seek the smallest perturbation of each clip have no budget: there it is
the ratio that so many pairs exceed in one run. In brackets is the 95 % interval of the same
bootstrap.

What the columns mean is in [measurement.md](measurement.md).
"""

CAPTIONS = {
    "success_over_snr": "Success over the signal-to-noise ratio that was kept; bands, where there "
    "are, are the 95 % intervals.",
    "success_over_pesq": "Success over mean narrow-band PESQ; the budgets of an attack are joined.",
    "success_over_time": "Success over mean time a clip at batch 1, one panel a budget; numbers at "
    "the marks are gradient steps, pale bars the 95 % intervals.",
    "success_over_queries": "Share of the pairs that have succeeded within so many queries, one "
    "panel a budget.",
}


def render_page(found: dict[str, Comparison]) -> str:
    """Return the page as Markdown.

    Args:
        found: Comparisons by name.
    """
    parts = [HEAD]
    for name, comparison in found.items():
        pictures = [
            f"![{CAPTIONS[figure]}](images/{picture_name(name, figure)})\n\n{CAPTIONS[figure]}\n"
            for figure in figure_names(comparison)
        ]
        parts += [
            f"## {escape_text(name)}\n",
            f"{escape_text(about(comparison))}\n",
            console_block(comparison.command),
            *pictures,
        ]
        if comparison.budgets_db:
            head = ("SNR at least", "highest success", "quickest of those with 90 % or more")
            parts.append(table(head, verdicts(comparison), "rll"))
        words = [f"* {escape_text(sentence)}\n" for sentence in plain_words(comparison)]
        if words:
            parts.append("".join(words))
        parts += filter(None, (markdown_reaches(comparison), markdown(comparison)))
        if own_time(comparison):
            parts.append(f"{escape_text(own_time(comparison))}\n")
        if comparison_paper.belongs(comparison):
            parts += [
                f"### {escape_text(name)} beside the paper's Table 1\n",
                table(
                    comparison_paper.HEAD, comparison_paper.paper_rows(comparison), "ll" + "r" * 6
                ),
                f"{escape_text(comparison_paper.paper_note(comparison))}\n",
                *(f"* {escape_text(note)}\n" for note in comparison_paper.limits_notes(comparison)),
            ]
    if not found:
        parts.append("No comparisons yet.\n")
    return "\n".join(parts)


def picture_name(name: str, figure: str) -> str:
    """Return the file name of a comparison's figure.

    Example:
        >>> picture_name("spotter", "success_over_snr")
        'comparison-spotter-success-over-snr.svg'
    """
    return f"comparison-{name}-{figure.replace('_', '-')}.svg"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder a comparison, with ``comparison.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, or a file in it is damaged.
    """
    files = result_files(results_root, "comparison.json")
    found = {file.parent.name: load_comparison(file) for file in files}
    pages = {page: render_page(found)}
    for file in files:
        comparison = found[file.parent.name]
        pages |= _pictures(file, page.parent / "images", comparison, draw=draw)
    return pages


def _pictures(file: Path, folder: Path, comparison: Comparison, *, draw: bool) -> dict[Path, str]:
    """Return a comparison's figures as SVG, each with a last line that names its data."""
    if not draw:
        names = [picture_name(file.parent.name, name) for name in figure_names(comparison)]
        return {folder / name: f"{mark(file)}\n" for name in names}
    return {
        folder / picture_name(file.parent.name, figure): picture(drawn, file)
        for figure, drawn in draw_comparison(comparison).items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_comparison", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
