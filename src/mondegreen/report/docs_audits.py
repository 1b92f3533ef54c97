"""The generated part of ``docs/audit.md``: audits of models that were made elsewhere.

``python -m mondegreen.report.docs_audits results docs/audit.md`` replaces what stands between the
page's markers, from every ``results/<name>/audit.json``, and writes ``images/audit-<name>.svg``
beside it; ``--check`` tells whether all are in step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mondegreen.report.audit.figures import success_over_snr
from mondegreen.report.audit.results import AuditResults, load_audit
from mondegreen.report.audit.tables import attacks, weakest
from mondegreen.report.audit.verdict import judge
from mondegreen.report.comparison import machine_of
from mondegreen.report.formatting import duration, number, percent
from mondegreen.report.generated import insert, picture, result_files, run_for_page
from mondegreen.report.markdown import console_block, escape_text, table

CAPTION = "How often each attack reaches a chosen label, with 95 % intervals over speakers"


def render_audits(found: dict[str, AuditResults]) -> str:
    """Return what stands between the markers.

    Args:
        found: Audits by name.
    """
    if not found:
        return "Nothing measured yet."
    parts = [_overview(found)]
    for name, one in found.items():
        verdict = judge(one)
        seconds = sum(stage.seconds or 0.0 for stage in one.stages)
        details = "\n".join(f"* {escape_text(text)}" for text in verdict.details)
        advice = "\n".join(f"* {escape_text(text)}" for text in verdict.advice)
        parts += [
            f"### {escape_text(name)}\n",
            f"`{one.classifier.name}`, {one.classifier.parameters:,} parameters: "
            f"**{verdict.grade}**. {escape_text(verdict.sentence)}\n",
            f"{details}\n",
            f"What the report advises:\n\n{advice}\n"
            if advice
            else "The report advises nothing.\n",
            console_block(one.command),
            f"Its stages took {duration(seconds)} in all, some of them at the same time, on "
            f"{machine_of(one.environment)}.\n",
            f"![{CAPTION}](images/audit-{name}.svg)\n\n{CAPTION}.\n",
            attacks(one).markdown(),
        ]
        weak = weakest(one)
        if weak is not None:
            parts.append(weak.markdown())
    return "\n".join(parts).rstrip("\n")


def _overview(found: dict[str, AuditResults]) -> str:
    """Return a table with a row for each model."""
    rows = []
    for name, one in found.items():
        best = {knows: _at(one, knows) for knows in ("generator", "white box", "black box")}
        accuracy = percent(one.clean_accuracy, 1)
        rows.append([name, number(one.minutes, 0), accuracy, judge(one).grade, *best.values()])
    head = ["model", "minutes", "accuracy", "verdict"]
    head += ["generator, 30 dB", "gradient search, 30 dB", "no gradients, 30 dB"]
    return table(head, rows, "lrrlrrr")


def _at(one: AuditResults, knows: str, db: float = 30.0) -> str:
    cells = [c for c in one.of("targeted", knows) if c.budget_db == db and "+" not in c.label]
    return percent(cells[0].success, 1) if cells else "–"


def render(results_root: Path, page: Path, *, draw: bool = True) -> dict[Path, str]:
    """Return the page and its pictures, each with the text it has to hold.

    Args:
        results_root: Holds one folder an audit, with ``audit.json``.
        page: The page; pictures lie in ``images/`` beside it.
        draw: Whether the pictures are drawn; otherwise only their last line is returned.

    Raises:
        MondegreenError: There is no such folder, a file in it is damaged, or the page lacks its
            markers.
        OSError: The page cannot be read.
    """
    files = result_files(results_root, "audit.json")
    found = {file.parent.name.removeprefix("audit-"): load_audit(file) for file in files}
    text = insert(page.read_text(encoding="utf-8"), render_audits(found), "audits")
    pictures = {
        page.parent / "images" / f"audit-{name}.svg": picture(
            success_over_snr(one), file, draw=draw
        )
        for file, (name, one) in zip(files, found.items(), strict=True)
        if one.of("targeted")
    }
    return {page: text, **pictures}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and pictures, or with ``--check`` tell which are old; return the exit code."""
    return run_for_page("docs_audits", __doc__, render, arguments)


if __name__ == "__main__":
    sys.exit(main())
