"""``mondegreen attack``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mondegreen.attacks.generator import GeneratorAttack
from mondegreen.attacks.recording import (
    AttackedRecording,
    attack_recording,
    describe,
    read_beginning,
)
from mondegreen.attacks.streaming import StreamingOptions
from mondegreen.audio import resample
from mondegreen.classifiers.classifier import Classifier
from mondegreen.classifiers.loading import load_classifier
from mondegreen.cli.loading import choose_budget, classifier_folder
from mondegreen.cli.options import parse, say
from mondegreen.errors import MissingExtraError, MondegreenError
from mondegreen.generators.generator import Generator, load_generator
from mondegreen.metrics.quality import quality
from mondegreen.progress import track
from mondegreen.zoo import resolve

if TYPE_CHECKING:
    from mondegreen.generators.onnx_runtime import OnnxGenerator

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
    """Run folder of the classifier, or a model such as my_model.py:build; by default the one that
    the generator was trained against."""
    budget: str | None = None
    """snr:DB, l2:EPS, linf:EPS or none; by default the budget that it was trained for."""
    refine: int = 0
    """Gradient steps that follow the generator's proposal, each kept within the budget."""
    quietness: float = 0.0
    """0 to 1: how inaudible to be beyond the budget, for generators trained for it."""
    backend: Literal["torch", "onnx"] = "torch"
    """What runs the generator. For onnx, --generator is a file that `export` wrote, or a folder
    with such a file named generator.onnx."""
    streaming: bool = False
    """Attack as a stream: causally, block by block, with a latency that is printed."""
    block_ms: float = 256.0
    """With --streaming: milliseconds of sound that are perturbed at once."""
    lookahead_ms: float = 16.0
    """With --streaming: milliseconds known beyond a block before it leaves."""
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
    streaming = StreamingOptions(options.block_ms, options.lookahead_ms)
    folder = resolve(options.generator)
    home = folder.parent if folder.suffix == ".onnx" else folder
    classifier = load_classifier(options.classifier or classifier_folder(home))
    generator = _load(options, folder, classifier)
    classifier.label_index(options.target)
    if options.target not in generator.config.targets:
        raise MondegreenError(
            f"--target {options.target}: this generator was trained for "
            f"{', '.join(generator.config.targets)}."
        )
    budget = choose_budget(options.budget, generator)
    attack = GeneratorAttack(
        generator=generator, refine=options.refine, quietness=options.quietness
    )
    attack.refuse_unable(classifier)
    blank = torch.zeros(1, 1, classifier.clip_samples)
    attack.perturb(
        classifier, blank, torch.tensor([classifier.label_index(options.target)]), budget
    )
    rows, problems = [], []
    for path, output in track(_outputs(options), f"attacking towards {options.target!r}"):
        try:
            found = attack_recording(
                attack,
                classifier,
                path,
                options.target,
                budget,
                output,
                streaming=streaming if options.streaming else None,
            )
            rows.append(_row(found, options.target))
        except MondegreenError as error:
            problems.append(str(error))
    _print(rows, options)
    if problems:
        raise MondegreenError("\n".join(problems))


def _load(options: AttackFiles, folder: Path, classifier: Classifier) -> Generator | OnnxGenerator:
    """Return the generator, or what stands in its place with another backend."""
    if options.backend == "torch":
        return load_generator(folder, classifier)
    from mondegreen.generators.onnx_runtime import load_onnx  # only these need ONNX Runtime

    file = folder if folder.suffix == ".onnx" else folder / "generator.onnx"
    return load_onnx(file, classifier)


def _outputs(options: AttackFiles) -> list[tuple[Path, Path]]:
    """Return each clip with the file to write; clips of one name get numbers, inputs are kept."""
    taken = {clip.resolve() for clip in options.clips}
    taken |= {clip.parent.resolve() / clip.name for clip in options.clips}  # links, too
    pairs = []
    for clip in options.clips:
        output = options.out / f"{clip.stem}.{options.target}.wav"
        number = 2
        while output.resolve() in taken:
            output = options.out / f"{clip.stem}-{number}.{options.target}.wav"
            number += 1
        taken.add(output.resolve())
        pairs.append((clip, output))
    return pairs


def _row(found: AttackedRecording, target: str) -> dict[str, Any]:
    row = describe(found, target) | _quality(found)
    return row | {"output": str(found.output), "windows": len(found.after.probabilities)}


def _quality(recording: AttackedRecording) -> dict[str, float | None]:
    """Return PESQ of the recording's beginning; None where it cannot be computed."""
    rate, pair = 16_000, []
    for path in (recording.path, recording.output):
        x, old_rate = read_beginning(path, QUALITY_SECONDS)
        pair.append(resample(x.mean(dim=0), old_rate, rate)[: QUALITY_SECONDS * rate])
    try:
        scores = quality(pair[0][None, None], pair[1][None, None], rate, workers=1, stoi=False)
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
    table = Table(title=Text(f"target: {options.target}"))
    for name in ("file", "before", "after", "success", "SNR dB", "PESQ nb", "PESQ wb", "ms"):
        side: Literal["left", "right"] = "left" if name in ("file", "before", "after") else "right"
        table.add_column(name, justify=side, overflow="fold")
    for row in rows:
        numbers = [row[name] for name in ("snr_db", "pesq_nb", "pesq_wb", "milliseconds")]
        success = "yes" if row["success"] else "no"
        cells = ["-" if value is None else f"{value:.2f}" for value in numbers]
        texts = (Path(row["file"]).name, row["before"], row["after"], success, *cells)
        table.add_row(*map(Text, texts))
    Console().print(table)
    if options.streaming:
        factors = [row["real_time_factor"] for row in rows]
        say(
            f"Latency {rows[0]['latency_ms']:g} ms; computing took {min(factors):.2f} to "
            f"{max(factors):.2f} of the sound's own time (a stream needs less than 1)."
        )
    say(f"{sum(row['success'] for row in rows)} of {len(rows)} succeeded; files in {options.out}.")
