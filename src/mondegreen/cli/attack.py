"""``mondegreen attack``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.recording import (
    AttackedRecording,
    attack_recording,
    describe,
    write_recording,
)
from mondegreen.audio import resample
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier, load_classifier
from mondegreen.cli.loading import choose_budget, classifier_folder
from mondegreen.cli.options import parse, say
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.generators.generator import load_generator
from mondegreen.metrics.quality import quality
from mondegreen.progress import track
from mondegreen.zoo import resolve

QUALITY_SECONDS = 20
"""PESQ is computed on the beginning of longer recordings."""


@dataclass(frozen=True)
class AttackFiles:
    """Options of ``attack``."""

    clips: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Sound files of any length, rate and number of channels."""
    target: str
    """The label that the classifier shall hear."""
    out: Path
    """Folder for the adversarial WAV files, named <clip>.<target>.wav."""
    generator: Path = Path("zoo:speech-commands")
    """Run folder of the generator, or zoo:<name> for one that comes with the package."""
    classifier: Path | None = None
    """Run folder of the classifier; by default the one that the generator was trained against."""
    budget: str | None = None
    """snr:DB, l2:EPS, linf:EPS or none; by default the budget that it was trained for."""
    json: bool = False
    """Print a list of objects instead of a table."""


def run(words: Sequence[str]) -> None:
    """Parse the words and attack."""
    description = "Make sound files be heard as a label of your choice."
    execute(parse(AttackFiles, words, "attack", description))


def execute(options: AttackFiles) -> None:
    """Attack every file; files that cannot be attacked are reported after the others are done.

    Raises:
        MondegreenError: Some file could not be attacked, or an option is wrong.
    """
    if not options.clips:
        raise MondegreenError("name at least one sound file to attack.")
    folder = resolve(options.generator)
    classifier = load_classifier(options.classifier or classifier_folder(folder))
    generator = load_generator(folder, classifier)
    classifier.label_index(options.target)
    if options.target not in generator.config.targets:
        raise MondegreenError(
            f"--target {options.target}: this generator was trained for "
            f"{', '.join(generator.config.targets)}."
        )
    budget = choose_budget(options.budget, generator)
    attack = GeneratorAttack(generator=generator)
    blank = torch.zeros(1, 1, classifier.clip_samples)
    attack.perturb(
        classifier, blank, torch.tensor([classifier.label_index(options.target)]), budget
    )
    rows, problems = [], []
    for path, output in track(_outputs(options), f"attacking towards {options.target!r}"):
        try:
            rows.append(_attack_one(attack, classifier, path, output, options.target, budget))
        except MondegreenError as error:
            problems.append(str(error))
    _print(rows, options)
    if problems:
        raise MondegreenError("\n".join(problems))


def _outputs(options: AttackFiles) -> list[tuple[Path, Path]]:
    """Return each clip with the file to write; clips of one name get numbers, inputs are kept."""
    taken = {clip.absolute() for clip in options.clips}
    pairs = []
    for clip in options.clips:
        output = options.out / f"{clip.stem}.{options.target}.wav"
        number = 2
        while output.absolute() in taken:
            output = options.out / f"{clip.stem}-{number}.{options.target}.wav"
            number += 1
        taken.add(output.absolute())
        pairs.append((clip, output))
    return pairs


def _attack_one(
    attack: GeneratorAttack,
    classifier: Classifier,
    path: Path,
    output: Path,
    target: str,
    budget: Budget | None,
) -> dict[str, Any]:
    recording = attack_recording(attack, classifier, path, target, budget)
    write_recording(output, recording, classifier)
    row = describe(recording, path, target) | _quality(recording)
    return row | {"output": str(output), "windows": len(recording.after.probabilities)}


def _quality(recording: AttackedRecording) -> dict[str, float | None]:
    """Return PESQ of the recording's beginning; None where it cannot be computed."""
    rate = 16_000
    pair = [
        resample(x.mean(dim=0), recording.sample_rate, rate)[: QUALITY_SECONDS * rate]
        for x in (recording.x, recording.x_adv)
    ]
    try:
        scores = quality(pair[0][None, None], pair[1][None, None], rate, workers=1)
    except MissingExtraError:
        return {"pesq_nb": None, "pesq_wb": None}
    found = {"pesq_nb": float(scores.pesq_nb[0]), "pesq_wb": float(scores.pesq_wb[0])}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def _print(rows: list[dict[str, Any]], options: AttackFiles) -> None:
    if options.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
        return
    if not rows:
        return
    table = Table(title=f"target: {options.target}")
    for name in ("file", "before", "after", "success", "SNR dB", "PESQ nb", "PESQ wb", "ms"):
        side: Literal["left", "right"] = "left" if name in ("file", "before", "after") else "right"
        table.add_column(name, justify=side, overflow="fold")
    for row in rows:
        numbers = [row[name] for name in ("snr_db", "pesq_nb", "pesq_wb", "milliseconds")]
        success = "yes" if row["success"] else "no"
        cells = ["-" if value is None else f"{value:.2f}" for value in numbers]
        table.add_row(escape(Path(row["file"]).name), row["before"], row["after"], success, *cells)
    Console().print(table)
    say(f"{sum(row['success'] for row in rows)} of {len(rows)} succeeded; files in {options.out}.")
