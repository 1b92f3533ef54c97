"""``mondegreen demo``: the whole job, from a synthetic corpus to the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rich.console import Console

from mondegreen.cli import evaluate, train_classifier, train_generator
from mondegreen.cli.options import parse, say
from mondegreen.data.cache_folder import refuse_foreign_cache
from mondegreen.data.options import DataOptions
from mondegreen.data.synthetic_speech import (
    SyntheticSpeechConfig,
    refuse_foreign,
    synthesize_speech,
)
from mondegreen.evaluation.evaluate import EvaluationOptions
from mondegreen.ownership import delete_folder, refuse_foreign_run
from mondegreen.runs import lock_folder

STAGES = ("speech", "classifier", "generator", "evaluation")


@dataclass(frozen=True)
class Demo:
    """Options of ``demo``."""

    out: Path = Path("runs/demo")
    """Folder for the corpus, the trained networks, the results and the report."""
    preset: Literal["smoke", "demo"] = "demo"
    """demo takes minutes; smoke takes seconds and shows only that everything runs."""
    fresh: bool = False
    """Start over; otherwise finished stages are reused."""


def run(words: Sequence[str]) -> None:
    """Parse the words and run every stage."""
    description = (
        "The whole job on a synthetic ten-word corpus: train a keyword spotter, train one "
        "generator for all ten words against it, attack unseen voices, measure, report."
    )
    options = parse(Demo, words, "demo", description, Demo())
    if options.fresh:
        _start_over(options.out)
    start = time.perf_counter()
    smoke = options.preset == "smoke"
    console = Console(stderr=True, highlight=False)
    speech = options.out / "speech"
    console.rule("1 of 4: a corpus of synthetic voices")
    voices = SyntheticSpeechConfig(speakers=24, noise_seconds=5) if smoke else None
    synthesize_speech(speech, voices or SyntheticSpeechConfig())
    data = DataOptions(data=speech, cache=options.out / "cache")
    classifier, generator = options.out / "classifier", options.out / "generator"
    console.rule("2 of 4: a keyword spotter")
    spotter = train_classifier.default(options.preset)
    train_classifier.execute(replace(spotter, data=data, out=classifier, device="cpu"))
    console.rule("3 of 4: one generator for all ten words")
    trained = train_generator.default(options.preset)
    train_generator.execute(
        replace(trained, data=data, classifier=classifier, out=generator, device="cpu")
    )
    console.rule("4 of 4: attack voices that neither has heard")
    measure = EvaluationOptions(quality_pairs=90 if smoke else 300, samples=1)
    folder = options.out / "evaluation"
    evaluate.execute(
        evaluate.Evaluate(
            data=DataOptions(), generator=generator, out=folder, measure=measure, device="cpu"
        )
    )
    say(
        f"Figures: {folder / 'figures'}\nAdversarial clips: {folder / 'samples'}\n"
        f"Done in {(time.perf_counter() - start) / 60:.1f} minutes."
    )


def _start_over(out: Path) -> None:
    """Delete the stages of an earlier demo, and nothing else.

    Raises:
        MondegreenError: A folder is not of a demo, a demo works in it, or it cannot be deleted.
    """
    refuse_foreign(out / "speech")
    refuse_foreign_cache(out / "cache")
    runs = [out / name for name in STAGES if name != "speech"]
    for folder in runs:
        refuse_foreign_run(folder)
        if folder.exists():
            lock_folder(folder).close()
    for folder in (*runs, out / "speech", out / "cache"):
        delete_folder(folder)
