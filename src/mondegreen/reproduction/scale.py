"""How large a reproduction is: the options of every stage, by preset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ScaleName = Literal["smoke", "cpu", "paper"]
Words = tuple[str, ...]

_ALGORITHM = ("--network", "unet", "--training.l2-reading", "code")
"""Eq. 9 in the authors' code's reading: as printed, the norm leaves the classifier no say."""
_GENETIC = "genetic:iterations={}"
_SWARM = "pso:epochs={}"
_EIGHT_BITS = "linf:0.0078125"
"""The bound that both rivals were published with: the eight least significant bits."""


@dataclass(frozen=True)
class Scale:
    """Options of every stage, as words of the commands; ``paper`` is the paper's own setting."""

    name: ScaleName
    speech_corpus: Words = ()
    """Of ``data synthesize``, where no recordings of speech are given."""
    music_corpus: Words = ()
    """Of ``data synthesize --kind music``, where no recordings of music are given."""
    speech_classifier: Words = ()
    """Of ``train classifier`` for speech: WideResNet."""
    sound_classifier: Words = ()
    """Of ``train classifier`` for music and sounds: SampleCNN."""
    gan: Words = ()
    """Of ``train generator`` by Algorithm 1."""
    epochs: int = 50
    """Passes of a generator for one target; one for all targets gets as many for each."""
    sound_epochs: int = 50
    """The same for sounds, whose corpus has another size."""
    music_epochs: int = 50
    """The same for music."""
    spectral: Words = ()
    """Of ``train generator`` for this project's generator."""
    data: Words = ()
    """Of every training of a classifier, beside those that say which clips."""
    unified_epochs: int | None = None
    """Passes of a generator for all targets, where they are not those of all single ones."""
    single_targets: int | None = None
    """How many targets get a generator each; all by default."""
    singles: tuple[str, ...] = ("speech", "sounds", "music")
    """Settings whose targets get a generator each."""
    ablation: Words = ()
    """Of ``train generator`` for the ablation, beside ``gan``."""
    ablation_seeds: tuple[int, ...] = (1024, 1025, 1026)
    """A training of every variant for each."""
    evaluation: Words = ()
    """Of ``evaluate``."""
    small_evaluation: Words = ()
    """Beside it, for generators of one target, of which there are many."""
    comparison: Words = ()
    """Of ``compare`` for Table 1."""
    curves: Words = ()
    """Of ``compare`` for success over the signal-to-noise ratio."""
    together: bool = False
    """Train and evaluate all generators of one target in one process: quicker where each takes
    seconds."""


def scale(name: ScaleName) -> Scale:
    """Return the sizes of a preset.

    Example:
        >>> scale("paper").epochs
        50
    """
    return {"smoke": _smoke, "cpu": _cpu, "paper": _paper}[name]()


def rehearsal(size: Scale) -> Scale:
    """Return a preset cut to a few steps of each stage, its networks at their full size.

    It shows that everything runs, and how much memory it takes, before days are spent.
    """
    once = ("--training.epochs", "1")
    few = ("--pairs", "2", "--quality-pairs", "2", "--timing-rounds", "1", "--batch-size", "2")
    return replace(
        size,
        speech_corpus=("--speakers", "24", "--noise-seconds", "2"),
        music_corpus=("--tracks", "30", "--seconds", "2"),
        data=("--limit", "1"),
        speech_classifier=(*size.speech_classifier, *once),
        sound_classifier=(*size.sound_classifier, *once),
        gan=(*size.gan, "--training.warm-up-epochs", "0"),
        epochs=1,
        sound_epochs=1,
        music_epochs=1,
        unified_epochs=1,
        spectral=(*size.spectral, *once),
        single_targets=1,
        # The ablation attacks clips of one label, and batch normalisation needs two of them.
        ablation=(*size.ablation, *once, "--limit", "2"),
        ablation_seeds=size.ablation_seeds[:1],
        evaluation=("--quality-pairs", "2", "--samples", "1", "--timing-repeats", "1"),
        small_evaluation=("--no-report",),
        comparison=(
            *("--attacks", "generator@none", "genetic:iterations=1@none", "pgd:steps=1@snr:20"),
            *(f"pso:epochs=1,iterations=1,particles=2@{_EIGHT_BITS}", *few),
        ),
        curves=("--attacks", "generator", "pgd:steps=1", "--budgets", "snr:20", *few),
    )


