"""``docs/results.md``, generated from every ``results/<name>/results.json``.

``python -m mondegreen.report.docs_results results docs/results.md`` writes the page;
``--check`` tells whether it is in step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mondegreen.errors import MondegreenError
from mondegreen.files import read_json
from mondegreen.report.comparison import machine
from mondegreen.report.formatting import DASH, number, percent, size
from mondegreen.report.generated import page_parser, write_or_check
from mondegreen.report.markdown import anchor, console_block, escape_cell, escape_text, table
from mondegreen.report.paper import (
    CITATION,
    DOI,
    GENERATOR_MACS,
    GENERATOR_PARAMETERS,
    SETTINGS,
    ReportedAttack,
    ReportedSetting,
)
from mondegreen.report.results import Quality, Results, load_results
from mondegreen.report.views import target_rows

CLASSIFIER_FILES = ("classifier.json", "summary.json")
SUCCESS = "validation/success"

HEAD = f"""\
# Results

<!-- Generated from results/*/results.json by `make results`; edit those, not this page. -->

Every row but those marked *reported (paper)* was read from a `results.json` that an evaluation
wrote; `make results` writes this page anew and `make results-check` fails when it is out of step.
Reported are the numbers of {CITATION}
[doi:{DOI}](https://doi.org/{DOI}); the sizes of its networks are counted from its figures.
Its classifiers, data, splits and machines are others than here, so read the order of magnitude,
not a ranking.

* **Success**: the clip, rounded to 16-bit PCM, written and read back, is classified as the target;
  over all pairs of a clip and a label that is not its own. *Right*: over the clips that the
  classifier got right. *Nothing*: how often the unperturbed clip already hits the target. In
  brackets the 95 % interval of a bootstrap over speakers or tracks.
* **SNR** is over the whole clip, in dB (eq. 15). **PESQ nb** is P.862 (the paper's scale, −0.5 to
  4.5), **wb** is P.862.2 (1 to 4.64): two scales. Qualities are means unless said otherwise,
  of the pairs listened to: *of 1,000* stands where these are fewer than those of the success, and
  *failed* counts those of them without a value.
* **ms** is the median time for the perturbation of one clip at batch 1, on the machine named below.
"""

COLUMNS = (
    "result",
    "classifier",
    "parameters",
    "clean accuracy",
    "attack",
    "budget",
    "clips / pairs",
    "success",
    "right",
    "nothing",
    "SNR mean / median / worst (dB)",
    "PESQ nb",
    "PESQ wb",
    "STOI",
    "ms",
    "generator parameters",
    "MACs",
)


def render_results(results_root: Path) -> str:
    """Return ``docs/results.md`` as Markdown; the same files give the same text.

    Args:
        results_root: Holds one folder a result, with ``results.json``; a folder with
            ``classifier.json`` or ``summary.json`` (``test/accuracy``) adds a classifier.

    Raises:
        MondegreenError: There is no such folder, or a file in it is damaged.
    """
    if not results_root.is_dir():
        raise MondegreenError(f"{results_root} is not a folder; give the one that holds results.")
    folders = sorted(path for path in results_root.iterdir() if path.is_dir())
    found = {
        folder.name: load_results(folder / "results.json")
        for folder in folders
        if (folder / "results.json").is_file()
    }
    parts = [HEAD, "## All results\n", _main_table(found)]
    classifiers = _classifier_table(folders)
    if classifiers:
        parts += ["## Trainings\n", classifiers]
    for name, results in found.items():
        parts += [f"## {escape_cell(name)}\n", _about(results), _target_table(results)]
    if not found:
        parts.append("No results yet.\n")
    return "\n".join(parts)


def _main_table(found: Mapping[str, Results]) -> str:
    rows = [_paper_row(setting, row) for setting in SETTINGS for row in _attacks(setting)]
    rows += [_row(name, results) for name, results in found.items()]
    return table(COLUMNS, rows, "llrrll" + 11 * "r")


def _attacks(setting: ReportedSetting) -> tuple[ReportedAttack, ...]:
    return (setting.proposed, *setting.baselines)


def _paper_row(setting: ReportedSetting, row: ReportedAttack) -> list[str]:
    ours = row is setting.proposed
    return [
        "*reported (paper)*",
        setting.name,
        size(setting.classifier_parameters),
        percent(setting.clean_accuracy),
        row.attack,
        "none",
        DASH,
        percent(row.success_rate),
        DASH,
        DASH,
        f"{number(row.snr_db)} / {DASH} / {DASH}",
        number(row.pesq, 3),
        DASH,
        DASH,
        f"{1000 * row.seconds:,.0f} ({row.device})",
        size(GENERATOR_PARAMETERS) if ours else DASH,
        size(GENERATOR_MACS) if ours else DASH,
    ]


def _row(name: str, results: Results) -> list[str]:
    snr = results.snr_db
    return [
        f"[{escape_cell(name)}](#{anchor(name)})",
        f"{results.classifier.name} on {results.data.name}",
        size(results.classifier.parameters),
        percent(results.clean_accuracy),
        results.attack.label,
        str(results.budget),
        f"{results.data.clips:,} / {results.pairs:,}",
        f"**{percent(results.success_rate)}**{_interval(results)}",
        percent(results.success_rate_correct),
        percent(results.baseline_rate),
        f"{number(snr.mean)} / {number(snr.median)} / {number(snr.worst)}{_of(snr, results)}",
        _quality(results.pesq_nb, results),
        _quality(results.pesq_wb, results),
        _quality(results.stoi, results),
        number(results.cost.batch1_ms),
        size(results.cost.parameters),
        size(results.cost.macs),
    ]


def _interval(results: Results) -> str:
    if results.success_interval is None:
        return ""
    low, high = results.success_interval
    return f" ({100 * low:.1f}–{100 * high:.1f})"


def _quality(quality: Quality, results: Results) -> str:
    if quality.mean is None:
        return f"{DASH} ({quality.reason})"
    return number(quality.mean, 3) + _of(quality, results)


def _of(quality: Quality, results: Results) -> str:
    """Return of how many pairs a quality is, where not of all, and how many had none."""
    pairs, failed = quality.pairs, quality.failed
    few = pairs is not None and pairs < results.pairs
    if failed:
        return f" ({failed:,} of {pairs:,} failed)" if few else f" ({failed:,} failed)"
    return f" (of {pairs:,})" if few else ""


def _classifier_table(folders: Sequence[Path]) -> str:
    rows = []
    for folder in folders:
        for name in CLASSIFIER_FILES:
            summary = read_json(folder / name) if (folder / name).is_file() else None
            if isinstance(summary, dict) and ("test/accuracy" in summary or SUCCESS in summary):
                rows.append(_classifier_row(folder / name, summary))
                break
    head = ("run", "test accuracy", "validation", "minutes", "command")
    return table(head, rows, "lrrrl") if rows else ""


def _classifier_row(path: Path, summary: Mapping[str, Any]) -> list[str]:
    accuracies = []
    for key in ("test/accuracy", SUCCESS if SUCCESS in summary else "validation/accuracy"):
        value = summary.get(key)
        if value is not None and not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise MondegreenError(f"{path}: {key}: expected a rate between 0 and 1, found {value}.")
        accuracies.append(percent(value))
    command = summary.get("command")
    kind = " success" if SUCCESS in summary else " accuracy"
    seconds = summary.get("training_seconds")
    minutes = f"{seconds / 60:.0f}" if isinstance(seconds, float) and seconds > 0 else DASH
    shown = f"`{_code(str(command))}`" if command else DASH
    return [path.parent.name, accuracies[0], accuracies[1] + kind, minutes, shown]


def _about(results: Results) -> str:
    data, environment = results.data, results.environment
    silent = f", {len(data.silent_clips)} of them silent" if data.silent_clips else ""
    lines = [
        f"{data.clips:,} clips of {data.groups:,} speakers or tracks ({data.split} split by "
        f"{data.split_kind}{silent}), seed {results.seed}; machine: {machine(results)}, "
        f"Python {environment.get('python', '?')}, PyTorch {environment.get('torch', '?')}.",
        "",
        console_block(results.command),
    ]
    return "\n".join([escape_text(lines[0]), *lines[1:]])


def _target_table(results: Results) -> str:
    head = ["target", "success", "SNR (dB)", "PESQ nb", "PESQ wb", "STOI"]
    targets = target_rows(results)
    rows = [[t.label, t.success, t.snr, t.pesq_nb, t.pesq_wb, t.stoi] for t in targets]
    if any(target.reported for target in targets):
        head += ["success *(paper)*", "SNR *(paper)*", "PESQ *(paper)*"]
        for row, target in zip(rows, targets, strict=True):
            row += [target.paper_success, target.paper_snr, target.paper_pesq]
    return table(head, rows, "l" + (len(head) - 1) * "r")


def _code(text: str) -> str:
    return text.replace("`", "'")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` print how it differs; return the exit code."""
    options = page_parser("docs_results", __doc__).parse_args(arguments)
    return write_or_check(lambda: {options.page: render_results(options.results)}, options.check)


if __name__ == "__main__":
    sys.exit(main())