def _rivals(genetic: int, swarm: int) -> Words:
    """Return the attacks of Table 1, the paper's two rivals as they were published."""
    attacks = (f"{_GENETIC.format(genetic)}@none", f"{_SWARM.format(swarm)}@{_EIGHT_BITS}")
    return ("--attacks", "generator@none", *attacks, "pgd:steps=20@snr:20", "pgd:steps=20@snr:25")


def _curves(*ratios: int) -> Words:
    budgets = (f"snr:{ratio}" for ratio in ratios)
    return ("--attacks", "generator", "pgd:steps=5", "pgd:steps=20", "--budgets", *budgets)


def _smoke() -> Scale:
    few = ("--quality-pairs", "4", "--timing-rounds", "1", "--timing-seconds", "0.2")
    return Scale(
        name="smoke",
        speech_corpus=("--speakers", "24", "--noise-seconds", "2"),
        music_corpus=("--tracks", "10", "--seconds", "2"),
        speech_classifier=("--preset", "smoke", "--training.epochs", "2"),
        sound_classifier=("--preset", "smoke", "--training.epochs", "1"),
        gan=(
            *("--preset", "smoke", *_ALGORITHM, "--training.batch-size", "32"),
            *("--architecture.width", "0.03", "--training.discriminator.width", "0.03"),
            *("--training.warm-up-epochs", "0", "--training.learning-rate", "1e-3"),
        ),
        epochs=1,
        sound_epochs=1,
        music_epochs=1,
        spectral=("--preset", "smoke", "--training.epochs", "1"),
        singles=("speech",),
        ablation=("--training.epochs", "1"),
        ablation_seeds=(1024, 1025),
        evaluation=("--quality-pairs", "10", "--samples", "1", "--timing-repeats", "2"),
        small_evaluation=("--quality-pairs", "2", "--no-report"),
        comparison=(*_rivals(2, 1), "--pairs", "4", *few),
        curves=(*_curves(20, 30), "--pairs", "10", *few),
        together=True,
    )


def _cpu() -> Scale:
    timing = ("--timing-rounds", "5", "--timing-seconds", "2")
    return Scale(
        name="cpu",
        music_corpus=("--tracks", "30", "--seconds", "6"),
        speech_classifier=("--preset", "cpu", "--training.epochs", "40"),
        sound_classifier=("--preset", "demo", "--training.epochs", "15"),
        gan=(
            *("--preset", "cpu", *_ALGORITHM, "--architecture.width", "0.125"),
            *("--training.discriminator.width", "0.0625", "--training.batch-size", "16"),
            *("--training.learning-rate", "1e-3", "--training.warm-up-epochs", "0"),
            *("--training.patience", "0"),
        ),
        epochs=2,
        sound_epochs=2,
        music_epochs=1,
        spectral=("--preset", "demo", "--training.epochs", "10"),
        singles=("speech",),
        ablation=("--training.epochs", "8"),
        evaluation=("--quality-pairs", "180", "--samples", "1", "--timing-repeats", "10"),
        small_evaluation=("--quality-pairs", "40"),
        comparison=(*_rivals(100, 1), "--pairs", "45", "--quality-pairs", "45", *timing),
        curves=(
            *_curves(15, 20, 25, 30, 35),
            *("--pairs", "90", "--quality-pairs", "45", *timing),
        ),
    )


def _paper() -> Scale:
    half = ("--precision", "bf16-mixed")
    return Scale(
        name="paper",
        music_corpus=("--tracks", "100", "--seconds", "30"),
        speech_classifier=("--preset", "paper", *half),
        sound_classifier=("--preset", "paper", *half),
        gan=("--preset", "paper", *_ALGORITHM, *half),
        spectral=("--preset", "paper", "--network", "spectral", *half),
        ablation=("--training.epochs", "50", "--training.patience", "0"),
        evaluation=("--quality-pairs", "1000", "--samples", "1"),
        comparison=(*_rivals(500, 10), "--pairs", "450"),
        curves=(*_curves(10, 15, 20, 25, 30, 35, 40), "--pairs", "450"),
    )
